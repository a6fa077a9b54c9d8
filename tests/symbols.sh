#!/bin/sh
# Checks what the library needs, what it exports, and that it has no globals.
#
# usage: symbols.sh
#
# Without PYRO_POSIX it may need only the functions listed below and what the
# compiler itself calls for arithmetic; never floating point. Every exported
# name begins with pyro_, and no build has static data that is written.
#
# pyro_ns.h stands on the public API of pyro.h alone: it is compiled with a
# copy of pyro.h in which every private name and field has another name.
# With QUICK=1: gcc for this machine and for a Cortex-M0, pyro.h not alone.
set -eu
cd "$(dirname "$0")/.."
. tests/common.sh
case ${1:-} in -h | --help) help ;; esac
QUICK=${QUICK:-}

# What a libc must have.
LIBC="memcpy memmove memset memcmp strlen strcmp"
NS_LIBC="memchr strchr strrchr strncmp" # and for pyro_ns.h

# What a compiler may call by itself: copies, 64-bit arithmetic, division
# and switch tables, stack protection, and clang's own memcmp for equality. Not
# here, on purpose: __aeabi_d*, __aeabi_f* and their conversions, which would
# pull in soft float.
HELPERS="__aeabi_memcpy __aeabi_memcpy4 __aeabi_memcpy8 __aeabi_memmove
__aeabi_memmove4 __aeabi_memset __aeabi_memclr __aeabi_memclr4
__aeabi_memclr8 __aeabi_uldivmod __aeabi_ldivmod __aeabi_uidiv
__aeabi_uidivmod __aeabi_idiv __aeabi_idivmod __aeabi_lmul __aeabi_llsl
__aeabi_llsr __aeabi_lasr __gnu_thumb1_case_uqi __gnu_thumb1_case_sqi
__gnu_thumb1_case_uhi __gnu_thumb1_case_shi __gnu_thumb1_case_si
__stack_chk_fail __stack_chk_guard bcmp"

mkdir -p build/symbols
bad=0
complain() {
    say "  $*"
    bad=1
}

# names TYPES FILE: names of these nm types.
names() {
    awk -v types="$1" 'index(types, $2) { print $1 }' "$2"
}

# Undefined names that are in no list.
check_needed() {
    libc=$LIBC
    case $1 in *-ns*) libc="$libc $NS_LIBC" ;; esac
    for symbol in $(names UwvV "$2"); do
        case " $libc $(say $HELPERS) " in
        *" $symbol "*) ;;
        *) complain "$1: needs $symbol" ;;
        esac
    done
}

check_exported() {
    for symbol in $(names TDBRCVWi "$2"); do
        case $symbol in
        pyro_*) ;;
        *) complain "$1: exports $symbol, which does not begin with pyro_" ;;
        esac
    done
    [ -n "$(names T "$2")" ] || complain "$1: exports nothing at all"
}

# Code is not position independent here: constant tables of pointers would
# otherwise be counted as data, since a loader relocates them.
check_globals() {
    for symbol in $(names BbDdCSsGg "$2"); do
        complain "$1: has static data that is written: $symbol"
    done
}

# look NAME SOURCE NM COMPILER FLAGS...: compiles one and looks.
look() {
    name=$1 source=$2 nm=$3
    shift 3
    file=build/symbols/$name
    "$@" -std=c99 -DNDEBUG -fno-pie -c -o "$file.o" tests/compile/$source ||
        die "$name: the compiler failed: $*"
    "$nm" -P "$file.o" >"$file.txt" || die "$name: $nm failed"
    case $name in *posix*) ;; *) check_needed "$name" "$file.txt" ;; esac
    check_exported "$name" "$file.txt"
    check_globals "$name" "$file.txt"
    say "$name: $(names T "$file.txt" | wc -l) exported, needs" \
        $(names UwvV "$file.txt" | wc -l)
}

# check NAME NM COMPILER FLAGS...: the library alone, with pyro_es.h, and with
# all headers; each is a run of this script for together.sh.
check() {
    name=$1
    shift
    [ -n "$QUICK" ] || say "sh tests/symbols.sh look $name impl.c $*"
    say "sh tests/symbols.sh look $name-es es_only.c $*"
    say "sh tests/symbols.sh look $name-ns es_impl.c $*"
}

host() {
    check "$1-O2-posix" nm "$2" -O2 -DPYRO_POSIX
    check "$1-Os" nm "$2" -Os
    [ -z "$QUICK" ] || return 0
    check "$1-O2" nm "$2" -O2
    check "$1-Os-posix" nm "$2" -Os -DPYRO_POSIX
}

# cortex NAME FLAGS...: NAME begins with the processor.
cortex() {
    cpu=$1
    shift
    check "cortex-$cpu" arm-none-eabi-nm arm-none-eabi-gcc \
        --specs=picolibc.specs -mthumb -mcpu="cortex-${cpu%%-*}" "$@"
}

builds() {
    say "sh tests/symbols.sh names_api"
    say "sh tests/symbols.sh events_api"
    host cc "$CC"
    cortex m0-Os -Os
    [ -z "$QUICK" ] || return 0
    host clang clang
    cortex m0-O2 -O2
    cortex m4-Os -Os
    cortex m4-O2 -O2
    cortex m0-lean -Os $LEAN
    cortex m0-least -Os $LEAN $NS_BOARD | grep -v es_only # nor can it have events
}

# A copy of pyro.h whose private names (pyroi_, PYROI_) and fields (with _ at
# the end) are called otherwise. What is private to pyro_$part.h stays.
renamed() {
    mkdir -p $copy
    sed -E 's/\b(pyroi|PYROI)_/\1_of_pyro_h_/g
        s/\b([a-z][a-z0-9_]*_)\b/\1of_pyro_h/g' pyro.h >$copy/pyro.h
    grep -q 'pyroi_of_pyro_h_' $copy/pyro.h &&
        grep -q 'config_of_pyro_h;' $copy/pyro.h ||
        die "the private names of pyro.h are not what they were"
}

# strangers FLAGS...: compiles $copy/pyro_$part.h with that.
strangers() {
    "$CC" -std=c99 -DNDEBUG -Werror=implicit-function-declaration "$@" \
        -DPYRO_IMPLEMENTATION -x c -fsyntax-only $copy/pyro_$part.h
}

# Each kind of trespass must be noticed, or nothing was proven.
trespass() {
    { cat pyro_$part.h && say "$2"; } >$copy/pyro_$part.h
    if strangers 2>/dev/null; then
        complain "public API: a use of $1 goes unnoticed"
    fi
}

# public_api_only PART SWITCHES...: pyro_PART.h, with each of these.
public_api_only() {
    part=$1
    shift
    copy=build/symbols/public-$part
    renamed
    trespass "a private function" \
        'unsigned pyro_x(const void *d) { return !!pyroi_take(d, 0); }'
    trespass "a private type" 'pyroi_link *pyro_x(void);'
    trespass "a private field" \
        'uint32_t pyro_x(pyro_daemon *d) { return d->now_; }'
    cp pyro_$part.h $copy/pyro_$part.h
    for set; do
        strangers $set || complain "pyro_$part.h ${set:-without switches}:" \
            "uses what is private to pyro.h"
    done
    [ $bad != 0 ] || say "public API: pyro_$part.h uses nothing else of pyro.h"
}

names_api() {
    public_api_only ns "" -DPYRO_POSIX "$LEAN $NS_LEAN" -DPYRO_NO_SERVER \
        -DPYRO_NO_CLIENT -DPYRO_NS_NO_SERVERLESS
}

events_api() {
    public_api_only es "" -DPYRO_POSIX "$LEAN" "$LEAN $ES_LEAN" \
        -DPYRO_ES_NO_REGEX
}

if [ $# != 0 ]; then
    "$@"
    exit $bad
fi
sh tests/deps.sh arm
if [ -n "$QUICK" ]; then
    say "left to check-all: pyro.h alone, clang, Cortex-M4, more of -O2 and -Os"
else
    sh tests/deps.sh clang
fi
builds >build/symbols/builds
sh tests/together.sh <build/symbols/builds || bad=1
[ $bad = 0 ] || die "see above"
say "symbols: in order"
