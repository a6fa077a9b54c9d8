#!/bin/sh
# Weighs the library on a Cortex-M4: bytes of flash, by configuration.
#
# usage: size.sh [-v]     -v: the largest functions of each as well
#
# And bytes of RAM: what a name costs a name server, by registering some, and
# that an event service keeps its events once, whoever subscribes.
#
# Library code and constants after the linker has thrown away what is not
# called, with gcc -Os -DNDEBUG; the C library's and the compiler's part is
# printed beside and not counted, the platform's port is not there. Writes
# build/size.json. "lean" leaves out what common.sh says.
#
# A lean image is what size/lean.c calls: it tests itself on an emulated
# Cortex-M4 and is weighed only if all of it works; that the tests notice what
# does not is tried first, with a build in which something is missing.
#
# Goal and gate are where the library has to get to. Where it is not there yet
# the table says by how much, and what it weighs today is the ceiling: the
# script fails when anything grows past that. A ceiling is only ever lowered.
set -eu
cd "$(dirname "$0")/.."
. tests/common.sh
verbose=
case ${1:-} in
-v) verbose=1 ;;
-h | --help) help ;;
esac

out=build/size
flags="--specs=picolibc.specs -mcpu=cortex-m4 -mthumb -std=c99 -Os -DNDEBUG
-ffunction-sections -fdata-sections"
ram="-Wl,--defsym=__flash=0,--defsym=__flash_size=0x400000
-Wl,--defsym=__ram=0x20000000,--defsym=__ram_size=0x400000
-Wl,--defsym=__stack_size=0x8000"
mkdir -p $out
past=0
json=

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

compile() { arm-none-eabi-gcc $flags "$@" || die "the compiler failed"; }

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
        -o $elf.elf $elf.lib.o $elf.main.o
}

# lean_image NAME FLAGS...: size/lean.c, which tests itself, and the library
# linked by itself, as far as that calls it. Fails if a test does.
lean_image() {
    elf=$out/$1
    shift
    compile $LEANEST "$@" -c -o $elf.lib.o tests/compile/impl.c
    compile $LEANEST "$@" $WARN_C -Werror -c -o $elf.main.o tests/size/lean.c
    compile --crt0=semihost --oslib=semihost $ram -Wl,--gc-sections \
        -o $elf.elf $elf.lib.o $elf.main.o $out/partner.o
    compile -nostartfiles -Wl,--gc-sections,-e,0 -Wl,-Map=$elf.map \
        $(arm-none-eabi-nm -u $elf.main.o |
            awk '$2 ~ /^pyro_/ { print "-Wl,-u," $2 }') \
        -o $elf.weighed.elf $elf.lib.o
    timeout 60 qemu-system-arm -M mps2-an386 -display none -monitor none \
        -serial null -semihosting-config enable=on,target=native \
        -kernel $elf.elf >$elf.log 2>&1
}

# breaks WHAT FLAGS...: the lean image must notice that this is missing.
breaks() {
    what=$1
    shift
    if lean_image broken "$@"; then
        die "the lean image works without $what: it does not test it"
    fi
    grep -q '^lean: ' $out/broken.log ||
        die "the lean image without $what ends, but not by its tests"
}

# weigh_lean NAME GOAL GATE CEILING FLAGS...
weigh_lean() {
    name=$1 goal=$2 gate=$3 ceiling=$4
    shift 4
    lean_image $name "$@" || {
        cat $out/$name.log >&2
        die "$name: the lean image does not pass its own tests"
    }
    report
}

# weigh NAME GOAL GATE CEILING FLAGS...: the first three in bytes, 0: none.
# NAMEs that begin with ns have pyro_ns.h in them, with es pyro_es.h.
weigh() {
    name=$1 goal=$2 gate=$3 ceiling=$4
    shift 4
    image $name "$@"
    report
}

report() {
    flash_of "$name[.]lib[.]o" $elf.map >$elf.parts
    bytes=$(sum <$elf.parts)
    libc=$(flash_of "[.]a[(]" $elf.map | sum)
    [ "$bytes" -gt 500 ] || die "$name: $bytes bytes cannot be right"
    verdict=
    [ "$gate" = 0 ] || [ "$bytes" -le "$gate" ] || verdict="  $((bytes - gate)) over the gate"
    if [ "$bytes" -gt "$ceiling" ]; then
        verdict="  HAS GROWN: $bytes bytes, the ceiling is $ceiling"
        past=1
    fi
    printf '%-11s %6d %8s %8s %8s %8s%s\n' "$name" "$bytes" "$(kb "$bytes")" \
        "$(kb "$goal")" "$(kb "$gate")" "$libc" "$verdict"
    json="$json${json:+, }\"$name\": $bytes"
    [ -z "$verbose" ] || sort -k2,2 -rn $elf.parts | head -n 25 |
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
    "$CC" -std=c99 -O1 $WARN_C -Werror -o $out/ram_$1 tests/size/ram_$1.c ||
        die "ram_$1.c does not compile"
    timeout 60 $out/ram_$1 || die "$1 cost more RAM than is promised"
}

sh tests/deps.sh arm qemu
compile $WARN_C -Werror -c -o $out/partner.o tests/size/partner.c
breaks exceptions -DPYRO_EXCEPTION_BYTES=0
breaks nesting -DPYRO_MAX_NESTING=1
breaks keep-alive -DPYRO_DEAD_MS=0xFFFF
breaks timeouts -DPYRO_TIMEOUT_MS=20000
say "               bytes       KB     goal     gate  libc, libgcc"
weigh marshaller 1280 1536 1536 $LEAN -DWEIGH_MARSHALLER
weigh_lean proxy 3686 5120 7271 -DPYRO_NO_SERVER
weigh_lean daemon 3993 5376 7262 -DPYRO_NO_CLIENT
weigh_lean both 6144 7680 10397
weigh full 15360 19456 32997
weigh full_no5 0 0 25568 -DPYRO_NO_PYRO5
weigh ns 7936 9728 24300 $LEAN $NS_LEAN -DWEIGH_LEAN -DWEIGH_NS
weigh ns_full 0 0 57284 -DWEIGH_NS
weigh es 0 0 21340 $LEAN -DPYRO_ES_NO_REGEX -DWEIGH_LEAN -DWEIGH_ES
weigh es_full 0 0 42072 -DWEIGH_ES
nothing_forgotten ns_full
nothing_forgotten es_full
ram names
ram events
say "{$json}" >build/size.json
[ $past = 0 ] || die "something has grown, see above"
say "size: nothing has grown"
