# SPDX-License-Identifier: MIT
# For scripts that hold ways of searching against each other: they set `csv`, the file with a row a run, and `rows`, the
# script that makes a row of a run's folder, define run(), and read this.
phoenix=${PHOENIX:-build/phoenix}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# search FOLDER SEED OPTIONS...: 24 candidates on one core, which run() calls with the options of its task.
search() (
    folder=$1 seed=$2
    shift 2
    "$phoenix" evolve --run "$folder" --seed "$seed" --episodes 3 --batches 1 --jobs 1 --threads 1 --quiet "$@" \
        >"$folder.log" 2>&1 || { tail -n 1 "$folder.log" >&2; exit 1; }
)

# tree FOLDER: this program's own source as it was at a commit, so that rows which are made later are of the same corpus.
tree() {
    mkdir -p "$1"
    git archive 515c0ff base tensor nn t5 vision export refine evolve bin | tar x -C "$1"
}

# arm NAME TASK SEED OPTIONS...: a row of `run FOLDER TASK SEED OPTIONS...`, where there is none. SHOWN: the seed that the row
# has, if it is another. ARMS="rules,counts": no others.
arm() (
    case ",${ARMS:-$1}," in
    *",$1,"*) ;;
    *) exit 0 ;;
    esac
    ! grep -q "^$2,$1,${SHOWN:-$3}," "$csv" || exit 0
    name=$1 task=$2 seed=$3
    shift 3
    run "$work/run" "$task" "$seed" "$@" &&
        python3 "$rows" row "$work/run" "$task,$name,${SHOWN:-$seed}" >>"$csv"
    rm -rf "$work/run" "$work/run.log"
)
