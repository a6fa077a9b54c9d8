#!/bin/sh
# Measures which lines and branches of pyro.h the unit tests reach.
#
# usage: coverage.sh [-v]     -v: list the lines that were not reached
#
# Built with -O0 and without asserts; each test program includes the library
# with its own macros, and a line counts when any of them reaches it. Writes
# build/coverage.json; fails under the two goals below. Marks that exclude
# code from the measurement are not allowed.
set -eu
cd "$(dirname "$0")/.."
. tests/common.sh
verbose=
case ${1:-} in
-v) verbose=1 ;;
-h | --help) help ;;
esac

LINES=95
BRANCHES=85

out=build/coverage
sh tests/deps.sh cmocka gcovr
if grep -rnE '(GCOV|GCOVR|LCOV)_EXCL' pyro*.h tests --include='*.[ch]'; then
    die "marks that exclude code are not allowed"
fi

rm -rf $out
mkdir -p $out
programs=
for source in tests/test_*.c; do
    name=$(basename "$source" .c)
    # The notes lie beside the object, whose name is given by -c.
    # Atomic counters: threads that race for them leave negative ones.
    "$CC" -std=gnu11 -O0 -g -DNDEBUG --coverage -fprofile-update=atomic \
        -c -o "$out/$name.o" "$source" || die "$source: the compiler failed"
    "$CC" --coverage -o "$out/$name" "$out/$name.o" -pthread -lcmocka ||
        die "$source: the linker failed"
    programs="$programs $out/$name"
done
[ -n "$programs" ] || die "there is no tests/test_*.c"
sh tests/run.sh -t 240 $programs || die "a test failed: no measurement"

gcovr --root . --filter 'pyro\.h$' --exclude-unreachable-branches \
    --json-summary build/coverage.json --json-summary-pretty \
    --txt $out/lines.txt $out || die "gcovr failed"
[ -z "$verbose" ] || cat $out/lines.txt

# field NAME: a number of the summary's total.
field() {
    value=$(sed -n "s/^ *\"$1\": *\([0-9.]*\).*/\1/p" build/coverage.json |
        tail -n 1)
    [ -n "$value" ] || die "no $1 in build/coverage.json"
    say "$value"
}

# enough WHAT PERCENT GOAL
enough() {
    awk -v is="$2" -v goal="$3" 'BEGIN { exit !(is >= goal) }' ||
        die "$1: $2 %, wanted $3 %"
}

lines=$(field line_percent)
branches=$(field branch_percent)
say "coverage: $lines % of lines (at least $LINES), $branches % of branches" \
    "(at least $BRANCHES)"
enough lines "$lines" $LINES
enough branches "$branches" $BRANCHES
