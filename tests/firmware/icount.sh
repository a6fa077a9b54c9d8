#!/bin/sh
# Counts instructions and bytes of stack on a Cortex-M3, gcc -Os: of a call of
# two ints with four links open and eight objects (see icount.c), of encoding
# and decoding the message of tests/bench, of an event for eight subscribers.
#
# usage: icount.sh [-v]     -v: also how many of a call each function takes
#
#   dispatch      the server's poll: receive, look up, run, reply
#   loop          both sides of a call
#   publish       one event, until it has left to the last subscriber
#   stack_both    a call, both sides on one stack, with port and handler
#   stack_server  the server's poll
#   stack_level   one more handler nested, with what it calls
#
# QEMU's -icount makes an instruction take a nanosecond, so the numbers are the
# same in every run; each image runs twice and they are compared. "lean" leaves
# out what common.sh says, "least" is what size.sh weighs as proxy and daemon
# (and has no events). Goal and gate are where the library has to get to; the
# ceiling is what was measured and two percent, is only ever lowered, and fails
# when anything grows past it. Of "least" the gates of a call are met: the
# ceilings are below them. Writes build/icount.json.
set -eu
cd "$(dirname "$0")/../.."
. tests/firmware/common.sh
verbose=
case ${1:-} in
-v) verbose=1 ;;
-h | --help) help ;;
esac
sh tests/deps.sh arm qemu

board m3
fw_fenced=0
out=$FW/icount
json=
passed=0
failed=0
mkdir -p $out

# measure NAME FLAGS...: builds the image, runs it twice; results in NAME.txt.
measure() {
    name=$1
    shift
    image "$out/$name.elf" -std=c99 $WARN_C -DNDEBUG "$@" \
        tests/firmware/icount.c
    for run in 1 2; do
        timeout -k 5 100 $fw_qemu -serial null -icount shift=0 \
            -kernel "$out/$name.elf" >"$out/$name.$run" 2>&1 </dev/null ||
            die "$name: $(cat "$out/$name.$run")"
    done
    cmp -s "$out/$name.1" "$out/$name.2" ||
        die "$name: two runs count differently: $(diff "$out/$name".[12])"
}

# expect WHAT GOAL GATE CEILING: of the image measured last; 0: none.
expect() {
    is=$(awk -v what="$1" '$1 == what { print $2 }' "$out/$name.1")
    [ "${is:-0}" -gt 0 ] || die "$name: nothing was counted for $1"
    verdict=
    [ "$3" = 0 ] || [ "$is" -le "$3" ] || verdict="  $((is - $3)) over the gate"
    if [ "$is" -le "$4" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        verdict="  HAS GROWN: the ceiling is $4"
    fi
    printf '%-5s %-13s %7d %7s %7s%s\n' "$name" "$1" "$is" "$2" "$3" "$verdict"
    json="$json${json:+, }\"${name}_$1\": $is"
}

# Instructions of one call by function: QEMU logs each, and a run with twenty
# calls more has so many more.
profile() {
    for turns in 2 22; do
        image $out/profile.elf -std=c99 -DNDEBUG -DTURNS=${turns}u -DCALLS_ONLY \
            "$@" tests/firmware/icount.c
        timeout -k 5 100 $fw_qemu -serial null -icount shift=0 -singlestep \
            -d exec,nochain -kernel $out/profile.elf 2>&1 |
            awk '/^Trace/ { n[$NF]++ } END { for (f in n) print f, n[f] }' |
            sort >$out/profile.$turns
    done
    join -a 2 -o 0,1.2,2.2 -e 0 $out/profile.2 $out/profile.22 |
        awk '{ n = ($3 - $2) / 20; if (n >= 1) printf "    %5d %s\n", n, $1 }' |
        sort -rn
}

say "name  what           counted    goal    gate"
measure full
expect dispatch 1800 2400 2655
expect loop 2600 4000 4975
expect encode 0 0 2343
expect decode 0 0 1899
expect publish 0 0 18562
expect stack_both 420 0 882
expect stack_server 0 0 612
expect stack_level 0 0 588
[ -z "$verbose" ] || profile
measure lean $LEAN -DPYRO_ES_NO_REGEX
expect dispatch 1800 2400 2214
expect loop 2600 4000 4157
expect publish 0 0 16441
expect stack_both 420 0 604
expect stack_server 0 0 352
expect stack_level 0 0 490
[ -z "$verbose" ] || profile $LEAN -DPYRO_ES_NO_REGEX
measure least $LEANEST
expect dispatch 1800 2400 2033
expect loop 2600 4000 3796
expect stack_both 420 0 523
expect stack_level 0 0 417
[ -z "$verbose" ] || profile $LEANEST
say "{$json}" >build/icount.json
say "$passed passed, $failed failed"
[ $failed = 0 ]
