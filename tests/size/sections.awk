# Adds up what the linker kept, by section of a header: those that stand in it
# as ">>name". Reads the header, then lines of linker section and bytes.
FNR == NR {
    if ($0 ~ /^ \* >>/) {
        section = $2
        gsub(/[>:]/, "", section)
    } else if ($0 ~ /^[a-zA-Z]/ && match($0, /pyroi?_[a-z0-9_]+ ?[[(=]/)) {
        name = substr($0, RSTART, RLENGTH)
        sub(/ ?[[(=]$/, "", name)
        of[name] = section
    }
    next
}

{
    name = $1
    sub(/^[.][a-z]+[.]/, "", name)
    sub(/[.].*/, "", name)
    n[name in of ? of[name] : "constants"] += $2
}

END {
    for (section in n)
        print section, n[section]
}
