#!/bin/sh
# Fetches the source of a Debian package as its author released it.
#
# usage: debian_source.sh NAME
#
# Prints the folder it is unpacked in, build/debian/NAME. apt-get fetches it
# from where this machine gets its packages and checks its signature; what
# was fetched once is not fetched again. Debian's own patches are not applied.
set -eu
cd "$(dirname "$0")/.."
. tests/common.sh
case ${1:--h} in -h | --help) help ;; esac
name=$1
there=build/debian/$name
apt=$PWD/build/debian/apt
[ ! -e "$there" ] || { say "$there"; exit 0; }

sh tests/deps.sh source >&2
mkdir -p build/debian
# Two targets may ask at the same time.
if [ -z "${LOCKED:-}" ] && command -v flock >/dev/null; then
    LOCKED=1 exec flock build/debian/lock sh tests/debian_source.sh "$name"
fi

# The machine's own Debian sources, asked for source packages. Those of other
# vendors have none.
sources() {
    mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/cache/archives/partial"
    rm -f "$apt"/parts/*
    for file in /etc/apt/sources.list.d/*.sources; do
        grep -q '^URIs:.*/debian' "$file" 2>/dev/null || continue
        sed 's/^Types:.*/Types: deb-src/' "$file" \
            >"$apt/parts/$(basename "$file")"
    done
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
        sed -n '/\/debian/s/^deb /deb-src /p' >"$apt/parts/lines.list"
}

get() {
    apt-get -o Dir::Etc::sourcelist=/dev/null \
        -o Dir::Etc::sourceparts="$apt/parts" -o Dir::State::lists="$apt/lists" \
        -o Dir::Cache="$apt/cache" -o APT::Sandbox::User="$(id -un)" \
        -o Acquire::Retries=3 "$@" >>"$apt/log" 2>&1
}

fetch() {
    rm -rf "build/debian/$name.part"
    mkdir -p "build/debian/$name.part/x"
    cd "build/debian/$name.part"
    get source --download-only "$name" || return 1
    tar -xf "$(ls "$name"_*.orig.tar.* | grep -v asc)" -C x --strip-components=1
}

sources
get update || die "apt-get update failed for source packages, see $apt/log"
(fetch) || die "no source package $name could be fetched, see $apt/log"
mv "build/debian/$name.part/x" "$there"
rm -r "build/debian/$name.part"
say "$there"
