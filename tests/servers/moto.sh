#!/usr/bin/env bash
# moto: S3 with right conditional writes.
. "$(dirname "$0")/lib.sh"
python moto 'moto[s3,server]==5.2.1'
port=$(free_port)
(
  for _ in $(seq 100); do
    ! curl -sf --max-time 5 -o /dev/null -X PUT "http://127.0.0.1:$port/bucket" || break
    sleep 0.2
  done
  remote "moto S3" "s3://user:secretsecret@bucket/NAME?endpoint=http://127.0.0.1:$port"
  ready
) &
exec env HOME="$dir" "$root/bin/moto_server" -H 127.0.0.1 -p "$port"
