#!/bin/sh
# The line of serial.sh, spoilt: a relay between board and host loses, alters
# and invents bytes, the same ones for the same seed. No wrong result is ever
# taken for right, and when the noise has ended the first call is answered,
# within the four frames that serial.h states.
#
# usage: noise.sh [SEED]
set -eu
cd "$(dirname "$0")/../.."
. tests/firmware/common.sh
case ${1:-} in -h | --help) help ;; esac
sh tests/deps.sh arm qemu

begin_line noise_board tests/firmware/serial_board.c
"$CC" -std=gnu11 -O1 -g $WARN_C -o $FW/noise_relay tests/firmware/noise_relay.c
uart=$line.uart
for seed in ${1:-1 2}; do
    line_to=$FW/noise.$seed
    timeout -k 5 120 $FW/noise_relay "$uart" "$line_to.line" \
        "$line_to.control" "$seed" 5 >"$line_to.relay" 2>&1 &
    relay=$!
    host_at "$line_to.line" noise "$line_to.control" 200
    wait $relay || true
    word=ok
    # Each kind of damage has to have been done.
    { [ -s "$line_to.relay" ] && ! grep -q ' 0 ' "$line_to.relay"; } || word=FAIL
    say "$word   relay, seed $seed: $(cat "$line_to.relay")" |
        tee -a "$line.log"
    relay=
done
end_line
