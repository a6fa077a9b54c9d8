#!/bin/sh
# Runs commands, as many at once as there are processors.
#
# usage: together.sh <COMMANDS     one a line, for sh
#
# What each prints appears whole and in the order of the lines. The status is
# 0 if that of all is.
set -eu
cd "$(dirname "$0")/.."
. tests/common.sh
[ $# = 0 ] || help

mkdir -p build
dir=$(mktemp -d build/together.XXXXXX)
workers=
trap 'kill $workers 2>/dev/null || :; rm -rf $dir' EXIT
trap 'exit 1' INT TERM

n=0
while IFS= read -r line; do
    n=$((n + 1))
    printf '%s\n' "$line" >"$dir/$n.sh"
done
# The status is renamed into place: there only when all has been written.
cat >"$dir/one" <<'EOF'
sh "$1.sh" >"$1.out" 2>&1 </dev/null
echo $? >"$1.status"
mv "$1.status" "$1.done"
EOF
seq 1 $n | sed "s,^,$dir/," |
    xargs -P "$(getconf _NPROCESSORS_ONLN)" -n 1 sh "$dir/one" &
workers=$!

bad=0
for i in $(seq 1 $n); do
    until [ -e "$dir/$i.done" ]; do
        kill -0 $workers 2>/dev/null || [ -e "$dir/$i.done" ] ||
            die "stopped before: $(cat "$dir/$i.sh")"
        sleep 0.1
    done
    cat "$dir/$i.out"
    [ "$(cat "$dir/$i.done")" = 0 ] || bad=1
done
[ $bad = 0 ]
