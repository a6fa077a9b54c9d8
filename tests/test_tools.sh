#!/bin/sh
# The tools as processes of their own: every command, what it prints, what it
# complains about, and its status.
#
# usage: test_tools.sh    (after `make all`; the system chooses the ports)
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/common.sh
case ${1:-} in -h | --help) help ;; esac

tools=build/examples/tools
dir=build/test_tools.$$
mkdir -p $dir
good=0
bad=0
pids=
cleanup() {
    for pid in $pids; do kill "$pid" 2>/dev/null || :; done
    for pid in $pids; do wait "$pid" 2>/dev/null || :; done
    rm -rf $dir
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# wrong WHAT...: a test that failed, and what the last command said.
wrong() {
    bad=$((bad + 1))
    say "$*"
    sed 's/^/    out: /' $dir/out
    sed 's/^/    err: /' $dir/err
}

# expect STATUS OUT ERR COMMAND...: OUT is all of stdout, or with a '~' before
# it a pattern (grep -E) that it holds; ERR is such a pattern for stderr, and
# empty is: nothing was said.
expect() {
    status=$1 out=$2 err=$3
    shift 3
    timeout -k 2 20 "$@" >$dir/out 2>$dir/err </dev/null
    is=$?
    what=$(say "$*" | sed "s,$tools/,,g" | cut -c 1-70 | head -n 1)
    if [ $is != "$status" ]; then
        wrong "$what: status $is, wanted $status"
    elif ! same "$out" $dir/out; then
        wrong "$what: stdout is not: $out"
    elif ! same "${err:+~$err}" $dir/err; then
        wrong "$what: stderr is not: $err"
    else
        good=$((good + 1))
    fi
}

# same WANT FILE
same() {
    case $1 in
    '~'*) grep -qE -e "${1#?}" "$2" ;;
    *) [ "$1" = "$(cat "$2")" ] ;;
    esac
}

# begin NAME PATTERN COMMAND...: starts a server and waits, five seconds at
# most, until a line of its output matches; `said` is what follows in it, and
# `server` its process (`started` is the one of the timeout that bounds it).
begin() {
    name=$1 pattern=$2
    shift 2
    timeout -k 2 60 sh -c 'echo $$ >"$0"; exec "$@"' $dir/$name.pid "$@" \
        >$dir/$name.out 2>$dir/$name.err </dev/null &
    started=$!
    pids="$pids $started"
    tries=0
    until said=$(sed -n "s/^$pattern//p" $dir/$name.out | grep .); do
        tries=$((tries + 1))
        if [ $tries = 100 ] || ! kill -0 $started 2>/dev/null; then
            cat $dir/$name.out $dir/$name.err
            die "$name did not start"
        fi
        sleep 0.05
    done
    server=$(cat $dir/$name.pid)
}

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
    expect 1 '' 'NamingError: no object' $call PYROLOC://$at/nope
    expect 1 '' 'NamingError: no object' $call PYROLOC://$at/nope x
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

for program in $tools/pyro-genguid $tools/pyro-call build/tests/tools_server
do
    [ -x $program ] || die "$program is missing: make all"
done
genguid
begin calc 'calc is at ' build/tests/tools_server
at=$said
calc=PYROLOC://$at/calc
expect 0 3 '' $tools/pyro-call $calc add 1 2
call_usage
call_values
call_object
call_failures
say "$good passed, $bad failed"
[ $bad = 0 ]
