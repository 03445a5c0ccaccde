#!/bin/sh
# SPDX-License-Identifier: MIT
# Three walks of the docs, from data as people have it to a prediction: a folder of PNG, a CSV file, pairs of text. A line of
# each: seconds of a processor, all in all, and how much of what was never seen came out right. Each is to take 180 at most.
#
#   sh bench/walks.sh [CHARACTERS]    CHARACTERS: a folder of IDX files (*train-*, *test-*), whose images become the PNGs, instead of
#                                     the digits of the tree
set -u
characters=$(cd "${1:-$(dirname "$0")/../vision/digits}" && pwd) || exit 1
cd "$(dirname "$0")/.." || exit 1
tree=$PWD
phoenix=${PHOENIX:-$PWD/build/phoenix}
work=$(mktemp -d "${TMPDIR:-/tmp}/phoenix-walks-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cc -std=c11 -D_POSIX_C_SOURCE=200809L -O1 -I. tests/vision/pictures.c build/libphoenix.a -lm -o "$work/pictures" || exit 1
cd "$work" || exit 1

pictures() {
    mkdir png
    for part in train test; do
        ./pictures "$characters"/*$part-images-idx3-ubyte.gz "$characters"/*$part-labels-idx1-ubyte.gz png/$part
    done
    cat >net.c <<'END_OF_C'
#include "phoenix.h"

network *model(void)
{
    network *net = network_new();
    int c = conv2d(net, image_channels(), 16, 3, 1, 1);
    batch_norm2d(net, c);
    relu(net);
    max_pool2d(net, 2, 2);
    c = conv2d(net, c, 32, 3, 1, 1);
    batch_norm2d(net, c);
    relu(net);
    max_pool2d(net, 2, 2);
    flatten(net);
    int height = image_height() / 4;
    int width = image_width() / 4;
    linear(net, c * height * width, image_classes());
    return net;
}
END_OF_C
    "$phoenix" train net.c --task images --data png --final-epochs 10 --out net --quiet | grep 'are right'
    "$phoenix" predict net "$(find png/test -name '*.png' | LC_ALL=C sort | head -n 1)"
}

table() {
    awk -v kind=1 -f "$tree/tests/vision/rows.awk" >kinds.csv
    "$phoenix" train --data kinds.csv --label kind --out kinds --quiet | grep 'are right'
    head -n 2 kinds.csv >few.csv
    "$phoenix" predict kinds few.csv
}

pairs() {
    awk -v count=20001 -f "$tree/docs/identifiers.awk" >all.jsonl
    head -n 20000 all.jsonl >names.jsonl
    "$phoenix" train --pairs names.jsonl --out names --vocabulary 259 --final-epochs 2 --quiet | grep 'held out'
    tail -n 1 all.jsonl
    tail -n 1 all.jsonl | sed 's/.*"source": "\([^"]*\)".*/\1/' | "$phoenix" generate names - --lines --greedy
}

slow=0
for walk in pictures table pairs; do
    (
        set -e
        $walk
        times >$walk.times
    )
    [ -f $walk.times ] || exit 1
    seconds=$(awk 'NR == 2 {gsub(/[ms]/, " "); print int(60 * ($1 + $3) + $2 + $4 + 0.5)}' $walk.times)
    echo "$walk: $seconds s of a processor"
    [ "$seconds" -le 180 ] || slow=1
done
exit $slow
