#!/bin/sh
# SPDX-License-Identifier: MIT
# Tasks left out one at a time: what outcomes of the six others are worth to a search of the seventh.
#
#   sh bench/transfer.sh [CSV]       a row a run in CSV (bench/transfer.csv); what each task taught is kept in EXPERIENCE
#                                    (build/transfer). Rows and files that are there are not made again, so it goes on
#                                    where it was stopped
#   python3 bench/transfer.py CSV [EXPERIENCE]    what may be said of them
#
# Runs with seeds from 1001 on teach (LESSONS="1001 1002"), those with seeds 1, 2, ... (SEEDS="1 2") show what it is worth;
# TASKS="data all" leaves those two out alone, each from what the other taught. 24 candidates a run; 5 to 60 seconds of one
# core each, ten minutes for a seed of all.
set -u
cd "$(dirname "$0")/.." || exit 1
kept=${EXPERIENCE:-build/transfer} csv=${1:-bench/transfer.csv} rows=bench/transfer.py
all=${TASKS:-digits deploy self data all learning objective}
. bench/arms.sh
mkdir -p "$kept"
[ -f "$csv" ] || echo "task,arm,seed,curve" >"$csv"

# run FOLDER TASK SEED OPTIONS...
run() (
    folder=$1 task=$2 seed=$3
    shift 3
    case $task in
    digits) set -- --task digits --images 800 --final-epochs 1 "$@" ;;
    deploy) set -- --task digits --scope deploy --images 800 --final-epochs 1 "$@" ;;
    self) set -- --d-model 32 --few-shot 128 --held-out 64 "$@" ;;
    *) set -- --scope "$task" --d-model 32 --few-shot 128 --held-out 64 "$@" ;;
    esac
    search "$folder" "$seed" --fresh-seeds 0 "$@"
)

for task in $all; do
    [ -f "$kept/$task.csv" ] && continue
    for seed in ${LESSONS:-1001 1002 1003}; do
        run "$work/$task-$seed" "$task" "$seed" --proposer edits || exit 1
    done
    "$phoenix" experience "$work/$task"-*[0-9] --out "$kept/$task.csv" || exit 1
done

# others TASK: a file with the outcomes of all tasks but this one.
others() {
    head -n 1 "$kept/$1.csv"
    for task in $all; do
        [ "$task" = "$1" ] || tail -n +2 "$kept/$task.csv"
    done | LC_ALL=C sort -u
}

for seed in ${SEEDS:-1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20}; do
    for task in $all; do
        (others "$task") >"$work/others.csv"
        arm "rules" "$task" "$seed" --proposer rules
        arm "counts" "$task" "$seed" --proposer counts --experience none
        arm "counts of the others" "$task" "$seed" --proposer counts --experience "$work/others.csv"
    done
done
