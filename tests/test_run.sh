#!/bin/sh
# Checks that the scripts here fail when they must: a runner that counts a
# crash as a pass would make every other test worthless.
#
# usage: test_run.sh
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/common.sh
case ${1:-} in -h | --help) help ;; esac

dir=build/test_run
rm -rf $dir
mkdir -p $dir
good=0
bad=0

# program NAME LINE...: a script of these lines, to run.
program() {
    name=$1
    shift
    printf '%s\n' '#!/bin/sh' "$@" >"$dir/$name"
    chmod +x "$dir/$name"
}

# expect WHAT STATUS LAST_LINE COMMAND...: LAST_LINE empty: any.
expect() {
    what=$1 status=$2 line=$3
    shift 3
    "$@" >$dir/out 2>&1
    is=$?
    last=$(tail -n 1 $dir/out)
    if [ $is = "$status" ] && [ "${line:-$last}" = "$last" ]; then
        good=$((good + 1))
    else
        bad=$((bad + 1))
        say "$what: status $is, wanted $status; last line" \
            "\"$last\"${line:+, wanted \"$line\"}"
    fi
}

# in_order COMMAND: this in the middle of slower and faster ones.
in_order() {
    printf '%s\n' 'sleep 0.3; echo a' "$1" 'echo c' | sh tests/together.sh
}

program passes 'echo 1..2' 'echo ok 1 - a' 'echo ok 2 - b'
program fails 'echo 1..2' 'echo ok 1 - a' 'echo not ok 2 - b' 'exit 1'
program stops_early 'echo 1..3' 'echo ok 1 - a'
program crashes 'echo 1..1' 'echo ok 1 - a' 'kill -SEGV $$'
program hangs 'echo 1..1' 'exec sleep 60'
program runs_nothing 'echo hello'
program skips_one 'echo 1..2' 'echo ok 1 - a' 'echo "not ok 2 # SKIP b"'
program skips.sh 'echo 1..1' 'echo "not ok 1 # SKIP all of it"'
program adds_up 'echo 3 passed, 0 failed'
program lies 'echo 3 passed, 0 failed' 'exit 1'
program no_compiler 'exit 1'

run="env CI= sh tests/run.sh -t 2"
expect "two pass" 0 "2 passed, 0 failed" $run $dir/passes
expect "one fails" 1 "1 passed, 1 failed" $run $dir/fails
expect "stops early" 1 "1 passed, 1 failed" $run $dir/stops_early
expect "crashes" 1 "1 passed, 1 failed" $run $dir/crashes
expect "hangs" 1 "0 passed, 1 failed" $run $dir/hangs
expect "runs nothing" 1 "0 passed, 1 failed" $run $dir/runs_nothing
expect "not there" 1 "0 passed, 1 failed" $run $dir/nowhere
expect "its own sum" 0 "3 passed, 0 failed" $run $dir/adds_up
expect "a sum the status denies" 1 "3 passed, 1 failed" $run $dir/lies
expect "several" 1 "6 passed, 1 failed" $run $dir/passes $dir/fails \
    $dir/adds_up
expect "a skip" 0 "1 passed, 0 failed" $run $dir/skips_one
expect "a skip in CI" 1 "1 passed, 1 failed" env CI=true sh tests/run.sh \
    $dir/skips_one
expect "a script that skips in CI" 1 "0 passed, 1 failed" env CI=true sh \
    tests/run.sh $dir/skips.sh
expect "no programs" 1 "" $run

# A tool that fails must not look like a clean result.
expect "no compiler" 1 "" sh tests/symbols.sh look x impl.c nm $dir/no_compiler
expect "all of several commands" 0 "c" in_order true
expect "one of several fails" 1 "c" in_order false
expect "one of several is no command" 1 "c" in_order nothing_of_this_name
expect "an unknown need" 1 "" sh tests/deps.sh nobody_has_this
expect "a target fails" 1 "" env MAKE=false sh tests/check.sh nothing

say "$good passed, $bad failed"
[ $bad = 0 ]
