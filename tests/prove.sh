#!/bin/sh
# Proves with Frama-C's Eva that there is no error at run time (access out of
# bounds, read of what is not set, overflow), whatever the bytes are:
#
#   text    UTF-8, ASCII, blanks, CRC: functions that look at n bytes
#   next    a reader takes one value apart: bounds of all values from outside
#   get     numbers, lists and so on are got from a reader
#   view    texts and bytes are got: the view lies within what there is
#   skip    a value is passed over, however deep; the view of it as it is
#   uri     the text of a URI is taken apart
#   head    a link takes a frame's header apart and makes room for its body
#   serial  packets on a serial line (examples/lib/serial.h)
#
# usage: prove.sh [NAME...]
#
# What is assumed (how many bytes, which state) stands at the top of each
# driver, tests/prove/NAME.c. For all of them: a machine like x86-64, the C
# library as Frama-C describes it, and what tests/prove/contracts.h says of some
# functions: "text" and "next" show that it is true, but for what they change
# and on what that depends ("assigns"), which Eva does not look at. To Eva a
# pointer may go anywhere in an object: one that leaves an array for the next
# field of its struct is no alarm (an index is). What is not in this list is
# left to tests, sanitizers and fuzzing.
#
# It reads copies of the headers in which comments tell Eva where to go on case
# by case; no code is changed. An alarm, a property not proven, or a statement
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

# copy NAME [SED]: the headers with the comments, and with a defect by SED.
copy() {
    mkdir -p "$out/$1"
    sed -e '/^PYROI_FAST const uint8_t \*pyroi_short_str(/,/^}/{
            s|^    \*v = n;|#ifdef VIEW\n    //@ split n;\n#endif\n&|
        }
        /^PYROI_FAST const uint8_t \*pyroi_short_bin(/,/^}/{
            s|^    \*v = p\[1\];|    //@ split p[1];\n&|
        }
        /^PYROI_FAST const uint8_t \*pyroi_short_any(/,/^}/{
            s|^    return p;|#ifdef VIEW\n    //@ split *type;\n#endif\n&|
        }
        /^PYROI_FAST uint64_t pyroi_next_any(/,/^}/{
            s|^    p++;|    //@ split *p;\n&|
        }
        /^PYROI_FAST const uint8_t \*pyroi_next_long(/,/^}/{
            s|^    \*number = v;|#ifdef VIEW\n    //@ split v <= left;\n\
    //@ split v;\n&\n    //@ split *number;\n#else\n&\n#endif|
            s|^        if (type == PYRO_STR && .*|        //@ split n;\n\
#ifdef VIEW\n        //@ split *of_type;\n#endif\n&|
            s|^    \*of_type = type;|&\n#ifdef VIEW\n    //@ split *of_type;\n\
#endif|
        }
        /^PYROI_SHARED PYROI_FAST const void \*pyroi_view(/,/^}/{
            s|^    uint32_t bytes = .*|&\n    //@ split bytes;|
        }
        /^PYRO_DEF void pyro_skip(/,/^}/{
            s|^    \*left = 1;|&\n    //@ dynamic_split left - missing;|
        }
        /^PYRO_DEF const void \*pyro_get_raw(/,/^}/{
            s|^    pyro_skip(in);|&\n    //@ split in->end - in->at;\n\
    //@ split in->err == 0;|
        }
        /^static bool pyroi_read_head(/,/^}/{
            s|^        l->n_head = .*|&\n        //@ split l->n_head;|
        }
        /^static bool pyroi_noise(/,/^}/{
            s|^    if (at == 0)|    //@ split at;\n&|
        }' pyro.h >"$out/marked.h"
    sed -e 's|^            got = pyroi_serial_byte(.*|&\n            //@ split got;|
        s|^    s->rx_end_ = .*|&\n    //@ split s->rx_end_;|
        s|"../../pyro.h"|"marked.h"|' examples/lib/serial.h >"$out/serial.h"
    [ "$(cat $out/marked.h $out/serial.h | grep -c '//@ .*split')" = 19 ] ||
        die "a header has changed: say anew where its cases are"
    for header in marked serial; do
        sed "${2:-}" $out/$header.h >"$out/$1/$header.h"
    done
    [ -z "${2:-}" ] || ! cmp -s $out/marked.h "$out/$1/marked.h" ||
        ! cmp -s $out/serial.h "$out/$1/serial.h" ||
        die "$1: its defect is not there, the header has changed"
}

# said DRIVER WORD: what the driver says behind "WORD:".
said() { sed -n "s/^ \* $2: \(.*\)/\1/p" "tests/prove/$1.c" | tr -d '*/'; }

# eva NAME DRIVER FLAGS: leaves what Eva says in NAME's log.
eva() {
    frama-c -machdep gcc_x86_64 -cpp-extra-args="-I$out/$1 $3" \
        -eva $(said "$2" eva) -eva-no-show-progress \
        -eva-msg-key=-final-states,-initial-state "tests/prove/$2.c" \
        -then -metrics -metrics-eva-cover >"$out/$1/log" 2>&1 ||
        die "frama-c failed, see $out/$1/log"
    grep -q 'ANALYSIS SUMMARY' "$out/$1/log" ||
        die "no result, see $out/$1/log"
}

# reached NAME DRIVER: all statements, or all of the functions in its list.
reached() {
    whole=$(said "$2" whole)
    [ -n "$whole" ] ||
        grep -q 'reached (out of .*): 100% coverage' "$out/$1/log" || return 1
    for function in $whole; do
        grep -q "^ *$function: .*(100.0%)" "$out/$1/log" || return 1
    done
}

# proven NAME: no alarm, all properties proven; those that a function has to
# leave true are not among what Eva counts, but are an alarm.
proven() {
    ! grep -q 'eva:alarm' "$out/$1/log" &&
        grep -q '^  0 alarms generated' "$out/$1/log" &&
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

prove() { # prove NAME DRIVER FLAGS
    copy "$1"
    eva "$1" "$2" "$3"
    if proven "$1" && reached "$1" "$2"; then
        verdict ok "$1 ($3): $(sed -n \
            's/^ *In these functions, \(.*\): .*/\1/p' "$out/$1/log"), 0 alarms"
    else
        verdict FAIL "$1 ($3)"
        grep -A3 'eva:alarm' "$out/$1/log" || tail -n 60 "$out/$1/log"
    fi
}

# The same must not be proven where a bound is missing.
seeded() { # seeded NAME DRIVER FLAGS SED
    copy "$1" "$4"
    eva "$1" "$2" "$3"
    if proven "$1"; then
        verdict FAIL "$1: a bound that is missing goes unnoticed"
    else
        verdict ok "$1: noticed"
    fi
}

small="-D__OPTIMIZE_SIZE__ -U__GNUC__" # without the short ways for speed

text() {
    prove text text "-DMOST=40"
    seeded text-no-end text "-DMOST=4" \
        's/^            if (p == end)/            if (p > end)/'
    seeded text-too-far text "-DMOST=10" \
        's/^        memcpy(&v, p + n - 8, 8)/        memcpy(\&v, p + n - 7, 8)/'
    seeded text-no-length text "-DMOST=4" \
        '/^static bool pyroi_plain(/,/^}/s/n > 0; n--/*p != 0; n--/'
}

next() {
    prove next next "-DMOST=12"
    prove next-small next "-DMOST=12 $small"
    seeded next-no-number next "-DMOST=4 $small" \
        's/^    if (n > left)/    if (n > 0xFFFFFFF0u)/'
    seeded next-no-length next "-DMOST=4 $small" \
        's/^        if (n > left)/        if (n > 0xFFFFFFF0u)/'
    seeded next-no-text next "-DMOST=4" \
        's/^    if (n > 31 || n >= left || /    if (n > 31 || /'
}

get() {
    prove get get "-DMOST=9"
    seeded get-no-end get "-DMOST=2" \
        '/^PYROI_FAST uint64_t pyroi_next_any(/,/^}/s/left == 0/left > 255/'
    seeded get-no-number get "-DMOST=4" \
        's/^    if (n > left)/    if (n > 0xFFFFFFF0u)/'
    seeded get-no-value get "-DMOST=2" \
        's/^    if (in->type_ == PYRO_FLOAT)/    if (in->type_ <= PYRO_FLOAT)/'
}

view() {
    prove view view "-DMOST=6"
    seeded view-behind view "-DMOST=2" \
        '/ void \*pyroi_view(/,/^}/s/(in->at - bytes)/in->at/'
    seeded view-no-type view "-DMOST=2" \
        's/^    if (in->type_ == type$/    if (in->type_ != PYRO_NONE/'
    seeded view-no-length view "-DMOST=2" \
        's/^        if (n > left)/        if (n > 0xFFFFFFF0u)/'
}

skip() {
    prove skip skip "-DMOST=8"
    seeded skip-too-deep skip "-DMOST=1" \
        's/^        if (left == missing +/        if (left > missing +/'
    seeded skip-no-end skip "-DMOST=1" \
        's/^            if (left == missing)/            if (left < missing)/'
    seeded skip-too-long skip "-DMOST=1" \
        's/^    \*n = (uint32_t)(size_t)(in->at - from)/&+ 1/'
}

uri() {
    prove uri uri "-DMOST=15"
    seeded uri-no-end uri "-DMOST=9" \
        '/const char \*pyroi_find(/,/^}/s/p < end; p++/p <= end; p++/'
    seeded uri-no-protocol uri "-DMOST=9" \
        's/^        if ((size_t)(at->end - p) > n && p/        if (p/'
    seeded uri-no-slashes uri "-DMOST=6" \
        's/^    return n >= m && memcmp(p, with/    return memcmp(p, with/'
}

serial() {
    prove serial serial "-DPYRO_SERIAL_BYTES=16 -DLAST=END"
    seeded serial-no-end serial "-DPYRO_SERIAL_BYTES=16 -DLAST=0" \
        's/^    while (at < n) {/    while (at != n) {/'
    seeded serial-too-far serial "-DPYRO_SERIAL_BYTES=16 -DLAST=0" \
        's/^        if (n < PYRO_SERIAL_PACKET) s/        if (n < 255) s/'
    seeded serial-no-room serial "-DPYRO_SERIAL_BYTES=16 -DLAST=1" \
        's/^    if (n > (uint32_t)s->rx_end_ - s->rx_at_)/    if (n > 255)/'
}

head() {
    states="-DFIRST=PYROI_GREETING -DLAST=PYROI_CLOSING"
    open="-DFIRST=PYROI_OPEN -DLAST=PYROI_OPEN"
    prove head head "-DMOST=9 -DTAKEN=0 $states"
    seeded head-too-much head "-DMOST=1 -DTAKEN=0 $open" \
        's/l->head + l->n_head, 8u - l->n_head/l->head + l->n_head, 11u/'
    seeded head-too-far head "-DMOST=1 -DTAKEN=0 $open" \
        '/^static bool pyroi_noise(/,/^}/s/at < l->n_head$/at < 255/'
    seeded head-no-buffer head "-DMOST=0 -DTAKEN=2 $open" \
        's/^    if (serves && d->n_\[PYROI_SPARE\] >= need.*/    if (serves/'
}

[ $# -gt 0 ] || set -- text next get view skip uri head serial
for part; do "$part"; done
say "$passed passed, $failed failed"
[ $failed = 0 ]
