#!/usr/bin/env bash
# Starts a PostgreSQL server of its own on loopback, in a folder, without touching the system's.
#
# usage: tests/servers/postgres.sh start DIR     prints the URL of an empty database (superuser, password in it)
#        tests/servers/postgres.sh stop DIR
# Exit 77 where there is no PostgreSQL, or none can run. Root starts it as `nobody`. Where there is openssl it has TLS, too,
# with a certificate for `localhost` by an authority in ca.pem beside it (SHOW ssl_cert_file tells where).
set -euo pipefail
action=${1-} dir=${2-}
[ -n "$dir" ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
dir=$(realpath -m -- "$dir")
skip() { echo "postgres: skipped, $*" >&2; exit 77; }

as=()
if [ "$(id -u)" = 0 ]; then
  command -v setpriv >/dev/null || skip "root needs setpriv to start it as another user"
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups --)
fi

# The folder of initdb and postgres: the path's, else the newest that Debian or Red Hat installed.
bin=
for candidate in "$(dirname -- "$(command -v initdb || echo /nowhere/initdb)")" $(printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin | sort -rV); do
  if [ -x "$candidate/initdb" ] && [ -x "$candidate/postgres" ]; then bin=$candidate; break; fi
done

make_certificate() (
  set -e
  mkdir -p "$1" && cd "$1"
  key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
  openssl req -x509 "${key[@]}" -days 30 -subj /CN=dsync-test-authority -keyout ca.key -out ca.pem
  openssl req "${key[@]}" -subj /CN=localhost -keyout server.key -out server.csr
  printf 'subjectAltName=DNS:localhost\n' >names
  openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile names -out server.crt
  chmod 600 server.key
)

case $action in
  start)
    [ -n "$bin" ] || skip "there is no initdb and postgres here"
    mkdir -p "$dir/data"
    chmod 755 "$dir"
    printf 'secret\n' >"$dir/password"
    tls=(-c ssl=off)
    if command -v openssl >/dev/null && make_certificate "$dir/tls" >"$dir/openssl.log" 2>&1; then
      tls=(-c ssl=on -c ssl_cert_file="$dir/tls/server.crt" -c ssl_key_file="$dir/tls/server.key")
    fi
    [ ${#as[@]} = 0 ] || chown -R 65534:65534 "$dir"
    chmod 700 "$dir/data"
    cd /
    "${as[@]}" test -x "$dir" || skip "user nobody cannot reach $dir"
    if ! "${as[@]}" "$bin/initdb" -D "$dir/data" -U postgres --auth=scram-sha-256 --pwfile="$dir/password" \
      --encoding=UTF8 --locale=C --no-sync >"$dir/initdb.log" 2>&1; then
      tail -n 3 "$dir/initdb.log" >&2
      skip "initdb failed"
    fi
    memory=posix
    "${as[@]}" test -w /dev/shm || memory=mmap
    for _ in 1 2 3 4 5; do
      port=$((20000 + RANDOM % 12000))
      # Everything slow is off: the tests kill clients, not the server.
      setsid "${as[@]}" "$bin/postgres" -D "$dir/data" -c listen_addresses=127.0.0.1 -c port="$port" -c unix_socket_directories= \
        "${tls[@]}" -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c dynamic_shared_memory_type="$memory" \
        >"$dir/log" 2>&1 </dev/null &
      server=$!
      for _ in $(seq 300); do
        if grep -q 'ready to accept connections' "$dir/log"; then
          echo "postgres://postgres:secret@127.0.0.1:$port/postgres"
          exit 0
        fi
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
      done
    done
    tail -n 5 "$dir/log" >&2
    skip "it does not start"
    ;;
  stop)
    [ -s "$dir/data/postmaster.pid" ] || exit 0
    server=$(head -n 1 "$dir/data/postmaster.pid")
    kill -INT "$server"
    for _ in $(seq 100); do kill -0 "$server" 2>/dev/null || exit 0; sleep 0.1; done
    ;;
  *) echo "postgres: start or stop, not '$action'" >&2; exit 2 ;;
esac
