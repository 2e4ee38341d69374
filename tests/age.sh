#!/usr/bin/env bash
# The ordinary `age` program opens the key slots of a sealed remote: by age identities, SSH keys and passphrases. What it
# prints must be the key that the remote is sealed with, so another system joins with that alone.
#
# usage: tests/age.sh [DSYNC]      DSYNC: the program to test (default: target/debug/dsync)
# Uses `age` of the system, else unpacks Debian's; says so and ends well where there is none.
set -euo pipefail
cd "$(dirname "$0")/.."
dsync=$(realpath "${1:-target/debug/dsync}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if command -v age >/dev/null && command -v age-keygen >/dev/null; then
  bin=
elif command -v apt-get >/dev/null && (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download age >/dev/null 2>&1); then
  dpkg-deb -x "$work"/age_*.deb "$work/age"
  bin=$work/age/usr/bin/
else
  echo "age: skipped, the program is not installed and cannot be fetched"
  exit 0
fi

mkdir "$work/a" "$work/keys"
cd "$work"
printf 'BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u1\r\nFN:Ada Lovelace\r\nN:Lovelace;Ada;;;\r\nEND:VCARD\r\n' >a/cards.vcf
"${bin}age-keygen" -o keys/age 2>/dev/null
printf 'correct horse' >keys/passphrase
kinds=(age passphrase)
recipients=(--recipient "$("${bin}age-keygen" -y keys/age)")
if command -v ssh-keygen >/dev/null; then
  for kind in ed25519 rsa; do
    ssh-keygen -q -t "$kind" -N '' -f "keys/$kind"
    kinds+=("$kind")
    recipients+=(--recipient "$(cut -d' ' -f1,2 "keys/$kind.pub")")
  done
fi
"$dsync" -q -C a init --name a
"$dsync" -q -C a add-source cards.vcf
"$dsync" -q -C a remote add origin ../remote
for ((n = 0; n < ${#recipients[@]}; n += 2)); do
  "$dsync" -q -C a key add origin "${recipients[@]:n:2}"
done
"$dsync" -q -C a key add origin --passphrase-file ../keys/passphrase
"$dsync" -q -C a sync

# A passphrase is asked for on a terminal only.
cat >ask.py <<'PY'
import os, pty, sys
child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
passphrase, seen = open(sys.argv[1], 'rb').read(), b''
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    seen += piece
    if b'assphrase' in seen and passphrase:
        os.write(terminal, passphrase + b'\n')
        passphrase = b''
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
PY

passed=0 failed=0 first=
for kind in "${kinds[@]}"; do
  opened=
  for slot in remote/key/*.age; do
    case $kind in
    passphrase) python3 ask.py keys/passphrase "${bin}age" -d -o "out-$kind" "$slot" >/dev/null 2>&1 || continue ;;
    *) "${bin}age" -d -i "keys/$kind" -o "out-$kind" "$slot" 2>/dev/null || continue ;;
    esac
    opened=$slot
    break
  done
  if [ -z "$opened" ]; then
    echo "age: no slot opens with the $kind key"
    failed=$((failed + 1))
    continue
  fi
  [ -n "$first" ] || first=out-$kind
  # Nothing but what age printed opens the remote for a new system.
  if grep -q '^dsync-data-key-1 ' "out-$kind" && cmp -s "$first" "out-$kind" &&
    "$dsync" -q clone remote "joined-$kind" --name "$kind" --key-file "out-$kind" 2>"$kind.log" &&
    [ "$("$dsync" -C "joined-$kind" --json cat contacts | grep -c Lovelace)" = 1 ]; then
    passed=$((passed + 1))
  else
    echo "age: what the $kind slot holds does not open the remote"
    cat "$kind.log"
    failed=$((failed + 1))
  fi
done
printf 'x' >keys/wrong
if python3 ask.py keys/wrong "${bin}age" -d -o out-wrong remote/key/*passphrase*.age >/dev/null 2>&1; then
  echo "age: a wrong passphrase opens a slot"
  failed=$((failed + 1))
fi
echo "age: slots of ${kinds[*]} opened by age $("${bin}age" --version 2>/dev/null): $passed passed, $failed failed"
[ "$failed" = 0 ]
