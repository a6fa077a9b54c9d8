# Sourced by scripts that test programs as processes: commands with what they
# print, servers in the background. Sets `tools`, where they are, and `dir`, for
# files, which is removed; `good` and `bad` count.

tools=build/examples/tools
dir=build/$(basename "$0" .sh).$$
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
trap 'exit 1' INT TERM HUP

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
    try "$@"
    judge "$@"
}

# soon ...: the same, tried for five seconds until it is so.
soon() {
    status=$1 out=$2 err=$3
    shift 3
    tries=0
    while try "$@"; [ $tries -lt 50 ] && [ -n "$(difference)" ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
    judge "$@"
}

try() {
    timeout -k 2 20 "$@" >$dir/out 2>$dir/err </dev/null
    is=$?
}

# In what the last command was not what it should have been.
difference() {
    if [ $is != "$status" ]; then
        say "status $is, wanted $status"
    elif ! same "$out" $dir/out; then
        say "stdout is not: $out"
    elif ! same "${err:+~$err}" $dir/err; then
        say "stderr is not: $err"
    fi
}

judge() {
    why=$(difference)
    if [ -z "$why" ]; then
        good=$((good + 1))
    else
        wrong "$(say "$*" | sed "s,$tools/,,g" | cut -c 1-70 |
            head -n 1): $why"
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
    : >$dir/$name.out
    timeout -k 2 60 sh -c 'echo $$ >"$0"; exec "$@"' $dir/$name.pid "$@" \
        >$dir/$name.out 2>$dir/$name.err </dev/null &
    started=$!
    pids="$pids $started"
    tries=0
    until said=$(sed -n "s|^$pattern||p" $dir/$name.out | grep .); do
        tries=$((tries + 1))
        if [ $tries = 100 ] || ! kill -0 $started 2>/dev/null; then
            cat $dir/$name.out $dir/$name.err
            die "$name did not start"
        fi
        sleep 0.05
    done
    server=$(cat $dir/$name.pid)
}

# A port that was free a moment ago.
free_port() {
    begin free 'calc is at ' build/tests/tools_server
    kill "$server"
    wait $started 2>/dev/null
    port=${said##*:}
}

# end STATUS SIGNAL NAME: ends the server that was begun last, and looks how.
end() {
    kill -s "$2" "$server"
    wait $started 2>/dev/null
    is=$?
    cp $dir/$3.out $dir/out
    cp $dir/$3.err $dir/err
    if [ $is = "$1" ]; then
        good=$((good + 1))
    else
        wrong "$3: status $is after SIG$2, wanted $1"
    fi
}

# said_by NAME PATTERN: what a server printed on either way.
said_by() {
    if grep -qE -e "$2" $dir/$1.out $dir/$1.err; then
        good=$((good + 1))
    else
        cp $dir/$1.out $dir/out
        cp $dir/$1.err $dir/err
        wrong "$1 did not say: $2"
    fi
}

# begin_ns NAME OPTION...: a name server of this machine only, that asks and
# answers no broadcasts; `at` is where.
begin_ns() {
    ns_name=$1
    shift
    begin "$ns_name" 'URI is: PYRO://' $tools/pyro-ns -r -x -n 127.0.0.1 "$@"
    at=${said%%/*}
    nsc="$tools/pyro-nsc -n $at"
    until grep -q 'Server started' $dir/"$ns_name".out; do sleep 0.02; done
}

# begin_es NAME OPTION...: an event service of this machine only; `esc` is its
# client, `es_at` where it is.
begin_es() {
    es_name=$1
    shift
    begin "$es_name" 'URI= PYRO://' $tools/pyro-es -n 127.0.0.1 "$@"
    es_at=${said%%/*}
    esc="$tools/pyro-esc -u PYRO://$said"
    until grep -q 'Server started' $dir/"$es_name".out; do sleep 0.02; done
}


# begin_listener NAME PATTERN COMMAND...: one in the background that has said
# the pattern, on either way, when it is ready.
begin_listener() {
    name=$1 pattern=$2
    shift 2
    : >$dir/$name.err
    : >$dir/$name.out
    timeout -k 2 60 sh -c 'echo $$ >"$0"; exec "$@"' $dir/$name.pid "$@" \
        >$dir/$name.out 2>$dir/$name.err </dev/null &
    started=$!
    pids="$pids $started"
    heard $name "$pattern"
    server=$(cat $dir/$name.pid)
}

# heard NAME PATTERN: waits, ten seconds at most, until a program has printed
# it.
heard() {
    tries=0
    until grep -qE -e "$2" $dir/$1.out $dir/$1.err; do
        tries=$((tries + 1))
        if [ $tries = 200 ]; then
            said_by "$1" "$2"
            return
        fi
        sleep 0.05
    done
    good=$((good + 1))
}
