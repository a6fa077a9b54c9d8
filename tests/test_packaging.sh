#!/bin/sh
# Installs the library and takes it up as other people's builds do.
#
# usage: test_packaging.sh    (after `make all`)
#
# examples/packaging/: adder.c by CMake's find_package, by Meson's dependency,
# and with what pkg-config says, each built and run. What is for boards is
# only compiled, with stand-ins for the board and for its system.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/common.sh
unset MAKEFLAGS MFLAGS # a make that is started here has jobs of its own
case ${1:-} in -h | --help) help ;; esac
sh tests/deps.sh packaging cxx >&2 || exit 1
. tests/processes.sh

examples=$PWD/examples/packaging
root=$PWD/$dir/root
prefix=/opt/pyro
here=$PWD/$dir
timeout 300 "${MAKE:-make}" -j1 install DESTDIR="$root" PREFIX=$prefix \
    >$dir/out 2>$dir/err || wrong "make install: status $?"
expect 0 '' '' test -f "$root$prefix/include/pyro.h"
version=$(sed -n 's/^#define PYRO_VERSION "\(.*\)"/\1/p' pyro.h)

# The files stand under DESTDIR here; a package manager moves them to PREFIX.
export PKG_CONFIG_PATH="$root$prefix/share/pkgconfig"
export PKG_CONFIG_SYSROOT_DIR="$root"
expect 0 "$version" '' pkg-config --modversion pyro
expect 0 "~-I$root$prefix/include" '' pkg-config --cflags pyro
expect 0 '' '' "$CC" $(pkg-config --cflags pyro) -o "$here/adder" \
    "$examples/adder.c"
expect 0 '2 + 3 is 5' '' "$here/adder"

expect 0 '~' '' cmake -S "$examples/cmake" -B "$here/cmake" \
    -DCMAKE_PREFIX_PATH="$root$prefix"
expect 0 '~' '' cmake --build "$here/cmake"
expect 0 '2 + 3 is 5' '' "$here/cmake/adder"
sed 's/pyro 0.1/pyro 99/' "$examples/cmake/CMakeLists.txt" >"$here/CMakeLists.txt"
expect 1 '~' "considered but not accepted" cmake -S "$here" \
    -B "$here/newer" -DCMAKE_PREFIX_PATH="$root$prefix"

expect 0 '~' '' meson setup "$here/meson" "$examples/meson"
expect 0 '~' '' ninja -C "$here/meson"
expect 0 '2 + 3 is 5' '' "$here/meson/adder"

# lamp.h is what the boards share: here its line is silent.
cat >"$here/board.c" <<'EOF'
#define PYRO_IMPLEMENTATION
#include <pyro.h>
#include "lamp.h"
static uint32_t ms;
static uint32_t board_ms(void) { return ++ms; }
static int32_t board_write(const void *data, uint32_t n)
{
    return data != NULL ? (int32_t)n : 0;
}
static int32_t board_read(void *to, uint32_t n) { return to == NULL && n; }
static void board_lamp(bool on) { ms += on; }
int main(void)
{
    return board_begin(1) != PYRO_OK || pyro_poll(&board_node, 0) != PYRO_OK;
}
EOF
expect 0 '' '' "$CC" -std=c99 $WARN_C -Werror $(pkg-config --cflags pyro) \
    -I"$examples" -o "$here/board" "$here/board.c"
expect 0 '' '' "$here/board"
for name in platformio arduino esp-idf zephyr; do
    expect 0 '~' '' grep -rl 'Not run here' "$examples/$name"
done

# Their own headers are empty here, what these would declare is in boards.h.
boards="$examples/esp-idf/main/main.c $examples/zephyr/src/main.c
$examples/platformio/src/main.cpp"
for name in EEPROM.h $(sed -n 's/^#include <\(.*\)>/\1/p' $boards); do
    [ "$name" != pyro.h ] || continue
    mkdir -p "$(dirname "$here/boards/$name")"
    : >"$here/boards/$name"
done
for source in $boards; do
    how="$CC -std=c99 $WARN_C"
    [ "${source##*.}" = c ] || how="g++ -std=c++11 $WARN"
    expect 0 '' '' $how -Werror -include tests/compile/boards.h \
        -I"$here/boards" -I"$examples" $(pkg-config --cflags pyro) \
        -c -o "$here/board.o" "$source"
done

say "$good passed, $bad failed"
[ $bad = 0 ]
