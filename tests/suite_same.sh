#!/bin/sh
# SPDX-License-Identifier: MIT
# the same results: twenty small runs against the hashes of tests/same/expected.txt
#
#   sh tests/suite_same.sh            with build/phoenix, or the program that PHOENIX names
#   sh tests/suite_same.sh --write    writes expected.txt anew: a change of results is to be named
#   sh tests/suite_same.sh RUN...     only those runs (tables reads what bound and rules leave)
#   KEEP=FOLDER sh tests/suite_same.sh    leaves in FOLDER/RUN/ what is hashed: of two programs'
#                                         folders `diff -r` shows what is not the same
#
# A line of expected.txt is a run, an aspect of its results, and the first 16 digits of a SHA-256.
# Aspects: files of models (weights, config, tokenizer), losses (losses.csv), sources (source.c), what
# aspects.awk takes out of journals, and texts that the command prints. Four aspects are about a
# format as well: `journal` (the whole of it, without its seals and peak_bytes), `summary`, `printed`
# and `csv`. A line of theirs may change for a reason that the commit gives. The others are results.
set -u
cd "$(dirname "$0")/.." || exit 1
here=$PWD/tests/same
phoenix=${PHOENIX:-$PWD/build/phoenix}
case $phoenix in
/*) ;;
*) phoenix=$PWD/$phoenix ;;
esac
digits=$PWD/vision/digits
table=$PWD/bench/table.csv
LC_ALL=C
export LC_ALL
write=
if [ "${1:-}" = --write ]; then
    write=yes
    shift
fi
only=" $* "
if [ ! -x "$phoenix" ] || ! command -v sha256sum >/dev/null 2>&1; then
    echo "FAILED: $phoenix, or sha256sum, is not here"
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/phoenix-same-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$work/kept"
cd "$work" || exit 1
passed=0 failed=0 skipped=0

fail() {
    echo "FAILED $*"
    failed=$((failed + 1))
}

# wanted RUN: whether it is to be done; then what it leaves goes to $kept.
wanted() {
    case $only in
    *" $1 "* | "  ")
        name=$1 kept=$work/kept/$1
        mkdir "$kept"
        return 0
        ;;
    esac
    return 1
}

# hashes FOLDER FILE...: the SHA-256 of each file that is there, with its name in the folder.
hashes() (
    cd "$1" || exit 1
    shift
    for file in "$@"; do
        [ ! -f "$file" ] || sha256sum "$file"
    done
)

# results FOLDER: the aspects of a run's folder.
results() {
    awk -v out="$kept" -f "$here/aspects.awk" "$1/journal.jsonl" || fail "$name: no whole journal"
    for one in weights:model/model.safetensors config:model/config.json \
        tokenizer:model/tokenizer.json losses:losses.csv sources:source.c; do
        hashes "$1" episode-0/"${one#*:}" episode-1/"${one#*:}" >"$kept/${one%%:*}"
        [ -s "$kept/${one%%:*}" ] || rm "$kept/${one%%:*}"
    done
    hashes "$1" source.c >>"$kept/sources"
    [ ! -f "$1/summary.txt" ] || cp "$1/summary.txt" "$kept/summary"
}

# printed COMMAND...: what the program prints, with its exit code.
printed() {
    "$phoenix" "$@" 2>>"$name.log"
    echo "exit code $?"
}

common="--quiet --deadline 100000 --fresh-seeds 1"
# Sources of the papers' seven lines, and longer ones; and where a T5 is trained to write them.
short="$common --d-model 32 --few-shot 32"
long="$common --d-model 32 --few-shot 16 --batch 4 --vocabulary 1024 --rate 0.01"
short_t5="$short --proposer t5 --held-out 8 --fidelity 1"
long_t5="$long --proposer t5 --held-out 8 --fidelity 0"

# evolve OPTIONS...: a whole run.
evolve() {
    "$phoenix" evolve --run "$name" "$@" >"$name.log" 2>&1 || {
        fail "$name: $(tail -n 1 "$name.log")"
        return
    }
    results "$name"
}

events() {
    [ -f "$1/journal.jsonl" ] && wc -l <"$1/journal.jsonl" || echo 0
}

# disturbed SIGNAL TEST OPTIONS...: starts the run, or goes on with it, and sends it the signal as
# soon as the test holds.
disturbed() {
    signal=$1 moment=$2
    shift 2
    [ ! -f "$name/manifest.json" ] || set -- --resume --quiet
    "$phoenix" evolve --run "$name" "$@" >>"$name.log" 2>&1 &
    driver=$!
    until eval "$moment"; do
        if ! kill -0 $driver 2>/dev/null; then
            echo "SKIPPED $name: ended before: $moment"
            skipped=$((skipped + 1))
            break
        fi
        sleep 0.02
    done
    kill -s "$signal" $driver 2>/dev/null
    wait $driver 2>/dev/null
}

# ---- T5s: three proposers, the scopes ----

# shellcheck disable=SC2086
{
    wanted greedy && evolve $short_t5 --rate 0.01 --warmup 10 --samples 1024 --top-p 0.98 \
        --episodes 1 --batches 2 --candidates 4
    bound="$short_t5 --few-shot 64 --constrained yes --early-stop yes --rate 0.005 --samples 256 --episodes 2
        --batches 2 --candidates 4"
    wanted bound && evolve $bound
    wanted rules && evolve $short --few-shot 64 --batch 4 --proposer rules --early-stop yes \
        --rate 0.005 --episodes 2 --batches 2 --candidates 5
    wanted anew && evolve $short --proposer rules --reuse no --elitism no --half-for-d-ff yes \
        --clamp no --seed 2 --optimizer adafactor --schedule cosine --warmup 1 --smoothing 0.1 \
        --episodes 1 --batches 2 --candidates 4
    wanted untrained && evolve $short --proposer untrained --constrained yes --data-seed 7 \
        --episodes 2 --batches 1 --candidates 4
    learning="$long_t5 --scope learning --constrained yes --samples 64 --episodes 2 --batches 1
        --candidates 4"
    wanted learning && evolve $learning
    wanted objective && evolve $long --scope objective --proposer rules --early-stop yes \
        --episodes 2 --batches 1 --candidates 6
    wanted data && evolve $long --scope data --proposer untrained --constrained yes --episodes 2 \
        --batches 1 --candidates 3
    wanted all && evolve $long_t5 --scope all --constrained yes --samples 64 --episodes 2 \
        --batches 1 --candidates 4
    wanted native && evolve $long --scope all --proposer rules --early-stop yes --seed 3 \
        --executor native --episodes 2 --batches 1 --candidates 4
}

# ---- strategies ----

# shellcheck disable=SC2086
{
    wanted genetic && evolve $short_t5 --strategy genetic --population 4 --rate 0.01 \
        --constrained yes --samples 128 --episodes 2 --batches 2 --candidates 4
    wanted halving && evolve $short --strategy halving --rate 0.01 --episodes 1 \
        --batches 4 --candidates 6
    wanted ageing && evolve $short --strategy ageing --proposer rules --population 3 --sample 2 \
        --rate 0.01 --episodes 2 --batches 2 --candidates 4
}

# ---- images ----

# shellcheck disable=SC2086
{
    wanted digits && evolve $common --proposer t5 --held-out 8 --d-model 32 --batch 4 --vocabulary 1024 \
        --fidelity 0 --rate 0.01 --task digits --constrained yes --samples 64 --images 64 \
        --held-images 64 --episodes 2 --batches 1 --candidates 4 --final-epochs 1
    if wanted images; then
        mkdir idx cifar
        cp "$digits"/*.gz idx
        gunzip idx/train-*.gz
        evolve $common --task images --data idx --proposer rules --images 64 --held-images 64 \
            --flip yes --episodes 1 --batches 2 --candidates 4 --final-epochs 1
        # The same bytes as 20 images of CIFAR-10's shape: what they show does not matter here.
        for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do
            printf '%b' "\\000$((i % 5))"
            dd if=idx/train-images-idx3-ubyte bs=3072 skip=$i count=1 2>/dev/null
        done >cifar/data_batch_1.bin
        cp cifar/data_batch_1.bin cifar/test_batch.bin
        cat >network.c <<'END_OF_SOURCE'
#include "phoenix.h"

network *model(void)
{
    network *net = network_new();
    int c = conv2d(net, image_channels(), 8, 3, 1, 1);
    batch_norm2d(net, c);
    relu(net);
    max_pool2d(net, 2, 2);
    flatten(net);
    linear(net, c * 256, image_classes());
    return net;
}
END_OF_SOURCE
        printed evaluate network.c --task cifar-10 --data cifar --images 12 --held-images 8 \
            --image-batch 4 --deadline 100000 |
            sed 's/,"peak_bytes":[0-9]*//; s/,"check".*//' >"$kept/evaluated"
        printed evaluate network.c --task cifar-10 --data cifar --layers >"$kept/printed"
    fi
}

# ---- kills: the results of `bound` and of `learning` ----

# shellcheck disable=SC2086
if wanted killed; then
    disturbed TERM '[ -f killed/episode-0/source.c ] && sleep 0.2' $bound # in the training
    disturbed KILL '[ "$(events killed)" -ge 5 ]' $bound
    disturbed KILL '[ "$(events killed)" -ge 14 ]' $bound
    disturbed KILL '[ -f killed/episode-1/source.c ] && sleep 0.1' $bound
    "$phoenix" evolve --run killed --resume --quiet >>killed.log 2>&1 || fail "killed: $(tail -n 1 killed.log)"
    results killed
fi
# shellcheck disable=SC2086
if wanted stopped; then
    disturbed KILL '[ -f stopped/episode-0/source.c ] && sleep 0.2' $learning # in a train() of its own
    disturbed KILL '[ "$(events stopped)" -ge 4 ]' $learning
    disturbed TERM '[ "$(events stopped)" -ge 9 ]' $learning
    "$phoenix" evolve --run stopped --resume --quiet >>stopped.log 2>&1 || fail "stopped: $(tail -n 1 stopped.log)"
    results stopped
fi

# ---- the other commands ----

# shellcheck disable=SC2086
if wanted trained; then
    printed train --out trained --d-model 64 --samples 256 --rate 0.005 --held-out 8 --fidelity 1 \
        >"$kept/printed"
    hashes trained/model model.safetensors config.json tokenizer.json \
        >"$kept/weights"
    cp trained/losses.csv "$kept/losses"
    for how in "--seed 3" "--greedy" "--beams 3" "--top-k 5 --temperature 0.7" "--top-p 0.5 --diff"; do
        printed generate trained/model --count 3 --max-tokens 48 $how
    done >"$kept/generated"
    # Each optimizer with a schedule, and one task of another scope.
    for how in "sgd constant" "rmsprop linear" "adam cosine" "adamw inverse_sqrt" "adafactor linear"; do
        printed train --out "${how% *}" --d-model 16 --samples 48 --held-out 4 --fidelity 0 --warmup 2 \
            --epochs 1 --clip 0.5 --optimizer ${how% *} --schedule ${how#* } >>"$kept/printed"
    done
    hashes . sgd/losses.csv rmsprop/losses.csv adam/losses.csv adamw/losses.csv adafactor/losses.csv \
        sgd/model/model.safetensors rmsprop/model/model.safetensors adam/model/model.safetensors \
        adamw/model/model.safetensors adafactor/model/model.safetensors >"$kept/optimizers"
fi

# score SOURCE OPTIONS...: adds a result to the file of results, and its exit code.
score() {
    "$phoenix" evaluate "$@" >result 2>>"$name.log"
    echo "$*: exit code $?" >>"$kept/codes"
    cat result >>scored
}

# shellcheck disable=SC2086
if wanted evaluated; then
    cat >good.c <<'END_OF_SOURCE'
#include "phoenix.h"

t5 *model(void)
{
    t5_config config = t5_small();
    config.num_layers = 1;
    config.num_decoder_layers = 2;
    config.num_heads = 4;
    config.d_kv = 8;
    config.d_ff = 64;
    return t5_new(config);
}
END_OF_SOURCE
    sed 's/= 64;/= ;/' good.c >parse.c
    sed 's/d_ff = 64/d_fff = 64/' good.c >check.c
    sed 's/= 64/= 1 \/ (config.num_layers - 1)/' good.c >run.c
    sed 's/= 64/= 0/' good.c >nothing.c
    sed 's/= 64/= 90000000/' good.c >large.c
    sed 's/    return/    while (config.d_ff > 0) {\n    }\n    return/' good.c >endless.c
    : >empty.c
    own="--d-model 32 --few-shot 32 --deadline 100000"
    for source in good parse check run nothing large endless empty; do
        score $source.c $own
    done
    score good.c $own --executor native
    score good.c $own --bound 3 # stopped
    score good.c $own --rate 10 --weight-decay 1 --few-shot 64 --batch 1 # its loss is no number
    score good.c $own --max-flops 1e6
    score good.c $own --max-parameters 10000
    sed 's/= 64/= 10000/' good.c >wide.c
    score wide.c $own --memory 16 --batch 2
    score wide.c $own --memory 16 --batch 512 --few-shot 512
    score good.c --d-model 512 --few-shot 4096 --deadline 1
    score good.c $own --scope learning
    score good.c $own --scope objective --first-pair 100
    awk -v out="$kept" -f "$here/aspects.awk" scored || fail "$name: no results"
    printed evaluate good.c $own --plan >"$kept/plan"
    for scope in architecture learning objective data all; do
        printed refine --count 8 --scope $scope >>"$kept/refined"
        printed refine --floor --scope $scope >>"$kept/floors"
    done
    printed refine --count 8 --task digits >>"$kept/refined"
fi

if wanted tables; then
    printed table --row 0 >"$kept/rows"
    printed compare --table "$table" --seeds 3 --evaluations 8 --csv searches.csv >"$kept/printed"
    cp searches.csv "$kept/csv"
    # What is read out of journals: curves, lineages, comparisons.
    made=
    for run in bound rules; do
        [ ! -f "$run/source.c" ] || made="$made $run"
    done
    if [ "$made" = " bound rules" ]; then
        printed compare bound --against rules --csv runs.csv >>"$kept/printed"
        cat runs.csv >>"$kept/csv"
        mkdir report
        printed report bound rules --out report/page.html --figures >/dev/null
        (cd report && find . -name '*.csv' | sort | xargs cat) >"$kept/figures"
        printed why bound last >>"$kept/printed"
        printed diff bound default last >>"$kept/printed"
        printed verify bound --quiet >>"$kept/printed"
    fi
fi

# ---- the hashes ----

cd "$work/kept" || exit 1
for file in */*; do
    printf '%s %s %.16s\n' "${file%/*}" "${file#*/}" "$(sha256sum <"$file")"
done >"$work/got.txt"
[ -z "${KEEP:-}" ] || (mkdir -p "$KEEP" && cp -R . "$KEEP")
if [ -n "$write" ]; then
    cp "$work/got.txt" "$here/expected.txt"
fi
verdicts=$(awk -v only="$only" '
    FNR == NR {
        if (only == "  " || index(only, " " $1 " "))
            expected[$1 " " $2] = $3
        next
    }
    {
        line = $1 " " $2
        if (!(line in expected))
            print "FAILED " $1 ": " $2 ": got " $3 ", which is not expected"
        else if (expected[line] != $3)
            print "FAILED " $1 ": " $2 ": expected " expected[line] ", got " $3
        else
            print "same"
        delete expected[line]
    }
    END {
        for (line in expected)
            print "FAILED " line ": expected " expected[line] ", got nothing"
    }' "$here/expected.txt" "$work/got.txt")
echo "$verdicts" | grep '^FAILED' | sort
passed=$((passed + $(echo "$verdicts" | grep -c '^same')))
failed=$((failed + $(echo "$verdicts" | grep -c '^FAILED')))
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
