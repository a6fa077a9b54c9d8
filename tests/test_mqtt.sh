#!/bin/sh
# The MQTT bridge between an event service and a broker (mosquitto), as
# processes: names and values, each side killed and started again, no loops.
#
# usage: test_mqtt.sh    (after `make test` has built the bridge)
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/common.sh
case ${1:-} in -h | --help) help ;; esac

. tests/processes.sh
PATH=$PATH:/usr/sbin
bridge=build/examples/mqtt-bridge/bridge
sh tests/deps.sh mqtt || exit 1

# begin_broker: one on this machine only that knows its sessions again after it
# was killed by kill_broker; `mqtt` is its port.
begin_broker() {
    cat >$dir/broker.conf <<END
listener $mqtt 127.0.0.1
allow_anonymous true
user root
persistence true
persistence_location $PWD/$dir/
max_queued_messages 10000
END
    begin_listener broker "mosquitto version .* running" \
        mosquitto -c $dir/broker.conf
    broker=$server
}

# begin_bridge NAME OPTION...
begin_bridge() {
    name=$1
    shift
    begin_listener $name 'connected to the broker' \
        $bridge -u "$es_uri" -m 127.0.0.1:$mqtt -v "$@"
}

# kill_hard PID: and waits until it has gone.
kill_hard() {
    kill -s KILL "$1"
    tries=0
    while kill -0 "$1" 2>/dev/null && [ $tries -lt 100 ]; do
        tries=$((tries + 1))
        sleep 0.02
    done
}

# kill_broker: once it has written down who has subscribed.
kill_broker() {
    rm -f $dir/mosquitto.db
    kill -s USR1 $broker
    tries=0
    until [ -s $dir/mosquitto.db ] || [ $tries = 100 ]; do
        tries=$((tries + 1))
        sleep 0.02
    done
    kill_hard $broker
}

pub="mosquitto_pub -h 127.0.0.1 -q 1"

# to_topic TOPIC: publishes each line of stdin.
to_topic() { $pub -p $mqtt -t "$1" -l || wrong "mosquitto_pub: status $?"; }

# counted N FILE PATTERN: so many different lines of it match, ten seconds at
# most until they do.
counted() {
    tries=0
    while n=$(grep -E -e "$3" "$2" | sort -u | grep -c .)
        [ "$n" -lt "$1" ] && [ $tries -lt 100 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
    if [ "$n" = "$1" ]; then
        good=$((good + 1))
    else
        tail -n 3 "$2" >$dir/out
        : >$dir/err
        wrong "$2: $n lines of $3, wanted $1"
    fi
}

# lines N FILE PATTERN: exactly so many lines of it match.
lines() {
    n=$(grep -cE -e "$3" "$2")
    [ "$n" = "$1" ] && good=$((good + 1)) && return
    tail -n 3 "$2" >$dir/out
    : >$dir/err
    wrong "$2: $n lines of $3, wanted exactly $1"
}

usage() {
    expect 0 '~^usage: mqtt-bridge' '' $bridge -h
    expect 2 '' '-q: not a number from 0 to 1: 2' $bridge -q 2
    expect 2 '' '-m: no host, or host:port: ' $bridge -m h:99999
    expect 2 '' '-m: no host, or host:port: ' $bridge -m :
    expect 2 '' '-u goes without -n and -p' $bridge -u a -n b
    expect 1 '' 'No such file' \
        $bridge -u "$es_uri" --user a --password-file /no/such
}

# Both ways, each once.
both_ways() {
    seq 1 100 | to_topic plant/b
    expect 0 '' '' $esc publish plant.a $(seq 1 100)
    counted 200 $dir/events.out ' plant\.[ab]  '
    counted 200 $dir/messages.out '^plant/[ab] '
}

values() {
    printf '%s\n' '{"a":[1,null]}' 'ON' '21.5' | to_topic plant/x.y
    printf '\377\376' | $pub -p $mqtt -t plant/bytes -s
    expect 0 '' '' $esc publish 'plant.x/z' '{"b":true}' '"text"' 2.50
    expect 0 '' '' $esc publish 'plant.+' 1
    heard bridge 'plant\.\+: no name for a topic'
    for value in '\{"a":\[1,null\]\}' '"ON"' 21.5; do
        heard events " plant\.x/y  $value\$"
    done
    heard events ' plant\.bytes  \{"\$bytes":"fffe"\}$'
    for value in '\{"b":true\}' '"text"' 2.5; do
        heard messages "^plant/x\\.z $value\$"
    done
}

# A second bridge between the same two: each brings everything across once, and
# what the other one has brought to the service back once. There it ends.
second_bridge() {
    begin_bridge second -i second
    seq 1 10 | to_topic loop/b
    expect 0 '' '' $esc publish loop.a $(seq 1 10)
    counted 10 $dir/messages.out '^loop/a '
    counted 10 $dir/messages.out '^loop/b '
    sleep 1
    lines 20 $dir/events.out ' loop\.b '
    lines 10 $dir/events.out ' loop\.a '
    lines 20 $dir/messages.out '^loop/a '
    lines 30 $dir/messages.out '^loop/b '
    end 0 TERM second
    said_by second '^to MQTT 20, from MQTT 10, own [0-9]+, refused 0, queue full 0 and 0, unanswered 0'
}

# What is published while the broker is away waits, up to --queue.
broker_away() {
    kill_broker
    heard bridge 'the broker is away'
    expect 0 '' '' $esc publish away.a $(seq 1 500)
    expect 0 '' '' $esc publish away.a $(seq 501 1000)
    begin_broker
    counted 1000 $dir/messages.out '^away/a '
    seq 1 50 | to_topic away/b
    counted 50 $dir/events.out ' away\.b '
}

# The service away: what comes from the broker waits. The bridge stands still
# until somebody listens again.
service_away() {
    kill_hard $service
    kill_hard $events
    seq 1 300 | to_topic gone/b
    heard bridge 'event service: '
    kill -s STOP $bridge_pid
    begin_es service -N -p "${es_at##*:}"
    service=$server
    listen_to_events
    kill -s CONT $bridge_pid
    counted 300 $dir/events.out ' gone\.b '
    soon 0 '~"address":"[0-9.:]+"(.*"address"){1}' '' $esc -j -q 1 stats
    expect 0 '' '' $esc publish gone.a $(seq 1 20)
    counted 20 $dir/messages.out '^gone/a '
}

# The bridge away: the broker keeps messages for it.
bridge_away() {
    kill_hard $bridge_pid
    seq 1 200 | to_topic kept/b
    begin_bridge bridge
    bridge_pid=$server
    counted 200 $dir/events.out ' kept\.b '
}

# Past the queue events are lost, and counted.
queue_full() {
    end 0 TERM bridge
    begin_bridge small -i small --queue 10 -t ''
    kill_broker
    heard small 'the broker is away'
    expect 0 '' '' $esc publish full.a $(seq 1 50)
    heard small 'the queue full: losing'
    begin_broker
    heard small '40 events found the queue full'
    counted 10 $dir/messages.out '^full/a '
    name=small
    server=$(cat $dir/small.pid)
    kill "$server"
    heard small '^to MQTT 10, from MQTT 0, .* queue full 40 and 0, unanswered 0'
}

raw_and_prefixes() {
    begin_bridge raw -i raw --raw -q 0 --subject-prefix far. \
        --topic-prefix plant/4/ -s 'a.**' -t 'b/#'
    printf 'a\001b' | $pub -p $mqtt -t plant/4/b/c -s
    $pub -p $mqtt -t plant/4/x/c -m outside
    $pub -p $mqtt -t b/c -m outside
    heard events ' far\.b\.c  \{"\$bytes":"610162"\}$'
    expect 0 '' '' $esc publish Far.a.c '"text"' '{"$bytes":"6869"}' '[1]'
    expect 0 '' '' $esc publish a.c '"outside"'
    for value in text hi '\[1\]'; do
        heard messages "^plant/4/a/c $value\$"
    done
    server=$(cat $dir/raw.pid)
    kill "$server"
    heard raw '^to MQTT 3, from MQTT 1, own 0, refused 0,'
    if grep -q outside $dir/raw.out; then wrong 'raw: outside'; fi
}

listen_to_events() {
    begin_listener events listening $esc listen '**'
    events=$server
}

[ -x $bridge ] || die "$bridge is missing: make $bridge"
free_port
mqtt=$port
begin_broker
begin_es service -N -p 0
service=$server
es_uri=PYRO://$es_at/:Pyro.EventService
usage
listen_to_events
begin_listener messages 'received SUBACK' stdbuf -oL mosquitto_sub -h 127.0.0.1 -p $mqtt \
    -c -i messages -q 1 -t '#' -v -d -F '%t %p'
begin_bridge bridge
bridge_pid=$server
both_ways
values
second_bridge
broker_away
service_away
bridge_away
queue_full
raw_and_prefixes
say "$good passed, $bad failed"
[ $bad = 0 ]
