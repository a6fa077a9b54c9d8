#!/bin/sh
# Compiles the library in every way it may be used, without a warning.
#
# usage: matrix.sh [-v]     -v: say what is built
#
# gcc and clang; C99, C11, gnu17, C++11, C++17; declarations and library in
# two files; PYRO_STATIC in two files; every switch and some combinations;
# MinGW. What is built for this machine is also run: it tests itself.
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
    timeout 20 $out/program >$out/log 2>&1 ||
        failed "$1: the program ended with status $?"
}

c_standards() {
    for std in c99 c11 gnu17; do
        for posix in "" -DPYRO_POSIX; do
            c="$1 -std=$std -O2 $WARN_C $posix"
            try "$1 $std $posix" $c $src/use.c $src/impl.c
        done
    done
    try "$1 PYRO_STATIC" $1 -std=c99 -O1 $WARN_C $src/static_a.c \
        $src/static_b.c
}

# The library and its user as C++, and a user that is C++ by nature.
cxx_standards() {
    for std in c++11 c++17; do
        cxx="$1 -std=$std -O1 $WARN"
        try "$1 $std" $cxx -x c++ $src/use.c $src/impl.c
        build "$1 $std posix" $cxx -x c++ -DPYRO_POSIX $src/impl.c -c \
            -o $out/impl.o
        try "$1 $std client" $cxx $src/cxx_client.cpp
    done
}

# A C library called from C++: what most C++ programs do.
mixed() {
    build "mixed, library" "$CC" -std=c99 -O1 $WARN_C $src/impl.c -c \
        -o $out/mixed.o &&
        try "mixed, user" g++ -std=c++11 -O1 $WARN -x c++ $src/use.c \
            -x none $out/mixed.o
}

switches() {
    for set in -DPYRO_NO_SERVER -DPYRO_NO_CLIENT -DPYRO_NO_LONG \
        -DPYRO_NO_KWARGS -DPYRO_NO_INTROSPECTION -DPYRO_NO_TEXTS \
        -DPYRO_NO_LOG -DPYRO_NO_CHECKSUM -DPYRO_NO_GATHER -DPYRO_NO_STATS \
        -DPYRO_EXCEPTION_BYTES=0 -DPYRO_LINK_AHEAD=64 \
        "-DPYRO_NO_LONG -DPYRO_NO_TEXTS" "$LEAN" "$LEAN -DPYRO_NO_SERVER" \
        "$LEAN -DPYRO_NO_CLIENT" "-DPYRO_NO_SERVER -DPYRO_POSIX" \
        "-DPYRO_NO_CLIENT -DPYRO_POSIX" "$LEAN -DPYRO_POSIX" \
        "-DPYRO_CONFIG_HEADER=\"config.h\" -I$out" "-DNDEBUG"; do
        try "$set" "$CC" -std=c99 -O1 $WARN_C $set $src/use.c $src/impl.c
    done
    build "lean, clang" clang -std=c99 -O1 $WARN_C $LEAN $src/impl.c -c \
        -o $out/impl.o
}

mingw() {
    build mingw x86_64-w64-mingw32-gcc -std=c99 -O2 $WARN_C $src/use.c \
        $src/impl.c -o $out/use.exe
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
switches
mixed_numbers
mingw
say "matrix: $built builds, $ran programs run, $bad failed"
[ $bad = 0 ]
