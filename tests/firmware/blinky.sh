#!/bin/sh
# examples/blinky on the board it is written for: the LED is switched and
# asked over the serial line, and the watchdog that its loop feeds is quiet.
# One that is not fed any more starts the board anew.
set -eu
cd "$(dirname "$0")/../.."
. tests/firmware/common.sh
sh tests/deps.sh arm qemu

begin_line blinky examples/blinky/blinky.c
host led
end_line

# The same program without the line that feeds it.
sed '/board_feed/d' examples/blinky/blinky.c >$FW/starved.c
begin_line starved "-iquote examples/blinky $FW/starved.c"
host led-starved
end_line
