#!/bin/sh
# Pyro over Ethernet, on boards that QEMU emulates: lwIP from Debian's source,
# the board's LAN9118 driven by tests/firmware/eth_board.h.
#
# usage: eth.sh [-s SECONDS]     -s: only the last test, again and again
#
#   linux   a program on this machine finds the board's name server by a
#           datagram, calls an object 2,000 times and gets events
#   boards  a second board does the same, by broadcast
#   lossy   with frames lost, doubled and turned round between the two: that
#           may take a minute, the others seconds
#
# Prints what the server's image weighs. All of it runs in a network namespace
# of its own, so that no port is anybody else's.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/firmware/common.sh
soak=0
case ${1:-} in
-s) soak=${2:?} ;;
-h | --help) help ;;
esac

out=$FW/eth
dir=$out/run
address=10.0.2.15
other=10.0.2.16
board m3
fw_crt0=semihost
fw_cc="$fw_cc -std=gnu11 -DNDEBUG -fno-merge-constants -Itests/firmware/lwip"

# ------------------------------------------------------------------------
# Images
# ------------------------------------------------------------------------

lwip_for_board() {
    [ -z "$(find $out/lwip.a -newer tests/firmware/lwip/lwipopts.h \
        2>/dev/null)" ] || return 0
    mkdir -p $out/lwip
    rm -f $out/lwip.a
    for file in "$src"/core/*.c "$src"/core/ipv4/*.c \
        "$src"/netif/ethernet.c; do
        $fw_cc --specs=picolibc.specs $FW_FLAGS -w -I"$src/include" -c \
            -o "$out/lwip/$(basename "$file" .c).o" "$file" ||
            die "lwIP does not compile"
    done
    arm-none-eabi-ar rcs $out/lwip.a $out/lwip/*.o
}

# eth_image NAME
eth_image() {
    $fw_cc --specs=picolibc.specs $FW_FLAGS $WARN_C -Werror \
        -isystem "$src/include" -DPYRO_NS_NO_STORAGE -DPYRO_NS_NO_PAIR -c \
        -o "$out/$1.o" "tests/firmware/$1.c" &&
        image "$out/$1.elf" "$out/$1.o" $out/lwip.a -Wl,-Map="$out/$1.map" ||
        die "$1: the image cannot be built"
}

build() {
    sh tests/deps.sh arm qemu python3 netns
    src=$(sh tests/debian_source.sh lwip)/src || exit 1
    mkdir -p $dir
    lwip_for_board
    eth_image eth_server
    eth_image eth_client
    "$CC" -std=gnu11 -O1 -g $WARN_C -Werror -DPYRO_POSIX -o $out/eth_client \
        tests/firmware/eth_client.c || die "eth_client does not compile here"
}

# Bytes of the server's image by whose they are, from the linker's map.
weigh() {
    awk '
        function whose(file, section) {
            if (file ~ /lwip[.]a[(]/) return "lwip"
            if (file !~ /eth_server[.]o/) return "libc"
            if (section ~ /pyroi?_lwip/) return "port"
            if (section ~ /[.]pyroi?_/) return "library"
            return section ~ /[.]eth_/ ? "driver" : "application"
        }
        /^Linker script and memory map/ { inside = 1 }
        !inside { next }
        /^ [.][^ ]+$/ { section = $1; next }
        /^ [.][^ ]+ +0x/ { section = $1; sub(/^ [^ ]+/, "") }
        /^ +0x[0-9a-f]+ +0x[0-9a-f]+ / && section {
            if (section ~ /^[.](text|rodata|init|ctors)/)
                print whose($3, section), "flash", $2
            else if (section ~ /^[.](data|bss)/)
                print whose($3, section), "ram", $2
            section = ""
        }' $out/eth_server.map |
        while read -r who what bytes; do say "$who $what $((bytes))"; done |
        awk '
        { n[$1, $2] += $3; n["all", $2] += $3 }
        END {
            printf "%-14s %8s %8s\n", "eth_server", "flash", "RAM"
            split("library port lwip driver application libc all", who)
            for (i = 1; i <= 7; i++)
                printf "%-14s %8d %8d\n", who[i], n[who[i], "flash"],
                    n[who[i], "ram"]
        }'
}

# ------------------------------------------------------------------------
# Boards and networks
# ------------------------------------------------------------------------

pids=
cleanup() {
    for pid in $pids; do kill "$pid" 2>/dev/null || :; done
    for pid in $pids; do wait "$pid" 2>/dev/null || :; done
    pids=
}

boots=0
# run_board IMAGE ADDRESS NIC
run_board() {
    boots=$((boots + 1))
    exec timeout -k 2 $limit $fw_qemu,arg="$2,arg=$seed$boots" -serial null \
        -nic "$3,model=lan9118" -kernel "$out/$1.elf"
}

# started NAME COMMAND...: in the background, until it says that it is ready.
started() {
    log=$dir/$1.log
    shift
    : >"$log"
    "$@" >"$log" 2>&1 </dev/null &
    pids="$pids $!"
    tries=0
    until grep -q ready "$log"; do
        tries=$((tries + 1))
        [ $tries -lt 300 ] || return 1
        sleep 0.1
    done
}

# A cable between two ports on 127.0.0.1, as QEMU sees it from one end.
cable() { say "socket,udp=127.0.0.1:$2,localaddr=127.0.0.1:$1,mac=$3"; }

linux() {
    both=$address:9090-$address:9090
    started server run_board eth_server $address \
        "user,hostfwd=tcp:$both,hostfwd=udp:$both" &&
        timeout -k 2 $limit $out/eth_client $address
}

boards() {
    started server run_board eth_server $address "$(cable 4000 4010 $mac:1)" &&
        (run_board eth_client $other "$(cable 4010 4000 $mac:2)")
}

lossy() {
    limit=60
    started relay python3 tests/firmware/eth_relay.py 4000 4010 "$seed" &&
        started server run_board eth_server $address \
            "$(cable 4000 4001 $mac:1)" &&
        (run_board eth_client $other "$(cable 4010 4011 $mac:2)") || return 1
    cleanup
    # Each of them has to have happened.
    sed -n 's/^eth_relay: [0-9]/&/p' $dir/relay.log | tee $dir/relay.counts
    [ -s $dir/relay.counts ] && ! grep -q ' 0 ' $dir/relay.counts
}

mac=52:54:00:00:00
limit=20
good=0
bad=0

# check TEST: runs it, and says how it went.
check() {
    start=$(date +%s)
    "$1" >$dir/out 2>&1 </dev/null
    status=$?
    if [ $status = 0 ]; then
        good=$((good + 1))
        say "ok   $1 ($(($(date +%s) - start)) s): $(tr '\n' ' ' <$dir/out)"
    else
        bad=$((bad + 1))
        say "FAIL $1, seed $seed: status $status"
        sed 's/^/     | /' $dir/out $dir/*.log
    fi
    cleanup
}

if [ "${INSIDE:-}" != 1 ]; then
    build
    weigh
    user=
    [ "$(id -u)" = 0 ] || user=-r
    unshare $user -n true ||
        die "no network namespace can be made here: unshare $user -n failed"
    INSIDE=1 exec unshare $user -n sh tests/firmware/eth.sh "$@"
fi
trap cleanup EXIT
trap 'exit 1' INT TERM HUP
rm -f $dir/*
# The board's address, at which QEMU listens for it, is one of this machine;
# who goes there must not come from there, or the board would see its own.
ip link set lo up && ip address add $address/32 dev lo &&
    ip route change local $address dev lo table local src 127.0.0.1 ||
    die "the network namespace cannot be set up"
seed=${SEED:-1}
if [ "$soak" -gt 0 ]; then
    until=$(($(date +%s) + soak))
    while [ "$(date +%s)" -lt $until ]; do
        check lossy
        seed=$((seed + 1))
    done
else
    check linux
    check boards
    check lossy
fi
say "$good passed, $bad failed"
[ $bad = 0 ]
