#!/bin/sh
# SPDX-License-Identifier: MIT
# What an ordinary day does to a run: closed descriptors, a second copy of the program, limits and blocked
# signals that it was started with. The bytes of an undisturbed run, or a refusal. The last line is the sum.
set -u
cd "$(dirname "$0")/.." || exit 1
tree=$PWD
build=${BUILD:-$PWD/build}
phoenix=$build/phoenix
work=$(mktemp -d "${TMPDIR:-/tmp}/phoenix-day-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1
passed=0 failed=0 skipped=0
# Under the sanitizers everything takes five times as long, and their frames are many times as large.
tries="1 2 3" stack=64 # KiB: what a thread of a small system has
! grep -q '^ALL_CFLAGS.*-fsanitize' "$build/rules.mk" || tries=1 stack=1024

# is WHAT GOT WANTED
is() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $1: $2, expected $3"
    fi
}

tiny="--proposer rules --d-model 16 --vocabulary 259 --episodes 1 --batches 1 --candidates 2 --few-shot 16
    --fresh-seeds 0 --jobs 1"

# evolve FOLDER ARGUMENTS...
evolve() {
    folder=$1
    shift
    # shellcheck disable=SC2086
    "$phoenix" evolve $tiny --run "$folder" "$@"
}
result() {
    sed 's/"seconds":[^,]*,//' "$1"
}
journal() {
    sha256sum <"$1/journal.jsonl"
}

evolve undisturbed >/dev/null 2>&1
is "an undisturbed run" $? 0
want=$(journal undisturbed)

# ---- descriptors that are closed: what is printed must not end in a file ----
evolve out >&- 2>err
is "standard output closed" "$? $(journal out)" "0 $want"
evolve error >out.txt 2>&-
is "standard error closed" "$? $(journal error)" "0 $want"
evolve both >&- 2>&-
is "both closed" "$? $(journal both)" "0 $want"
evolve all <&- >&- 2>&-
is "all three closed" "$? $(journal all)" "0 $want"
"$phoenix" evaluate undisturbed/source.c --d-model 16 --vocabulary 259 --few-shot 16 --sandbox limits <&- >with 2>err
"$phoenix" evaluate undisturbed/source.c --d-model 16 --vocabulary 259 --few-shot 16 --sandbox limits </dev/null >without 2>err
is "evaluate without standard input" "$(result with)" "$(result without)"

# ---- a launcher that keeps the first answer to a source and gives it to every later question ----
cat >keeps <<'END'
#!/bin/sh
cat >keeps.source
kept=keeps.$(sha256sum <keeps.source | cut -c 1-16)
[ -f "$kept" ] || "$@" <keeps.source >"$kept"
cat "$kept"
END
chmod +x keeps
evolve kept --elitism no --fresh-seeds 2 --launcher "$work/keeps" >out.txt 2>err
is "answers to other questions are not taken" "$? $(grep -c 'other settings or seed' err)" "1 1"

# ---- copies of the program at once ----
for try in $tries; do
    rm -rf runs
    for seed in 1 2 3; do
        (
            # shellcheck disable=SC2086
            "$phoenix" evolve $tiny --quiet --seed $seed >/dev/null 2>&1
            echo $? >"code.$seed"
        ) &
    done
    wait
    is "three seeds at once, try $try" "$(cat code.*  | tr '\n' ' ')$(ls runs | tr '\n' ' ')" "0 0 0 1 2 3 "
    for run in runs/*; do
        seeds=$(for file in manifest.json journal.jsonl; do
            grep -o '"seed":[0-9]*' "$run/$file" | head -n 1
        done | sort -u | wc -l)
        is "one seed in $run" "$seeds" 1
    done
done
for try in $tries; do
    rm -rf same
    for seed in 1 2; do
        (
            evolve same --quiet --seed $seed >/dev/null 2>&1
            echo $? >"code.$seed"
        ) &
    done
    wait
    is "the same folder twice, try $try" "$(cat code.1 code.2 | sort | tr '\n' ' ')" "0 1 "
    "$phoenix" verify same --files >/dev/null 2>&1
    is "the folder that two wanted" $? 0
done
for i in 1 2 3 4 5 6; do
    (
        "$phoenix" report undisturbed >/dev/null 2>&1
        echo $? >"code.$i"
    ) &
done
wait
is "six reports at once" "$(cat code.* | tr '\n' ' ')" "0 0 0 0 0 0 "
is "nothing is left beside them" "$(find undisturbed -name '*.tmp' | wc -l | tr -d ' ')" 0

# ---- a file that is none ----
mkfifo fifo
evolve waits --proposer counts --experience fifo >/dev/null 2>err &
waits=$!
# shellcheck disable=SC2016
timeout 60 sh -c 'exec 3>fifo && kill -TERM "$1"' sh $waits # who can open it knows that the other is there, and reads
wait $waits 2>err                                           # where the shell says how it ended
code=$?
[ -e waits ] && code="$code, and a folder"
is "the first signal ends who waits for a FIFO" "$code" 143
cp -r undisturbed piped
rm piped/source.c
mkfifo piped/source.c
"$phoenix" verify piped --files >out.txt 2>&1
is "verify of a FIFO among the files" "$? $(grep -c 'source.c: is no regular file' out.txt)" "1 1"

# ---- what is printed to be pasted, of a folder whose name a shell and a terminal act on ----
name="it's a
run"
evolve "$name" >out.txt 2>err
is "a run whose name has a line feed" "$? $(journal "$name")" "0 $want"
pasted() {
    eval "set -- $(sed -n "s/^.*$1 *//p" err)" || return
    shift # the program
    echo "$*"
}
is "what to paste of a run" "$(pasted 'why it was chosen')" "why $name last"
# shellcheck disable=SC2086
"$phoenix" evolve $tiny --run "$name-2" --few-shot 1000000 >out.txt 2>err &
waits=$!
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    ! grep -q started "$name-2/journal.jsonl" 2>out.txt || break
    sleep 1
done
kill -TERM $waits
wait $waits 2>out.txt
is "what to paste of an interrupted one" "$(pasted 'go on with:')" "evolve --run $name-2 --resume"
"$phoenix" train --task digits --final-epochs 1 --out "-$name" >err 2>out.txt
is "what to paste of a training" "$(pasted 'use it:')" "predict ./-$name FILE..."

# ---- flags that would change results stop the build ----
cd "$tree" || exit 1
: "${CC:=cc}"
compile() {
    $CC -std=c11 -D_POSIX_C_SOURCE=200809L -I. "$@" -c base/math.c -o "$work/math.o" 2>"$work/err"
}
for flag in -funsafe-math-optimizations -fassociative-math -freciprocal-math -fno-signed-zeros; do
    make BUILD="$work/flags" CC="$CC" CFLAGS="-O2 $flag" rules >"$work/err" 2>&1
    is "make with $flag" "$? $(grep -c 'same bits everywhere' "$work/err")" "2 1"
done
if compile -O2 -fsingle-precision-constant; then
    echo 'int a[sizeof(1.0) == sizeof(double) ? 1 : -1];' >"$work/constant.c"
    $CC -fsingle-precision-constant -c "$work/constant.c" -o "$work/math.o" 2>"$work/err"
    is "constants of a compiler that takes -fsingle-precision-constant" "$?" 0
else
    is "built with -fsingle-precision-constant" "$(grep -c -e 'are to be doubles' -e 'unknown' -e 'unrecognized' "$work/err" | sed 's/[1-9][0-9]*/said/')" said
fi
for flag in -Ofast -ffast-math "-O2 -ffinite-math-only"; do
    # shellcheck disable=SC2086
    if compile -O2 && echo 'int a;' | $CC $flag -dM -E -x c - 2>/dev/null | grep -q 'FINITE_MATH_ONLY__ 1'; then
        ! compile $flag
        is "built with $flag" "$? $(grep -c 'same bits everywhere' "$work/err" | sed 's/[1-9][0-9]*/said/')" "0 said"
    else
        echo "SKIPPED $flag: $CC does not have it"
        skipped=$((skipped + 1))
    fi
done
cd "$work" || exit 1

# ---- limits ----
cat >network.c <<'END_OF_SOURCE'
#include "phoenix.h"

network *model(void)
{
    network *net = network_new();
    flatten(net);
    int pixels = image_height();
    pixels *= image_width();
    linear(net, pixels, image_classes());
    return net;
}
END_OF_SOURCE
(
    ulimit -s $stack
    evolve shallow >/dev/null 2>err && : >err &&
        "$phoenix" evaluate network.c --task digits --layers >printed 2>err &&
        "$phoenix" compare --table "$tree/bench/table.csv" --seeds 2 --evaluations 4 >printed 2>err
)
is "a stack of $stack KiB" "$? $(cat err)" "0 "
is "the same run on it" "$(journal shallow)" "$want"
"$phoenix" train --task digits --final-epochs 1 --out net >/dev/null 2>&1
(
    ulimit -s $stack
    for form in --fold --int8; do
        "$phoenix" export net --out net.c --onnx net.onnx $form 2>&1 || exit 1
    done
) >said
is "an export on it" "$? $(grep -c 'bytes of weights' said)" "0 2"
(
    ulimit -f 1 # 512 bytes, or 1024
    evolve limited >/dev/null 2>err
)
is "a limit on the size of files" "$? $(grep -c 'File too large' err)" "1 1"
evolve limited --resume >/dev/null 2>&1 || evolve limited >/dev/null 2>&1
is "and then without it" "$(journal limited)" "$want"
(
    ulimit -t 1
    "$phoenix" train --out endless --samples 10000000 --held-out 8 --fidelity 0 >/dev/null 2>err
)
is "a second of processor time" "$? $(grep -c 'processor time.*used up' err)" "1 1"

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
