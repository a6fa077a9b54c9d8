#!/bin/sh
# A bare-metal image on an MPS2 board with a Cortex-M3 serves objects over its
# UART, and a Linux process at the other end calls it, is called back and gets
# events. Each side is reset while the other waits for it.
set -eu
cd "$(dirname "$0")/../.."
. tests/firmware/common.sh
sh tests/deps.sh arm qemu

begin_line serial_board tests/firmware/serial_board.c
host calls 200

# at_most WHAT BYTES PATTERN: of the image's symbols.
at_most() {
    bytes=$(arm-none-eabi-nm -S -td "$line.elf" |
        awk -v pattern="$3" '$4 ~ pattern { n += $2 } END { print n + 0 }')
    word=ok
    { [ "$bytes" -gt 0 ] && [ "$bytes" -le "$2" ]; } || word=FAIL
    say "$word   $1: $bytes bytes, at most $2" | tee -a "$line.log"
}
at_most "RAM of a pyro_serial" $((2 * (64 + 8) + 32 + 108)) '^line$'
at_most "flash of serial.h" 1086 '^pyroi?_serial_'

# A process that is called by the board, does not answer, and is killed.
"$line.host" "$line.uart" hold >"$line.held" 2>&1 &
holder=$!
for turn in $(seq 300); do
    ! grep -q '^held' "$line.held" || break
    sleep 0.1
done
kill -9 $holder
wait $holder || true
holder=
host held
host reset $line.monitor
end_line
