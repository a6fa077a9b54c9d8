#!/bin/sh
# Compiles the library in every way it may be used, without a warning.
#
# usage: matrix.sh [-v] [GROUP...]     -v: say what is built
#
# gcc, clang       C99, C11, gnu17; declarations and library in two files;
#                  PYRO_STATIC in two files
# g++, clang++     C++11, C++17; mixed: a library in C, a user in C++
# orders           the headers in any order and again
# switches, leanest_switches, ns_switches, es_switches, numbers
# mingw            compiled only
# m32 powerpc s390x armhf musl tcc alignment
#                  the unit tests: 32 bits, other byte orders (by qemu-user),
#                  another libc, another compiler, misaligned access noticed
# avr              ATmega2560, by QEMU: int of 16 bits, double of four bytes
#
# What is built for this machine is also run: it tests itself. With QUICK=1
# some of it, and optimised only by gcc.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/common.sh
QUICK=${QUICK:-}
opt=-O1
[ -z "$QUICK" ] || opt=-O0
verbose=
case ${1:-} in
-v) verbose=-v && shift ;;
-h | --help) help ;;
esac

src=tests/compile
built=0
ran=0
bad=0

# failed WHAT: says so, with what the compiler or program said.
failed() {
    bad=$((bad + 1))
    say "FAIL $*"
    { grep -E ': (fatal |)(error|warning)' $out/log || cat $out/log; } | sort -u |
        head -n 5 | sed 's/^/     | /'
}

# build NAME COMMAND...: one compiler call; its output only when it failed.
build() {
    what=$1
    shift
    [ -z "$verbose" ] || say "  $what: $*"
    built=$((built + 1))
    if ! "$@" -Werror >$out/log 2>&1; then
        failed "$what: $1 does not compile it (-v: how it was called)"
        return 1
    fi
}

# try NAME COMMAND...: builds $out/program and runs it.
try() {
    build "$@" -o $out/program || return 0
    ran=$((ran + 1))
    timeout 20 $out/program $out/journal >$out/log 2>&1 ||
        failed "$1: the program ended with status $?"
}

c_standards() {
    o=-O2
    [ -z "$QUICK" ] || [ $1 = gcc ] || o=-O0
    for std in c99 ${QUICK:-c11 gnu17}; do
        [ $std != 1 ] || break
        for posix in "" -DPYRO_POSIX; do
            c="$1 -std=$std $o $WARN_C $posix"
            build "$1 $std $posix library" $c -c $src/es_impl.c \
                -o $out/std.o || continue
            for use in use ns_use es_use; do
                try "$1 $std $posix $use" $c $src/$use.c $out/std.o
            done
        done
    done
    try "$1 PYRO_STATIC" $1 -std=c99 $opt $WARN_C $src/static_a.c \
        $src/static_b.c
    try "$1 PYRO_STATIC events" $1 -std=c99 $opt $WARN_C -DPYRO_STATIC \
        -DPYRO_IMPLEMENTATION $src/es_use.c
    try "$1 PYRO_STATIC names" $1 -std=c99 $opt $WARN_C -DPYRO_STATIC \
        -DPYRO_IMPLEMENTATION $src/ns_use.c $src/ns_static.c
}

# The library and its user as C++, and a user that is C++ by nature.
cxx_standards() {
    for std in c++11 ${QUICK:-c++17}; do
        [ $std != 1 ] || break
        cxx="$1 -std=$std $opt $WARN"
        for posix in "" -DPYRO_POSIX; do
            build "$1 $std $posix library" $cxx $posix -x c++ -c \
                $src/es_impl.c -o $out/std.o || continue
            for use in use ns_use es_use; do
                try "$1 $std $posix $use" $cxx $posix -x c++ $src/$use.c \
                    -x none $out/std.o
            done
        done
        try "$1 $std client" $cxx $src/cxx_client.cpp
    done
}

# A C library called from C++: what most C++ programs do.
mixed() {
    build "mixed, library" "$CC" -std=c99 $opt $WARN_C $src/es_impl.c -c \
        -o $out/mixed.o || return
    for use in use ns_use es_use; do
        try "mixed, $use" g++ -std=c++11 $opt $WARN -x c++ $src/$use.c \
            -x none $out/mixed.o
    done
}

# A file that includes the headers in this order; IMPL: from here on with
# their functions.
order() {
    for word; do
        case $word in
        IMPL) say "#define PYRO_IMPLEMENTATION" ;;
        *) say "#include \"$word.h\"" ;;
        esac
    done >$out/order.c
    try "order: $*" "$CC" -std=c99 -O0 $WARN_C -I. -DPYRO_POSIX \
        $src/ns_use.c $out/order.c
}

orders() {
    order IMPL pyro_ns
    order IMPL pyro_ns pyro
    order IMPL pyro pyro pyro_ns pyro_ns pyro
    order pyro IMPL pyro_ns
    order pyro_ns IMPL pyro pyro_ns
    order pyro pyro_ns pyro_ns pyro IMPL pyro_ns pyro pyro_ns
    order IMPL pyro_es pyro_ns pyro
    order pyro_es pyro_ns IMPL pyro pyro_ns pyro_es
}

switches() {
    for set in -DPYRO_NO_SERVER -DPYRO_NO_CLIENT -DPYRO_NO_LONG \
        -DPYRO_NO_KWARGS -DPYRO_NO_INTROSPECTION -DPYRO_NO_TEXTS \
        -DPYRO_NO_LOG -DPYRO_NO_CHECKSUM -DPYRO_NO_GATHER -DPYRO_NO_STATS \
        -DPYRO_NO_URI_FORMS -DPYRO_NO_PIPE -DPYRO_NO_PYRO5 -DPYRO_NO_PYRO4 \
        -DPYRO_NO_BATCH -DPYRO_NO_CODECS -DPYRO_NO_ELEMENTS \
        "-DPYRO_NO_PYRO4 -DPYRO_NO_BATCH -DPYRO_NO_CODECS" \
        -DPYRO_EXCEPTION_BYTES=0 -DPYRO_LINK_AHEAD=64 \
        "-DPYRO_NO_LONG -DPYRO_NO_TEXTS" "$LEAN" "$LEAN -DPYRO_NO_SERVER" \
        "$LEAN -DPYRO_NO_CLIENT" "-DPYRO_NO_SERVER -DPYRO_POSIX" \
        "-DPYRO_NO_CLIENT -DPYRO_POSIX" "$LEAN -DPYRO_POSIX" \
        "-DPYRO_CONFIG_HEADER=\"config.h\" -I$out" "-DNDEBUG"; do
        build "$set library" "$CC" -std=c99 -O1 $WARN_C $set -c \
            $src/es_impl.c -o $out/switch.o || continue
        for use in use ns_use es_use; do
            try "$set $use" "$CC" -std=c99 -O1 $WARN_C $set $src/$use.c \
                $out/switch.o
        done
    done
    build "lean, clang" clang -std=c99 -O1 $WARN_C $LEAN $src/impl.c -c \
        -o $out/impl.o
}

# Those that names and events cannot do without. The program is the one that
# is weighed: it tests itself against a node that leaves out nothing.
leanest_switches() {
    build "partner" "$CC" -std=c99 -O1 $WARN_C -c tests/size/partner.c \
        -o $out/partner.o || return
    for set in "" "-DPYRO_NO_URI -DPYRO_NO_PYRO5" -DPYRO_NO_ASYNC \
        -DPYRO_NO_HOOKS -DPYRO_NO_CONFIG "-DPYRO_NO_DENIALS -DPYRO_NO_PYRO5" \
        "-DPYRO_NO_ASYNC -DPYRO_NO_ONEWAY" "-DPYRO_NO_ASYNC -DPYRO_NO_SENT" \
        "-DPYRO_NO_URI -DPYRO_NO_PYRO5 -DPYRO_NO_IDS -DPYRO_NO_INTROSPECTION" \
        -DPYRO_NO_ANY \
        "-DPYRO_NO_PYRO5 -DPYRO_NO_UTF8" -DPYRO_NO_ELEMENTS "$LEANEST" \
        "$LEANEST -DPYRO_NO_SERVER" "$LEANEST -DPYRO_NO_CLIENT" \
        "-DPYRO_NO_ASYNC -DPYRO_NO_SERVER" \
        "-DPYRO_NO_URI -DPYRO_NO_PYRO5 -DPYRO_NO_CLIENT"; do
        try "self-test $set" "$CC" -std=c99 -O1 $WARN_C $set $src/impl.c \
            tests/size/lean.c $out/partner.o
        build "$set, clang++" clang++ -std=c++11 $WARN $set -x c++ \
            $src/impl.c -fsyntax-only
    done
    build "leanest, small" "$CC" -std=c99 -Os $WARN_C $LEANEST -c \
        $src/impl.c -o $out/impl.o
    build "leanest, clang" clang -std=c99 -Os $WARN_C $LEANEST -c \
        $src/impl.c -o $out/impl.o
}

# Those of the names, and what they mean together with others.
ns_switches() {
    for set in -DPYRO_NS_NO_SERVER -DPYRO_NS_NO_CLIENT \
        -DPYRO_NS_NO_STORAGE -DPYRO_NS_NO_PAIR -DPYRO_NS_NO_SERVERLESS \
        -DPYRO_NS_NO_PYRO5 -DPYRO_NS_NO_HOSTS -DPYRO_NS_NO_GROUPS \
        -DPYRO_NO_ASYNC "-DPYRO_NO_URI -DPYRO_NO_PYRO5" \
        "-DPYRO_NO_URI -DPYRO_NO_ASYNC -DPYRO_NO_PYRO5 -DPYRO_NS_NO_CLIENT" \
        -DPYRO_NS_MAX_META=0 -DPYRO_NS_TRIED_BYTES=0 \
        "-DPYRO_NS_MAX_NAME=16 -DPYRO_NS_OWN=1 -DPYRO_NS_PENDING=1" \
        "-DPYRO_NS_MAX_NAME=200 -DPYRO_NS_PENDING=32" \
        "-DPYRO_NS_NO_STORAGE -DPYRO_NS_NO_PAIR" "$LEAN -DPYRO_NS_NO_GROUPS" \
        "$LEAN $NS_LEAN" "$LEAN $NS_LEAN -DPYRO_NS_NO_CLIENT" \
        "$LEAN $NS_LEAN -DPYRO_NS_NO_SERVER" \
        -DPYRO_NS_NO_CONFIG -DPYRO_NS_NO_LEASES -DPYRO_NS_NO_NETS \
        "$LEAN $NS_BOARD" "$LEAN $NS_BOARD -DPYRO_NS_NO_CLIENT" \
        "$LEAN $NS_BOARD -DPYRO_NS_NO_SERVER" \
        "-DPYRO_NS_NO_SERVER -DPYRO_NS_NO_CLIENT" \
        "-DPYRO_NS_NO_SERVER -DPYRO_NS_NO_SERVERLESS" \
        "-DPYRO_NO_SERVER -DPYRO_NO_TEXTS" \
        "$NS_LEAN -DPYRO_NO_CLIENT -DPYRO_NO_PYRO5 -DPYRO_NO_INTROSPECTION" \
        "-DPYRO_POSIX -DPYRO_NS_NO_STORAGE" \
        "-DPYRO_POSIX -DPYRO_NS_NO_SERVER"; do
        try "$set" "$CC" -std=c99 -O1 $WARN_C $set $src/ns_use.c \
            $src/es_impl.c
        build "$set, clang++" clang++ -std=c++11 $WARN $set -x c++ \
            $src/es_impl.c -fsyntax-only
    done
}

# Those of the events.
es_switches() {
    for set in -DPYRO_ES_NO_REGEX -DPYRO_ES_NO_FLAGS \
        "-DPYRO_NO_URI -DPYRO_NO_PYRO5" -DPYRO_NO_STATS -DPYRO_NO_TEXTS \
        "-DPYRO_NO_TEXTS -DPYRO_ES_NO_FLAGS -DPYRO_ES_NO_REGEX" \
        "$LEAN -DPYRO_ES_NO_REGEX" "$LEAN $ES_LEAN" \
        "-DPYRO_ES_MAX_SUBJECT=8 -DPYRO_ES_OWN=1 -DPYRO_ES_WAITING=1" \
        "-DPYRO_ES_MAX_SUBJECT=200 -DPYRO_ES_REGEX=128" \
        "-DPYRO_ES_REGEX=16 -DPYRO_ES_BURST=1 -DPYRO_ES_LAST_BYTES=16"; do
        try "$set" "$CC" -std=c99 -O1 $WARN_C $set $src/es_use.c \
            $src/es_only.c
        build "$set, clang++" clang++ -std=c++11 $WARN $set -x c++ \
            $src/es_only.c -fsyntax-only
    done
}

mingw() {
    cc="x86_64-w64-mingw32-gcc -std=c99 -O2 $WARN_C"
    [ -z "$QUICK" ] || cc="$cc -O0"
    build "mingw, library" $cc -c $src/es_impl.c -o $out/impl.o || return
    for use in use ns_use es_use; do
        build "mingw, $use" $cc $src/$use.c $out/impl.o -o $out/use.exe
    done
}

# Two files built with other numbers must not work together in silence.
mixed_numbers() {
    build "other numbers, user" "$CC" -std=c99 $WARN_C -DPYRO_MAX_NAME=48 \
        $src/use.c -c -o $out/use.o &&
        build "other numbers, both" "$CC" -std=c99 $WARN_C $out/use.o \
            $src/impl.c -o $out/program || return
    ran=$((ran + 1))
    timeout 20 $out/program >/dev/null 2>&1 || return
    bad=$((bad + 1))
    say "FAIL pyro_open took a room with another PYRO_MAX_NAME"
}

# -Wconversion finds every length that becomes a size_t there.
WARN_AVR="-Wall -Wextra -Wshadow -Wundef -Wcast-qual -Wvla"

# ------------------------------------------------------------------------
# The unit tests elsewhere.
# ------------------------------------------------------------------------

# Those that need nothing of the system; of them, what reads and writes bytes.
BYTES="reader writer values uri wire signatures text serial json"
UNITS="$BYTES basics daemon proxy links later poll nesting exception datagrams
vectors pyro5 faults es ns_server ns_client ns_locator ns_pair ns_storage"

cmocka=build/debian/cmocka
CMOCKA="-w -D_GNU_SOURCE -DHAVE_SIGNAL_H -DHAVE_SETJMP_H -DHAVE_STDINT_H
-DHAVE_INTTYPES_H -DHAVE_STDLIB_H -DHAVE_STRING_H -DHAVE_TIME_H
-DHAVE_SYS_TYPES_H"

# units "TESTS" "RUNNER" COMPILER FLAGS...: builds cmocka and tests, runs them.
units() {
    tests=$1 runner=$2
    shift 2
    "$@" $CMOCKA -I$cmocka/include -c $cmocka/src/cmocka.c \
        -o $out/cmocka.o >$out/log 2>&1 || { failed "cmocka: $*"; return; }
    for test in $tests; do
        build "$group, $test" "$@" -std=gnu11 -I$cmocka/include \
            tests/test_$test.c $out/cmocka.o -o $out/program || continue
        ran=$((ran + 1))
        CMOCKA_MESSAGE_OUTPUT=TAP timeout 300 $runner $out/program \
            >$out/log 2>&1
        status=$?
        if [ $status != 0 ] || ! all_ok; then
            failed "$group, test_$test: status $status"
            grep -v '^ok ' $out/log | head -n 5
        fi
    done
}

# As many tests have passed as were announced.
all_ok() {
    awk '/^1\.\.[0-9]+$/ { n += substr($0, 4) } /^ok / { n-- ; p++ }
        END { exit n != 0 || p == 0 }' $out/log
}

# musl has no ucontext, on which several daemons run; tcc 0.9.27 cannot count
# a list without a size, so no PYRO_ARGS of several.
ALONE="$BYTES basics later pyro5 datagrams"

# QEMU is slow: not what takes it minutes.
FOREIGN="$(say " $ALONE" | sed 's/ text//') daemon proxy"

# All without optimisation, which is quick; what reads and writes bytes with.
unit_group() {
    some=$UNITS alone=$ALONE
    [ -z "$QUICK" ] || some="reader writer values uri wire signatures"
    [ -z "$QUICK" ] || alone="basics reader wire text"
    case $1 in
    m32) # its x87 makes signalling NaNs quiet: not values
        asm=/usr/include/$(gcc-12 -print-multiarch)
        some=$(say " $some" | sed 's/ values//')
        units "$some" "" gcc-12 -m32 -O0 -idirafter "$asm"
        [ -n "$QUICK" ] || units "reader writer wire" "" gcc-12 -m32 -O2
        ;;
    powerpc)
        units "$FOREIGN" qemu-ppc powerpc-linux-gnu-gcc -static -O0
        units "reader writer values wire" qemu-ppc \
            powerpc-linux-gnu-gcc -static -Os
        ;;
    s390x) units "$FOREIGN" qemu-s390x s390x-linux-gnu-gcc -static -O0 ;;
    armhf) units "$FOREIGN" qemu-arm arm-linux-gnueabihf-gcc -static -O0 ;;
    musl) units "$alone" "" musl-gcc -static -O0 ;;
    alignment) units "$UNITS" "" clang -O0 -fsanitize=alignment \
        -fno-sanitize-recover=all -Wno-unused-command-line-argument ;;
    tcc) units "$(say " $ALONE" | sed 's/ values//')" "" tcc -w ;;
    esac
}

# A program for the ATmega2560 is run until it has said something.
avr() {
    build "avr, avr.c" avr-gcc -mmcu=atmega2560 -std=gnu99 -Os $WARN_AVR \
        -ffunction-sections -fdata-sections -Wl,--gc-sections -o $out/avr.elf \
        $src/avr.c $src/impl.c || return
    set -- $(avr-size $out/avr.elf | tail -n 1)
    say "avr: $1 bytes of flash, $(($2 + $3)) of RAM"
    [ $(($2 + $3)) -le 7300 ] || failed "avr: RAM leaves no room for a stack"
    ran=$((ran + 1))
    timeout 20 qemu-system-avr -M mega2560 -display none -monitor none \
        -serial stdio -bios $out/avr.elf 2>&1 </dev/null |
        head -n 1 >$out/log
    [ "$(cat $out/log)" = "numbers right, use.c: 0" ] || failed "avr: avr.c"
}

# What a group needs of tests/deps.sh.
needs() {
    case $1 in
    clang | clang++ | alignment | *switches) echo clang ;;
    g++ | mixed) echo cxx ;;
    mingw | m32 | powerpc | s390x | armhf | musl | tcc | avr) echo "$1" ;;
    esac
}

group() {
    group=$1
    out=build/matrix/$group
    rm -rf "$out"
    mkdir -p "$out"
    say '#define PYRO_MAX_NAME 40' >"$out/config.h"
    case $group in
    gcc | clang) c_standards $group ;;
    g++ | clang++) cxx_standards $group ;;
    numbers) mixed_numbers ;;
    mixed | orders | *switches | mingw | avr) $group ;;
    m32 | powerpc | s390x | armhf | musl | tcc | alignment)
        unit_group "$group" ;;
    *) die "no such group: $group" ;;
    esac
    say "$group: $built builds, $ran programs run, $bad failed" |
        tee "$out/sum"
    [ $bad = 0 ]
}

if [ "${1:-}" = one ]; then
    group "$2"
    exit
fi
if [ $# = 0 ] && [ -n "$QUICK" ]; then
    set -- gcc m32 g++ musl orders clang mixed mingw avr numbers
    say "left to check-all: most of the matrix (here: $*)"
elif [ $# = 0 ]; then
    set -- powerpc s390x m32 armhf alignment clang switches clang++ gcc g++ \
        leanest_switches ns_switches es_switches musl tcc orders mixed \
        numbers mingw avr
fi
sh tests/deps.sh $(for it; do needs "$it"; done | sort -u) || exit 1
sh tests/debian_source.sh cmocka >/dev/null || exit 1
for it; do
    rm -f "build/matrix/$it/sum"
    say "sh tests/matrix.sh $verbose one $it"
done | sh tests/together.sh
for it; do
    cat "build/matrix/$it/sum" 2>/dev/null || say "$it: 0 0 0 0 0 1 failed"
done | awk '{ b += $2; r += $4; f += $(NF - 1) }
    END { printf "matrix: %d builds, %d programs run, %d failed\n", b, r, f
          exit f > 0 || b == 0 }'
