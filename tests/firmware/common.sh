# Sourced by the steps of tests/firmware.sh: boards, images, QEMU.

. tests/common.sh

FW=build/firmware
FW_FLAGS="-Os -g -ffunction-sections -fdata-sections -Wl,--gc-sections"

# board NAME: sets fw_cc, fw_qemu, and where memory is: fw_flash, fw_ram
# (address and bytes; fw_end is behind it, and the linker keeps off the last
# fw_fenced bytes).
board() {
    fw_cc="arm-none-eabi-gcc -mthumb -mcpu=cortex-$1"
    fw_qemu="qemu-system-arm -M $1"
    fw_flash="0 0x400000"
    fw_ram="0x21000000 0x1000000"
    fw_fenced=0x20000
    case $1 in
    m0)
        fw_qemu="qemu-system-arm -M microbit"
        fw_flash="0 0x40000"
        fw_ram="0x20000000 0x4000"
        fw_fenced=0x800
        ;;
    m0-64k)
        fw_cc="arm-none-eabi-gcc -mthumb -mcpu=cortex-m0"
        fw_qemu="qemu-system-arm -M lm3s6965evb -cpu cortex-m0"
        fw_flash="0 0x40000"
        fw_ram="0x20000000 0x10000"
        fw_fenced=0x800
        ;;
    m3) fw_qemu="qemu-system-arm -M mps2-an385" ;;
    m4) fw_qemu="qemu-system-arm -M mps2-an386" ;;
    m33)
        fw_qemu="qemu-system-arm -M mps2-an505"
        fw_flash="0x10000000 0x400000"
        fw_ram="0x38000000 0x400000"
        ;;
    rv32)
        fw_cc="riscv64-unknown-elf-gcc -march=rv32imac -mabi=ilp32"
        fw_qemu="qemu-system-riscv32 -M virt -bios none -m 8M"
        fw_flash="0x80000000 0x200000"
        fw_ram="0x80200000 0x600000"
        ;;
    *) die "no such board: $1" ;;
    esac
    fw_end=$((${fw_ram% *} + ${fw_ram#* }))
    fw_qemu="$fw_qemu -display none -monitor none"
    fw_qemu="$fw_qemu -semihosting-config enable=on,target=native"
}

# image OUT FLAGS...: builds a program for the board with picolibc; printf and
# files are the host's, by semihosting, and main's result is QEMU's status. With
# fw_crt0 semihost main has arguments: those that QEMU is given as arg=.
image() {
    elf=$1
    shift
    mkdir -p "$(dirname "$elf")"
    set -- "$@" --crt0=${fw_crt0:-hosted} --oslib=semihost \
        -Wl,--defsym=__flash="${fw_flash% *}" \
        -Wl,--defsym=__flash_size="${fw_flash#* }" \
        -Wl,--defsym=__ram="${fw_ram% *}" \
        -Wl,--defsym=__ram_size=$((${fw_ram#* } - fw_fenced)) \
        -Wl,--defsym=__stack_size=${fw_stack:-0x4000}
    $fw_cc --specs=picolibc.specs $FW_FLAGS -o "$elf" "$@"
}

# ------------------------------------------------------------------------
# A board whose UART is the Unix socket $FW/NAME.uart, and the Linux process
# at the other end, serial_host.c. Everything ends with the script.
# ------------------------------------------------------------------------

# begin_line NAME SOURCE: builds both and starts the board.
begin_line() {
    line=$FW/$1
    board m3
    fw_fenced=0x100 # where board_boots counts
    image "$line.elf" -std=c99 $WARN_C -DNDEBUG $2
    "$CC" -std=gnu11 -O1 -g $WARN_C -o "$line.host" tests/firmware/serial_host.c
    : >"$line.log"
    logs="${logs:-} $line.log"
    rm -f "$line".uart "$line".monitor
    timeout -k 5 250 ${fw_qemu%% -display*} -display none \
        -semihosting-config enable=on,target=native \
        -serial "unix:$line.uart,server=on,wait=off" \
        -monitor "unix:$line.monitor,server=on,wait=off" \
        -kernel "$line.elf" >"$line.qemu" 2>&1 </dev/null &
    qemu=$!
    trap 'kill $qemu ${relay:-} ${holder:-} 2>/dev/null || true' EXIT
}

# host WHAT...: runs the Linux process; what it checked is added up.
host() { host_at "$line.uart" "$@"; }

# host_at SOCKET WHAT...: the same, not at the board itself.
host_at() {
    timeout -k 5 120 "$line.host" "$@" >"$line.out" 2>&1 ||
        say "FAIL serial_host $* ended with $?" >>"$line.out"
    cat "$line.out"
    cat "$line.out" >>"$line.log"
}

# end_line: stops the board and prints the total of all lines; without a single check nothing has passed.
end_line() {
    kill $qemu
    awk '/^ok /{ p++ } /^FAIL /{ f++ }
        END { printf "%d passed, %d failed\n", p, f; exit f > 0 || p == 0 }' \
        $logs
}
