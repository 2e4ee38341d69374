#!/usr/bin/env bash
# Runs the conformance suite and a scenario of two systems against servers of other people, one after the other.
#
# usage: tests/servers/remotes.sh [NAME...]      NAME: openssh nginx apache "rclone webdav" "rclone s3" "rclone sftp" moto
# What cannot be had here is skipped with a word. Fetched programs stay in $DSYNC_TEST_CACHE (~/.cache/dsync-test-servers, /var/cache for root).
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d "${TMPDIR:-/tmp}/dsync-servers-XXXXXX")
chmod 755 "$work"
server=
stop() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; } || true
  server=
}
finish() { stop; rm -rf "$work"; }
trap finish EXIT

servers=("$@")
[ $# -gt 0 ] || servers=(openssh nginx apache "rclone webdav" "rclone s3" "rclone sftp" moto)
passed=0 failed=0 skipped=0
cargo test --locked --quiet --no-run --test it

for words in "${servers[@]}"; do
  read -r name kind <<<"$words"
  dir=$work/$name${kind:+-$kind}
  mkdir "$dir"
  "tests/servers/$name.sh" "$dir" ${kind:+"$kind"} >"$dir.log" 2>&1 &
  server=$!
  # Programs may have to be fetched first.
  for _ in $(seq 1200); do
    [ ! -e "$dir/remotes" ] && kill -0 "$server" 2>/dev/null || break
    sleep 0.2
  done
  if [ ! -e "$dir/remotes" ]; then
    code=0
    wait "$server" || code=$?
    server=
    if [ "$code" = 77 ]; then
      echo "remotes: $words skipped: $(tail -n 1 "$dir.log")"
      skipped=$((skipped + 1))
    else
      echo "remotes: $words does not start:"
      tail -n 20 "$dir.log"
      failed=$((failed + 1))
    fi
    continue
  fi
  while IFS='|' read -r label url options ca; do
    tests=(network::real)
    [ "$name" != openssh ] || tests+=(network::openssh)
    # The adapter tries again while the server starts to listen.
    if DSYNC_TEST_URL=$url DSYNC_TEST_OPTIONS=$options DSYNC_TEST_CA=$ca DSYNC_TEST_HOME=$dir/home \
      cargo test --locked --quiet --test it -- --ignored --test-threads 1 "${tests[@]}" >"$dir.test" 2>&1 </dev/null; then
      echo "remotes: $label passed"
      passed=$((passed + 1))
    else
      echo "remotes: $label failed:"
      cat "$dir.test"
      tail -n 20 "$dir.log"
      failed=$((failed + 1))
    fi
  done <"$dir/remotes"
  stop
done
echo "remotes: $passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
