# SPDX-License-Identifier: MIT
# Splits the results in JSON lines (a run's journal, or what `phoenix evaluate` prints) into aspects:
# one file each in the folder `out`. Values are copied byte for byte, without the names of their
# members and in an order of this file's own, so that a new member, or another order, changes
# nothing but the aspect "journal". What a line is shows in the members that it has.

# member[NAME]: the value of each member of the object in `line`, as it is written.
function read_members(line,    name, start, depth) {
    split("", member)
    line = substr(line, 2)
    while (match(line, /^,?"[^"]*":/)) {
        name = substr(line, 1, RLENGTH - 2)
        sub(/^,?"/, "", name)
        line = substr(line, RLENGTH + 1)
        start = line
        depth = 0
        do {
            if (match(line, /^"([^"\\]|\\.)*"/)) {
            } else if (match(line, /^[[{]/))
                depth++
            else if (match(line, /^[]}]/))
                depth--
            else if (depth > 0)
                match(line, /^[^]["{}]+/)
            else
                match(line, /^[^],}]+/)
            if (RLENGTH < 1) {
                print FILENAME ":" FNR ": no JSON object" >"/dev/stderr"
                exit 1
            }
            line = substr(line, RLENGTH + 1)
        } while (depth > 0)
        member[name] = substr(start, 1, length(start) - length(line))
    }
}

# put ASPECT NAMES: the values of those members, of those that are there, as a line of the aspect.
function put(aspect, names,    i, n, list, line) {
    n = split(names, list, " ")
    for (i = 1; i <= n; i++)
        if (list[i] in member)
            line = line (line == "" ? "" : " ") member[list[i]]
    print line >(out "/" aspect)
}

{
    read_members($0)
    if ("status" in member) { # a source, scored
        put("statuses", "status reused")
        put("reasons", "reason")
        put("scores", "score score_pair at_least at_least_pair pairs losses")
        put("flops", "parameters flops")
        put("peak_bytes", "peak_bytes")
    } else if ("texts" in member) { # candidates, written
        put("candidates", "texts")
        put("flops", "flops")
    } else if ("from" in member) # what the search asks for, and for the successors of which sources
        put("asked", "wish request share from")
    else if ("accepted" in member)
        put("selected", "accepted score source")
    else if ("weights" in member || "untrainable" in member) { # a training stage
        put("trained", "untrainable loss held_out fidelity")
        put("flops", "parameters steps flops")
    }
    line = $0
    sub(/,"peak_bytes":[0-9]+/, "", line)
    sub(/,"check":"[0-9a-f]+".*/, "}", line)
    print line >(out "/journal")
}
