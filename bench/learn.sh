#!/bin/sh
# SPDX-License-Identifier: MIT
# What a T5 has learnt of the edits after 16,384 pairs, by the form of its answers, the optimizer, its first weights and its
# width: a row a training, five seeds of each, in the file CSV (bench/learn.csv). Rows that it has are not
# trained again, so the script goes on where it was stopped. In the end it prints the medians.
#
#   sh bench/learn.sh [CSV]           35 trainings of half a minute to a minute of a core, two at a time (ARMS: fewer)
set -u
cd "$(dirname "$0")/.." || exit 1
csv=${1:-bench/learn.csv}
phoenix=${PHOENIX:-build/phoenix}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
[ -f "$csv" ] || echo "form,optimizer,rate,first_weights,d_model,seed,distance,one_edit,legal,total_variation" >"$csv"
: "${ARMS:=whole,adamw,5e-4,independent,64 whole,adamw_scaled,0.02,independent,64 whole,adamw_scaled,0.02,comparing,64
    whole,adamw_scaled,0.02,comparing,128 edit,adamw,5e-4,independent,64 edit,adamw_scaled,0.02,independent,64
    edit,adamw_scaled,0.02,comparing,64}"

# train ARM SEED: prints the row. Shares are of 256 samples.
train() {
    echo "$1" | tr , ' ' >"$work/$1-$2.arm"
    read -r form optimizer rate weights width <"$work/$1-$2.arm"
    "$phoenix" train --out "$work/$1-$2" --form "$form" --optimizer "$optimizer" --rate "$rate" \
        --first-weights "$weights" --d-model "$width" --seed "$2" --threads 1 --fidelity 32 \
        >"$work/$1-$2.out" 2>&1 || return 1
    tr '\r' '\n' <"$work/$1-$2.out" | awk -f bench/learnt.awk |
        awk -v row="$1,$2" '{printf "%s,%s,%s,%s,%s\n", row, $3, $5 / 100, $6 / 100, $7}'
}

for seed in 1 2 3 4 5; do
    for arm in $ARMS; do
        grep -q "^$arm,$seed," "$csv" && continue
        while [ "$(find "$work" -name '*.running' | wc -l)" -ge 2 ]; do sleep 1; done
        touch "$work/$arm-$seed.running"
        {
            train "$arm" "$seed" >"$work/$arm-$seed.row" && cat "$work/$arm-$seed.row" >>"$csv"
            rm "$work/$arm-$seed.running"
        } &
    done
done
wait

# Of the five seeds of each arm the median, the least and the most; shares in percent.
echo "form, optimizer, rate, first weights, d_model: distance, one edit %, legal %, total variation"
for arm in $ARMS; do
    for column in 7 8 9 10; do
        grep "^$arm," "$csv" | cut -d , -f $column | LC_ALL=C sort -n | awk -v c=$column '
            {value[NR] = $1 * (c == 8 || c == 9 ? 100 : 1)}
            END {
                form = c == 8 || c == 9 ? " %.1f (%.1f to %.1f)" : " %.2f (%.2f to %.2f)"
                printf form, value[int((NR + 1) / 2)], value[1], value[NR]
            }'
    done | sed "s/^/$arm:/"
    echo
done
