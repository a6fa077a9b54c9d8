#!/bin/sh
# Runs make targets one after another, all of them even when one fails.
#
# usage: check.sh TARGET...
#
# Prints a line per target with its time and the last line it said, and the
# end of the output of those that fail (all of it: build/log/TARGET.log). With
# QUICK=1 targets do less, and what they say they leave is printed. LIMIT is
# the time that is promised on two processors, which is printed beside the time
# it took and no more: a slower machine must not fail for that.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/common.sh
case ${1:--h} in -h | --help) help ;; esac

mkdir -p build/log
begin=$(date +%s)
good=0
for target; do
    log=build/log/$target.log
    start=$(date +%s)
    ${MAKE:-make} "$target" >"$log" 2>&1
    status=$?
    took=$(($(date +%s) - start))
    left=$(sed -n 's/^left to check-all: //p' "$log")
    if [ $status = 0 ]; then
        good=$((good + 1))
        printf 'ok   %-9s %4d s  %s\n' "$target" $took "$(tail -n 1 "$log")"
    else
        printf 'FAIL %-9s %4d s  status %d\n' "$target" $took $status
        tail -n 40 "$log" | sed 's/^/     | /'
    fi
    [ -z "$left" ] || say "                       left to check-all: $left"
done
say "check: $good of $# targets passed, $(($(date +%s) - begin)) s" \
    "${LIMIT:+(promised: $LIMIT s with two processors; here: $(nproc))}"
[ $good = $# ]
