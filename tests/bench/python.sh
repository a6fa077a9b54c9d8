#!/bin/sh
# Calls per second from a client in Python, with Pyro4 as Debian has it, to our
# daemon and to the same object in a daemon in Python.
#
# usage: python.sh [SECONDS]     of each measurement: 2
#
# One core each for client and daemon, as there are in use.
set -eu
cd "$(dirname "$0")/../.."
. tests/common.sh
case ${1:-} in -h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
seconds=${1:-2}

sh tests/deps.sh python3 pyro4
python=$(python_with Pyro4 serpent msgpack)
mkdir -p build/bench
gcc -std=gnu11 -O2 $WARN_C -o build/bench/interop_server tests/interop_server.c
pids=
trap 'kill $pids 2>/dev/null || :' EXIT
trap 'exit 1' INT TERM
timeout 120 build/bench/interop_server 127.0.0.1:0 >build/bench/ours.out &
pids=$!
timeout 120 "$python" tests/interop.py Pyro4 serve >build/bench/theirs.out &
pids="$pids $!"

# at FILE: the address printed there, within ten seconds.
at() {
    tries=0
    while ! sed -n 's/^.* at //p' build/bench/$1.out | grep .; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || die "no server: build/bench/$1.out"
        sleep 0.05
    done
}

rate() {
    "$python" tests/interop.py Pyro4 rate "$1" "$2" "$seconds" |
        sed -n 's/ calls.s$//p'
}

ours=$(at ours)
theirs=$(at theirs)
for ser in serpent json msgpack; do
    a=$(rate $ser "board@$ours")
    b=$(rate $ser "meter@$theirs")
    [ -n "$a" ] && [ -n "$b" ] || die "$ser: a client failed"
    printf 'Pyro4 client, %-7s  %6d calls/s to our daemon, %6d to one in' \
        $ser "$a" "$b"
    printf ' Python: %s times\n' "$(echo "$a $b" | awk '{ printf "%.1f", $1 / $2 }')"
done
