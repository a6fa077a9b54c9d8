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
bad=0
mkdir -p build
for file in $files; do
    clang-format "$file" >build/format.out || die "clang-format failed"
    diff -u "$file" build/format.out >build/format.diff && continue
    bad=$((bad + 1))
    say "$file: $(grep -c '^[-][^-]' build/format.diff) lines to change," \
        "the first: $(sed -n 's/^@@ -\([0-9]*\).*/line \1/p;' \
            build/format.diff | head -n 1)"
done
[ $bad = 0 ] || die "$bad files; \`make format FIX=1\` corrects them"
say "format: $(say "$files" | wc -l) files in order"
