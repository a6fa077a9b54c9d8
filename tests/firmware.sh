#!/bin/sh
# Runs firmware on boards that QEMU emulates.
#
# usage: firmware.sh [STEP...]
#
# STEP is the name of a script in tests/firmware/ without .sh; all of them by
# default. What each does is said at its top. The last line is the total:
# "N passed, N failed".
set -eu
cd "$(dirname "$0")/.."
. tests/common.sh
case ${1:-} in -h | --help) help ;; esac

[ $# -gt 0 ] || set -- $(ls tests/firmware/*.sh | xargs -n 1 basename -s .sh |
    grep -v '^common$')
for step; do
    shift
    [ -e "tests/firmware/$step.sh" ] ||
        die "no step $step: there is no tests/firmware/$step.sh"
    set -- "$@" "tests/firmware/$step.sh"
done
exec sh tests/run.sh -1 -t 600 "$@"
