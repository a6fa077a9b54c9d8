#!/bin/sh
# Daemons and clients of ours with those of Pyro5 and Pyro4, all serializers.
#
# usage: interop.sh
#
# Pyro4 is Debian's. Pyro5 is not in Debian: a stand-in as strict takes its
# place (tests/pyro5.py); with PYRO5_DIR set it is the Pyro5 in that directory.
# The last line is the total: "N passed, N failed".
set -eu
cd "$(dirname "$0")/.."
. tests/common.sh
unset MAKEFLAGS MFLAGS # a make that is started here has jobs of its own
case ${1:-} in -h | --help) help ;; esac

sh tests/deps.sh python3 pyro4
python=$(python_with Pyro4 serpent msgpack)
dir=build/interop
rm -rf $dir
mkdir -p $dir build/tests
pids=
cleanup() {
    for pid in $pids; do kill "$pid" 2>/dev/null || :; done
    for pid in $pids; do wait "$pid" 2>/dev/null || :; done
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# build NAME: a program of tests/.
build() {
    "$CC" -std=gnu11 -g -O1 $WARN_C -o build/tests/$1 tests/$1.c
}

# start NAME COMMAND...: in the background; sets `at` to the address that it
# prints as "... at ADDRESS", or as a name server does.
start() {
    name=$1
    shift
    : >$dir/$name.out
    timeout -k 2 250 "$@" >$dir/$name.out 2>&1 &
    pids="$pids $!"
    tries=0
    while at=$(sed -n 's/^.* at //p; s/^Name server.* on: //p' \
        $dir/$name.out) && [ -z "$at" ]; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || die "$name did not start: $(cat $dir/$name.out)"
        sleep 0.05
    done
}

# same FILE FILE: whether they are.
same() { diff "$1" "$2" && say "1 passed, 0 failed"; }

passed=0
failed=0
# run LABEL COMMAND...: adds its "N passed, N failed".
run() {
    label=$1
    shift
    case $1 in
    same) "$@" ;;
    *) timeout -k 2 60 "$@" ;;
    esac >$dir/log 2>&1 || :
    sum=$(sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' $dir/log)
    set -- ${sum:-0 1}
    passed=$((passed + $1))
    failed=$((failed + $2))
    if [ "$1 $2" = "$1 0" ] && [ "$1" != 0 ]; then
        printf 'ok   %-50s %4d passed\n' "$label" "$1"
    else
        printf 'FAIL %-50s %4d passed, %d failed\n' "$label" "$1" "$2"
        tail -n 25 $dir/log | sed 's/^/     | /'
    fi
}

build interop_server
start board build/tests/interop_server 127.0.0.1:0
board=$at
for api in Pyro5 Pyro4; do
    for ser in serpent json msgpack; do
        run "$api client, $ser, calls our daemon" \
            "$python" tests/interop.py $api calls $ser "$board"
        run "$api daemon, $ser, is called by ours" \
            "$python" tests/interop.py $api callbacks $ser "$board"
    done
done
start plain build/tests/interop_server 127.0.0.1:0 msgpack
for api in Pyro5 Pyro4; do
    for ser in serpent json marshal; do
        run "$api client, $ser, is told that it is msgpack only" \
            "$python" tests/interop.py $api refused $ser "$at"
    done
done

# Daemons of theirs that lack serializers: another one is found by itself.
build interop_client
for api in Pyro5 Pyro4; do
    start $api.all "$python" tests/interop.py $api serve
    run "our client calls a daemon with $api, msgpack" \
        build/tests/interop_client "$at" serpent json
    start $api.two "$python" tests/interop.py $api serve msgpack
    run "our client calls a daemon with $api, serpent" \
        build/tests/interop_client "$at" serpent json
    start $api.one "$python" tests/interop.py $api serve msgpack serpent
    run "our client calls a daemon with $api, JSON" \
        build/tests/interop_client "$at" json serpent
done

# The examples.
make -s build/examples/quickstart/server
start calc build/examples/quickstart/server 127.0.0.1:0
cat >$dir/bench.want <<'END'
1/3 is 0.3333333333333333
by name as well: 0.25
an exception of the board: division by zero
3 calls so far; from now on anew
1 since then
the board says 1
the board says 2
the board says 3
END
for api in Pyro4 Pyro5; do
    path=
    [ $api = Pyro4 ] || path=${PYRO5_DIR:-tests/standin}
    PYTHONPATH=$path timeout 20 "$python" examples/python/bench.py "$at" \
        >$dir/bench.out 2>&1 || :
    sed -i 's/^[57] calls so far/3 calls so far/' $dir/bench.out
    run "examples/python/bench.py with $api" same $dir/bench.want \
        $dir/bench.out
done
PYTHONPATH= COLUMNS=40 LINES=8 timeout 20 "$python" examples/python/plot.py \
    "$at" calc calls 0.01 4 2>&1 | tail -n 2 >$dir/plot.out
printf '         3 |    \n         2 |****\n' >$dir/plot.want
run "examples/python/plot.py" same $dir/plot.want $dir/plot.out

# Names. What a tool of theirs prints is compared with what it has to.
make -s build/examples/tools/pyro-ns build/examples/tools/pyro-nsc
names_port=$((20000 + $$ % 20000))
start names build/examples/tools/pyro-ns -r -n 127.0.0.1 -p 0 \
    -b $names_port --bcport5 $((names_port + 1))
names=$at
for api in Pyro5 Pyro4; do
    for ser in serpent json msgpack; do
        run "$api client, $ser, uses our name server" "$python" \
            tests/interop.py $api names $ser "$names" $((names_port + 1))
    done
done
build/examples/tools/pyro-nsc -n "$names" register board \
    "PYRO://$board/board" >$dir/nsc.out 2>&1 || cat $dir/nsc.out
for api in Pyro5 Pyro4; do
    run "$api client finds our daemon by name" \
        "$python" tests/interop.py $api pyroname serpent "$names" board
done
nsc() {
    PYTHONWARNINGS=ignore "$python" -m Pyro4.nsc -n "${names%:*}" \
        -p "${names#*:}" "$@" 2>&1
}
pyro4_nsc() {
    nsc ping && nsc register t.a PYRO:a@10.0.0.7:99 && nsc setmeta t.a x y &&
        nsc list t. && nsc lookup t.a && nsc listmeta_all x &&
        nsc listmeta_any z x && nsc remove t.a && nsc lookup t.a || :
}
pyro4_nsc | sed "s/\['y', 'x'\]/['x', 'y']/" >$dir/nsc.out
cat >$dir/nsc.want <<'END'
Name server ping ok.
Registered t.a
Metadata updated
--------START LIST - prefix 't.'
t.a --> PYRO:a@10.0.0.7:99
    metadata: ['x', 'y']
--------END LIST - prefix 't.'
PYRO:a@10.0.0.7:99
metadata: ['x', 'y']
--------START LIST  - searched by metadata
t.a --> PYRO:a@10.0.0.7:99
    metadata: ['x', 'y']
--------END LIST  - searched by metadata
--------START LIST  - searched by metadata
t.a --> PYRO:a@10.0.0.7:99
    metadata: ['x', 'y']
--------END LIST  - searched by metadata
Removed t.a
Error: NamingError - unknown name: t.a
END
run "pyro4-nsc uses our name server" same $dir/nsc.want $dir/nsc.out

# Ours in name servers of theirs.
for api in Pyro5 Pyro4; do
    start $api.names "$python" tests/interop.py $api server
    names=$at
    start $api.board build/tests/interop_server 127.0.0.1:0 "$names"
    run "$api client finds our daemon in a name server of $api" \
        "$python" tests/interop.py $api pyroname serpent "$names" c.board
    run "our client finds it there, too" \
        build/tests/interop_client names "$names" c.board
done

say "$passed passed, $failed failed"
[ $failed = 0 ]
