#!/bin/sh
# SPDX-License-Identifier: MIT
# What a T5 has learnt of the edits after 16,384 pairs, by the form of its answers and by the optimizer:
# a row a training, five seeds of each, in the file CSV (bench/learn.csv). Rows that it has are not
# trained again, so the script goes on where it was stopped. In the end it prints the medians.
#
#   sh bench/learn.sh [CSV]           20 trainings of about half a minute, two at a time
set -u
cd "$(dirname "$0")/.." || exit 1
csv=${1:-bench/learn.csv}
phoenix=${PHOENIX:-build/phoenix}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
[ -f "$csv" ] || echo "form,optimizer,rate,seed,distance,one_edit,legal,total_variation" >"$csv"

# train FORM OPTIMIZER RATE SEED: prints the row. Shares are of 256 samples.
train() {
    "$phoenix" train --out "$work/$1-$2-$4" --form "$1" --optimizer "$2" --rate "$3" --seed "$4" \
        --d-model 64 --threads 1 --fidelity 32 >"$work/$1-$2-$4.out" 2>&1 || return 1
    tr '\r' '\n' <"$work/$1-$2-$4.out" | awk -f bench/learnt.awk |
        awk -v row="$1,$2,$3,$4" '{printf "%s,%s,%s,%s,%s\n", row, $3, $5 / 100, $6 / 100, $7}'
}

for seed in 1 2 3 4 5; do
    for arm in "whole adamw 5e-4" "whole adamw_scaled 0.02" "edit adamw 5e-4" "edit adamw_scaled 0.02"; do
        # shellcheck disable=SC2086
        set -- $arm
        grep -q "^$1,$2,$3,$seed," "$csv" && continue
        while [ "$(find "$work" -name '*.running' | wc -l)" -ge 2 ]; do sleep 1; done
        touch "$work/$1-$2-$seed.running"
        {
            train "$1" "$2" "$3" "$seed" >"$work/$1-$2-$seed.row" && cat "$work/$1-$2-$seed.row" >>"$csv"
            rm "$work/$1-$2-$seed.running"
        } &
    done
done
wait

# Of the five seeds of each arm the median, the least and the most; shares in percent.
echo "form, optimizer, rate: distance, one edit %, legal %, total variation"
for arm in whole,adamw,5e-4 whole,adamw_scaled,0.02 edit,adamw,5e-4 edit,adamw_scaled,0.02; do
    for column in 5 6 7 8; do
        grep "^$arm," "$csv" | cut -d , -f $column | LC_ALL=C sort -n | awk -v c=$column '
            {value[NR] = $1 * (c == 6 || c == 7 ? 100 : 1)}
            END {
                form = c == 6 || c == 7 ? " %.1f (%.1f to %.1f)" : " %.2f (%.2f to %.2f)"
                printf form, value[int((NR + 1) / 2)], value[1], value[NR]
            }'
    done | sed "s/^/$arm:/"
    echo
done
