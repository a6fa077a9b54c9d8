#!/bin/sh
# Checks the sources: clang-tidy, cppcheck and the rules of style.
#
# usage: tidy.sh
#
# The rules: 80 columns, no tabs, no blanks at the end of a line, C comments
# only, functions of at most 60 lines, no name of the library that is neither
# pyro_, PYRO_, pyroi_ nor PYROI_. Tests and examples must compile without a
# warning too. With QUICK=1 the library is looked at with PYRO_POSIX only.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/common.sh
case ${1:-} in -h | --help) help ;; esac

bad=0
mkdir -p build/tidy
out=build/tidy/$(say "$*" | cksum | tr -d ' ')
sources=$(find pyro*.h examples tests \( -name '*.[ch]' -o -name '*.cpp' \) |
    sort)
others="Makefile README.md $(find tests .ci -name '*.sh' -o -name '*.py' \
    -o -name run | sort)"

finding() {
    say "  $*"
    bad=$((bad + 1))
}

# grep_for WHAT PATTERN FILES...: every line that matches is a finding.
grep_for() {
    what=$1 pattern=$2
    shift 2
    grep -nE "$pattern" "$@" /dev/null >$out
    case $? in
    0) while read -r line; do finding "$what: $line"; done <$out ;;
    1) ;;
    *) die "grep failed: $pattern" ;;
    esac
}

rules_of_style() {
    grep_for "over 80 columns" '^.{81,}' $sources
    grep_for "a tab" "$(printf '\t')" $sources
    grep_for "blanks at the end" ' +$' $sources $others
    # Not in URIs, which have a colon before the slashes, nor in C++.
    grep_for "a // comment" '(^|[^:"/*])//[^/"]* ' $(say "$sources" |
        grep -v 'cpp$')
    awk '
        /^\{/ { start = FNR }
        /^\}/ && start {
            if (FNR - start - 1 > 60)
                print FILENAME ":" start ": " FNR - start - 1 " lines"
            start = 0
        }' $sources >$out
    while read -r line; do finding "long function: $line"; done <$out
}

# Every identifier a user of the header would meet: macros that it defines.
prefixes() {
    sed -n 's/^ *# *define \([A-Za-z_0-9]*\).*/\1/p' pyro*.h |
        grep -vE '^(PYROI?|pyroi)_' | sort -u >$out
    while read -r name; do
        case $name in
        _POSIX_C_SOURCE | _DEFAULT_SOURCE | _GNU_SOURCE) ;;
        *) finding "a macro without the prefix: $name" ;;
        esac
    done <$out
}

# Tests and examples; the library itself is compiled by matrix.sh.
warnings() {
    # Of packaging what is for boards needs their SDKs.
    for file in $(say "$sources" | grep "^$1" | grep -vE 'packaging/.*/' | grep -E '^examples/.*c$|/(test_|sim_|bench|client|server|tools_|xnsc_|pyro-|netns|ram_).*c$'); do
        "$CC" -std=gnu11 -O1 $WARN_C -Werror -I. -fsyntax-only "$file" \
            >$out 2>&1 && continue
        finding "$file does not compile without a warning:"
        head -n 6 $out
    done
}

clang_tidy() {
    # Without texts, branches that differ only in those are the same.
    checks=
    case $* in
    *NO_TEXTS*) checks=-bugprone-branch-clone,-misc-redundant-expression ;;
    esac
    clang-tidy --quiet --checks="$checks" tests/compile/es_impl.c -- \
        -std=c99 "$@" >$out 2>$out.err && return
    finding "clang-tidy ${*:-without switches}:"
    grep -E 'error|warning' $out | sort -u | head -n 30
    [ -s $out ] || cat $out.err
}

cppcheck_it() {
    cppcheck --quiet --std=c99 --enable=warning,performance,portability \
        --inline-suppr --error-exitcode=3 -DNDEBUG "$@" \
        --suppress=missingIncludeSystem -D__GNUC__=12 \
        -DAI_NUMERICHOST=4 -DCLOCK_MONOTONIC=1 -DMSG_DONTWAIT=64 \
        tests/compile/es_impl.c >$out 2>&1 && return
    finding "cppcheck ${*:-without switches}:"
    head -n 30 $out
}

# What there is to do: each a run of this script for together.sh.
parts() {
    for set in "$LEAN $NS_LEAN" -DPYRO_POSIX ""; do
        [ -z "${QUICK:-}" ] || [ "$set" = -DPYRO_POSIX ] || continue
        say "sh tests/tidy.sh cppcheck_it $set"
        say "sh tests/tidy.sh clang_tidy $set"
    done
    for part in rules_of_style prefixes "warnings tests" "warnings examples"; do
        say "sh tests/tidy.sh $part"
    done
}

if [ $# != 0 ]; then
    "$@"
    exit $((bad != 0))
fi
sh tests/deps.sh tidy mqtt msgpack events || exit 1
[ -z "${QUICK:-}" ] || say "left to check-all: clang-tidy and cppcheck without PYRO_POSIX"
parts | sh tests/together.sh || die "see the findings above"
say "tidy: $(say "$sources" | wc -l) files in order"
