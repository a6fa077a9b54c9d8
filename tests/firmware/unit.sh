#!/bin/sh
# The unit tests of all that does not need an operating system, unchanged, on
# Cortex-M0, M3, M4, M33 and RISC-V. Memory ends where test_fence is, so a
# byte read too far is a fault there as well (not on m0-64k: QEMU's lm3s6965evb
# reads zeros there).
#
# usage: unit.sh [BOARD:TEST...]    e.g. m3:reader
#
# A board of 16 KB has room for few tests, one of 64 KB for more. Slow ones
# run on some boards only. Left out are tests that need files, sockets,
# processes or threads (posix, process, threads, serial, es_restarts, ns_files,
# ns_kill), those of the examples' own code (args, json), and, to keep the time,
# text, faults, ns_least and those about Pyro5; most of the latter four
# tests/matrix.sh runs with 32 bits. The last line is the total.
set -eu
cd "$(dirname "$0")/../.."
. tests/firmware/common.sh
case ${1:-} in -h | --help) help ;; esac

small="basics reader values"
middle="signatures"
arm="basics writer signatures wire daemon proxy nesting"
core="$arm reader uri exception exception_0 exception_16 poll later datagrams
    es"

# plan BOARD TEST...
plan() {
    of=$1
    shift
    say "$of:fence"
    for test; do say "$of:$test"; done
}

all() {
    plan m0 $small
    for test in $middle; do say "m0-64k:$test"; done
    plan m3 $core vectors links ns_client ns_locator ns_pair ns_storage
    plan rv32 $core ns_server
    plan m4 $arm
    plan m33 $arm
}

cmocka=build/debian/cmocka
cmocka_has="-DHAVE_SIGNAL_H -DHAVE_SETJMP_H -DHAVE_STDINT_H
    -DHAVE_INTTYPES_H -DHAVE_STDLIB_H -DHAVE_STRING_H -DHAVE_TIME_H
    -DHAVE_SYS_TYPES_H -D_GNU_SOURCE"

# What the programs of a board have in common: cmocka.
prepare() {
    board "$1"
    mkdir -p "$FW/$1"
    $fw_cc --specs=picolibc.specs $FW_FLAGS -w $cmocka_has \
        -I$cmocka/include -c $cmocka/src/cmocka.c -o "$FW/$1/cmocka.o"
    case $1 in
    m3 | m4)
        $fw_cc --specs=picolibc.specs $FW_FLAGS $WARN_C -std=c99 \
            -DTEST_FENCE="${fw_end}u" -c tests/firmware/mpu.c \
            -o "$FW/$1/mpu.o"
        ;;
    esac
}

# run_image NAME [SECONDS]: the output is left in NAME.log.
run_image() {
    timeout -k 5 "${2:-100}" $fw_qemu -serial null -kernel "$1.elf" >"$1.log" 2>&1 \
        </dev/null
}

# build NAME SOURCE FLAGS...: the compiler's complaints are left in NAME.log.
build() {
    base=$1
    source=$2
    shift 2
    image "$base.elf" -std=gnu11 $WARN_C -DNODE_STACK=0x4000 \
        -DTEST_FENCED="$fw_fenced" \
        -DTEST_FENCE="${fw_end}u" $fw_small "$@" \
        -Itests/firmware/include -I$cmocka/include "$source" \
        "$FW/$name"/*.o >"$base.log" 2>&1
}

# The program ends with 0 when it looks at the last byte, and not when it
# looks at the next.
fence() {
    out=$FW/$name/fence
    build "$out" tests/firmware/fence.c -DFENCE_AT=0 || return 1
    run_image "$out" || return 1
    build "$out" tests/firmware/fence.c -DFENCE_AT=1 || return 1
    run_image "$out" 10 && return 1
    grep -q '^. RUN ' "$out.log" && ! grep -q 'the byte behind' "$out.log"
}

# one BOARD:TEST: prints "ok passed failed BOARD:TEST".
one() {
    name=${1%:*}
    test=${1#*:}
    out=$FW/$name/$test
    board "$name"
    fw_small=
    [ "$name" != m0 ] || fw_stack=0x800
    if [ "$name" = m0-64k ]; then
        fw_stack=0x2000
        fw_small="-DLOOP_CONNS=4 -DLOOP_BYTES=1024 -DLOOP_SOCKETS=1"
    fi
    if [ "$test" = fence ]; then
        if fence; then
            say "ok 1 0 $1"
        else
            say "FAIL 0 1 $1: see $out.log"
        fi
        return
    fi
    status=0
    build "$out" "tests/test_$test.c" && run_image "$out" || status=$?
    planned=$(sed -n 's/^\[=*\] Running \([0-9]*\) test(s).*/\1/p' \
        "$out.log" | awk '{ n += $1 } END { print n + 0 }')
    passed=$(grep -c '^\[ *OK \]' "$out.log" || true)
    if [ $status = 0 ] && [ "$planned" -gt 0 ] && [ "$planned" = "$passed" ]
    then
        say "ok $passed 0 $1"
    else
        say "FAIL $passed $((planned > passed ? planned - passed : 1)) $1:" \
            "status $status, see $out.log"
        tail -n 12 "$out.log" | sed 's/^/     | /'
    fi
}

if [ "${1:-}" = one ]; then
    one "$2"
    exit
fi
sh tests/deps.sh arm qemu rv32
sh tests/debian_source.sh cmocka >/dev/null
[ $# -gt 0 ] || set -- $(all)
for it; do say "${it%:*}"; done | sort -u | while read -r name; do
    prepare "$name"
done
printf '%s\n' "$@" | xargs -n 1 -P "$(nproc)" sh "$0" one |
    tee $FW/unit.log
awk '/^(ok|FAIL) /{ p += $2; f += $3 }
    END { printf "%d passed, %d failed\n", p, f; exit f > 0 || p == 0 }' \
    $FW/unit.log
