#!/bin/sh
# pyro-xnsc in a terminal (tmux): what it shows after which keys equals
# tests/screens/, and the terminal is afterwards as it was before, however it
# ends. Port numbers and the seconds of a lease are masked.
#
# usage: test_xnsc.sh [-u]      -u: write tests/screens/ instead
set -eu
cd "$(dirname "$0")/.."
. tests/common.sh
update=
case ${1:-} in
-h | --help) help ;;
-u) update=1 ;;
esac

sh tests/deps.sh tmux
export LC_ALL=C.UTF-8
unset TMUX || :
mkdir -p build/tests build/examples/tools tests/screens
program=build/examples/tools/pyro-xnsc
partner=build/tests/xnsc_server
out=build/tests/xnsc.$$
esc=$(printf '\033')
server=
passed=0
failed=0

mux() { timeout -k 1 5 tmux -u -L "xnsc.$$" -f /dev/null "$@"; }

stop_server() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || :
    [ -z "$server" ] || wait "$server" 2>/dev/null || :
    server=
}

cleanup() {
    mux kill-server 2>/dev/null || :
    stop_server
    rm -f "$out" "$out".*
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# newer PROGRAM SOURCE OPTION...: builds a program that is not up to date.
newer() {
    [ -x "$1" ] && [ -z "$(find pyro*.h examples/lib examples/tools/*.h \
        "$2" -newer "$1")" ] ||
        "$CC" -std=gnu11 -g -O1 $WARN_C -o "$1" "$2"
}

# wait_for COMMAND...: until it succeeds, ten seconds at most.
wait_for() {
    tries=0
    until "$@" 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || return 1
        sleep 0.05
    done
}

# check WHAT COMMAND...: one test.
check() {
    what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        say "ok: $what"
    else
        failed=$((failed + 1))
        say "FAIL: $what"
    fi
}

# start_server [hostile]: sets at and port.
start_server() {
    stop_server
    rm -f "$out.server"
    timeout -k 2 100 $partner "$@" >"$out.server" 2>&1 &
    server=$!
    wait_for grep -q '^names are at' "$out.server" ||
        die "the server did not start: $(cat "$out.server")"
    at=$(sed -n 's/^names are at //p' "$out.server")
    port=${at##*:}
}

# start COLUMNS ROWS: the browser between two looks at the terminal.
start() {
    mux kill-session -t x 2>/dev/null || :
    rm -f "$out.status" "$out.after" "$out.raw"
    cat >"$out.sh" <<END
trap : INT HUP
ulimit -c 0
stty -a >$out.before
echo it begins
sh -c 'echo \$\$ >$out.pid; exec "\$@"' x $program -n 127.0.0.1 -p $port
status=\$?
stty -a >$out.after
echo \$status >$out.status
exec sleep 60
END
    mux new-session -d -s x -x "$1" -y "$2" "sleep 0.1; exec sh $out.sh" \; \
        pipe-pane -t x "cat >>$out.raw"
    wait_for is_up || die "it did not start: $(mux capture-pane -p -t x)"
    pid=$(cat "$out.pid")
}

is_up() { [ "$(mux display-message -p -t x '#{alternate_on}')" = 1 ]; }
keys() { mux send-keys -t x "$@"; }
typed() { mux send-keys -t x -l "$1"; }

look() {
    mux capture-pane -p -t x | sed -e 's/\(127\.0\.0\.1:\)[0-9]*/\1PPPPP/' \
        -e 's/[0-9]* s left/NNNN s left/' -e 's/ *$//' >"$out.look"
}

looks_like() {
    look
    cmp -s "$out.look" "$1"
}

# screen NAME: what is on the screen is what is committed.
screen() {
    file=tests/screens/$1.txt
    if [ -n "$update" ]; then
        sleep 1.5
        look
        cp "$out.look" "$file"
    elif ! wait_for looks_like "$file"; then
        diff -u "$file" "$out.look"
        return 1
    fi
}

# restored STATUS: it ends so, and the terminal is what it was.
restored() {
    wait_for test -s "$out.status" || return 1
    [ "$(cat "$out.status")" = "$1" ] || {
        say "status $(cat "$out.status"), not $1"
        return 1
    }
    diff "$out.before" "$out.after" || return 1
    flags=$(mux display-message -p -t x \
        '#{alternate_on} #{cursor_flag} #{wrap_flag}')
    [ "$flags" = "0 1 1" ] || {
        say "alternate screen, cursor, wrap: $flags"
        return 1
    }
    mux capture-pane -p -t x | grep -q '^it begins'
}

# Seven sequences of keys, each going on where the one before has ended.
sequences() {
    start_server
    start "$1" "$2"
    check "$1x$2: the first screen" screen "begin-$1x$2"
    keys '*' NPage Down
    check "$1x$2: unfolded, a page down" screen "unfolded-$1x$2"
    keys Left Left Down
    check "$1x$2: a group folded, an object chosen" screen "object-$1x$2"
    keys Enter Down
    check "$1x$2: an object described" screen "described-$1x$2"
    keys q r
    typed "pump"
    keys Enter C-u
    typed "PYRO://10.9.9.9:7766/pump水"
    keys BSpace Enter m
    typed '{"l/min":[2.5,"水"]}'
    keys Enter
    check "$1x$2: registered, with metadata" screen "registered-$1x$2"
    keys x y c
    typed "tank"
    keys Enter / C-u
    typed "Def"
    keys Enter x
    check "$1x$2: removed, a group made, one protected" \
        screen "protected-$1x$2"
    keys '?' NPage
    check "$1x$2: the end of the help" screen "help-$1x$2"
    keys q q
    check "$1x$2: left" restored 0
}

# What others do to the names is seen; the cursor stays where it is.
live() {
    start_server
    start 80 24
    keys '*' End Up
    check "before others change something" screen live-before
    for name in :lab.rig :lab.bench.added; do
        timeout 5 build/examples/tools/pyro-call "PYRO://$at/:Pyro.NameServer" \
            register "\"$name\"" '"PYRO://10.8.8.8/new"' >/dev/null
    done
    check "after others have changed something" screen live-after
    mux resize-window -t x -x 40 -y 10
    check "made smaller" screen live-smaller
    mux resize-window -t x -x 25 -y 6
    check "made too small" screen live-too-small
    mux resize-window -t x -x 80 -y 24
    check "made as large as before" screen live-larger
    kill -TSTP "$pid"
    check "stopped, the terminal is free" wait_for is_stopped
    kill -CONT "$pid"
    check "continued" screen live-larger
    keys q
    check "left after all that" restored 0
}

is_stopped() { ! is_up && grep -q '^State:.T' "/proc/$pid/status"; }

# What a name server says does not get to the terminal.
hostile() {
    start_server hostile
    start 80 24
    check "hostile texts in the tree" screen hostile-tree
    keys '*' Down x y
    check "hostile texts in details and exceptions" screen hostile-details
    check "no escape sequence of theirs got through" \
        not grep -q -e "$esc]" -e "$esc.31m" -e "$(printf '\302\233')" \
        -e "$(printf '\007')" -e "$(printf '\342\200\256')" "$out.raw"
    keys q
    check "left a hostile server" restored 0
}

not() { ! "$@"; }

complained() {
    look
    grep -q 'pyro-xnsc: lost the name server at 127.0.0.1:PPPPP' "$out.look"
}

# refused STATUS TEXT ARGUMENT...: without a terminal it says so and ends.
refused() {
    status=$1 expected=$2
    shift 2
    set +e
    timeout -k 1 9 "$@" </dev/null >"$out.said" 2>&1
    ended=$?
    set -e
    [ $ended = "$status" ] && grep -q "$expected" "$out.said" && return
    say "status $ended: $(cat "$out.said")"
    return 1
}

# ends STATUS WHAT COMMAND...: it ends with STATUS when COMMAND is done to it.
ends() {
    status=$1 what=$2
    shift 2
    start 80 24
    "$@"
    check "$what" restored "$status"
}

newer $program examples/tools/pyro-xnsc.c
newer build/examples/tools/pyro-call examples/tools/pyro-call.c
newer $partner tests/xnsc_server.c
mux new-session -d -s keep "sleep 110" # tmux stays between two sessions
sequences 80 24
sequences 40 10
live
hostile
start_server
check "no terminal, no browser" refused 2 'needs a terminal' \
    $program -n 127.0.0.1 -p "$port"
check "no name server, no browser" refused 1 'Name Server not found' \
    $program -n 127.0.0.1 -p 1
ends 130 "ends by Ctrl-C" keys C-c
for signal in INT:130 TERM:143 HUP:129 SEGV:139; do
    ends "${signal#*:}" "ends by SIG${signal%:*}" eval \
        "kill -${signal%:*} \$pid"
done
ends 1 "ends when the server is lost" stop_server
check "says so" complained
say "$passed passed, $failed failed"
[ $failed = 0 ]
