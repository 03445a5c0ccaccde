# SPDX-License-Identifier: MIT
# rows.awk -- 2000 rows of colour, weight and length, and what follows from them by a law with noise: a kind, or y.
#
#     awk -v kind=1 -f tests/vision/rows.awk >kinds.csv
#
# The numbers are drawn as in docs/identifiers.awk.
function uniform() {
    state = state * 16807 % 2147483647
    return state / 2147483647
}

BEGIN {
    state = 1
    split("red green blue", colours, " ")
    print "colour,weight,length," (kind ? "kind" : "y")
    for (row = 0; row < 2000; row++) {
        colour = 1 + int(3 * uniform())
        weight = 10 * uniform()
        size = 5 * uniform()
        y = weight + (colour == 1 ? 2 * size : colour == 2 ? -size : 3) + 0.5 * (uniform() + uniform() - 1)
        missing = uniform() < 0.05
        printf "%s,%.2f,%s,", colours[colour], weight, missing ? "" : sprintf("%.2f", size)
        if (kind)
            print y < 4 ? "low" : y < 9 ? "middle" : "high"
        else
            printf "%.3f\n", y
    }
}
