#!/bin/sh
# Names on networks of several hosts: who finds whom by broadcast, across
# subnets, with an interface down, and with broadcasts blocked.
#
# usage: test_netns.sh    (after `make all` and build/tests/netns_node)
#
# Every host is a network namespace; the one that this script runs in has an
# interface in both subnets and passes on what goes between them:
#
#     left1 10.1.0.11 ---+--- 10.1.0.1 middle 10.2.0.1 ---+--- right1 10.2.0.11
#     left2 10.1.0.12 ---+                                +--- right2 10.2.0.12
#
# As root by `unshare -n`, else by `unshare -rn`. Namespaces end with the last
# process in them, so nothing stays behind. Where they cannot be made it says
# SKIP, which is a failure in CI.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/common.sh
case ${1:-} in -h | --help) help ;; esac

skip() {
    say "1..1"
    say "not ok 1 # SKIP network namespaces"
    say "# $*"
    exit 0
}

if [ "${1:-}" != inside ]; then
    sh tests/deps.sh netns || skip "no iproute2"
    user=
    [ "$(id -u)" = 0 ] || user=-r
    unshare $user -n true 2>/dev/null || skip "unshare $user -n is not allowed"
    exec timeout -k 5 100 unshare $user -n sh tests/test_netns.sh inside
fi

. tests/processes.sh
node=build/tests/netns_node

# ------------------------------------------------------------------------
# The network
# ------------------------------------------------------------------------

# host NAME BRIDGE ADDRESS: a namespace with an interface in a subnet.
host() {
    unshare -n sleep 120 &
    pids="$pids $!"
    eval "host_$1=$!"
    tries=0
    until [ "$(readlink /proc/$!/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || return 1
        sleep 0.05
    done
    ip link add "to_$1" type veth peer name eth0 netns $! &&
        ip link set "to_$1" master "$2" up &&
        at "$1" ip address add "$3/24" broadcast + dev eth0 &&
        at "$1" ip link set eth0 up &&
        at "$1" ip link set lo up &&
        at "$1" ip route add default via "${3%.*}.1"
}

# into HOST: what has to stand before a command, so that it runs there; the
# middle is here.
into() {
    case $1 in
    middle) ;;
    *) eval "say nsenter --net=/proc/\$host_$1/ns/net --" ;;
    esac
}

# at HOST COMMAND...
at() {
    prefix=$(into "$1")
    shift
    $prefix "$@"
}

subnet() {
    ip link add "$1" type bridge forward_delay 0 &&
        ip link set "$1" up &&
        ip address add "$2/24" broadcast + dev "$1"
}

network() {
    ip link set lo up && subnet left 10.1.0.1 && subnet right 10.2.0.1 &&
        host left1 left 10.1.0.11 && host left2 left 10.1.0.12 &&
        host right1 right 10.2.0.11 && host right2 right 10.2.0.12 &&
        echo 1 >/proc/sys/net/ipv4/ip_forward
}

# ------------------------------------------------------------------------
# What is run, and what it must say
# ------------------------------------------------------------------------

# start LOG HOST COMMAND...: in the background; its pid is $started.
start() {
    log=$1
    prefix=$(into "$2")
    shift 2
    $prefix "$@" >"$dir/$log" 2>&1 </dev/null &
    started=$!
    pids="$pids $started"
}

stop() {
    kill "$1" 2>/dev/null
    wait "$1" 2>/dev/null
}

# says LOG PATTERN: waits up to ten seconds for a line.
says() {
    tries=0
    until grep -q "$2" "$dir/$1"; do
        tries=$((tries + 1))
        if [ $tries -ge 100 ]; then
            bad=$((bad + 1))
            say "$1 never said \"$2\":"
            sed 's/^/    /' "$dir/$1"
            return 1
        fi
        sleep 0.1
    done
    good=$((good + 1))
}

# expect WHAT STATUS PATTERN HOST COMMAND...: PATTERN is in what it prints.
expect() {
    what=$1 status=$2 pattern=$3 where=$4
    shift 4
    at "$where" timeout -k 2 15 "$@" >$dir/out 2>&1 </dev/null
    is=$?
    if [ $is = "$status" ] && grep -qE "$pattern" $dir/out; then
        good=$((good + 1))
    else
        bad=$((bad + 1))
        say "$what: status $is, wanted $status; it said, without \"$pattern\":"
        sed 's/^/    /' $dir/out
    fi
}

# Nobody at all: a search ends, and says what it has tried.
nobody() {
    expect "no name server anywhere" 1 "255|broadcast" left1 \
        $node call :lamp1
}

# The name server in the middle has two addresses; each side is told the one
# that it can reach, and objects of one side are called from the other.
two_subnets() {
    start ns middle $tools/pyro-ns -r
    server=$started
    start lamp1 left1 $node serve :lamp1
    start lamp2 right1 $node serve :lamp2
    says lamp1 "registered :lamp1"
    says lamp2 "registered :lamp2"
    says lamp1 "found PYRO://10.1.0.1:9090/"
    says lamp2 "found PYRO://10.2.0.1:9090/"
    for client in left2 right2 middle; do
        expect "$client calls the left" 0 \
            "^PYRO://10.1.0.11:[0-9]*/.* :lamp1$" $client $node call :lamp1
        expect "$client calls the right" 0 \
            "^PYRO://10.2.0.11:[0-9]*/.* :lamp2$" $client $node call :lamp2
    done
    expect "a tool lists" 0 "lamp2" right2 $tools/pyro-nsc list :
    expect "a tool on the host itself" 0 "lamp1" middle $tools/pyro-nsc list :
}

# One interface of the host with the name server goes down and comes back.
interface_down() {
    ip link set right down
    expect "left with the right one down" 0 ":lamp1$" left2 $node call :lamp1
    expect "the host with an interface down" 0 ":lamp1$" middle \
        $node call :lamp1
    expect "right is cut off" 1 "no name server" right2 $node call :lamp1
    ip link set right up
    sleep 4 # longer than a lease: lamp2 has to come back by itself
    says_again lamp2
    expect "right is back" 0 ":lamp1$" right2 $node call :lamp1
    expect "what is registered there, too" 0 ":lamp2$" left2 \
        $node call :lamp2
}

# A name that was lost is there again, within ten seconds.
says_again() {
    tries=0
    until at middle timeout 5 $tools/pyro-nsc resolve ":$1" >$dir/out 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 20 ] || break
        sleep 0.5
    done
}

# No broadcast leaves the host: only a list of hosts helps.
blocked() {
    at left2 ip route del broadcast 10.1.0.255 dev eth0 table local
    at left2 ip route add blackhole 10.1.0.255/32
    at left2 ip route add blackhole 255.255.255.255/32
    expect "broadcasts are blocked" 1 "no name server" left2 \
        $node call :lamp1
    expect "a list of hosts" 0 ":lamp1$" left2 \
        $node call :lamp1 "10.1.0.99:9090 10.1.0.1"
    start lamp3 left2 $node serve :lamp3 10.1.0.1
    says lamp3 "registered :lamp3"
    expect "it is called from the right" 0 \
        "^PYRO://10.1.0.12:[0-9]*/.* :lamp3$" right2 $node call :lamp3
}

# A client with two interfaces finds a name server on either side, and the
# names of who was registered with the old one are there again.
other_side() {
    stop $server
    start ns2 right1 $tools/pyro-ns -r
    expect "a host of two subnets finds the one on the right" 0 "10.2.0.11" \
        middle sh -c "sleep 1; $tools/pyro-nsc -v ping"
    expect "nobody on the left" 1 "no name server" left1 $node call :lamp2
    says lamp2 "found PYRO://10.2.0.11:9090/"
    expect "names are registered anew" 0 ":lamp2$" right2 \
        sh -c "sleep 1; $node call :lamp2"
}

network 2>$dir/out || {
    cat $dir/out
    skip "no veth, bridge or forwarding here"
}
nobody
two_subnets
interface_down
blocked
other_side
say "$good passed, $bad failed"
[ $bad = 0 ]
