#!/bin/sh
# Installs what a target needs and this machine lacks.
#
# usage: deps.sh NAME...    NAME: cmocka python3 gcovr clang fuzz tidy cxx mqtt
#                                 arm mingw msgpack tmux netns source
#                                 qemu rv32 m32 powerpc s390x armhf musl
#                                 tcc avr events packaging frama-c
#
# On Debian by apt-get, as root or with sudo, saying so; elsewhere it names
# what is missing and fails. What is there already is left alone.
set -eu
cd "$(dirname "$0")/.."
. tests/common.sh
case ${1:--h} in -h | --help) help ;; esac

command_there() { command -v "$1" >/dev/null 2>&1; }

headers_there() {
    printf '#include <%s>\n' "$@" | "$CC" -E - >/dev/null 2>&1
}

fuzzer_there() {
    command_there clang || return 1
    echo 'int LLVMFuzzerTestOneInput(char *d, long n) { return d && n; }' |
        clang -x c -fsanitize=fuzzer,address -o build/deps.probe - \
            >/dev/null 2>&1
}

# Debian has it where only root looks.
broker_there() { PATH=$PATH:/usr/sbin command_there mosquitto; }

# foreign_there CPU TARGET: a cross compiler with its libc, and who runs that.
foreign_there() {
    command_there "qemu-$1" && command_there "$2-gcc" &&
        echo '#include <string.h>' | "$2-gcc" -E - >/dev/null 2>&1
}

# there NAME: whether it can be used. packages NAME: what Debian calls it.
there() {
    case $1 in
    cmocka) headers_there setjmp.h stdarg.h stddef.h stdint.h cmocka.h ;;
    python3 | gcovr | clang | tmux | frama-c) command_there "$1" ;;
    fuzz) fuzzer_there ;;
    tidy) command_there clang-tidy && command_there clang-format &&
        command_there cppcheck ;;
    cxx) command_there g++ ;;
    arm) command_there arm-none-eabi-gcc &&
        echo '#include <string.h>' | arm-none-eabi-gcc \
            --specs=picolibc.specs -E - >/dev/null 2>&1 ;;
    mingw) command_there x86_64-w64-mingw32-gcc ;;
    m32) echo 'int main(void) { return 0; }' | gcc-12 -m32 -x c \
        -o build/deps.probe32 - >/dev/null 2>&1 ;;
    powerpc) foreign_there ppc powerpc-linux-gnu ;;
    s390x) foreign_there s390x s390x-linux-gnu ;;
    armhf) foreign_there arm arm-linux-gnueabihf ;;
    musl) command_there musl-gcc ;;
    tcc) command_there tcc ;;
    avr) command_there avr-gcc && command_there qemu-system-avr &&
        echo '#include <avr/io.h>' | avr-gcc -E - >/dev/null 2>&1 ;;
    packaging) command_there cmake && command_there meson &&
        command_there ninja && command_there pkg-config ;;
    msgpack) headers_there msgpack.h ;;
    pyro4) python_with Pyro4 serpent msgpack >/dev/null ;;
    events) headers_there zmq.h mosquitto.h && broker_there ;;
    mqtt) headers_there mosquitto.h && command_there mosquitto_pub &&
        broker_there ;;
    netns) command_there ip && command_there nsenter ;;
    source) command_there xz && command_there apt-get ;;
    qemu) command_there qemu-system-arm ;;
    rv32) command_there qemu-system-riscv32 &&
        echo '#include <string.h>' | riscv64-unknown-elf-gcc \
            --specs=picolibc.specs -E - >/dev/null 2>&1 ;;
    *) die "no such name: $1" ;;
    esac
}

packages() {
    case $1 in
    cmocka) echo libcmocka-dev ;;
    fuzz) echo clang libclang-rt-14-dev ;;
    tidy) echo clang-tidy clang-format cppcheck ;;
    cxx) echo g++ ;;
    arm) echo gcc-arm-none-eabi picolibc-arm-none-eabi ;;
    mingw) echo gcc-mingw-w64-x86-64-posix ;;
    m32) echo gcc-12-multilib ;; # gcc-multilib removes cross compilers
    powerpc) echo gcc-powerpc-linux-gnu libc6-dev-powerpc-cross qemu-user ;;
    s390x) echo gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user ;;
    armhf) echo gcc-arm-linux-gnueabihf libc6-dev-armhf-cross qemu-user ;;
    musl) echo musl-tools ;;
    avr) echo gcc-avr avr-libc qemu-system-misc ;;
    frama-c) echo frama-c-base ;;
    packaging) echo cmake meson ninja-build pkgconf ;;
    msgpack) echo libmsgpack-dev ;;
    pyro4) echo python3-pyro4 python3-serpent python3-msgpack ;;
    events) echo libzmq3-dev libmosquitto-dev mosquitto ;;
    mqtt) echo mosquitto mosquitto-clients libmosquitto-dev ;;
    netns) echo iproute2 util-linux ;;
    source) echo xz-utils ;;
    qemu) echo qemu-system-arm ;;
    rv32) echo gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf \
        qemu-system-misc ;;
    *) echo "$1" ;;
    esac
}

# Several targets may want something at the same time; apt-get cannot.
one_at_a_time() {
    if command_there flock; then flock build/deps.lock "$@"; else "$@"; fi
}

install() {
    one_at_a_time $as_root env DEBIAN_FRONTEND=noninteractive apt-get \
        install -y --no-install-recommends "$@" >>build/deps.log 2>&1
}

update() {
    say "deps: apt-get update"
    one_at_a_time $as_root apt-get update >>build/deps.log 2>&1
}

mkdir -p build
missing=
for name; do
    there "$name" || missing="$missing $(packages "$name")"
done
[ -n "$missing" ] || exit 0

command_there apt-get ||
    die "missing:$missing (their names on Debian); install them, then again"
as_root=
if [ "$(id -u)" != 0 ]; then
    command_there sudo ||
        die "missing:$missing; as root: apt-get install$missing"
    as_root=sudo
fi
say "deps: installing$missing (${as_root:+$as_root }apt-get install)"
install $missing || { update && install $missing; } || {
    tail -n 5 build/deps.log >&2
    die "apt-get could not install$missing, see build/deps.log"
}
for name; do
    there "$name" || die "$name is installed and cannot be used"
done
