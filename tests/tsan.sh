#!/bin/sh
# Runs test programs that were built with ThreadSanitizer, and the example with
# tasks, examples/rtos.
#
# usage: tsan.sh PROGRAM...
#
# Its memory layout does not fit every address a kernel may choose, so the
# choice is switched off where that is allowed.
set -eu
cd "$(dirname "$0")/.."
. tests/common.sh
case ${1:-} in -h | --help) help ;; esac
[ $# -gt 0 ] || die "there is no tests/test_thread*.c"

fixed=
setarch -R true 2>/dev/null && fixed="setarch -R"
export TSAN_OPTIONS=halt_on_error=1
example=
programs=
for program; do
    case $program in
    */tasks) example=$program ;;
    *) programs="$programs $program" ;;
    esac
done
[ -z "$example" ] || timeout -k 5 60 $fixed "$example" 2000 300 ||
    die "$example 2000 300 ended with status $?"
exec $fixed sh tests/run.sh -t 240 $programs
