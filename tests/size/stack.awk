# Reads what gcc -fcallgraph-info=su writes, prints for each public function
# the bytes of stack that it needs at most, all that it calls of the library
# included: a call through a pointer counts as the deepest of the library's own
# functions that stand behind one. The port's functions, handlers and
# callbacks come on top, and what they call themselves.
/^node:/ {
    split($0, part, "\"")
    name = part[2]
    sub(/.*:/, "", name)
    if (match(part[4], /[0-9]+ bytes/))
        own[name] = substr(part[4], RSTART, RLENGTH) + 0
}

/^edge:/ {
    split($0, part, "\"")
    from = part[2]
    to = part[4]
    sub(/.*:/, "", from)
    sub(/.*:/, "", to)
    calls[from] = calls[from] " " to
}

# Deepest way down from a function. One that is on the way already is not gone
# into again: what nests there is a handler, and counted by level.
function deepest(name,    list, n, i, most, below) {
    if (name in known)
        return known[name]
    if (name in open)
        return 0
    open[name] = 1
    n = split(calls[name], list, " ")
    most = 0
    for (i = 1; i <= n; i++) {
        below = deepest(list[i])
        if (below > most)
            most = below
    }
    delete open[name]
    known[name] = own[name] + most
    return known[name]
}

END {
    # What poll calls through items, and values through slots and attributes.
    calls["__indirect_call"] = " pyroi_link_event pyroi_accept pyro_as_str"
    for (name in own)
        if (name ~ /^pyro_/)
            print deepest(name), name
}
