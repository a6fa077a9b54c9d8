#!/bin/sh
# Checks what the library needs, what it exports, and that it has no globals.
#
# usage: symbols.sh
#
# Without PYRO_POSIX it may need only the functions listed below and what the
# compiler itself calls for arithmetic; never floating point. Every exported
# name begins with pyro_, and no build has static data that is written.
set -eu
cd "$(dirname "$0")/.."
. tests/common.sh
case ${1:-} in -h | --help) help ;; esac

# What a libc must have.
LIBC="memcpy memmove memset memcmp strlen strcmp"

# What a compiler may call by itself: copies, 64-bit arithmetic, division
# and switch tables, stack protection, and clang's own memcmp for equality. Not here, on purpose: __aeabi_d*,
# __aeabi_f* and their conversions, which would pull in soft float.
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
    for symbol in $(names UwvV "$2"); do
        case " $LIBC $(say $HELPERS) " in
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

# check NAME NM COMPILER FLAGS...: compiles the library alone and looks.
check() {
    name=$1 nm=$2
    shift 2
    file=build/symbols/$name
    "$@" -std=c99 -DNDEBUG -fno-pie -c -o "$file.o" tests/compile/impl.c ||
        die "$name: the compiler failed: $*"
    "$nm" -P "$file.o" >"$file.txt" || die "$name: $nm failed"
    case $name in *posix*) ;; *) check_needed "$name" "$file.txt" ;; esac
    check_exported "$name" "$file.txt"
    check_globals "$name" "$file.txt"
    say "$name: $(names T "$file.txt" | wc -l) exported, needs" \
        $(names UwvV "$file.txt" | wc -l)
}

host() {
    for opt in -O2 -Os; do
        check "$1$opt" nm "$2" $opt
        check "$1$opt-posix" nm "$2" $opt -DPYRO_POSIX
    done
}

host cc "$CC"
sh tests/deps.sh arm clang
host clang clang
for cpu in m0 m4; do
    for opt in -O2 -Os; do
        check "cortex-$cpu$opt" arm-none-eabi-nm arm-none-eabi-gcc \
            --specs=picolibc.specs -mthumb -mcpu=cortex-$cpu $opt
    done
done
check cortex-m0-lean arm-none-eabi-nm arm-none-eabi-gcc \
    --specs=picolibc.specs -mthumb -mcpu=cortex-m0 -Os $LEAN
[ $bad = 0 ] || die "see above"
say "symbols: in order"
