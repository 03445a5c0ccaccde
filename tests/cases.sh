#!/bin/sh
# SPDX-License-Identifier: MIT
# Inputs that other people's programs, machines and habits make, each with what is right. Those of ../shared/cases
# are read from there (its README has the table); where it is missing, each of them is a skip. The last line is the sum.
set -u
cd "$(dirname "$0")/.." || exit 1
tree=$PWD
phoenix=${BUILD:-$PWD/build}/phoenix
cases=${PHOENIX_SHARED:-$tree/../shared}/cases
work=$(mktemp -d "${TMPDIR:-/tmp}/phoenix-cases-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1
passed=0 failed=0 skipped=0

# is WHAT GOT WANTED; fits WHAT GOT PATTERN
fits() {
    # shellcheck disable=SC2254
    case $2 in
    $3) passed=$((passed + 1)) ;;
    *)
        failed=$((failed + 1))
        echo "FAILED $1: $2, expected $3"
        ;;
    esac
}
is() {
    if [ "$2" = "$3" ]; then fits "$1" 1 1; else fits "$1" "$2" "exactly $3"; fi
}

# said ARGUMENTS...: the exit code and what is said on standard error.
said() {
    "$phoenix" "$@" >out 2>err
    echo "$? $(head -n 1 err)"
}

# ---- runs: what differs from the beginning is named ----
tiny="--proposer rules --d-model 16 --vocabulary 259 --episodes 1 --batches 1 --candidates 2 --few-shot 8
    --fresh-seeds 0 --jobs 1 --sandbox limits --quiet"
# shellcheck disable=SC2086
"$phoenix" evolve $tiny --seed 1 --run one >out 2>&1
# shellcheck disable=SC2086
"$phoenix" evolve $tiny --seed 2 --run two >out 2>&1
cp two/manifest.json one/manifest.json
fits "report of a run with another's manifest" "$(said report one)" '1 *one: manifest.json and journal.jsonl disagree about "seed": 2, 1'
fits "verify of it" "$(said verify one --files)" '1 *one/journal.jsonl:1: *"started" does not follow *"seed" is 1, expected 2'
fits "resuming it" "$(said evolve --run one --resume)" '1 *"seed" is 1, expected 2'

mkdir images changed
for name in train-images-idx3 train-labels-idx1 test-images-idx3 test-labels-idx1; do
    gzip -dc "$tree/vision/digits/$name-ubyte.gz" >"images/$name-ubyte"
done
cp images/* changed
printf '\377' | dd of=changed/train-images-idx3-ubyte bs=1 seek=20 conv=notrunc 2>out
"$phoenix" evolve --task images --data images --proposer rules --episodes 1 --batches 1 --candidates 1 --images 32 \
    --held-images 16 --final-epochs 1 --fresh-seeds 0 --jobs 1 --sandbox limits --quiet --run pictures >out 2>&1
is "a run on images" "$?" 0
fits "its network, though no seeds compare it" "$(said predict pictures --data images --task images)" '0*'
fits "the same images elsewhere" "$(mv images moved; said verify pictures --files --data moved)" '0*'
fits "other images" "$(said verify pictures --files --data changed)" '1 *pictures: the images in changed are not those that the run began with'
fits "resuming with other images" "$(said evolve --run pictures --resume --data changed)" '1 *in changed are not those*'

# ---- sources that are none ----
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n' >pointer.c
printf '<!DOCTYPE html>\n<title>404</title>\n' >page.c
gzip -c two/source.c >packed.c
fits "a Git LFS pointer as a source" "$(said evaluate pointer.c)" '1 *pointer.c: is a Git LFS pointer*'
fits "a page as a source" "$(said evaluate page.c)" '1 *page.c: is a web page*'
fits "a gzip file as a source" "$(said evaluate packed.c)" '1 *packed.c: is gzip-compressed*'

# ---- a small file that unpacks to what fills a memory ----
mkdir bomb
for part in data_batch_1 data_batch_2 data_batch_3 data_batch_4 data_batch_5 test_batch; do
    head -c 70000000 /dev/zero | gzip >bomb/$part.bin.gz
done
fits "records" "$(said train --task cifar-10 --data bomb --out none)" '1 *data_batch_1.bin.gz: *unpacks to more than the 67108864 bytes*'
(
    echo a,b,label
    yes 1,2,x | head -c 70000000
) | gzip >bomb/table.csv.gz
fits "a table" "$(said train --task table --label label --data bomb/table.csv.gz --out none)" '1 *table.csv.gz: *unpacks to more than the 67108864 bytes*'

# ---- the shared cases ----
ends() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
}
if [ ! -f "$cases/net.c" ]; then
    echo "SKIPPED: the 25 checks of $cases, which is not here"
    skipped=25
    ends
fi

is "parallel-seeds.sh" "$(sh "$cases/parallel-seeds.sh" "$phoenix" 2 | grep -c -e DIFFER -e 'rc [1-9]')" 0
is "parallel-seeds.sh: runs" "$(sh "$cases/parallel-seeds.sh" "$phoenix" 1 | grep -c 'runs/[123] manifest')" 3
cp -R "$cases/run-manifest-of-another-seed" another && chmod -R u+w another
fits "run-manifest-of-another-seed: report" "$(said report another)" '1 *another/manifest.json:*'
fits "run-manifest-of-another-seed: verify" "$(said verify another --files)" '1 *another/manifest.json:*'
is "closed-stdout.sh" "$(sh "$cases/closed-stdout.sh" "$phoenix" 2>&1 | grep -c -e 'rc 0' -e ' 0 differ')" 6
is "parallel-reports.sh" "$(sh "$cases/parallel-reports.sh" "$phoenix" two | grep -c 'rc 0')" 6
for case in v5-scale-false-tied v5-scale-false-own-head dropout-0.1 only-encoder-embed-name; do
    "$phoenix" verify "$cases/$case" --lines >out 2>&1
    is "$case" "$(grep -c -E '^ *ok +(encoder_last_hidden_state|logits|loss) ' out)" 3
done
fits "sharded" "$(said generate "$cases/sharded")" '0 *'
fits "tokenizer-unigram" "$(said generate "$cases/tokenizer-unigram")" '0 *'
fits "tokenizer-roberta" "$(said generate "$cases/tokenizer-roberta")" '0 *'
fits "epsilon-1e-60" "$(said generate "$cases/epsilon-1e-60")" '1 *config.json: layer_norm_epsilon is 1e-60*'
"$phoenix" evaluate "$cases/nan.c" --d-model 16 --few-shot 64 --optimizer sgd --rate 10 --clip 0 >out 2>err
fits "nan.c" "$(cat out)" '*"status":"run","reason":"*the loss is not a number"*'
for case in good torchvision-raw dot-names zero-padding gz-without-suffix; do
    "$phoenix" evaluate "$cases/net.c" --task images --data "$cases/images-$case" --images 32 --held-images 16 \
        2>&1 | sed 's/"seconds":[^,}]*//' >"images-$case.json"
    fits "images-$case" "$(cat "images-$case.json")" '*"status":"ok"*'
    is "images-$case as images-good" "$(cksum <"images-$case.json")" "$(cksum <images-good.json)"
done
ends
