#!/bin/sh
# Weighs the library on a Cortex-M4: bytes of flash, by configuration.
#
# usage: size.sh [-v]     -v: the largest functions of each as well
#        size.sh -f       what else things cost: flash by section of pyro.h and
#                         by switch, stack of each public function
#
# And bytes of RAM: of each thing one declares, what a name costs a name server,
# by registering some, and that an event service keeps its events once. And flash
# and RAM of size/board.c, a whole node with a name server, on a Cortex-M0+.
# Bytes on that and on a RISC-V without goals, for the README: build/size.md.
#
# Library code and constants after the linker has thrown away what is not
# called, with gcc -Os -DNDEBUG; the C library's and the compiler's part is
# printed beside and not counted, the platform's port is not there. Writes
# build/size.json. "lean" leaves out what common.sh says.
#
# A lean image is what size/lean.c calls: it tests itself on an emulated
# Cortex-M4 and is weighed only if all of it works; that the tests notice what
# does not is tried too, with a build in which something is missing.
#
# Goal and limit are what was aimed at before there was an engine to weigh;
# where it is not there yet the table says by how much. The gate is what it
# weighs today: the script fails when anything grows past that. A gate goes up
# only for a fault mended or for more that it does, and the commit says which.
# With QUICK=1 no more than what has one; the README's other rows stay.
set -eu
cd "$(dirname "$0")/.."
. tests/common.sh
QUICK=${QUICK:-}
features=
case ${1:-} in
-v) export VERBOSE=1 ;;
-f) features=1 ;;
-h | --help) help ;;
esac

flags="--specs=picolibc.specs -std=c99 -Os -DNDEBUG -ffunction-sections
-fdata-sections"

# Flash bytes in a linker map of sections that came from a file whose name
# matches $1. A long section name stands on a line of its own.
flash_of() {
    awk -v file="$1" '
        /^Linker script and memory map/ { inside = 1 }
        !inside { next }
        /^ \.[^ ]+$/ { section = $1; next }
        /^ \.[^ ]+ +0x/ { section = $1; sub(/^ [^ ]+/, "") }
        /^ +0x[0-9a-f]+ +0x[0-9a-f]+ / && section {
            if ($3 ~ file && section ~ /^\.(text|rodata|data)/)
                print section, $2
            section = ""
        }' "$2" | while read -r section bytes; do
        say "$section $((bytes))"
    done
}

sum() { awk '{ n += $2 } END { print n + 0 }'; }

kb() { awk -v n="$1" 'BEGIN { if (n) printf "%.2f", n / 1024; else print "-" }'; }

# cpu NAME: what is compiled for from here on, and run on.
cpu() {
    processor=$1 out=build/size/$1
    mkdir -p $out
    cc=arm-none-eabi-gcc flash=0 ram=0x20000000
    machine="qemu-system-arm -M mps2-an386"
    case $1 in
    m4) target="-mcpu=cortex-m4 -mthumb" ;;
    m0+) target="-mcpu=cortex-m0plus -mthumb" ;;
    rv32)
        cc=riscv64-unknown-elf-gcc flash=0x80000000 ram=0x80200000
        target="-march=rv32imac -mabi=ilp32"
        machine="qemu-system-riscv32 -M virt -bios none"
        ;;
    *) die "no processor $1: m4, m0+ or rv32" ;;
    esac
}

# The other end of the line, made once for each processor.
partner() { compile -c -o $out/partner.o tests/size/partner.c; }

compile() { $cc $target $flags "$@" || die "the compiler failed"; }

# tested: links the objects of a program that tests itself and runs it; links
# the library alone, as far as that calls it. Fails if a test does.
tested() {
    compile --crt0=semihost --oslib=semihost -Wl,--gc-sections \
        -Wl,--defsym=__flash=$flash,--defsym=__flash_size=0x200000 \
        -Wl,--defsym=__ram=$ram,--defsym=__ram_size=0x200000 \
        -Wl,--defsym=__stack_size=0x8000 \
        -o $elf.elf $elf.lib.o $elf.main.o $out/partner.o
    compile -nostartfiles -Wl,--gc-sections,-e,0 -Wl,-Map=$elf.map \
        $(${cc%gcc}nm -u $elf.main.o |
            awk '$2 ~ /^pyro_/ { print "-Wl,-u," $2 }') \
        -o $elf.weighed.elf $elf.lib.o
    timeout 60 $machine -display none -monitor none -serial null \
        -semihosting-config enable=on,target=native -kernel $elf.elf \
        >$elf.log 2>&1
}

# image NAME FLAGS...: all that size/main.c names, never run.
image() {
    elf=$out/$1 source=impl.c
    case $1 in
    ns*) source=ns_impl.c ;;
    es*) source=es_only.c ;;
    esac
    shift
    compile "$@" -c -o $elf.lib.o tests/compile/$source
    # No merging of constants: the main's strings are not the library's.
    compile "$@" -fno-merge-constants -c -o $elf.main.o tests/size/main.c
    compile -nostartfiles -Wl,--gc-sections,-e,main -Wl,-Map=$elf.map \
        -Wl,--defsym=__flash_size=0x200000 -o $elf.elf $elf.lib.o $elf.main.o
}

# lean_image NAME FLAGS...: size/lean.c.
lean_image() {
    elf=$out/$1
    shift
    compile $LEANEST "$@" -fcallgraph-info=su -c -o $elf.lib.o \
        tests/compile/impl.c
    compile $LEANEST "$@" $WARN_C -Werror -c -o $elf.main.o tests/size/lean.c
    tested
}

# breaks WHAT FLAGS...: the lean image must notice that this is missing.
breaks() {
    what=$1
    shift
    if lean_image no_$what "$@"; then
        die "the lean image works without $what: it does not test it"
    fi
    grep -q '^lean: ' $elf.log ||
        die "the lean image without $what ends, but not by its tests"
}

# weighed IMAGE NAME GOAL LIMIT GATE FLAGS...: leaves lines of name, bytes
# and limit in NAME.size.
weighed() {
    how=$1 name=$2 goal=$3 limit=$4 gate=$5
    shift 5
    $how $name "$@" || {
        cat $out/$name.log >&2
        die "$name: the lean image does not pass its own tests"
    }
    flash_of "$name[.]lib[.]o" $elf.map >$elf.parts
    bytes=$(sum <$elf.parts)
    libc=$(flash_of "[.]a[(]" $elf.map | sum)
    [ "$bytes" -gt 500 ] || die "$name: $bytes bytes cannot be right"
    say "$name $bytes $limit" >$out/$name.size
    verdict=
    # Others have neither goals nor gates.
    [ $processor = m4 ] ||
        { goal=0 limit=0 gate=$bytes verdict="  $processor"; }
    [ "$limit" = 0 ] || [ "$bytes" -le "$limit" ] || verdict="  $((bytes - limit)) over the limit aimed at"
    if [ "$bytes" -gt "$gate" ]; then
        verdict="  HAS GROWN: $bytes bytes, the gate is $gate"
        bad=1
    fi
    printf '%-11s %6d %8s %8s %8s %8s%s\n' "$name" "$bytes" "$(kb "$bytes")" \
        "$(kb "$goal")" "$(kb "$limit")" "$libc" "$verdict"
    [ -z "${VERBOSE:-}" ] || sort -k2,2 -rn $elf.parts | head -n 25 |
        awk '{ printf "    %5d %s\n", $2, $1 }'
}

# A function that is in the library and not in the table of size/main.c would
# be weightless.
nothing_forgotten() {
    arm-none-eabi-nm -P $out/$1.lib.o >$out/full.names || die "nm failed"
    for name in $(awk '$2 == "T" { print $1 }' $out/full.names); do
        case $name in pyro_check | pyro_ns_check | pyro_es_check) continue ;; esac
        grep -q "KEEP($name)" tests/size/main.c ||
            die "$name is missing in tests/size/main.c"
    done
}

# ram NAMES: bytes of RAM that size/ram_NAMES.c finds. On this machine: a name
# server's tables hold no pointers, and so are as large on any other.
ram() {
    "$CC" -std=c99 -O0 $WARN_C -Werror -o $out/ram_$1 tests/size/ram_$1.c ||
        die "ram_$1.c does not compile"
    timeout 60 $out/ram_$1 || die "$1 cost more RAM than is promised"
}

# The numbers of a board: names of 32 bytes, hosts are IPv4 addresses, four
# hosts a second ask for the name server, an exception is a type and a name.
BOARD="-DPYRO_NS_MAX_NAME=32 -DPYRO_MAX_HOST=24 -DPYRO_NS_ASKERS=4
-DPYRO_EXCEPTION_BYTES=32"

# node NAME GATE RAM_GATE: a whole node, flash and RAM.
node() {
    elf=$out/$1
    compile $LEAN $NS_BOARD $BOARD -c -o $elf.lib.o tests/compile/ns_impl.c
    compile $LEAN $NS_BOARD $BOARD $WARN_C -Werror -c -o $elf.main.o \
        tests/size/board.c
    tested || {
        cat $elf.log >&2
        die "the board does not pass its own tests"
    }
    flash=$(flash_of "board[.]lib[.]o" $elf.map | sum)
    ram=$(sizes_of $elf.main.o '[bBdD]' | sum)
    { say "board $flash 8192" && say "board_ram $ram 2048"; } >$out/$1.size
    [ "$flash" -le "$2" ] && [ "$ram" -le "$3" ] ||
        die "the board has grown: flash $flash, RAM $ram; gates $2, $3"
    say "board on a Cortex-M0+ (daemon, proxy, name server, locator, 2 links," \
        "8 names): flash $flash of the 8192 aimed at, RAM $ram of 2048"
}

# Names and bytes of the symbols of a kind in an object.
sizes_of() {
    ${cc%gcc}nm -S "$1" | while read -r _ bytes kind symbol; do
        case $kind in $2) say "$symbol $((0x$bytes))" ;; esac
    done
}

# everything SOURCE FLAGS...: bytes of the library in tests/compile/SOURCE, with
# all its public functions.
everything() {
    elf=$out/costs
    source=tests/compile/$1
    shift
    compile "$@" -fcallgraph-info=su -c -o $elf.lib.o $source
    compile -nostartfiles -Wl,--gc-sections,-e,0 -Wl,-Map=$elf.map \
        $(${cc%gcc}nm -P $elf.lib.o | awk '
            $2 == "T" && $1 !~ /_check$/ { print "-Wl,-u," $1 }') \
        -o $elf.weighed.elf $elf.lib.o
    flash_of "costs[.]lib[.]o" $elf.map >$elf.parts
    sum <$elf.parts
}

# columns TITLE FULL LEAN [ALL]: files of lines of name and bytes, side by side.
columns() {
    title=$1
    shift
    printf '%-26s %6s %6s %6s\n' "$title" full lean ${3:+all}
    awk '
        FNR == 1 { file++ }
        { bytes[$1, file] = $2; names[$1] }
        END {
            for (name in names) {
                printf "%s", name
                for (i = 1; i <= file; i++)
                    printf " %s", (name, i) in bytes ? bytes[name, i] : "-"
                print ""
            }
        }' "$@" | sort |
        awk '{ printf "  %-24s %6s %6s %6s\n", $1, $2, $3, $4 }'
}

# What `full` and `lean` mean here: all of pyro.h, and the same with LEANEST.
costs_of_sections() {
    for kind in full lean; do
        only=
        [ $kind = full ] || only=$LEANEST
        bytes=$(everything impl.c $only)
        libc=$(flash_of "[.]a[(]" $out/costs.map | sum)
        say "$kind: $bytes bytes of flash, and $libc of libc and libgcc"
        awk -f tests/size/sections.awk pyro.h $out/costs.parts \
            >$out/sections.$kind
        awk -f tests/size/stack.awk $out/costs.lib.ci >$out/stack.$kind
    done
    columns "flash by section of pyro.h" $out/sections.full $out/sections.lean
}

# What some switches need that others be left out, too: the least is taken.
with() {
    case $1 in
    1) ;;
    2) say -DPYRO_NO_PYRO5 ;;
    3) say "$(with 2) -DPYRO_NO_URI -DPYRO_NO_ASYNC -DPYRO_NO_INTROSPECTION" ;;
    esac
}

# saved SOURCE SWITCH: what a switch saves of that.
saved() {
    for needs in 1 2 3; do
        rest=$(everything $1 $(with $needs) -DPYRO_$2 2>$out/saved.log) ||
            continue
        all=$out/all.$1.$needs
        [ -s $all ] || everything $1 $(with $needs) >$all
        printf '  %-24s %6d  of %d\n' PYRO_$2 $(($(cat $all) - rest)) \
            "$(cat $all)"
        return
    done
    cat $out/saved.log >&2
    die "PYRO_$2 cannot be built"
}

# Those that the headers ask for.
costs_of_switches() {
    rm -f $out/all.*
    say "flash that a switch saves: of pyro.h, with what it needs left out"
    for switch in $(grep -ohE '(ifn?def |defined\()PYRO_(NS_|ES_)?NO_[A-Z0-9_]+' \
        pyro*.h | sed 's/.*PYRO_//' | sort -u); do
        case $switch in
        NS_NO_* | ES_NO_*) saved es_impl.c $switch ;;
        *) saved impl.c $switch ;;
        esac
    done
}

# Behind costs_of_sections. Without the port's functions and the program's
# handlers. `all` has names and events in it, whose handlers pyro_poll runs.
costs_of_stack() {
    lean_image costs || die "the lean image fails, see $elf.log"
    sed -n 's/^stack: /stack counted, lean: /p' $elf.log
    counted=$(sed -n 's/^stack: \([0-9]*\) bytes from pyro_poll .*/\1/p' $elf.log)
    [ "${counted:-0}" -gt 0 ] &&
        awk -v counted="$counted" '$1 == "pyro_poll" { most = $2 }
            END { exit most < counted }' $out/stack.lean ||
        die "pyro_poll has taken more than stack.awk says it can"
    compile -fcallgraph-info=su -c -o $out/all.lib.o tests/compile/es_impl.c
    awk -f tests/size/stack.awk $out/all.lib.ci >$out/stack.all
    columns "stack at most, Cortex-M4" $out/stack.full $out/stack.lean \
        $out/stack.all
}

# ram_of FILE FLAGS...: bytes of each thing in size/ram.c.
ram_of() {
    file=$1
    shift
    compile "$@" -c -o $out/ram.o tests/size/ram.c
    sizes_of $out/ram.o '[BC]' | sed 's/^ram_//' >"$file"
}

# Of each thing: gates, full and lean; what the design wants, 0: nothing.
RAM_OF="daemon:336:224:0 link:140:128:64 buffer:12:8:6 object:20:16:0
deferred:72:64:0 proxy:172:164:160 request:64:52:40 name_server:1312:1124:0
name:18:18:0 locator:600:588:0 names_client:1440:1412:0
event_service:448:128:0 subscriber:328:232:0 subscription:152:56:0
events_client:380:372:0"

# RAM on 32 bits. What names or events need is built with less left out.
ram_of_things() {
    ram_of $out/ram.full -DWEIGH_NS -DWEIGH_ES
    ram_of $out/ram.names $LEAN -DWEIGH_NS
    ram_of $out/ram.events $LEAN $ES_LEAN -DWEIGH_ES
    ram_of $out/ram.leanest $LEANEST
    awk '!($1 in is) { is[$1]; print }' $out/ram.leanest $out/ram.names \
        $out/ram.events >$out/ram.lean
    awk -v table="$RAM_OF" '
        FNR == 1 { file++ }
        { bytes[$1, file] = $2; things[$1] }
        END {
            print "RAM of one, bytes          full   lean   goal"
            n = split(table, row, " ")
            for (i = 1; i <= n; i++) {
                split(row[i], top, ":")
                thing = top[1]
                full = bytes[thing, 1] + 0
                lean = bytes[thing, 2] + 0
                grown = full > top[2] || lean > top[3]
                printf "  %-22s %6d %6d %6s%s\n", thing, full, lean,
                    top[4] ? top[4] : "-", grown ? "  HAS GROWN" : ""
                bad += grown || full == 0 || lean == 0
                delete things[thing]
            }
            for (thing in things)
                print thing " is not in the table"
            exit bad > 0 || length(things) > 0
        }' $out/ram.full $out/ram.lean ||
        die "a thing takes more RAM than its gate, or has none: RAM_OF"
}

# What there is to weigh, and on the other processors: each a run of this
# script for together.sh.
weigh() { job weighed image "$@"; }
weigh_lean() { job weighed lean_image "$@"; }
board() { job node board "$@"; }
job() { say "sh tests/size.sh one $processor $*"; }

# weigh NAME GOAL LIMIT GATE FLAGS...: the first three in bytes, 0: none.
# NAMEs that begin with ns have pyro_ns.h in them, with es pyro_es.h.
configurations() {
    weigh marshaller 1280 1536 1535 $LEAN -DWEIGH_MARSHALLER
    weigh_lean proxy 3686 5120 5354 -DPYRO_NO_SERVER
    weigh_lean daemon 3993 5376 5530 -DPYRO_NO_CLIENT
    weigh_lean both 6144 7680 7976
    weigh full 15360 19456 30194
    weigh full_no5 0 0 24097 -DPYRO_NO_PYRO5
    weigh full_least5 0 0 28206 -DPYRO_NO_PYRO4 -DPYRO_NO_BATCH -DPYRO_NO_CODECS
    weigh ns 7936 9728 12281 $LEAN $NS_BOARD -DWEIGH_LEAN -DWEIGH_NS
    weigh ns_full 0 0 54266 -DWEIGH_NS
    weigh es 9728 11776 14813 $LEAN $ES_LEAN -DWEIGH_LEAN -DWEIGH_ES
    weigh es_full 0 0 38702 -DWEIGH_ES
    [ $processor != m0+ ] || board 12068 1940
}

# on PROCESSOR JOB...: prints what each job there is called by.
on() {
    processor=$1
    shift
    "$@"
}

jobs() {
    on m4 configurations
    on m4 job ram_of_things
    on m4 job ram names
    on m4 job ram events
    if [ -n "$QUICK" ]; then
        on m0+ configurations | grep ' node '
        return
    fi
    on m0+ configurations
    on rv32 configurations
    on m4 job breaks exceptions -DPYRO_EXCEPTION_BYTES=0
    on m4 job breaks nesting -DPYRO_MAX_NESTING=1
    on m4 job breaks keep-alive -DPYRO_DEAD_MS=0xFFFF
    on m4 job breaks timeouts -DPYRO_TIMEOUT_MS=20000
}

LEFT="Cortex-M0+ and RISC-V but for the board, that lean.c's tests can fail"

# What was weighed on a processor, in the order above.
sizes() {
    on $1 configurations | sed -E 's/.*(image|node) ([a-z0-9_]+) .*/\2/' |
        while read -r name; do
            cat "build/size/$1/$name.size" 2>/dev/null || [ -n "$QUICK" ]
        done
}

# What has a name, for scripts: build/size.json.
json() { sizes m4 && sizes m0+ | grep '^board'; }

# What the README shows: a row for each processor, and the limits.
table() {
    awk '
        FNR == 1 { file++ }
        { bytes[$1, file] = $2; limit[$1] = $3 }
        !($1 in known) { known[$1]; name[++n] = $1 }
        function row(title, which, i, cell) {
            printf "| %s |", title
            for (i = 1; i <= n; i++) {
                cell = which ? bytes[name[i], which] : limit[name[i]]
                printf " %s |", cell ? cell : ""
            }
            print ""
        }
        END {
            printf "| |"
            for (i = 1; i <= n; i++) printf " %s |", name[i]
            printf "\n|---|"
            for (i = 1; i <= n; i++) printf "---|"
            print ""
            row("Cortex-M4", 1)
            row("limit aimed at", 0)
            row("Cortex-M0+", 2)
            row("RV32IMAC", 3)
        }' build/size/m4.sizes build/size/m0+.sizes build/size/rv32.sizes
}

# With QUICK=1 those of the other processors are taken from the README.
rows() {
    for processor in m4 m0+ rv32; do
        sizes $processor >build/size/$processor.sizes
    done
    [ -n "$QUICK" ] || { table && return; }
    table | head -n 4
    grep -E '^\| (Cortex-M0\+|RV32IMAC) \|' README.md
}

if [ "${1:-}" = one ]; then
    bad=0
    cpu "$2"
    shift 2
    "$@"
    exit $bad
fi
sh tests/deps.sh arm qemu rv32
cpu m4
if [ -n "$features" ]; then
    partner
    costs_of_sections
    costs_of_switches
    costs_of_stack
    exit 0
fi
[ -z "$QUICK" ] || say "left to check-all: $LEFT"
rm -f build/size/*/*.size build/size.md build/size.json
for processor in m4 m0+ ${QUICK:-rv32}; do
    [ "$processor" = 1 ] || job partner
done | sh tests/together.sh
say "               bytes       KB     goal    limit  libc, libgcc"
jobs | sh tests/together.sh || die "see above"
nothing_forgotten ns_full
nothing_forgotten es_full
json | awk '{ printf "%s\"%s\": %d", (NR > 1 ? ", " : "{"), $1, $2 }
    END { print "}" }' >build/size.json
rows >build/size.md
say "size: nothing has grown"
