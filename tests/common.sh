# Sourced by the scripts beside it: help, messages, the compiler's flags.

# The warnings every file here must compile without.
WARN="-Wall -Wextra -pedantic -Wconversion -Wshadow -Wundef -Wcast-qual"
WARN="$WARN -Wdouble-promotion -Wvla"
WARN_C="$WARN -Wstrict-prototypes -Wmissing-prototypes"

# The small build: what a node with little flash leaves out.
LEAN="-DPYRO_NO_LONG -DPYRO_NO_KWARGS -DPYRO_NO_INTROSPECTION"
LEAN="$LEAN -DPYRO_NO_TEXTS -DPYRO_NO_LOG -DPYRO_NO_CHECKSUM"
LEAN="$LEAN -DPYRO_NO_GATHER -DPYRO_NO_STATS -DPYRO_NO_URI_FORMS"
LEAN="$LEAN -DPYRO_NO_PIPE -DPYRO_NO_PYRO5"

# What calls and names can do without; events not without all of it.
LEAST="-DPYRO_NO_URI -DPYRO_NO_ASYNC -DPYRO_NO_CONFIG -DPYRO_NO_DENIALS"
LEAST="$LEAST -DPYRO_NO_ONEWAY -DPYRO_NO_SENT -DPYRO_NO_IDS -DPYRO_NO_ANY"
LEAST="$LEAST -DPYRO_NO_UTF8 -DPYRO_POLL_ACCEPTS=1"

# And the smallest one, without what names and events are built on.
LEANEST="$LEAN $LEAST -DPYRO_NO_HOOKS -DPYRO_NO_ELEMENTS"

# With the small build, of the names: a name server in firmware, which forgets,
# and a locator that asks by broadcast.
NS_LEAN="$LEAST -DPYRO_NS_NO_STORAGE -DPYRO_NS_NO_GROUPS"
NS_LEAN="$NS_LEAN -DPYRO_NS_MAX_META=0 -DPYRO_NS_TRIED_BYTES=0"

# And on a board: with one network and names that stay.
NS_BOARD="$NS_LEAN -DPYRO_NS_NO_CONFIG -DPYRO_NS_NO_LEASES -DPYRO_NS_NO_NETS"

# Of the events: every subscriber has a connection, and no flags.
ES_LEAN="-DPYRO_NO_URI -DPYRO_NO_CONFIG -DPYRO_NO_DENIALS -DPYRO_NO_IDS"
ES_LEAN="$ES_LEAN -DPYRO_NO_ANY -DPYRO_NO_UTF8 -DPYRO_POLL_ACCEPTS=1"
ES_LEAN="$ES_LEAN -DPYRO_ES_NO_REGEX -DPYRO_ES_NO_FLAGS"

CC=${CC:-cc}

# Prints the comment at the top of the script that was started, and ends it.
help() {
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
}

say() { printf '%s\n' "$*"; }

die() {
    printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2
    exit 1
}

# python_with MODULE...: the first Python here that has all of these.
python_with() {
    for python in python3 /usr/bin/python3; do
        "$python" -c "import $(say "$*" | tr ' ' ,)" 2>/dev/null || continue
        say "$python"
        return 0
    done
    return 1
}
