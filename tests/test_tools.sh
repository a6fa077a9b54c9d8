#!/bin/sh
# The tools as processes of their own: every command, what it prints, what it
# complains about, and its status.
#
# usage: test_tools.sh [broadcasts]    (after `make all`)
#
# On ports that the system chooses; what is sent by broadcast only in a network
# namespace of its own, where `test_tools.sh broadcasts` is run.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/common.sh
case ${1:-} in -h | --help) help ;; esac

. tests/processes.sh

genguid() {
    expect 0 '~^[0-9a-f]{32}$' '' $tools/pyro-genguid
    one=$(cat $dir/out)
    expect 0 '~^[0-9a-f]{32}$' '' $tools/pyro-genguid
    [ "$one" != "$(cat $dir/out)" ] || wrong "two ids are the same"
    expect 0 '~^usage: pyro-genguid' '' $tools/pyro-genguid -h
    expect 2 '' '^pyro-genguid: unknown option -z' $tools/pyro-genguid -z
    expect 2 '' '^pyro-genguid: one argument too many: 3' \
        $tools/pyro-genguid 3
    [ ! -c /dev/full ] ||
        expect 1 '' 'No space left' sh -c "$tools/pyro-genguid >/dev/full"
}

# What is wrong with the command line is found before anything is sent.
call_usage() {
    call=$tools/pyro-call
    expect 0 '~^usage: pyro-call .*URI' '' $call -h
    expect 2 '' 'too few arguments' $call
    expect 2 '' 'unknown option -z' $call -z $calc
    expect 2 '' '-t needs a value: MS' $call -t
    expect 2 '' '-t: not a number from 1 to [0-9]*: 0' $call -t 0 $calc
    expect 2 '' 'not a URI: does not begin with PYRO' $call gaga
    expect 2 '' 'not a URI: ' $call PYRO://h:99999/x
    expect 2 '' 'value 2 is no JSON: a value is missing, at byte 0' \
        $call $calc add 1 two
    expect 2 '' 'value 1 is no JSON: something follows the value, at byte 1' \
        $call $calc add 1, 2
    expect 2 '' 'value 1 is no JSON: a string does not end, at byte 3' \
        $call $calc echo '"ab'
    expect 2 '' 'no JSON: half of a surrogate pair' $call $calc echo '"\ud800"'
    expect 2 '' 'no JSON: a string that is not UTF-8' \
        $call $calc echo "$(printf '"\377"')"
    expect 2 '' 'no JSON: an integer over 64 bits' \
        $call $calc echo 99999999999999999999
    expect 2 '' 'no JSON: deeper than' $call $calc echo \
        "$(printf '%0101d' 0 | tr 0 '[')"
    expect 2 '' 'no JSON: a value is missing' $call $calc echo ''
    expect 2 '' 'come last: 2' $call $calc add a=1 2
    expect 2 '' 'no JSON' $call $calc add a=1 b=
    expect 2 '' 'no JSON' $call $calc .label=bench
    expect 2 '' 'one argument too many: 1' $call $calc .label 1
    expect 2 '' 'too many arguments' $call $calc add 1 2 3 4 5 6 7 8 9 10 11 \
        12 13 14 15 16
    expect 0 1 '' $call $calc .calls # the sum of 1 and 2, above
}

call_values() {
    for value in null true -1 9223372036854775807 18446744073709551615 \
        -9223372036854775808 0.1 -0.0 1e+100 '""' '"a\"b\\\u0001é€😀"' '[]' \
        '{}' '[1,[2,{"a":null}]]' '{"$bytes":"00ff"}' '{"$float":"nan"}' \
        '{"$float":"-inf"}' '{"$raw":"d40102"}' '{"$$x":1}'; do
        expect 0 "$value" '' $call $calc echo "$value"
    done
    expect 0 '"é😀"' '' $call $calc echo '"\u00e9\ud83d\ude00"'
    expect 0 '[1,2]' '' $call $calc echo ' [ 1 , 2 ] '
    long=$(printf '"%0900d"' 7)
    expect 0 "$long" '' $call $calc echo "$long"
}

call_object() {
    expect 0 "class Calc
  add(a:i b:i) -> q
  div(a:d b:d) -> d
  log(text:s)  oneway
  echo(value:v) -> v
  slow()
  harm() -> ?[0m
  .calls : i  read-only
  .label : s
  .level : f" '' $call $calc
    expect 0 '~^\{"class":"Calc","methods":\[\["add","a:i b:i","q",false\]' \
        '' $call -j $calc
    expect 0 -3 '' $call $calc add -1 -2
    expect 0 3 '' $call $calc add 1 b=2
    expect 0 3 '' $call $calc add b=1 a=2
    expect 0 null '' $call $calc log '"x"'
    expect 0 '"bench 3"' '' $call $calc .label
    expect 0 '' '' $call $calc .label='"a=b"'
    expect 0 '"a=b"' '' $call $calc .label
    expect 0 21.4 '' $call $calc .level
    expect 0 '' '' $call $calc .level=0.1
    expect 0 0.1 '' $call $calc .level
    expect 0 '' '' $call $calc .level=7
    expect 0 7.0 '' $call $calc .level
    expect 0 '~"label"' '' $call -j -t 2000 $calc
}

call_failures() {
    expect 1 '' '^pyro-call: ZeroDivisionError: division by zero' \
        $call $calc div 1 0
    expect 1 '' '^  in calc.div on pyro$' $call $calc div 1 0
    expect 1 '' 'TypeError: ' $call $calc add 1
    expect 1 '' 'TypeError: ' $call $calc add 1 c=2
    expect 1 '' 'TypeError: value does not fit' $call $calc .label=1
    expect 2 '' 'value 1 is no JSON' $call $calc .label=a=1
    expect 1 '' 'too small: .* .5[0-9]*, limit [0-9]*' \
        $call $calc echo "$(printf '"%05000d"' 7)"
    grep -q 'not executed' $dir/err || wrong "it does not say: not executed"
    expect 1 '' 'AttributeError: no such method: nope' $call $calc nope
    expect 1 '' 'AttributeError: no such attribute' $call $calc .nope
    expect 1 '' 'AttributeError: read-only' $call $calc .calls=1
    expect 1 '' 'NamingError: no object' $call PYROLOC://$calc_at/nope
    expect 1 '' 'NamingError: no object' $call PYROLOC://$calc_at/nope x
    # A port that nobody listens on: the one of a server that has ended.
    begin gone 'calc is at ' build/tests/tools_server
    gone=$said
    kill "$server"
    wait $started 2>/dev/null
    expect 1 '' 'no connection' $call PYROLOC://$gone/calc add 1 2
    grep -q 'not executed' $dir/err || wrong "it does not say: not executed"
    expect 1 '' 'no connection' $call PYROLOC://$gone/calc
    expect 1 '' 'no answer in time' $call -t 200 $calc slow
    grep -q 'may have been executed' $dir/err ||
        wrong "it does not say: may have been executed"
    expect 1 '' '^pyro-call: Bad\?\[2JError: red \?\[31m, \?, \?1m$' \
        $call $calc harm
    [ ! -c /dev/full ] || expect 1 '' 'No space left' \
        sh -c "$call $calc add 1 2 >/dev/full"
}

ns_usage() {
    ns=$tools/pyro-ns
    expect 0 '~^usage: pyro-ns \[options\]' '' $ns -h
    expect 2 '' 'unknown option -i' $ns -i secret
    expect 2 '' '-p: not a number from 0 to 65535: 65536' $ns -p 65536
    expect 2 '' '-b: not a number from 1 to 65535: 0' $ns -b 0
    expect 2 '' '-n needs a value: HOST' $ns -n -x
    expect 2 '' 'one argument too many: start' $ns start
    expect 2 '' '-1 or -2, not both' $ns -1 a -2 b
    expect 2 '' '-1: no address: a b' $ns -1 'a b'
    expect 2 '' '-2: no address: h:99999' $ns -2 h:99999
    expect 2 '' 'salvage needs -d' $ns --salvage
    expect 1 '' 'no/such/place.*No such file' $ns --pidfile /no/such/place
    expect 1 '' '/dev/null' $ns -r -x -n 127.0.0.1 -p 0 -d /dev/null
    expect 1 '' '^Name Server was not started!' $ns -r -x -n 192.0.2.77 -p 0
}

nsc_usage() {
    nsc=$tools/pyro-nsc
    expect 0 '~^usage: pyro-nsc' '' $nsc -h
    expect 2 '' 'too few arguments' $nsc
    expect 2 '' 'unknown command destroy' $nsc destroy
    expect 2 '' 'unknown option -z' $nsc ping -z
    expect 2 '' '-p: not a number' $nsc -p x ping
    for command in ping listall tree resync shutdown; do
        expect 2 '' 'needs no arguments' $nsc $command :x
    done
    for command in resolve remove creategroup deletegroup showmeta; do
        expect 2 '' 'No arguments, nothing to' $nsc $command
    done
    expect 2 '' 'Register needs 2 args: name URI' $nsc register a
    expect 2 '' 'Setmeta needs 2 args: name metadata' $nsc setmeta a b c
    expect 2 '' '-p goes with one host only' $nsc -n 'a b' -p 9090 ping
    free_port
    expect 1 '' "not found; tried: .*127.0.0.1:$port" \
        $nsc -n 127.0.0.1 -p "$port" ping
}

nsc_commands() {
    uri=PYRO://10.0.0.1:1234
    expect 0 'NS is up and running!' '' $nsc ping
    expect 0 'NS is up and running!' '^NS is at PYRO://127.0.0.1' $nsc -v ping
    expect 0 ':Default  --> ( )' '' $nsc list
    expect 0 "registered :Default.calc  -->  $uri/calc" '' \
        $nsc register calc $uri/calc
    expect 1 '' "## Can't register:  name already exists: :Default.calc  ##" \
        $nsc register calc $uri/calc
    expect 1 '' "## Can't register:  invalid URI" $nsc register x gaga
    expect 0 ":lab created.
:lab.a created." '' $nsc creategroup :lab :lab.a
    expect 0 "registered :lab.a.x  -->  $uri/x" '' \
        $nsc register :lab.a.x $uri/x
    expect 0 ":  --> ( [Default] [Pyro] [lab] )
:lab.a  --> ( x )" '' $nsc list : :lab.a
    expect 0 '{"group":":lab","groups":["a"],"objects":[]}' '' \
        $nsc -j list :lab
    expect 1 '' "## can't list:  group not found: :Default.nope  ##" \
        $nsc list nope
    expect 0 "-------------- START DATABASE
:Default.calc  -->  $uri/calc
:Pyro.NameServer  -->  PYRO://$at/:Pyro.NameServer
:lab.a.x  -->  $uri/x
-------------- END" '' $nsc listall
    expect 0 "{\":Default.calc\":\"$uri/calc\",\":Pyro.NameServer\":\"PYRO://$at/:Pyro.NameServer\",\":lab.a.x\":\"$uri/x\"}" \
        '' $nsc --json listall
    expect 0 ":
  [Default]
    calc  -->  $uri/calc
  [Pyro]
    NameServer  -->  PYRO://$at/:Pyro.NameServer
  [lab]
    [a]
      x  -->  $uri/x" '' $nsc tree
    expect 0 "~^\{\":\":null,\":Default\":null,\":Default.calc\":\"$uri" '' \
        $nsc tree -j
    expect 0 ":Default.calc  --> $uri/calc
:lab.a.x  --> $uri/x" '' $nsc resolve calc :lab.a.x
    expect 0 "{\":Default.calc\":\"$uri/calc\"}" '' $nsc -j resolve calc
    expect 1 ":Default.calc  --> $uri/calc" \
        "## can't resolve:  name not found: :Default.nope  ##" \
        $nsc resolve nope calc
    expect 1 '' '## invalid name:  a..b  ##' $nsc resolve a..b
    expect 1 '' '## name too long:' $nsc resolve "$(printf '%0300d' 1)"
    expect 1 '' '## invalid character' $nsc resolve 'a b'
}

nsc_more_commands() {
    expect 0 'Metadata of :Default.calc set.' '' $nsc setmeta calc 'some text'
    expect 0 'META INFO OF :Default.calc
system meta info : [type=1]
  user meta info : "some text"' '' $nsc showmeta calc
    expect 0 'Metadata of :Default.calc set.' '' \
        $nsc setmeta calc '{"a":[1,2]}'
    expect 0 '{"name":":Default.calc","system":[1,null],"user":{"a":[1,2]}}' \
        '' $nsc -j showmeta calc
    expect 0 '~type=0' '' $nsc showmeta :lab
    expect 1 '' "## can't show metadata:  name not found: :Default.nope  ##" \
        $nsc showmeta nope
    expect 1 '' "## can't set metadata:  " $nsc setmeta nope x
    expect 1 ':Default.calc unregistered.' \
        "## Can't unregister:  name not found: :Default.calc  ##" \
        $nsc remove calc calc
    expect 1 ':lab deleted.' "## Can't delete group:  not allowed .*:Default" \
        $nsc deletegroup :lab :Default
    expect 1 '' "## Can't create group:  group already exists: :Pyro  ##" \
        $nsc creategroup :Pyro
    expect 1 '' "## can't resync:  NS is not running in" $nsc resync
    # More than fit into one answer.
    many=$(seq -f ':%04g-of-a-thousand-groups-with-long-names' 1000)
    expect 0 '~^:1000-of-.* created' '' $nsc creategroup $many
    expect 0 "~\[0001-of.*\[0500-of.*\[1000-of.*\[Pyro\] \)$" '' $nsc list :
    expect 0 '~^  \[1000-of-a-thousand' '' $nsc tree
    [ ! -c /dev/full ] ||
        expect 1 '' 'No space left' sh -c "$nsc ping >/dev/full"
}

# A name server that answers with nonsense and colours.
nsc_and_a_liar() {
    liar="$tools/pyro-nsc -n $calc_at"
    expect 0 'NS is up and running!' '' $liar ping
    for group in :short :back :same :types; do
        expect 1 '' "## can't list:  malformed, or too long" $liar list $group
    done
    expect 0 ':  --> ( [?[31m] )' '' $liar list :
    expect 0 '-------------- START DATABASE
:a?[31m  -->  PYRO://x?[0m
-------------- END' '' $liar listall
    expect 0 '{":a\u001b[31m":"PYRO://x\u001b[0m"}' '' $liar -j listall
    # Groups in groups in groups: until there is no more room.
    expect 1 '' "## can't list:  malformed, or too long" $liar tree
    expect 1 '' 'There is a problem' $liar resolve a
    expect 1 '' "## can't show metadata:  malformed" $liar showmeta a
    expect 1 '' 'There is a problem' $liar shutdown
    expect 1 '' "## Can't unregister:  no \?\[31m  ##" $liar remove a
    expect 1 '' 'There is a problem|no such method' $liar resync
    expect 1 '' 'resolve|malformed|type' $call PYRONAME://$calc_at/a
}

# A name instead of an address, whatever the tool.
names_in_calls() {
    expect 0 "registered :Default.calc  -->  PYRO://$calc_at/calc" '' \
        $nsc register calc PYRO://$calc_at/calc
    expect 0 3 '' $call -n $at PYRONAME:calc add 1 2
    expect 0 3 '' $call -n 127.0.0.1 -p ${at##*:} PYRONAME:calc add 1 2
    expect 0 3 '' $call PYRONAME://$at/:Default.calc add 1 2
    expect 0 '~^class Calc' '' $call PYRONAME:calc@$at
    expect 0 '' '' $call PYRONAME://$at/calc .level=2.5
    expect 0 2.5 '' $call PYRONAME://$at/calc .level
    expect 1 '' 'NamingError: name not found: :Default.nope' \
        $call PYRONAME://$at/nope
    expect 0 '~^  resolve\(name:s\) -> s$' '' $call PYRONAME://$at/:Pyro.NameServer
    expect 0 null '' $call PYROLOC://$at/:Pyro.NameServer ping
    free_port
    expect 1 '' 'Name Server not found; tried: ' \
        $call PYRONAME://127.0.0.1:$port/calc add 1 2
}

ns_ends() {
    for signal in INT TERM HUP; do
        begin_ns ending -p 0
        end 0 $signal ending
        said_by ending '^Shutting down on user break signal.$'
        said_by ending '^Name Server gracefully stopped.$'
    done
    begin_ns asked -p 0 -v
    said_by asked '^Will accept shutdown requests.$'
    expect 0 'Result from system command shutdown : Will shut down shortly' \
        '' $nsc shutdown
    wait $started || wrong "status $? after a shutdown request"
    said_by asked '^Name Server gracefully stopped.$'
    begin_ns immune -p 0 -k
    said_by immune '^\*\*\* Pyro Name Server \*\*\*$'
    said_by immune '^Will ignore shutdown requests.$'
    said_by immune '^Name server listening on: 127.0.0.1:'
    said_by immune '^Name Server started.$'
    expect 1 '' 'shutdown : Shutdown request denied' $nsc shutdown
    expect 0 'NS is up and running!' '' $nsc ping
    expect 1 '' 'already running on this host' \
        $tools/pyro-ns -r -x -n 127.0.0.1 -p ${at##*:}
    end 0 TERM immune
}

ns_keeps() {
    db=$dir/names
    begin_ns first -p 0 -d $db
    expect 0 "~^registered" '' $nsc register a PYRO://10.0.0.1:1234/a
    expect 0 "~^registered" '' $nsc register b PYRO://10.0.0.1:1234/b
    expect 0 "~^registered" '' $nsc register c PYRO://10.0.0.1:1234/c
    expect 1 '' 'names: another process uses it' \
        $tools/pyro-ns -r -x -n 127.0.0.1 -p 0 -d $db
    end 137 KILL first
    begin_ns second -p 0 -v -d $db
    said_by second "^Names known from $db: [0-9]+$"
    expect 0 ":Default  --> ( a b c )" '' $nsc list
    end 0 TERM second
    # A byte in the middle: the first record's.
    printf '\377' | dd of=$db/names.journal bs=1 seek=6 conv=notrunc 2>/dev/null
    expect 1 '' 'damaged at record' \
        $tools/pyro-ns -r -x -n 127.0.0.1 -p 0 -d $db
    grep -q 'salvage keeps' $dir/err || wrong "it does not name --salvage"
    begin_ns third -p 0 -d $db --salvage
    said_by third 'damaged records were left out$'
    expect 0 '~^:Default  --> \(.* c \)$' '' $nsc list
    end 0 TERM third
    begin_ns fourth -p 0 -d $db
    end 0 TERM fourth
}

ns_pair() {
    free_port
    first=127.0.0.1:$port
    free_port
    second=127.0.0.1:$port
    begin_ns primary -p ${first##*:} -1 $second
    pid1=$server
    wait1=$started
    begin_ns secondary -p ${second##*:} -2 $first
    said_by primary '^Primary Name Server started.$'
    said_by secondary '^Secondary Name Server started.$'
    nsc=$tools/pyro-nsc
    expect 0 "~^registered" '' $nsc -n $first register x PYRO://10.0.0.1:1/x
    soon 0 ':Default.x  --> PYRO://10.0.0.1:1/x' '' $nsc -n $second resolve x
    expect 0 ':Default.x unregistered.' '' $nsc -n $second remove x
    soon 1 '' 'name not found' $nsc -n $first resolve x
    soon 0 'resync done' '' $nsc -n $first resync
    kill "$pid1"
    wait $wait1 2>/dev/null
    soon 1 '' "## can't resync:  " $nsc -n $second resync
    expect 0 "~^registered" '' $nsc -n "$first $second" register y \
        PYRO://10.0.0.1:1/y
    end 0 TERM secondary
}

ns_background() {
    pidfile=$dir/ns.pid
    free_port
    where="-r -x -n 127.0.0.1 -p $port"
    expect 0 '~^Starting server process.' '' \
        $tools/pyro-ns --daemon --pidfile $pidfile $where
    pid=$(cat $pidfile)
    pids="$pids $pid"
    grep -q '^Name Server started.$' $dir/out || wrong "it does not say so"
    expect 0 'NS is up and running!' '' $tools/pyro-nsc -n 127.0.0.1:$port ping
    expect 1 '' "^Server process $pid is already running.$" \
        $tools/pyro-ns --daemon --pidfile $pidfile -r -x -n 127.0.0.1 -p 0
    expect 1 '~^Starting server process.$' '^Name Server was not started!' \
        $tools/pyro-ns --daemon --pidfile $pidfile.2 $where
    [ ! -e $pidfile.2 ] || wrong "a server that did not start left its file"
    kill "$pid"
    tries=0
    while [ -e $pidfile ] && [ $tries -lt 100 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
    [ ! -e $pidfile ] || wrong "the file is still there"
    say 4711 >$pidfile # as after a crash
    expect 0 '~Name Server started.' '' \
        $tools/pyro-ns --daemon --pidfile=$pidfile $where
    pid=$(cat $pidfile)
    pids="$pids $pid"
    [ "$pid" != 4711 ] || wrong "the file still says 4711"
    kill "$pid"
}

# In a network of its own: what is found by broadcast.
broadcasts() {
    ip link set lo up && ip link add lan type veth peer name wan &&
        ip address add 10.9.8.7/24 brd + dev lan &&
        ip link set lan up && ip link set wan up ||
        die "no network of our own"
    nsc=$tools/pyro-nsc
    expect 1 '' 'Name Server not found; tried: broadcast' $nsc ping
    begin ns 'URI is: ' $tools/pyro-ns -v
    said_by ns '^URI is: PYRO://10.9.8.7:9090/:Pyro.NameServer$'
    said_by ns '^Broadcast server listening on: \*:9090$'
    until grep -q 'Server started' $dir/ns.out; do sleep 0.02; done
    expect 0 'NS is up and running!' '' $nsc ping
    expect 0 'NS is up and running!' 'NS is at PYRO://(10.9.8.7|127.0.0.1):9090/' \
        $nsc -v ping
    begin calc 'calc is at ' build/tests/tools_server 10.9.8.7:0
    expect 0 '~^registered' '' $nsc register calc PYRO://$said/calc
    expect 0 3 '' $tools/pyro-call PYRONAME:calc add 1 2
    expect 1 '~already running on this segment' \
        '^Cannot start multiple Name Servers in the same network segment.' \
        $tools/pyro-ns -p 0
    begin many 'Name Server ' $tools/pyro-ns -p 0 -m
    said_by many 'already running on this segment'
    begin blind 'Name server listening on: ' $tools/pyro-ns -p 0 -r -b 9999
    expect 0 '~up and running' "(0.1|8.7):${said##*:}/" \
        $nsc -v -p 9999 ping
}

# in_namespace: runs that part where there is a network of its own.
in_namespace() {
    if unshare -rn true 2>/dev/null && command -v ip >/dev/null; then
        timeout -k 2 60 unshare -rn sh tests/test_tools.sh broadcasts \
            >$dir/out 2>$dir/err </dev/null
        sum=$(sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' \
            $dir/out)
        set -- ${sum:-0 1}
        good=$((good + $1))
        [ "$2" = 0 ] || wrong "broadcasts: $2 failed"
    else
        say "skipped: broadcasts, no network of our own (unshare, ip)"
        [ "${CI:-}" != true ] || bad=$((bad + 1))
    fi
}

# A journal that may not grow on is an error of each change, not of the server.
ns_is_limited() {
    begin limited 'URI is: PYRO://' sh -c "ulimit -f 1
        exec $tools/pyro-ns -r -x -n 127.0.0.1 -p 0 -d $dir/limited"
    nsc="$tools/pyro-nsc -n ${said%%/*}"
    tries=0
    while $nsc register n$tries PYRO://127.0.0.1:1/n >$dir/out 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || break
    done
    grep -q 'storage failed' $dir/out || wrong "100 names in a small file"
    expect 0 '~is up and running' '' $nsc ping
    end 0 TERM limited
}

for program in $tools/pyro-genguid $tools/pyro-call $tools/pyro-ns \
    $tools/pyro-nsc build/tests/tools_server; do
    [ -x $program ] || die "$program is missing: make all"
done
if [ "${1:-}" = broadcasts ]; then
    broadcasts
    say "$good passed, $bad failed"
    [ $bad = 0 ]
    exit
fi
genguid
begin calc 'calc is at ' build/tests/tools_server
calc_at=$said
calc=PYROLOC://$calc_at/calc
expect 0 3 '' $tools/pyro-call $calc add 1 2
call_usage
call_values
call_object
call_failures
nsc_and_a_liar
ns_usage
nsc_usage
begin_ns names -p 0
nsc_commands
nsc_more_commands
names_in_calls
ns_ends
ns_keeps
ns_pair
ns_background
ns_is_limited
in_namespace
say "$good passed, $bad failed"
[ $bad = 0 ]
