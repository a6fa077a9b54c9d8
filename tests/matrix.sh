#!/bin/sh
# Compiles the library in every way it may be used, without a warning.
#
# usage: matrix.sh [-v]     -v: say what is built
#
# gcc and clang; C99, C11, gnu17, C++11, C++17; declarations and library in
# two files; PYRO_STATIC in two files; the headers in any order and again; every
# switch and some combinations; MinGW. What is built for this machine is also
# run: it tests itself.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/common.sh
verbose=
case ${1:-} in
-v) verbose=1 ;;
-h | --help) help ;;
esac

out=build/matrix
src=tests/compile
rm -rf $out
mkdir -p $out
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
    for std in c99 c11 gnu17; do
        for posix in "" -DPYRO_POSIX; do
            c="$1 -std=$std -O2 $WARN_C $posix"
            build "$1 $std $posix library" $c -c $src/es_impl.c \
                -o $out/std.o || continue
            for use in use ns_use es_use; do
                try "$1 $std $posix $use" $c $src/$use.c $out/std.o
            done
        done
    done
    try "$1 PYRO_STATIC" $1 -std=c99 -O1 $WARN_C $src/static_a.c \
        $src/static_b.c
    try "$1 PYRO_STATIC events" $1 -std=c99 -O1 $WARN_C -DPYRO_STATIC \
        -DPYRO_IMPLEMENTATION $src/es_use.c
    try "$1 PYRO_STATIC names" $1 -std=c99 -O1 $WARN_C -DPYRO_STATIC \
        -DPYRO_IMPLEMENTATION $src/ns_use.c $src/ns_static.c
}

# The library and its user as C++, and a user that is C++ by nature.
cxx_standards() {
    for std in c++11 c++17; do
        cxx="$1 -std=$std -O1 $WARN"
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
    build "mixed, library" "$CC" -std=c99 -O1 $WARN_C $src/es_impl.c -c \
        -o $out/mixed.o || return
    for use in use ns_use es_use; do
        try "mixed, $use" g++ -std=c++11 -O1 $WARN -x c++ $src/$use.c \
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
    try "order: $*" "$CC" -std=c99 -O1 $WARN_C -I. -DPYRO_POSIX \
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
    for set in "" -DPYRO_NO_URI -DPYRO_NO_ASYNC -DPYRO_NO_HOOKS \
        -DPYRO_NO_CONFIG "-DPYRO_NO_DENIALS -DPYRO_NO_PYRO5" "$LEANEST" \
        "$LEANEST -DPYRO_NO_SERVER" "$LEANEST -DPYRO_NO_CLIENT" \
        "-DPYRO_NO_ASYNC -DPYRO_NO_SERVER" "-DPYRO_NO_URI -DPYRO_NO_CLIENT"; do
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
        -DPYRO_NS_NO_PYRO5 \
        -DPYRO_NS_MAX_META=0 -DPYRO_NS_TRIED_BYTES=0 \
        "-DPYRO_NS_MAX_NAME=16 -DPYRO_NS_OWN=1 -DPYRO_NS_PENDING=1" \
        "-DPYRO_NS_MAX_NAME=200 -DPYRO_NS_PENDING=32" \
        "-DPYRO_NS_NO_STORAGE -DPYRO_NS_NO_PAIR" "$LEAN $NS_LEAN" \
        "$LEAN $NS_LEAN -DPYRO_NS_NO_CLIENT" \
        "$LEAN $NS_LEAN -DPYRO_NS_NO_SERVER" \
        "-DPYRO_NS_NO_SERVER -DPYRO_NS_NO_CLIENT" \
        "-DPYRO_NS_NO_SERVER -DPYRO_NS_NO_SERVERLESS" \
        "-DPYRO_NO_SERVER -DPYRO_NO_TEXTS" "-DPYRO_NO_CLIENT $NS_LEAN" \
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
    for set in -DPYRO_ES_NO_REGEX "$LEAN -DPYRO_ES_NO_REGEX" \
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
    for use in use ns_use es_use; do
        build "mingw, $use" x86_64-w64-mingw32-gcc -std=c99 -O2 $WARN_C \
            $src/$use.c $src/es_impl.c -o $out/use.exe
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

sh tests/deps.sh clang cxx mingw || exit 1
say '#define PYRO_MAX_NAME 40' >$out/config.h
for cc in gcc clang; do c_standards $cc; done
for cxx in g++ clang++; do cxx_standards $cxx; done
mixed
orders
switches
leanest_switches
ns_switches
es_switches
mixed_numbers
mingw
say "matrix: $built builds, $ran programs run, $bad failed"
[ $bad = 0 ]
