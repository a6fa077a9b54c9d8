#!/bin/sh
# The port on lwIP (examples/lib/lwip.h), tested on this machine: lwIP is
# built from Debian's source with the address sanitizer, and each of its blocks
# of memory comes from there.
#
# usage: lwip.sh
set -eu
cd "$(dirname "$0")/../.."
. tests/common.sh
case ${1:-} in -h | --help) help ;; esac

sh tests/deps.sh cmocka
src=$(sh tests/debian_source.sh lwip)/src || exit 1
out=build/firmware/lwip
flags="-std=gnu11 -g -O1 -fsanitize=address -fno-omit-frame-pointer"
flags="$flags -Itests/firmware/lwip/host -Itests/firmware/lwip"
flags="$flags -isystem $src/include"

# lwIP has warnings of its own.
mkdir -p $out
if [ -z "$(find $out/host.a -newer tests/firmware/lwip/host/lwipopts.h \
    -newer tests/firmware/lwip/lwipopts.h 2>/dev/null)" ]; then
    for file in "$src"/core/*.c "$src"/core/ipv[46]/*.c \
        "$src"/netif/ethernet.c; do
        "$CC" $flags -w -c \
            -o "$out/$(basename "$file" .c).o" "$file" &
        if [ $((n = ${n:-0} + 1)) = 4 ]; then
            wait
            n=0
        fi
    done
    wait
    rm -f $out/host.a
    ar rcs $out/host.a $out/*.o
fi
"$CC" $flags $WARN_C -Werror -fsanitize=undefined \
    -fno-sanitize-recover=all -o $out/lwip_test \
    tests/firmware/lwip_test.c $out/host.a -lcmocka ||
    die "tests/firmware/lwip_test.c does not compile"
timeout -k 5 120 $out/lwip_test
