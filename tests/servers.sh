#!/usr/bin/env bash
# Shows what dsync writes to programs of other people: khard must read it, a Radicale server must accept it, and the
# remotes must work on OpenSSH, nginx, Apache, rclone and moto (tests/servers/remotes.sh); Parquet files go to pyarrow and come back.
#
# usage: tests/servers.sh [DSYNC]      DSYNC: the program to test (default: target/debug/dsync)
# Needs python3 with venv and a package index; says so and ends well where there is none.
set -euo pipefail
cd "$(dirname "$0")/.."
dsync=$(realpath "${1:-target/debug/dsync}")
tests/servers/remotes.sh
tests/age.sh "$dsync"
tests/servers/parquet.sh "$dsync"
data=$(realpath tests/data/contacts)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/dsync-interop
work=$(mktemp -d)
server=
finish() { [ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"; }
trap finish EXIT

if [ ! -x "$cache/bin/radicale" ]; then
  mkdir -p "$cache"
  if ! { python3 -m venv "$cache" && "$cache/bin/pip" install -q khard==0.22.0 radicale==3.9.0; } >"$work/pip.log" 2>&1; then
    rm -rf "$cache"
    echo "interop: skipped, khard and radicale cannot be installed here"
    exit 0
  fi
fi

# Every card of the data as a folder of 3.0 cards; of the file of a thousand cards only the form matters, which its first ones show.
passed=0 failed=0
mkdir "$work/cards"
while IFS= read -r -d '' file; do
  out=$(mktemp -d "$work/cards/XXXXXX")
  if [ "$(grep -c '^BEGIN:VCARD' "$file")" -gt 100 ]; then
    awk '/^BEGIN:VCARD/ && ++n > 50 { exit } { print }' "$file" >"$work/first.vcf"
    file=$work/first.vcf
  fi
  "$dsync" -q convert "$file" "$out" --to vcard >"$work/log" 2>&1 || [ $? = 3 ] || { cat "$work/log"; failed=$((failed + 1)); }
done < <(find "$data" -name '*.vcf' -print0 | sort -z)

# The files are of many programs and share UIDs, which one address book must not.
n=0
while IFS= read -r card; do
  n=$((n + 1))
  awk -v uid="card-$n" '/^UID:/ { printf "UID:%s\r\n", uid; skip = 1; next } skip && /^[ \t]/ { next } { skip = 0; print }' \
    "$card" >"$work/unique" && mv "$work/unique" "$card"
done < <(find "$work/cards" -name '*.vcf' | sort)

cat >"$work/khard.conf" <<CONF
[addressbooks]
CONF
books=0
for folder in "$work"/cards/*/; do
  [ -n "$(ls "$folder")" ] || continue
  books=$((books + 1))
  printf '[[book%d]]\npath = %s\n' "$books" "$folder" >>"$work/khard.conf"
done
cards=$(find "$work/cards" -name '*.vcf' | wc -l)
listed=$("$cache/bin/khard" -c "$work/khard.conf" list --parsable 2>"$work/khard.err" | wc -l || true)
if [ -s "$work/khard.err" ]; then echo "interop: khard complains:"; head -n 20 "$work/khard.err"; failed=$((failed + 1)); else passed=$((passed + 1)); fi
if [ "$listed" = "$cards" ]; then passed=$((passed + 1)); else echo "interop: khard lists $listed of $cards cards"; failed=$((failed + 1)); fi

port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
cat >"$work/radicale.conf" <<CONF
[server]
hosts = 127.0.0.1:$port
[auth]
type = none
[storage]
filesystem_folder = $work/radicale
[logging]
level = error
CONF
"$cache/bin/radicale" -C "$work/radicale.conf" >"$work/radicale.log" 2>&1 &
server=$!
url=http://127.0.0.1:$port/u/book/
for _ in $(seq 100); do curl -sf --max-time 30 -o /dev/null "http://127.0.0.1:$port/.web/" && break; sleep 0.1; done
book='<?xml version="1.0"?><mkcol xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><set><prop><resourcetype><collection/><C:addressbook/></resourcetype></prop></set></mkcol>'
curl -sf --max-time 30 -u u: -X MKCOL -H 'Content-Type: application/xml' --data "$book" "$url" || { cat "$work/radicale.log"; exit 1; }
accepted=0
while IFS= read -r card; do
  status=$(curl -s --max-time 30 -o "$work/answer" -w '%{http_code}' -u u: -T "$card" -H 'Content-Type: text/vcard' "$url$accepted.vcf")
  if [ "$status" = 201 ]; then accepted=$((accepted + 1)); else
    echo "interop: radicale answers $status to $card"; head -c 300 "$work/answer"; head -n 6 "$card"; tail -n 3 "$work/radicale.log"; failed=$((failed + 1)); fi
done < <(find "$work/cards" -name '*.vcf' | sort)
echo "interop: khard lists $listed of $cards cards, radicale accepts $accepted of $cards"
passed=$((passed + 1))
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
