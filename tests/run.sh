#!/bin/sh
# Runs test programs and adds up what passed and failed.
#
# usage: run.sh [-1] [-t SECONDS] PROGRAM...
#
# As many at once as there are processors; those that need the machine to keep
# a deadline of their own, one by one at the end (with -1 all of them).
#
# A program is a cmocka program (its TAP output is counted), or anything that
# prints "N passed, N failed" as its last line, or a script (*.sh, *.py),
# which is one test and passes with status 0. Each has SECONDS (120). One that
# crashes, hangs or runs no test is a failure. With CI=true so is a skipped
# test that tests/skips does not list. Logs: build/log/. The last line is the
# total: "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/common.sh
limit=120
one_by_one=
while getopts 1t:h opt; do
    case $opt in
    1) one_by_one=1 ;;
    t) limit=$OPTARG ;;
    h) help ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || die "no test programs"
mkdir -p build/log
passed=0
failed=0

# Threads and processes that measure what time something took.
alone() {
    [ -n "$one_by_one" ] && return
    case $(basename "$1") in
    test_posix | test_process | test_thread* | test_ns_kill) ;;
    *) false ;;
    esac
}

log_of() { say "build/log/$(say "${1#build/}" | tr / _).log"; }

# Reads a log: prints "passed failed skipped planned", planned being how many
# tests a cmocka program announced (-1: it is no cmocka program).
count() {
    awk '
        /^1\.\.[0-9]+$/         { planned += substr($0, 4); tap = 1 }
        /^ok [0-9]+ /           { p++ }
        /^not ok [0-9]+ # SKIP/ { s++; next }
        /^not ok [0-9]+ /       { f++ }
        /^[0-9]+ passed, [0-9]+ failed$/ { last = NR; lp = $1; lf = $3 }
        END {
            if (tap) print p + 0, f + 0, s + 0, planned
            else if (last == NR && NR) print lp, lf, 0, -1
            else print 0, 0, 0, -1
        }' "$1"
}

# Tests that a log says were skipped and that no line of tests/skips allows.
not_allowed() {
    sed -n 's/^not ok [0-9]* # SKIP //p' "$2" | while read -r test; do
        grep -q "^$1: $test *# *[^ ]" tests/skips || say "$test"
    done
}

# run PROGRAM: runs it, prints its line, adds to the totals.
run() {
    name=$(basename "$1")
    log=$(log_of "$1")
    why=
    start=$(date +%s)
    case $1 in
    *.sh) how=sh ;;
    *.py) how=python3 ;;
    *) how= ;;
    esac
    CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 5 "$limit" $how "$1" >"$log" 2>&1 \
        </dev/null
    status=$?
    took=$(($(date +%s) - start))
    set -- $(count "$log")
    p=$1 f=$2 s=$3 planned=$4
    [ -n "$how" ] && [ "$p $f $s $status" = "0 0 0 0" ] && p=1
    if [ $status = 124 ] || [ $status = 137 ]; then
        why="not done after $limit s"
    elif [ "$planned" -ge 0 ] && [ $((p + f + s)) != "$planned" ]; then
        why="stopped after $((p + f + s)) of $planned tests, status $status"
    elif [ $status != 0 ] && [ "$f" = 0 ]; then
        why="ended with status $status"
    elif [ $((p + f + s)) = 0 ]; then
        why="ran no test"
    elif [ "${CI:-}" = true ] && [ "$s" != 0 ]; then
        skips=$(not_allowed "$name" "$log" | tr '\n' ';')
        [ -z "$skips" ] || why="skipped and not in tests/skips: $skips"
    fi
    [ -z "$why" ] || f=$((f + 1))
    passed=$((passed + p))
    failed=$((failed + f))
    line="$p passed"
    [ "$f" = 0 ] || line="$line, $f failed"
    [ "$s" = 0 ] || line="$line, $s skipped"
    [ "$f" = 0 ] && word=ok || word=FAIL
    printf '%-4s %-20s %3d s  %s\n' $word "$name" $took "$line${why:+: $why}"
    [ "$f" = 0 ] || show "$log"
}

# The part of a log that says what went wrong.
show() {
    if grep -q '^not ok [0-9]* - ' "$1"; then
        grep -A 12 '^not ok [0-9]* - ' "$1" | grep -v '^ok ' | head -n 40
    else
        tail -n 25 "$1"
    fi | sed 's/^/     | /'
    say "     | (all of it: $1)"
}

# Those that bear company; each leaves its last line in its log's .sum.
together() {
    for program; do
        alone "$program" && continue
        sum=$(log_of "$program").sum
        rm -f "$sum"
        say "sh tests/run.sh -1 -t $limit $program >$sum; sed '\$d' $sum"
    done | sh tests/together.sh
    for program; do
        alone "$program" && continue
        sum=$(log_of "$program").sum
        set -- $(tail -n 1 "$sum" 2>/dev/null)
        case ${1:-}-${3:-} in
        *[0-9]-*[0-9]) ;;
        *) set -- 0 passed, 1 ;;
        esac
        passed=$((passed + $1))
        failed=$((failed + $3))
    done
}

[ -n "$one_by_one" ] || together "$@"
for program; do
    if alone "$program"; then run "$program"; fi
done
say "$passed passed, $failed failed"
[ "$failed" = 0 ]
