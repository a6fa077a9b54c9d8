#!/bin/sh
# Proves with Frama-C's Eva that what tests/prove/ drives has no error at run
# time (access out of bounds, read of what is not set, overflow), whatever the
# bytes are. What is assumed stands at the top of each driver.
#
# usage: prove.sh
#
# It reads a copy of pyro.h in which comments tell Eva where to go on case by
# case; no code is changed. An alarm, an assertion not proven, or a statement
# not reached is a failure. That the gate closes is tried as well: on copies
# without one of the bounds. The last line is: N passed, N failed.
set -eu
cd "$(dirname "$0")/.."
. tests/common.sh
case ${1:-} in -h | --help) help ;; esac
out=build/prove
passed=0
failed=0
mkdir -p $out
sh tests/deps.sh frama-c

# copy NAME [SED]: the header with the comments, and with a defect by SED.
copy() {
    mkdir -p "$out/$1"
    sed -e '/^PYROI_FAST bool pyroi_next_short(/,/^}/{
            s|^    if (tag == 0xC4 .*|&\n        //@ split p[1];|
        }
        /^PYROI_FAST uint64_t pyroi_next(/,/^}/{
            s|^    tag = \*p;|    //@ split *p;\n&|
            s|^        if (type == PYRO_STR && .*|        //@ split n;\n&|
        }' pyro.h >"$out/whole.h"
    [ "$(grep -c '//@ split' $out/whole.h)" = 3 ] ||
        die "pyroi_next has changed: say anew where its cases are"
    sed "${2:-}" $out/whole.h >"$out/$1/marked.h"
    [ -z "${2:-}" ] || ! cmp -s $out/whole.h "$out/$1/marked.h" ||
        die "$1: its defect is not there, pyro.h has changed"
}

# eva NAME FLAGS: leaves what Eva says of tests/prove/next.c in its log.
eva() {
    frama-c -machdep gcc_x86_64 -cpp-extra-args="-I$out/$1 $2" -eva \
        -eva-auto-loop-unroll 20 -eva-widening-delay 70 \
        -eva-split-limit 300 -eva-no-show-progress \
        -eva-msg-key=-final-states,-initial-state tests/prove/next.c \
        >"$out/$1/log" 2>&1 || die "frama-c failed, see $out/$1/log"
    grep -q 'ANALYSIS SUMMARY' "$out/$1/log" ||
        die "no result, see $out/$1/log"
}

# clean NAME: no alarm, all of it reached, all assertions proven.
clean() {
    grep -q '0 alarms generated' "$out/$1/log" &&
        grep -q 'reached (out of .*): 100% coverage' "$out/$1/log" &&
        grep -q 'Assertions  *1 valid  *0 unknown  *0 inv' "$out/$1/log" &&
        grep -q '100% of the logical properties' "$out/$1/log"
}

verdict() { # verdict WORD TEXT
    if [ "$1" = ok ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
    say "$1: $2"
}

prove() { # prove NAME FLAGS
    copy "$1"
    eva "$1" "$2"
    if clean "$1"; then
        verdict ok "$1 ($2): $(sed -n \
            's/^ *In these functions, \(.*\): .*/\1/p' "$out/$1/log"), 0 alarms"
    else
        verdict FAIL "$1 ($2)"
        grep -A3 'eva:alarm' "$out/$1/log" || tail -n 20 "$out/$1/log"
    fi
}

# The same must not be proven where a bound is missing.
seeded() { # seeded NAME FLAGS SED
    copy "$1" "$3"
    eva "$1" "$2"
    if grep -q '[1-9][0-9]* alarms* generated' "$out/$1/log"; then
        verdict ok "$1: noticed"
    else
        verdict FAIL "$1: a bound that is missing goes unnoticed"
    fi
}

small="-D__OPTIMIZE_SIZE__ -U__GNUC__" # without the short ways for speed
prove next "-DMOST=12"
prove next-small "-DMOST=12 $small"
seeded no-bound-of-number "-DMOST=4 $small" \
    's/^    if (type == PYRO_NONE || n > left)/    if (type == PYRO_NONE)/'
seeded no-bound-of-length "-DMOST=4 $small" \
    's/^        if (n > left)/        if (n > 0xFFFFFFF0u)/'
seeded no-bound-of-text "-DMOST=4" \
    's/^    if (n < 32 && n < left && /    if (n < 32 \&\& /'
say "$passed passed, $failed failed"
[ $failed = 0 ]
