#!/bin/sh
# SPDX-License-Identifier: MIT
# whole commands whose arguments, or the bytes of whose files, were changed at random
#
#   PHOENIX=FILE   the program, built with the address and undefined-behaviour sanitizers
#   COMMANDS=N     so many of them (100), from number FIRST (0) on; tests/torture/commands.c
#   LOG=FILE       gets a line: date, commit, what, how many, failed
: "${COMMANDS:=100}" "${FIRST:=0}" "${LOG:=}" "${PHOENIX:=$PWD/build/phoenix}"
set -u
cd "$(dirname "$0")/../.." || exit 1
commit=$(git -C "${tree:-.}" rev-parse --short HEAD 2>/dev/null || echo unknown)
case $LOG in
"" | /*) ;;
*) LOG=$PWD/$LOG ;;
esac
work=$(mktemp -d "${TMPDIR:-/tmp}/phoenix-commands-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cc -std=c11 -D_POSIX_C_SOURCE=200809L -O1 -I. -o "$work/commands" tests/torture/commands.c base/*.c -lm || exit 1
mkdir "$work/ready" && cd "$work/ready" || exit 1

# ---- what the commands read ----

t5="--d-model 16 --few-shot 8 --sandbox limits"
{
    printf 'n,c,y\n' && yes -- '1,red,0' | head -n 9 && yes -- '2.5,green,1' | head -n 9
} >rows.csv
i=0
while [ $i -lt 30 ]; do
    i=$((i + 1))
    printf '{"source":"a%s","target":"b%s"}\n' $i $i
done >pairs.jsonl
for class in one two; do
    mkdir -p pictures/$class
    for i in 1 2 3 4; do
        echo "P2 4 4 9 0 9 0 9 $i 9 0 9 0 9 0 9 0 9 0 $i" >pictures/$class/$i.pgm
    done
done
echo "P2 14 14 16 $(seq -s ' ' 196 | sed 's/[0-9]*\([0-9]\)/\1/g')" >picture.pgm
# shellcheck disable=SC2086
for command in "train --out t5 --d-model 16 --held-out 4 --max-tokens 16 --samples 16 --fidelity 1" \
    "train --out network --task digits --final-epochs 1" \
    "train --out rows --data rows.csv --task table --label y --final-epochs 1" \
    "evolve --run done --quiet $t5 --held-out 4 --max-tokens 16 --samples 16 --fidelity 1 --episodes 1 --batches 1
        --fresh-seeds 1 --final-times 1 --proposer rules --candidates 2" \
    "experience done --out e.csv"; do
    "$PHOENIX" $command >log 2>&1 || cat log
done
rm -f log
cp done/source.c t5.c
cp network/model/source.c network.c
cp -R ./done other

cat >"$work/list" <<END
refine --count 2
refine --count 1 --scope all --seed 3 --first 5
generate t5/model --count 1 --max-tokens 4
generate t5/model t5.c --count 1 --max-tokens 4 --beams 2 --diff
trace t5/model --pair 3
predict network/model picture.pgm --json
predict rows/model rows.csv
export network/model --out net.c
export t5/model --out t5.out.c
export network/model --onnx net.onnx
evaluate t5.c $t5
evaluate t5.c $t5 --plan
evaluate network.c --task digits --images 16 --held-images 16 --sandbox limits
train --out new --pairs pairs.jsonl --final-epochs 1 --d-model 16
train --out new --data rows.csv --task table --label y --final-epochs 1
train t5.c --out t5 --d-model 16 --samples 8 --held-out 2 --fidelity 1
train --out new --task images --data pictures --size 8 --final-epochs 1
compare done --against other --csv c.csv
report done --out page.html
report done other --out pages/both.html --figures
why done last
why done 0.0.0
diff done default last
verify done --files
verify t5/model --lines
experience done other --out more.csv
evolve --run done --resume --quiet
evolve --run other --resume --episodes 1 --quiet
evolve --run new --quiet $t5 --held-out 2 --max-tokens 8 --samples 8 --fidelity 1 --episodes 1 --batches 1 --fresh-seeds 0 --proposer rules --candidates 1
help evolve
END

# ---- and they ----

export ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1:max_allocation_size_mb=1024:log_path=$work/sanitizer"
export UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1:log_path=$work/sanitizer"
"$work/commands" "$PHOENIX" "$work/ready" "$work/list" "$work" "$FIRST" "$COMMANDS" >"$work/log"
cat "$work/log"
[ -z "$LOG" ] || {
    # shellcheck disable=SC2046
    set -- $(tail -n 1 "$work/log")
    echo "$(date -u +%Y-%m-%d),$commit,mutated commands,$COMMANDS,$3" >>"$LOG"
}
tail -n 1 "$work/log" | grep -q ' 0 failed'
