#!/bin/sh
# The wire as a stranger wrote it, in Python and from the manual alone,
# against a daemon of ours: plain, and with CHECKSUM.
#
# usage: test_python.sh
set -eu
cd "$(dirname "$0")/.."
. tests/common.sh
case ${1:-} in -h | --help) help ;; esac

# A client is a day's work; what client.py does with it is the test.
lines=$(wc -l <tests/wire.py)
[ "$lines" -lt 200 ] || die "tests/wire.py has $lines lines, 200 or more"

sh tests/deps.sh python3
mkdir -p build/tests
program=build/tests/python_server
out=build/tests/python_server.out.$$
server=
cleanup() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || :
        wait "$server" 2>/dev/null || :
    fi
    rm -f "$out" "$out.client"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# Waits up to five seconds until the server has printed its address.
address() {
    tries=0
    while ! sed -n 's/^calc is at //p' "$out" | grep .; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] && ! grep -q '^server:' "$out" || return 1
        sleep 0.05
    done
}

passed=0
failed=0
# client ARGUMENT...: runs client.py, shows what it says, adds up its sum.
client() {
    say "client.py $*"
    timeout -k 2 20 python3 tests/client.py "$@" >"$out.client" 2>&1 || :
    cat "$out.client"
    sum=$(sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' \
        "$out.client")
    set -- ${sum:-0 1}
    passed=$((passed + $1))
    failed=$((failed + $2))
}

[ -x $program ] &&
    [ -z "$(find pyro.h tests/python_server.c tests/serve.h -newer $program)" ] ||
    "$CC" -std=gnu11 -g -O1 $WARN_C -o $program tests/python_server.c
timeout -k 2 60 $program >"$out" 2>&1 &
server=$!
at=$(address) || die "the server did not start: $(cat "$out")"
client "$at"
client --checksum "$at"
say "$passed passed, $failed failed"
[ $failed = 0 ]
