#!/bin/sh
# Runs test programs that were built with ThreadSanitizer.
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
TSAN_OPTIONS=halt_on_error=1 exec $fixed sh tests/run.sh -t 240 "$@"
