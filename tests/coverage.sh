#!/bin/sh
# Measures which lines and branches of the headers the unit tests reach.
#
# usage: coverage.sh [-v]     -v: list the lines that were not reached
#
# Built with -O0 and without asserts; each test program includes the library
# with its own macros, and a line counts when any of them reaches it. Writes
# build/coverage.json; fails under the floors below. Marks that exclude code
# from the measurement are not allowed.
set -eu
cd "$(dirname "$0")/.."
. tests/common.sh
verbose=
case ${1:-} in
-v) verbose=1 ;;
-h | --help) help ;;
esac

# Percent of lines and branches that may not be fallen short of.
floors() {
    case $1 in
    pyro.h | pyro_ns.h | pyro_es.h) say 95 85 ;;
    *) die "$1 has no floors" ;;
    esac
}

out=build/coverage
sh tests/deps.sh cmocka gcovr
if grep -rnE '(GCOV|GCOVR|LCOV)_EXCL' pyro*.h tests --include='*.[ch]'; then
    die "marks that exclude code are not allowed"
fi

rm -rf $out
mkdir -p $out
# The notes lie beside the object, whose name is given by -c. Atomic counters:
# threads that race for them leave negative ones.
for source in tests/test_*.c; do
    # Switches take other functions of the same names: gcovr cannot add up.
    case $source in *_ns_least.c | *_ns_board.c | *_es_least.c) continue ;; esac
    program=$out/$(basename "$source" .c)
    say "'$CC' -std=gnu11 -O0 -g -DNDEBUG --coverage" \
        "-fprofile-update=atomic -c -o $program.o $source &&" \
        "'$CC' --coverage -o $program $program.o -pthread -lcmocka"
done >$out/commands
programs=$(sed 's/.* -o \([^ ]*\) .*/\1/' $out/commands)
sh tests/together.sh <$out/commands || die "the compiler failed"
[ -n "$programs" ] || die "there is no tests/test_*.c"
sh tests/run.sh -t 240 $programs || die "a test failed: no measurement"

gcovr --root . --filter 'pyro(_[a-z]+)?\.h$' --exclude-unreachable-branches \
    --json-summary build/coverage.json --json-summary-pretty \
    --txt $out/lines.txt $out || die "gcovr failed"
[ -z "$verbose" ] || cat $out/lines.txt

# field NAME: a number of the summary, of header $header.
field() {
    value=$(tr -d ' \n' <build/coverage.json | tr '{}' '\n\n' |
        grep -F "\"filename\":\"$header\"" |
        sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p")
    [ -n "$value" ] || die "no $1 of $header in build/coverage.json"
    say "$value"
}

short=0
# enough WHAT PERCENT FLOOR
enough() {
    awk -v is="$2" -v floor="$3" 'BEGIN { exit !(is >= floor) }' && return
    say "$header: $2 % of $1, wanted $3 %"
    short=1
}

for header in pyro*.h; do
    lines=$(field line_percent) || exit 1
    branches=$(field branch_percent) || exit 1
    set -- $(floors "$header")
    say "coverage: $header: $lines % of lines (at least $1), $branches % of" \
        "branches (at least $2)"
    enough lines "$lines" "$1"
    enough branches "$branches" "$2"
done
[ $short = 0 ]
