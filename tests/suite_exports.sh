#!/bin/sh
# SPDX-License-Identifier: MIT
# exported models of every kind, built by every compiler that is here: the bits of predict for every test input
#
# `phoenix export --check` builds a file with the compiler that --cc names, runs it on all test inputs and compares each
# number with the library's. Here --cc is a script of each compiler, and what it leaves starts the program that it has
# built, under qemu where that is for another machine; words of 4 bytes are turned round for a big-endian one.
#
#   sh tests/suite_exports.sh        a table: a line a model, a column a compiler; the last line is the sum
#
# Without PHOENIX_SLOW=1: small models, and the two compilers that are furthest from the library's. With it all models, MNIST
# (DATA, data/mnist) and pairs of text among them, and all compilers.
set -u
cd "$(dirname "$0")/.." || exit 1
tree=$PWD
phoenix=${PHOENIX:-$PWD/build/phoenix}
data=${DATA:-$PWD/data/mnist}
[ -x "$phoenix" ] || make >/dev/null || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/phoenix-exports-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1
passed=0 failed=0 skipped=0

# ---- compilers ----

cat >turn.c <<'END_OF_C'
#include <stdio.h>
int main(void)
{
    unsigned char word[4];
    while (fread(word, 1, 4, stdin) == 4) {
        const unsigned char turned[4] = {word[3], word[2], word[1], word[0]};
        fwrite(turned, 1, 4, stdout);
    }
    return fflush(stdout) != 0;
}
END_OF_C
cat >start.c <<'END_OF_C'
#include <unistd.h>
int main(void) { return execl("/bin/sh", "sh", "-c", LINE, (char *)0); }
END_OF_C
echo 'int main(void) { return 0; }' >empty.c
cc -O1 turn.c -o turn || exit 1
names=

# compiler NAME RUNNER WORDS COMMAND...: scripts for --cc, if it is here: of models whose input is bytes, of those whose
# input is words as well, and of T5s, whose bytes stand in one order everywhere. WORDS: what turns words round, or cat.
compiler() {
    name=$1 runner=$2 words=$3
    shift 3
    command -v "${1%% *}" >/dev/null 2>&1 && { [ -z "$runner" ] || command -v "$runner" >/dev/null 2>&1; } &&
        "$@" empty.c -o empty >/dev/null 2>&1 || {
        echo "SKIPPED: $name: $1 cannot build a program here"
        skipped=$((skipped + 1))
        return
    }
    names="$names $name"
    for input in bytes words plain; do
        before=cat after=cat
        [ "$input" != words ] || before=$words
        [ "$input" = plain ] || after=$words
        cat >"cc-$name-$input" <<END_OF_SH
#!/bin/sh
# -std=c11 -O1 -w -o PROGRAM SOURCE [-static]
PATH=$PATH
export PATH
$* "\$6" -o "$work/program-$name-$input" -lm &&
    cc -DLINE='"$before | $runner $work/program-$name-$input | $after"' $work/start.c -o "\$5"
END_OF_SH
        chmod +x "cc-$name-$input"
    done
}

turn=$work/turn
. "$tree/tests/boxes/m32.sh"
# shellcheck disable=SC2086
if gcc $m32 empty.c -o empty 2>/dev/null; then
    compiler m32 "$runner32" cat gcc $m32 -msse2 -mfpmath=sse -O2
else
    compiler m32 qemu-i386-static cat i686-linux-gnu-gcc -static -msse2 -mfpmath=sse -O2
fi
compiler s390x qemu-s390x-static "$turn" s390x-linux-gnu-gcc -std=gnu99 -static -O2
if [ -n "${PHOENIX_SLOW:-}" ]; then
    compiler gcc "" cat gcc -O2
    compiler clang "" cat clang -O2
    compiler tcc "" cat tcc
    compiler aarch64 qemu-aarch64-static cat aarch64-linux-gnu-gcc -static -O2
fi

# ---- models ----

cat >conv.c <<'END_OF_C'
#include "phoenix.h"

network *model(void)
{
    network *net = network_new();
    int c = image_channels();
    conv2d(net, c, 8, 3, 2, 1);
    batch_norm2d(net, 8);
    relu(net);
    conv2d(net, 8, 16, 3, 1, 1);
    relu(net);
    depthwise2d(net, 16, 5, 1, 2);
    batch_norm2d(net, 16);
    relu(net);
    conv2d(net, 16, 16, 1, 1, 0);
    max_pool2d(net, 2, 2);
    gelu(net);
    global_avg_pool2d(net);
    flatten(net);
    linear(net, 16, image_classes());
    return net;
}
END_OF_C

# Rows of a stated law: a kind, or a number, by colour, weight and length, with some of them missing.
awk -v kind=1 -f "$tree/tests/vision/rows.awk" >kinds.csv
awk -v kind=0 -f "$tree/tests/vision/rows.awk" >numbers.csv

# train NAME ARGUMENTS...
train() {
    name=$1
    shift
    "$phoenix" train "$@" --out "$name" --quiet >"$name.log" 2>&1 || {
        echo "FAILED: $name is not trained: $(tail -n 1 "$name.log")"
        failed=$((failed + 1))
    }
}

# hold NAME INPUT WHAT ARGUMENTS OF EXPORT...: a line of the table.
hold() {
    name=$1 input=$2 form=$3
    shift 3
    line="| $name, ${form:-float} |"
    inputs='?'
    for each in $names; do
        # shellcheck disable=SC2086
        if "$phoenix" export "$name" "$@" --out net.c $form --check --cc "$work/cc-$each-$input" --sandbox none >log 2>&1 &&
            grep -q '0 differ' log; then
            passed=$((passed + 1))
            inputs=$(sed -n 's/^check: \([0-9]* [a-z]*\).*/\1/p' log)
            line="$line same |"
        else
            failed=$((failed + 1))
            line="$line OTHER |"
            echo "FAILED: $name, ${form:-float}, $each: $(tail -n 1 log)"
        fi
    done
    echo "$line $inputs |"
}

echo "| |$(printf ' %s |' $names) test inputs |"
echo "| --- |$(printf ' %s |' $names | sed 's/ [a-z0-9]* |/ --- |/g') --- |"
train digits conv.c --task digits --final-epochs 2
train table --task table --data kinds.csv --label kind --final-epochs 3
train regression --task regression --data numbers.csv --label y --final-epochs 3
if [ -n "${PHOENIX_SLOW:-}" ]; then
    if [ -d "$data" ]; then
        train mnist conv.c --task mnist --data "$data" --final-epochs 1
    else
        echo "SKIPPED: MNIST is not in $data"
        skipped=$((skipped + 1))
    fi
    awk -v count=3060 -f "$tree/docs/identifiers.awk" >all.jsonl # 60 that are asked: tcc and qemu take a second each
    head -n 3000 all.jsonl >names.jsonl
    sed -n '3001,$s/.*"source": "\([^"]*\)".*/\1/p' all.jsonl >snake
    train pairs --pairs names.jsonl --vocabulary 259 --d-model 32 --final-epochs 1
fi
for form in "" --int8; do
    hold digits bytes "$form"
    hold table words "$form" --data kinds.csv
    hold regression words "$form" --data numbers.csv
    [ ! -d mnist ] || hold mnist bytes "$form" --data "$data"
    [ ! -d pairs ] || hold pairs plain "$form" snake --lines --max-tokens 40
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
