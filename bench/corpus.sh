#!/bin/sh
# SPDX-License-Identifier: MIT
# What pre-training on a corpus of C changes in what a T5 has learnt of the edits after so many pairs: with it, without it,
# and without it but with so many pairs more that the operations are the same. A row a training in the file CSV
# (bench/corpus.csv); rows that it has are not made again, so the script goes on where it was stopped. The corpus `tree` is
# this program's own source as of a commit, `sources` are texts of the kind that is to be refined.
#
#   sh bench/corpus.sh [CSV]                     five seeds of both forms, two and a half minutes of a processor each
#   SEEDS="1 2" FORMS=edit CORPORA="none tree" sh bench/corpus.sh    fewer
#   python3 bench/corpus.py [CSV]                what may be said of them
#
# What a T5 with a corpus finds in runs: TASKS=corpus sh bench/experience.sh.
set -eu
cd "$(dirname "$0")/.."
csv=${1:-bench/corpus.csv}
. bench/arms.sh
sequences=2048
tree "$work/tree"
"$phoenix" refine --count 4096 --seed 1000 | awk '/^\/\* pair/ { on = 1; next } /^\/\* refined/ { on = 0 } on' >"$work/sources"
[ -f "$csv" ] || echo "form,corpus,pairs,control_of,seed,gflops,corpus_gflops,distance,parse,one_edit,legal,total_variation" >"$csv"

# train FORM CORPUS PAIRS CONTROL_OF SEED: adds the row. CONTROL_OF: the pairs of the training with a corpus that this one,
# without, has as many operations as; 0: none. Shares are of 256 samples.
train() {
    if grep -q "^$1,$2,[0-9]*,$4,$5," "$csv" && [ "$4" != 0 ]; then return; fi
    if grep -q "^$1,$2,$3,$4,$5," "$csv"; then return; fi
    on=$2 row=$1,$2,$3,$4,$5
    set -- --form "$1" --samples "$3" --seed "$5" --d-model 64 --threads 1 --fidelity 32
    if [ "$on" != none ]; then set -- "$@" --corpus "$work/$on" --corpus-samples "$sequences"; fi
    "$phoenix" train --out "$work/out" "$@" --quiet >"$work/said" 2>&1
    rm -rf "$work/out"
    awk -f bench/learnt.awk "$work/said" >"$work/learnt"
    awk -v row="$row" '{
        printf "%s,%.1f,%.1f,%s,%s,%s,%s,%s\n", row, $1 / 1e9, $2 / 1e9, $3, $4 / 100, $5 / 100, $6 / 100, $7
    }' "$work/learnt" >>"$csv"
}

# As many pairs more as the corpus takes operations, by the rows that are there.
equal() {
    awk -F, -v form="$1" -v pairs="$2" -v seed="$3" '
        $1 == form && $3 == pairs && $4 == 0 && $5 == seed { if ($2 == "tree") tree = $6; if ($2 == "none") none = $6 }
        END { if (!tree || !none) exit 1; printf "%d", pairs * tree / none }' "$csv"
}

for seed in ${SEEDS:-1 2 3 4 5}; do
    for form in ${FORMS:-edit whole}; do
        list="512 2048"
        if [ "$form" = whole ]; then list=8192; fi
        for pairs in $list; do
            for corpus in ${CORPORA:-none tree control sources}; do
                case $corpus in
                none | tree) train "$form" "$corpus" "$pairs" 0 "$seed" ;;
                control)
                    more=$(equal "$form" "$pairs" "$seed")
                    train "$form" none "$more" "$pairs" "$seed"
                    ;;
                *) if [ "$pairs" != 512 ]; then train "$form" sources "$pairs" 0 "$seed"; fi ;;
                esac
            done
        done
    done
done
