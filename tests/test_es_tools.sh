#!/bin/sh
# The event service pyro-es and its client pyro-esc as processes of their own:
# what they print, what they complain about, and their status.
#
# usage: test_es_tools.sh    (after `make all`; the system chooses the ports)
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/common.sh
case ${1:-} in -h | --help) help ;; esac

. tests/processes.sh

es_usage() {
    es=$tools/pyro-es
    expect 0 '~^usage: pyro-es \[options\]' '' $es -h
    expect 2 '' 'unknown option -i' $es -i secret
    expect 2 '' '-p: not a number from 0 to 65535: 65536' $es -p 65536
    expect 2 '' 'one argument too many: start' $es start
    expect 2 '' '-N goes without --ns and -f' $es -N -f
    expect 2 '' '-N goes without --ns and -f' $es -N --ns 127.0.0.1
    expect 1 '' '^Event Server was not started!' $es -N -n 192.0.2.77 -p 0
    expect 1 '' 'no/such/place.*No such file' $es --pidfile /no/such/place
    free_port
    expect 1 '' "not found; tried: .*127.0.0.1:$port" \
        $es -n 127.0.0.1 -p 0 --ns 127.0.0.1:$port
    grep -q 'N: use no name server' $dir/err || wrong "it does not name -N"
}

esc_usage() {
    expect 0 '~^usage: pyro-esc' '' $tools/pyro-esc -h
    expect 2 '' 'too few arguments' $tools/pyro-esc
    expect 2 '' 'unknown command sing' $tools/pyro-esc sing
    expect 2 '' 'publish needs a subject and values' $esc publish a
    expect 2 '' 'listen needs 1 to 100 patterns' $esc listen
    expect 2 '' 'stats needs no arguments' $esc stats a
    expect 2 '' '-q: not a number' $esc -q 0 listen a
    expect 2 '' '-u goes without -n and -p' $esc -n 127.0.0.1 stats
    expect 2 '' 'value 2 is no JSON: a value is missing, at byte 0' \
        $esc publish a 1 two
    expect 1 '' 'URI|protocol' $tools/pyro-esc -u gaga stats
    expect 1 '' 'no connection' \
        $tools/pyro-esc -u PYRO://127.0.0.1:$port/:Pyro.EventService stats
    expect 1 '' 'no connection' $tools/pyro-esc -u \
        PYRO://127.0.0.1:$port/:Pyro.EventService publish a 1
    expect 1 '' 'no connection' $tools/pyro-esc -u \
        PYRO://127.0.0.1:$port/:Pyro.EventService listen a
    expect 1 '' 'regular expression: see position 2' $esc --regex listen 'a(b'
    expect 2 '' 'are for listen' $esc -r publish q 1
    expect 1 '' 'PYRO://127.0.0.1:1/x: no connection' $tools/pyro-esc -u \
        PYRO://127.0.0.1:1/x listen q
    expect 1 '' 'subject is empty or has' $esc listen ''
    expect 1 '' 'subject is empty or has' $esc publish '' 1
}

# What one publishes the other prints.
events() {
    begin_listener text listening $esc -q 4 listen 'sensor.*.temp' news
    begin_listener json listening $esc listen --json -q 3 --regex 'sensor\.\d+\.temp$' \
        'NEWS|nothing'
    expect 0 '' '' $esc publish sensor.3.temp 21.5 -1
    expect 0 '' '' $esc publish sensor.x.temp '"not a number"'
    expect 0 '' '' $esc publish sensor.3.4.temp 0
    expect 0 '' '' $esc publish News '{"a":[1,null,"\u001b[31m"]}'
    heard json News
    heard text News
    wait $started || wrong "the listener ended with status $?"
    day='20[0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9:]*\.[0-9]{3}'
    said_by text "^$day  sensor.3.temp  21.5$"
    said_by text "^$day  sensor.3.temp  -1$"
    said_by text "^$day  sensor.x.temp  \"not a number\"$"
    said_by text "^$day  News  \{\"a\":\[1,null,\"\\\\u001b\[31m\"\]\}$"
    head='^\{"subject":"sensor.3.temp","time":1[0-9]{12},"n"'
    said_by json "$head:1,\"lost\":0,\"message\":21.5\}$"
    said_by json "$head:2,\"lost\":0,\"message\":-1\}$"
    expect 0 3 '' sh -c "wc -l <$dir/json.out"
    expect 0 4 '' sh -c "wc -l <$dir/text.out"
}

last_values() {
    expect 0 '' '' $esc publish state.door '"open"' '"shut"'
    expect 0 '~ state.door  "shut"$' listening $esc -q 1 --last listen 'state.*'
    begin_listener ended listening $esc listen x
    end 0 TERM ended
    [ ! -c /dev/full ] || expect 1 '' 'No space left' \
        sh -c "$esc -q 1 --last listen state.door >/dev/full"
}

statistics() {
    begin_listener one listening $esc listen a 'b.*'
    begin_listener two listening $esc listen a
    expect 0 '' '' $esc publish a 1 2 3
    heard one 'a  3'
    heard two 'a  3'
    expect 0 '~^es 127.0.0.1:[0-9]+ +3 +0 +0 +0$' '' $esc -q 1 stats
    [ "$(grep -c '^es 127' $dir/out)" = 2 ] || wrong "not two subscribers"
    expect 0 '~^published [0-9]+   sent [0-9]+   lost 0   refused [0-9]+' '' \
        $esc -q 2 stats
    expect 0 '~"who":"es","address":"127.0.0.1:[0-9]+","sent":3,"lost":0,"lag":0,"here":true' \
        '' $esc --json -q 1 stats
    end 0 INT two
    kill "$(cat $dir/one.pid)"
    soon 0 '~away' '' $esc -q 1 stats
    [ ! -c /dev/full ] ||
        expect 1 '' 'No space left' sh -c "$esc -q 1 stats >/dev/full"
}

# More subscribers than fit into one answer of the service's buffers would
# need many processes: rates, then, of one that is published to all the time.
rates() {
    begin_listener busy listening $esc listen tick
    (
        i=0
        while [ $i -lt 20 ]; do
            $esc publish tick 1 2 3 4 5 || exit 1
            i=$((i + 1))
            sleep 0.1
        done
    ) >/dev/null 2>&1 &
    pids="$pids $!"
    expect 0 '~^rates: [1-9][0-9]* published, [1-9][0-9]* sent' '' \
        $esc -q 2 stats
    kill "$(cat $dir/busy.pid)"
    wait $! || wrong "publishing failed"
}

# The service ends and starts again: who listens subscribes anew.
comes_back() {
    free_port
    begin_es first -N -p "$port"
    begin_listener loyal listening $esc listen -q 2 'a**'
    loyal=$started
    expect 0 '' '' $esc publish a.1 1
    heard loyal 'a.1  1'
    server=$(cat $dir/first.pid)
    kill -s KILL "$server"
    heard loyal 'the connection was lost, subscribing anew'
    begin_es second -N -p "$port"
    tries=0
    while kill -0 $loyal 2>/dev/null && [ $tries -lt 60 ]; do
        $esc publish a.2 2 || break
        tries=$((tries + 1))
        sleep 0.1
    done
    wait $loyal || wrong "the listener ended with status $?"
    said_by loyal 'a.2  2$'
}

names() {
    begin_ns names -p 0
    begin_es named -p 0 --ns $at -v
    expect 0 ":Pyro.EventService  --> PYRO://$es_at/:Pyro.EventService" '' \
        $nsc resolve :Pyro.EventService
    begin_listener byname listening $tools/pyro-esc -n $at -q 1 listen a
    expect 0 '' 'NS is at' $tools/pyro-esc -v -n $at publish a '"hello"'
    heard byname 'hello'
    expect 1 '' '^The Event Server appears to be already running' \
        $tools/pyro-es -n 127.0.0.1 -p 0 --ns $at
    grep -q 'name already exists' $dir/err || wrong "it does not say why"
    expect 1 '' 'in use|cannot|listen' \
        $tools/pyro-es -N -n 127.0.0.1 -p ${es_at##*:}
    server=$(cat $dir/named.pid)
    kill "$server"
    heard named '^Event Server gracefully stopped.$'
    expect 1 '' 'name not found' $nsc resolve :Pyro.EventService
    begin_es third -p 0 --ns $at
    begin_es forced -p 0 -f --ns $at
    expect 0 "~PYRO://$es_at/" '' $nsc resolve :Pyro.EventService
    end 0 TERM forced
    said_by forced '^\*\*\* Pyro Event Server \*\*\*$'
    said_by forced '^URI= PYRO://127.0.0.1:[0-9]+/:Pyro.EventService$'
    said_by forced '^Event Server started.$'
    said_by forced '^Shutting down on user break signal.$'
    said_by forced '^Event Server gracefully stopped.$'
}

background() {
    pidfile=$dir/es.pid
    free_port
    expect 0 '~^Event Server started.$' '' \
        $tools/pyro-es --daemon --pidfile $pidfile -N -n 127.0.0.1 -p $port
    pid=$(cat $pidfile)
    pids="$pids $pid"
    expect 0 '' '' $tools/pyro-esc \
        -u PYRO://127.0.0.1:$port/:Pyro.EventService publish a 1
    expect 1 '' "^Server process $pid is already running.$" \
        $tools/pyro-es --daemon --pidfile $pidfile -N -n 127.0.0.1 -p 0
    kill "$pid"
    tries=0
    while [ -e $pidfile ] && [ $tries -lt 100 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
    [ ! -e $pidfile ] || wrong "the file is still there"
}

for program in $tools/pyro-es $tools/pyro-esc $tools/pyro-ns \
    $tools/pyro-nsc build/tests/tools_server; do
    [ -x $program ] || die "$program is missing: make all"
done
es_usage
begin_es main -N -p 0
esc_usage
events
last_values
statistics
rates
comes_back
names
background
say "$good passed, $bad failed"
[ $bad = 0 ]
