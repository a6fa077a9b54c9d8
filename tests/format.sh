#!/bin/sh
# Checks that every C file is laid out as .clang-format says.
#
# usage: format.sh [-i]     -i: correct the files instead
set -eu
cd "$(dirname "$0")/.."
. tests/common.sh
fix=
case ${1:-} in
-i) fix=1 ;;
-h | --help) help ;;
esac

sh tests/deps.sh tidy
files=$(find pyro*.h examples tests -name '*.[ch]' -o -name '*.cpp' |
    grep -v '/build/' | sort)
[ -n "$files" ] || die "found no C files"
if [ -n "$fix" ]; then
    clang-format -i $files || die "clang-format failed"
fi
# Where it is not, clang-format says so as of an error. Eight at a time, as
# many times as there are processors.
printf '%s\n' $files | xargs -n 8 -P "$(getconf _NPROCESSORS_ONLN)" \
    clang-format --dry-run -Werror --ferror-limit=3 ||
    die "\`make format FIX=1\` corrects them"
say "format: $(say "$files" | wc -l) files in order"
