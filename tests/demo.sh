#!/bin/sh
# Runs the quickstart's server and client as two processes; ends with them.
#
# usage: demo.sh    (after they are built; the system chooses the port)
set -eu
cd "$(dirname "$0")/.."
. tests/common.sh
case ${1:-} in -h | --help) help ;; esac

dir=build/examples/quickstart
out=build/demo.server.$$
server=
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || :
    rm -f "$out" "$out.client"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# Waits up to five seconds until the server has printed its address.
address() {
    tries=0
    while ! sed -n 's/^calc is at //p' "$out" | grep .; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] && ! grep -q '^server:' "$out" || return 1
        sleep 0.05
    done
}

say "server\$ $dir/server 127.0.0.1:0"
timeout 9 $dir/server 127.0.0.1:0 >"$out" 2>&1 &
server=$!
at=$(address) || die "the server did not start: $(cat "$out")"
sed 's/^/server: /' "$out"
say "client\$ $dir/client $at"
status=0
timeout 5 $dir/client "$at" >"$out.client" 2>&1 || status=$?
sed 's/^/client: /' "$out.client"
[ $status = 0 ] || die "the client ended with status $status"

# The client has told the server to stop; timeout ends it if it does not.
status=0
wait "$server" || status=$?
server=
[ $status = 0 ] || die "the server ended with status $status"
say "demo: both ended well"
