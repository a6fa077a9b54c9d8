#!/bin/sh
# Runs the examples as a reader would, each as processes of its own, and looks
# at what they print.
#
# usage: test_examples.sh    (after `make all`; the system chooses the ports)
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/common.sh
case ${1:-} in -h | --help) help ;; esac

. tests/processes.sh
run=build/examples

# ended NAME: the listener begun last ends well, by itself.
ended() {
    wait $started
    is=$?
    cp $dir/$1.out $dir/out
    cp $dir/$1.err $dir/err
    [ $is = 0 ] && good=$((good + 1)) || wrong "$1: status $is"
}

stockquotes() {
    here=$run/stockquotes
    begin_listener all listening $here/subscriber 12 "$es_uri" 'stock.*'
    all=$started
    begin_listener some listening $here/subscriber 4 "$es_uri" \
        '^stock\.(IBM|Sun)$' 'index.dow'
    expect 0 'published 5 rounds' '' $here/publisher 5 "$es_uri"
    ended some
    started=$all
    ended all
    said_by all '^stock.Cisco +[0-9]+\.[0-9][0-9]  x  100$'
    said_by some '^index.Dow +9[0-9]+\.[0-9][0-9]  x  100$'
    if grep -q Cisco $dir/some.out; then wrong "some: Cisco"; fi
    expect 1 '' 'regular expression: see position 6' \
        $here/subscriber 1 "$es_uri" '^abc+*'
    expect 2 '' '^usage' $here/subscriber 1
}

countingcars() {
    here=$run/countingcars
    begin_listener counter counting $here/counter 3 "$es_uri"
    expect 0 '60 cars have passed' '' $here/cars 60 "$es_uri"
    ended counter
    for colour in red green blue; do
        said_by counter "^cars.$colour +3 \(car [0-9]+\)$"
    done
    said_by counter '^enough of each colour$'
    expect 0 10 '' sh -c "sed 1d $dir/counter.out | wc -l"
}

# chatters NICK: one who says something and then reads for a while.
chatters() {
    : >$dir/$1.out
    : >$dir/$1.err
    timeout -k 2 30 sh -c "{ sleep 0.4; echo 'I am $1'; sleep 1.6; } |
        $run/chatbox/chat $1 lounge $es_uri" >$dir/$1.out 2>$dir/$1.err &
    pids="$pids $!"
}

chatbox() {
    chatters Ann
    heard Ann '^Ann: \(is here\)$'
    chatters Bob
    wait $! || wrong "Bob: status $?"
    for nick in Ann Bob; do
        said_by $nick '^Ann: I am Ann$'
        said_by $nick '^Bob: I am Bob$'
    done
    said_by Ann '^Bob: \(is here\)$'
    expect 2 '' '^usage' $run/chatbox/chat
    expect 0 '~^Eve: a\?\[31mb$' '' sh -c \
        "printf 'a\033[31mb\n' | $run/chatbox/chat Eve cell $es_uri"
}

dashboard() {
    $run/dashboard/sensors 40 "$es_uri" >$dir/sensors.out 2>&1 &
    pids="$pids $!"
    expect 0 '~^sensor.boiler.temp +[0-9.]+  .*▁.*█.*  55.00 to' '' \
        $run/dashboard/dashboard 7 "$es_uri"
    grep -qE '^sensor.roof.wind .* 0.00 to ' $dir/out ||
        wrong "no row for the wind"
    wait $! || wrong "sensors: status $?"
    # Nobody measures any more: what there is are the last values.
    expect 0 '~^4 values, 0 lost$' '' $run/dashboard/dashboard 1 "$es_uri"
}

allinone() {
    free_port
    begin_listener allinone 'lab.oven is at' \
        $run/allinone/allinone 40 "$port"
    said_by allinone '^the oven is heated to 180.0$'
    at=127.0.0.1:$port
    expect 0 ':Default  --> ( oven )' '' $tools/pyro-nsc -n $at list
    expect 0 '~ lab.oven  [0-9.]+$' listening \
        $tools/pyro-esc -n $at -q 2 listen 'lab.**'
    expect 0 '~^[0-9.]+$' '' $tools/pyro-call -n $at PYRONAME:oven heat 1000
    ended allinone
    said_by allinone '^lab.oven is at [0-9]{3,4}\.[0-9]$'
}

# An event of either service is heard at both, once; the link ends after the
# eight that it is to pass on, and would do so after four if any came back.
federation() {
    here=$run/federation
    one=$esc one_uri=$es_uri
    begin_es other -N -p 0
    two=$esc two_uri=PYRO://$es_at/:Pyro.EventService
    begin_listener link linked $here/link 8 "$one_uri" "$two_uri" 'city.**'
    link=$started
    begin_listener hears_one listening $one -j listen '**'
    begin_listener hears_two listening $two -j listen '**'
    expect 0 '' '' $one publish city.here 1 2 '[3,null]'
    expect 0 '' '' $one publish town.here 4
    expect 0 '' '' $two publish City.There '{"a":5}' 6 7
    expect 0 '' '' $two publish town.there 8
    expect 0 '' '' $one publish city.end 9
    expect 0 '' '' $two publish city.end 10
    started=$link
    ended link
    for what in 'one n":9,' 'two n":9,'; do
        heard hears_${what%% *} "${what#* }"
    done
    sleep 0.3
    for n in one two; do
        said_by hears_$n '"subject":"City.There".*"message":\{"a":5\}'
        said_by hears_$n '"subject":"city.here".*"message":\[3,null\]'
        expect 0 9 '' sh -c "wc -l <$dir/hears_$n.out"
    done
    expect 2 '' '^usage' $here/link 1 "$one_uri"
    expect 1 '' 'no connection' $here/link 1 "$one_uri" \
        PYRO://127.0.0.1:1/:Pyro.EventService
}

rtos() {
    expect 0 '2000 readings, the last is 2000; 300 of 300 calls right' '' \
        $run/rtos/tasks 2000 300
    expect 2 '' '^usage' $run/rtos/tasks
}

# Without a service, or a port, they say so.
failures() {
    free_port
    nobody=PYRO://127.0.0.1:$port/:Pyro.EventService
    for program in stockquotes/publisher countingcars/cars \
        countingcars/counter dashboard/sensors dashboard/dashboard; do
        expect 1 '' 'no connection' $run/$program 1 $nobody
    done
    expect 1 '' 'no connection' $run/stockquotes/subscriber 1 $nobody a
    expect 1 '' 'no connection' $run/chatbox/chat Eve room $nobody
    expect 1 '' 'allinone: ' $run/allinone/allinone 1 "${es_at##*:}"
}

for program in chatbox/chat allinone/allinone tools/pyro-es; do
    [ -x $run/$program ] || die "$run/$program is missing: make all"
done
begin_es service -N -p 0
es_uri=PYRO://$es_at/:Pyro.EventService
stockquotes
countingcars
chatbox
dashboard
allinone
federation
rtos
failures
say "$good passed, $bad failed"
[ $bad = 0 ]
