#!/bin/bash
# Kills `dsync sync` at random moments while two systems' sources are edited, then checks that all of them end equal.
# usage: tests/kill.sh [rounds, default 100] [program, default target/debug/dsync]
set -euo pipefail
rounds=${1:-100}
program=$(realpath "${2:-target/debug/dsync}")
RANDOM=${KILL_SEED:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work/home
mkdir "$HOME" "$work/a" "$work/b" "$work/b/cards"
cd "$work"

card() { # uid name phone
    printf 'BEGIN:VCARD\r\nVERSION:3.0\r\nUID:%s\r\nFN:%s Test\r\nN:Test;%s;;;\r\nTEL:%s\r\nEND:VCARD\r\n' "$1" "$2" "$2" "$3"
}
fail() { echo "kill.sh: $*" >&2; trap - EXIT; echo "kept: $work" >&2; exit 1; }

for n in $(seq 20); do card "u$n" "P$n" "+1 555 $n"; done > a/phone.vcf
for system in a b; do
    "$program" -C $system init -q
    "$program" -C $system remote add origin "$work/remote" --plain -q
done
"$program" -C a add-source phone.vcf --name phone -q
"$program" -C b add-source cards --format vcard --name cards -q
"$program" -C a sync -q
"$program" -C b sync -q

killed=0
added=20
for round in $(seq "$rounds"); do
    # Each edit replaces a file whole, as careful programs do, and touches numbers no other edit touches.
    n=$((RANDOM % 20 + 1))
    sed "s/^TEL:+1 555 $n\(x[0-9]*\)\?\r$/TEL:+1 555 ${n}x$round\r/" a/phone.vcf > a/edit.tmp
    mv a/edit.tmp a/phone.vcf
    if ((round % 5 == 0)); then
        added=$((added + 1))
        card "n$added" "New$added" "+1 777 $added" > b/cards/edit.tmp
        mv b/cards/edit.tmp "b/cards/n$added.vcf"
    fi
    system=$([[ $((RANDOM % 2)) = 0 ]] && echo a || echo b)
    "$program" -C $system sync -q > out 2>&1 &
    pid=$!
    sleep "0.$(printf '%03d' $((RANDOM % ${KILL_WITHIN_MS:-25})))"
    if kill -9 $pid 2> /dev/null; then killed=$((killed + 1)); fi
    wait $pid 2> /dev/null || true
    "$program" -C $system verify -q > out 2>&1 || fail "round $round: $(cat out)"
done

for _ in 1 2; do
    for system in a b; do "$program" -C $system sync -q > out 2>&1 || fail "sync of $system: $(cat out)"; done
done
for system in a b; do
    "$program" -C $system cat contacts --json | sort > cat.$system
    [[ -z $("$program" -C $system conflicts --json) ]] || fail "conflicts in $system"
    "$program" -C $system gc -q
    hidden=$(find $system -name '.*dsync-tmp*')
    [[ -z $hidden ]] || fail "left over: $hidden"
done
cmp cat.a cat.b || fail "the systems differ"
[[ $(grep -c BEGIN:VCARD a/phone.vcf) = "$added" ]] || fail "a/phone.vcf has not $added cards"
[[ $(find b/cards -name '*.vcf' | wc -l) = "$added" ]] || fail "b/cards has not $added cards"
diff <(grep -h '^TEL' a/phone.vcf | sort) <(grep -h '^TEL' b/cards/*.vcf | sort) || fail "the phones differ"
echo "killed $killed of $rounds runs; $added contacts on both systems, no conflict"
