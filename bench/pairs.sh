#!/bin/sh
# SPDX-License-Identifier: MIT
# How much a T5 that programs itself for pairs of text (docs/pairs.md) gains by it: five searches, a row each in the
# file CSV (bench/pairs.csv). Rows that it has are not made again, and a search that was stopped goes on in its folder
# below RUNS, so the script goes on where it was.
#
#   sh bench/pairs.sh RUNS [CSV]      five searches of about five minutes of a processor
set -eu
mkdir -p "$1"
runs=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
csv=${2:-bench/pairs.csv}
phoenix=${PHOENIX:-build/phoenix}
[ -f "$csv" ] || echo "seed,default,default_spread,last,last_spread,gain,gain_low,gain_high,default_losses,last_losses" >"$csv"
[ -f "$runs/few.jsonl" ] || awk -v count=3000 -f docs/identifiers.awk >"$runs/few.jsonl"

for seed in 1 2 3 4 5; do
    if grep -q "^$seed," "$csv"; then continue; fi
    run=$runs/$seed
    if [ -f "$run/manifest.json" ]; then
        set -- --resume
    else
        rm -rf "$run"
        set -- --pairs "$runs/few.jsonl" --proposer rules --scope all --episodes 4 --batches 1 --candidates 8 \
            --fresh-seeds 5 --final-epochs 4 --vocabulary 259 --seed "$seed"
    fi
    [ -f "$run/summary.txt" ] || "$phoenix" evolve --run "$run" "$@" --jobs 1 --threads 1 --quiet >"$run.log" 2>&1
    awk -v seed="$seed" '
        /^ *(default|first) source .* \+- / { first = $3 "," $5; $1 = $2 = $3 = $4 = $5 = ""; firsts = $0 }
        /^ *last source .* \+- / { last = $3 "," $5; $1 = $2 = $3 = $4 = $5 = ""; lasts = $0 }
        /^ *gain / { gsub(/[][,]/, " "); gain = $2 "," $3 "," $4 }
        END {
            gsub(/[()]|^ +/, "", firsts)
            gsub(/[()]|^ +/, "", lasts)
            if (gain == "")
                exit 1
            print seed "," first "," last "," gain "," firsts "," lasts
        }' "$run/summary.txt" >"$run.row"
    cat "$run.row" >>"$csv"
done
