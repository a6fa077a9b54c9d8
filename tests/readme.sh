#!/bin/sh
# Checks that what README.md says is true.
#
# usage: readme.sh [-u]     -u: renew the tables that scripts measured
#
# Its C compiles; its client gets from its server what it says; each command
# in its table of promises is a target; each name of the library stands in the
# code of one of the headers; the table of sizes is what `make size` measured
# last. The samples in the manual compile, too; quickstart and blinky are short.
set -eu
cd "$(dirname "$0")/.."
. tests/common.sh
update=
case ${1:-} in
-u) update=1 ;;
-h | --help) help ;;
esac

out=build/readme
rm -rf $out
mkdir -p $out
server=
trap '[ -z "$server" ] || kill $server 2>/dev/null || :' EXIT

# README with the table of sizes as it was measured.
with_tables() {
    awk '
        /<!-- size: end/ { inside = 0 }
        !inside { print }
        /<!-- size: begin/ {
            inside = 1
            while ((getline line < "build/size.md") > 0) print line
        }' README.md
}

# The blocks of C code as files.
blocks() {
    awk -v out=$out '
        /^```c$/ { n++; file = out "/block" n ".c"; next }
        /^```$/ { close(file); file = ""; next }
        file { print > file }' README.md
    [ -s $out/block1.c ] && [ -s $out/block2.c ] || die "found no C code"
}

# Server and client of the manual, the comment at the top of pyro.h.
samples() {
    awk -v out=$out '
        /^ \* SERVER$/ { file = out "/sample1.c" }
        /^ \* CLIENT$/ { file = out "/sample2.c" }
        /^ \* WORDS$/ { exit }
        file && /^ \*     / { print substr($0, 8) > file }' pyro.h
    [ -s $out/sample1.c ] && [ -s $out/sample2.c ] ||
        die "found no samples in the manual"
}

compiles() {
    for block in $out/block*.c $out/sample*.c; do
        say "'$CC' -std=c99 $WARN -Werror -I. -c -o ${block%.c}.o $block"
    done | sh tests/together.sh ||
        die "a block of README.md or of the manual does not compile"
}

# Both lines that the README says the client prints.
says() {
    grep -qF "\`$(cat "$1")\`" README.md || die "the client says: $(cat "$1")"
}

# Client and server of the first two blocks, on a port of our own.
own_port() {
    port=$((20000 + $$ % 20000))
    sed -i "s/7766/$port/" $out/block1.c $out/block2.c
}

tells_the_truth() {
    for n in 1 2; do
        "$CC" -o $out/program$n $out/block$n.o ||
            die "block $n of README.md does not link"
    done
    status=0
    timeout 5 $out/program1 >$out/alone || status=$?
    [ $status = 1 ] || die "without a server the client returns $status"
    says $out/alone
    timeout 10 $out/program2 &
    server=$!
    tries=0
    until timeout 5 $out/program1 >$out/said; do
        tries=$((tries + 1))
        [ $tries -lt 50 ] || die "the client said: $(cat $out/said)"
        sleep 0.1
    done
    says $out/said
}

# The names after `make` in the README that are no targets.
targets() {
    grep -o '`make [a-z-]*' README.md | sed 's/`make //' | sort -u |
        while read -r target; do
            grep -q "^$target:" Makefile ||
                die "\`make $target\` is no target"
        done
}

# In the code: a name that only a comment of the headers has is none.
names() {
    sed -e '/^ *\*/d' -e 's,/\*.*,,' pyro*.h >$out/code
    grep -oE '\b(pyro|PYRO)_[A-Za-z0-9_]+' README.md | sort -u |
        while read -r name; do
            grep -qE "\b$name\b" $out/code || die "$name is in no header"
        done
}

# What a reader is to take in at one go.
short() {
    lines=$(wc -l <"$1")
    [ "$lines" -lt "$2" ] || die "$1 has $lines lines, $2 or more"
}

# The same of code: comments and empty lines are not counted.
short_code() {
    lines=$(grep -cvE '^ ?\*|^/\*|^$' "$1")
    [ "$lines" -le "$2" ] || die "$1 has $lines lines of code, over $2"
}

[ -z "$update" ] || {
    [ -s build/size.md ] || die "no build/size.md: run make size"
    with_tables >$out/README.md
    cp $out/README.md README.md
}
short README.md 150
short examples/quickstart/server.c 80
short examples/quickstart/client.c 80
short_code examples/blinky/blinky.c 40
blocks
own_port
samples
compiles
targets
names
tells_the_truth
if [ -s build/size.md ]; then
    with_tables | diff README.md - >$out/diff ||
        die "sizes in README.md are not those measured: readme.sh -u"
fi
say "readme: $(grep -c . README.md) lines, all true"
