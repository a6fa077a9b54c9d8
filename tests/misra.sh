#!/bin/sh
# Looks at the core (pyro.h without sockets) with cppcheck's addon for MISRA C
# 2012: a rule that tests/misra.txt does not deviate from, or more places of
# one than that says, is a failure.
#
# usage: misra.sh [-u|-v] [FILE]  -u: renew the numbers in tests/misra.txt
#                                 -v: print every place
#                                 FILE: instead of the core
#
# That the gate closes is tried first, on a rule that nothing deviates from.
set -eu
cd "$(dirname "$0")/.."
. tests/common.sh
mode=
case ${1:-} in
-u | -v) mode=$1 && shift ;;
-h | --help) help ;;
esac
list=tests/misra.txt
out=build/misra
mkdir -p $out
sh tests/deps.sh tidy

# look FILE NAME: leaves "rule count" lines in $out/NAME.
look() {
    cppcheck --quiet --std=c99 --addon=misra \
        -DNDEBUG -D__GNUC__=12 --suppress=missingIncludeSystem \
        "$1" >$out/log 2>&1 ||
        die "cppcheck failed, see $out/log"
    ! grep -iE 'addon.*(fail|cannot)|internalError' $out/log ||
        die "the addon did not run"
    grep -o 'misra-c2012-[0-9.]*' $out/log | sed 's/misra-c2012-//' |
        sort -V | uniq -c | awk '{ print $2, $1 }' >"$out/$2"
}

# Rules of $out/NAME that are not deviated from, or more often than said.
beyond() {
    awk '
        NR == FNR { if ($1 ~ /^[0-9]/) most[$1] = $2; next }
        !($1 in most) { print "rule " $1 " is new: " $2 " places"; next }
        $2 > most[$1] { print "rule " $1 ": " $2 " places, listed are " \
                              most[$1] }' $list "$out/$1"
}

say 'void f(void); void f(void) { goto end; end: return; }' >$out/seed.c
look $out/seed.c seed
[ -n "$(beyond seed)" ] || die "a goto goes unnoticed: nothing is proven"

look "${1:-tests/compile/impl.c}" core
[ -s $out/core ] || die "no finding at all cannot be right"
if [ "$mode" = -v ]; then
    cat $out/log
elif [ "$mode" = -u ]; then
    awk 'NR == FNR { n[$1] = $2 + 9 - ($2 + 9) % 10; next }
        $1 in n { sub(/ [0-9]+ /, sprintf(" %d ", n[$1])) } { print }' \
        $out/core $list >$out/list
    cp $out/list $list
fi
beyond core >$out/beyond
[ ! -s $out/beyond ] || {
    cat $out/beyond
    die "misra.sh -v shows where; mend it, or say why not in $list"
}
say "misra: $(awk '{ n += $2 } END { print n }' $out/core) places of" \
    "$(wc -l <$out/core) rules, all of them deviations with a reason"
