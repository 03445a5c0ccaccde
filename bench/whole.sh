#!/bin/sh
# SPDX-License-Identifier: MIT
# What it is worth that a T5 may rewrite train(), objective() and data() as well as model(): runs of --scope all beside runs of
# the papers' scope of the same width, pairs of the T5's training and number of evaluations. A row a seed in the file CSV
# (bench/whole.csv); rows that it has are not made again. Scores are held-out losses after training in full on fresh pairs of
# whole programs, three fresh seeds each, as a run of --scope all compares its own first and last source.
#
#   sh bench/whole.sh [CSV]        five seeds, some 20 minutes of a processor each
#   SEEDS="1 2" sh bench/whole.sh  fewer
#   KEEP=FOLDER                    keeps the runs there: what was accepted is then phoenix diff RUN default last
set -eu
cd "$(dirname "$0")/.."
csv=${1:-bench/whole.csv}
rows=
. bench/arms.sh
runs=${KEEP:-$work}
[ -f "$csv" ] || echo "seed,default,deviation,architecture,deviation,all,deviation,seconds of all,processor seconds of all" >"$csv"

# spread NUMBER...: their mean and standard deviation.
spread() {
    echo "$@" | awk '{
        for (i = 1; i <= NF; i++) sum += $i
        for (i = 1; i <= NF; i++) squares += ($i - sum / NF) ^ 2
        printf "%.4f,%.4f", sum / NF, sqrt(squares / (NF - 1))
    }'
}

# own NAME SUMMARY: a line of the summary's comparison, "NAME source 0.5386 +- 0.0140", as two columns.
own() {
    sed -n "s/^ *$1 source *\([0-9.]*\) +- \([0-9.]*\).*/\1,\2/p" "$2"
}

# evolve OPTIONS...: a run; where it fails, its last line.
evolve() {
    "$phoenix" evolve --preset quick --seed "$seed" --quiet "$@" >"$work/log" 2>&1 || { tail -n 1 "$work/log" >&2; exit 1; }
}

for seed in ${SEEDS:-1 2 3 4 5}; do
    ! grep -q "^$seed," "$csv" || continue
    began=$(date +%s)
    (
        evolve --scope all --run "$runs/all-$seed"
        times
    ) >"$work/times"
    seconds=$(($(date +%s) - began))
    processor=$(awk 'NR == 2 { split($1, user, /[ms]/); split($2, kernel, /[ms]/)
        printf "%.0f", 60 * (user[1] + kernel[1]) + user[2] + kernel[2] }' "$work/times")
    evolve --scope architecture --run "$runs/architecture-$seed" --samples 30720 --batch 4 --few-shot 512 --fresh-seeds 0
    scores=
    for i in 0 1 2; do
        scores="$scores $("$phoenix" evaluate "$runs/architecture-$seed/source.c" --scope all --preset quick --few-shot 1024 \
            --seed $((1000 * seed + 1000 + i)) --data-seed "$seed" --first-pair 2199023255552 --max-flops 1e18 \
            --deadline 36000 | sed 's/.*"score":\([0-9.]*\).*/\1/')"
    done
    # shellcheck disable=SC2086
    echo "$seed,$(own default "$runs/all-$seed/summary.txt"),$(spread $scores),$(own last "$runs/all-$seed/summary.txt"),$seconds,$processor" >>"$csv"
    tail -n 1 "$csv"
done
