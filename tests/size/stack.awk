# Reads what gcc -fcallgraph-info=su writes, prints for each public function
# the bytes of stack that it needs at most, all that it calls of the library
# included. A call through a pointer counts as the deepest of the library's own
# functions that stand behind one, but for those of a port, a config or a
# storage: they come on top, and so do handlers and callbacks.
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
    if (to != "__indirect_call" || !foreign(part[6]))
        calls[from] = calls[from] " " to
    called[to]
}

# Whether what is called at "file:line:column" is not the library's.
function foreign(where,    at, file, line, n) {
    split(where, at, ":")
    file = at[1]
    if (!(file in read)) {
        read[file]
        while ((getline line < file) > 0)
            source[file, ++n] = line
        close(file)
    }
    return source[file, at[2]] ~ /(port_?|config_?|first|st|codec)->[a-z_]+[(]/
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
    # Behind pointers: what nobody calls by its name, and the out-slots'.
    for (name in own)
        if (name ~ /^pyro_as_/ || (name !~ /^pyro_/ && !(name in called)))
            calls["__indirect_call"] = calls["__indirect_call"] " " name
    for (name in own)
        if (name ~ /^pyro_/)
            print name, deepest(name)
}
