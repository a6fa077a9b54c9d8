#!/bin/sh
# Feeds hostile bytes to the reader, the URI parser, a daemon, a proxy, both
# in Pyro5, a name server, its journal, the locator, an event service, its
# patterns, the text codecs, and the serial port.
#
# usage: fuzz/run.sh [-c] [-m] [SECONDS]
#
# First the committed corpus, tests/fuzz/corpus/TARGET: it must pass, and must
# alone reach most lines of the sections of the headers that are fuzzed (-c: only
# that). Then libFuzzer for SECONDS per target (20), with ASan and UBSan, from
# a copy of the corpus in build/fuzz. A file that is a finding stays in
# build/fuzz/findings. With -m what was found new is merged into the corpus,
# as few and as small files as reach the same. The last line is the total:
# "N passed, N failed".
set -eu
cd "$(dirname "$0")/../.."
. tests/common.sh

TARGETS="reader uri daemon proxy pyro5 ns journal locator es es_pattern text
serial"
MAX_LEN=500  # bytes of an input
TIMEOUT=10   # seconds that one input may take
GOAL=90      # percent of the lines of the sections below
CODEC="reader values uri"
ENGINE="message pool links exceptions signatures objects attributes internal
dispatch later requests receiving time poll proxy calls"
NAMES="texts questions locator table journal changes methods pair pyro5 server"
TEXTS="floats numbers reading printing codecs"
EVENTS="wildcards regex ring subscribers fan methods"

help() { # as in common.sh; this script is one folder further down
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' tests/fuzz/run.sh
    exit 0
}

merge=
only=
while getopts chm opt; do
    case $opt in
    c) only=1 ;;
    m) merge=1 ;;
    h) help ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
seconds=${1:-20}
case $seconds in '' | *[!0-9]*) die "not a number of seconds: $seconds" ;; esac

corpus=tests/fuzz/corpus
out=build/fuzz
FUZZ="-std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined"
FUZZ="$FUZZ -fno-sanitize-recover=all"
passed=0
failed=0

# count good|bad: adds to the totals.
count() {
    if [ "$1" = good ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
}

# covered HEADER PROGRAMS SECTIONS: percent of the lines of the sections that
# the programs reached together. A line counts when any of them did.
covered() {
    for target in $2; do cat "$out/gcov/$target/lines"; done |
        awk -F: -v header="$1" -v sections="$(echo $3)" '
            BEGIN { n = split(sections, name, " ")
                    for (i = 1; i <= n; i++) wanted[name[i]] = 1 }
            FILENAME != "-" {
                if ($0 == " * Implementation") started = 1
                if (started && sub(/^ \* >>/, "")) {
                    sub(/[^a-z].*/, "")
                    inside = $0 in wanted
                }
                if (inside) lines[FNR] = 0
                next
            }
            $3 == "Source" { ours = $0 ~ "[:/]" header "$" }
            ours && $2 + 0 in lines && $1 ~ /[0-9#=]/ {
                if (lines[$2 + 0] == 0) lines[$2 + 0] = 1
                if ($1 ~ /[0-9]/) lines[$2 + 0] = 2
            }
            END {
                for (line in lines) {
                    all += lines[line] > 0
                    some += lines[line] == 2
                }
                printf "%.1f", all ? 100 * some / all : 0
            }' "$1" -
}

# Builds the targets with gcov and replays the corpus.
replay() {
    rm -rf "$out/gcov"
    for target in $TARGETS; do
        dir=$out/gcov/$target
        mkdir -p "$dir"
        gcc -std=gnu11 -O0 -g -DNDEBUG --coverage -c -o "$dir/fuzz.o" \
            "tests/fuzz/fuzz_$target.c"
        gcc -std=gnu11 -c -o "$dir/replay.o" tests/fuzz/replay.c
        gcc --coverage -o "$dir/run" "$dir/fuzz.o" "$dir/replay.o"
        files=$(timeout 120 "$dir/run" "$corpus/$target") || {
            count bad
            say "FAIL replay $target: $dir/run -v $corpus/$target"
            continue
        }
        gcov -t "$dir/fuzz.o" >"$dir/lines" || die "gcov failed: $dir"
        count good
        say "ok   replay $target: $files"
    done
}

# enough NAME HEADER TARGETS SECTIONS
enough() {
    for target in $3; do
        [ -f "$out/gcov/$target/lines" ] || return 0
    done
    percent=$(covered "$2" "$3" "$4")
    word=ok
    awk -v is="$percent" -v goal=$GOAL 'BEGIN { exit !(is >= goal) }' ||
        word=FAIL
    [ $word = ok ] && count good || count bad
    printf '%-4s the corpus reaches %s %% of the lines of the %s (%d)\n' \
        $word "$percent" "$1" $GOAL
}

# fuzz TARGET: one campaign.
fuzz() {
    program=$out/fuzz_$1
    clang $FUZZ $WARN_C -o "$program" "tests/fuzz/fuzz_$1.c" ||
        die "fuzz_$1: clang failed"
    rm -rf "$out/corpus/$1"
    mkdir -p "$out/corpus/$1" "$out/findings"
    cp "$corpus/$1"/* "$out/corpus/$1"
    word=ok
    timeout $((seconds + 60)) "$program" -max_len=$MAX_LEN \
        -timeout=$TIMEOUT -rss_limit_mb=1024 -max_total_time="$seconds" \
        -print_final_stats=1 -artifact_prefix="$out/findings/$1-" \
        "$out/corpus/$1" >"$out/$1.log" 2>&1 || word=FAIL
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$out/$1.log")
    lines=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$out/$1.log" | tail -n 1)
    printf '%-4s fuzz %-7s %4d s %9s runs %6s edges\n' $word "$1" "$seconds" \
        "${runs:-?}" "${lines:-?}"
    if [ $word = ok ]; then
        count good
    else
        count bad
        finding "$1"
    fi
}

# What there is to say about a target that failed.
finding() {
    file=$(sed -n 's/.*Test unit written to //p' "$out/$1.log" | tail -n 1)
    grep -hE 'runtime error|^fuzz: |^SUMMARY|ERROR: ' "$out/$1.log" |
        head -n 5 | sed 's/^/     | /'
    say "     | (all of it: $out/$1.log)"
    [ -z "$file" ] || say "     | again: $out/fuzz_$1 $file"
}

# Takes into the corpus what reaches something new.
merge_in() {
    rm -rf "$out/merged"
    mkdir -p "$out/merged"
    "$out/fuzz_$1" -merge=1 -max_len=$MAX_LEN "$out/merged" "$corpus/$1" \
        "$out/corpus/$1" >"$out/merge.log" 2>&1 || die "merge: $out/merge.log"
    rm -f "$corpus/$1"/*
    cp "$out/merged"/* "$corpus/$1"
    say "     corpus of $1: $(ls "$corpus/$1" | wc -l) files"
}

mkdir -p "$out"
sh tests/deps.sh fuzz
replay
enough codec pyro.h "reader uri" "$CODEC"
enough engine pyro.h "daemon proxy pyro5" "$ENGINE"
enough pyro5 pyro.h pyro5 pyro
enough names pyro_ns.h "ns journal locator" "$NAMES"
enough texts examples/lib/text.h text "$TEXTS"
enough events pyro_es.h "es es_pattern" "$EVENTS"
for target in $TARGETS; do
    [ -z "$only" ] || break
    fuzz "$target"
    [ -z "$merge" ] || merge_in "$target"
done
say "$passed passed, $failed failed"
[ $failed = 0 ]
