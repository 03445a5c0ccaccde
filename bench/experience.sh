#!/bin/sh
# SPDX-License-Identifier: MIT
# Proposers held against each other in whole runs, pair by pair of seeds, and the experience that one of them
# has. Three small tasks: the digits of the tree (networks), T5s of d_model 32, and their whole programs.
#
#   sh bench/experience.sh learn [OUT]   runs with seeds from 1001 on make the file OUT (evolve/search/experience.csv)
#   sh bench/experience.sh [CSV]         runs with seeds 1 .. 20, a row each in CSV (bench/proposers.csv).
#                                        Rows that it has are not run again, so it goes on where it was stopped
#   python3 bench/experience.py CSV      what may be said of them
#
# SEEDS="1 2 3" and TASKS="digits self" do fewer; TASKS=t5: the arms of `self` in which a T5 writes, a minute of one core
# a run; TASKS=corpus: the first of them again, pre-trained on this program's own source (bench/corpus.sh), twice as long.
# The others take some seconds, those of `programs` half a minute. ARMS="rules,counts" does fewer arms.
set -u
cd "$(dirname "$0")/.." || exit 1
rows=bench/experience.py
. bench/arms.sh

# run FOLDER TASK SEED OPTIONS...: at the end both sources are trained in full on fresh data.
run() (
    folder=$1 task=$2 seed=$3
    shift 3
    case $task in
    digits) set -- --task digits --images 800 --final-epochs 4 "$@" ;;
    self) set -- --d-model 32 --few-shot 128 --held-out 64 "$@" ;;
    programs) set -- --scope all --d-model 32 --few-shot 128 --held-out 64 "$@" ;;
    esac
    search "$folder" "$seed" --fresh-seeds 1 "$@"
)

if [ "${1:-}" = learn ]; then
    for task in ${TASKS:-digits self programs}; do
        for seed in ${SEEDS:-1001 1002 1003 1004 1005}; do
            run "$work/$task-$seed" "$task" "$seed" --proposer edits || exit 1
        done
    done
    "$phoenix" experience "$work"/*-*[0-9] --out "${2:-evolve/search/experience.csv}"
    exit
fi

csv=${1:-bench/proposers.csv}
[ -f "$csv" ] || echo "task,arm,seed,first,last,full_first,full_last,gflops,curve" >"$csv"

# both SEED: the arms in which a T5 writes.
both() {
    arm "T5" self "$1" --proposer t5
    arm "T5 tilted" self "$1" --proposer tilted --experience evolve/search/experience.csv
    arm "T5 taught" self "$1" --proposer taught --experience evolve/search/experience.csv
    arm "T5 winners" self "$1" --proposer winners
    arm "T5 actor" self "$1" --proposer actor --experience evolve/search/experience.csv
}

# corpus SEED: 1024 sequences before each of a run's trainings.
corpus() {
    [ -d "$work/tree" ] || tree "$work/tree"
    arm "T5 with a corpus" self "$1" --proposer t5 --corpus "$work/tree" --corpus-samples 1024
}

# others TASK SEED: the arm "rules again" has the seed + 2000, so that nothing of it is the same but the task.
others() {
    arm "rules" "$1" "$2" --proposer rules
    SHOWN=$2 arm "rules again" "$1" $(($2 + 2000)) --proposer rules
    arm "rules 1+ edits" "$1" "$2" --proposer edits
    arm "ageing" "$1" "$2" --proposer rules --strategy ageing --population 8 --sample 2
    arm "counts" "$1" "$2" --proposer counts --experience none
    arm "counts with experience" "$1" "$2" --proposer counts --experience evolve/search/experience.csv
    arm "critic" "$1" "$2" --proposer critic --experience none
    arm "critic with experience" "$1" "$2" --proposer critic --experience evolve/search/experience.csv
}

for task in ${TASKS:-digits self programs t5}; do
    for seed in ${SEEDS:-1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20}; do
        case $task in
        t5) both "$seed" ;;
        corpus) corpus "$seed" ;;
        *) others "$task" "$seed" ;;
        esac
    done
done
