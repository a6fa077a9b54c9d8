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
. tests/processes.sh
program=build/tests/python_server
mkdir -p build/tests

# client ARGUMENT...: runs client.py, shows what it says, adds up its sum.
client() {
    say "client.py $*"
    timeout -k 2 20 python3 tests/client.py "$@" >$dir/out 2>&1 || :
    cat $dir/out
    sum=$(sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' $dir/out)
    set -- ${sum:-0 1}
    good=$((good + $1))
    bad=$((bad + $2))
}

[ -x $program ] &&
    [ -z "$(find pyro.h tests/python_server.c tests/serve.h -newer $program)" ] ||
    "$CC" -std=gnu11 -g -O1 $WARN_C -o $program tests/python_server.c
begin server 'calc is at ' $program
client "$said"
client --checksum "$said"
say "$good passed, $bad failed"
[ $bad = 0 ]
