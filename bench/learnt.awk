# SPDX-License-Identifier: MIT
# learnt.awk -- of what `phoenix train` says of a T5 that learns refinements: operations and those on a corpus (0: there is
# none), nats a pair above the floor, percentages of its samples that parse, make exactly one edit and a legal one, total
# variation from the true edits; on one line. Without the distance it was no such training: then nothing, and exit code 1.
/ operations, last loss/ { all = $5 }
/ of the training.s / { on_corpus = $1 }
$1 == "all" { distance = $NF }
/^of [0-9]* samples/ {
    parse = $4
    match($0, /valid, [0-9.]*/)
    one = substr($0, RSTART + 7, RLENGTH - 7)
}
/ a legal one, / { legal = $1 }
/total variation/ { variation = $NF }
END {
    if (distance == "" || all == "")
        exit 1
    print all, on_corpus + 0, distance, parse, one, legal, variation
}
