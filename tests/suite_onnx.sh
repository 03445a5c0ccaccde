#!/bin/sh
# SPDX-License-Identifier: MIT
# exported ONNX files in onnxruntime, probabilities and log-probabilities within 1e-5, and in onnx's own checker
. "$(dirname "$0")/copy.sh"
passed=0 failed=0 skipped=0

# Debian's python3-onnx, whose checker goes over every node and infers the shapes.
python=
for one in python3 /usr/bin/python3; do
    [ -n "$python" ] || ! $one -c 'import onnx' >/dev/null 2>&1 || python=$one
done
[ -n "$python" ] || echo "SKIPPED onnx's checker: python3-onnx is not here"
well_formed() {
    if [ -z "$python" ]; then
        skipped=$((skipped + 1))
    else
        check "$1: onnx's checker" $python -c \
            'import onnx, sys; onnx.checker.check_model(onnx.load(sys.argv[1]), full_check=True)' "$1"
    fi
}

leave() {
    echo "SKIPPED: $1"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}
command -v node >/dev/null 2>&1 || leave "node is not here"
command -v npm >/dev/null 2>&1 || leave "npm is not here"
npm install --ignore-scripts --no-audit --no-fund --prefix "$copy/runtime" onnxruntime-node >npm.log 2>&1 ||
    leave "npm cannot get onnxruntime-node: $(tail -n 1 npm.log)"
NODE_PATH=$copy/runtime/node_modules
export NODE_PATH
make -j2 >make.log 2>&1 || tail -n 5 make.log
phoenix=build/phoenix

# what_is NAME COMMAND...: counts it, and shows how near it is.
what_is() {
    check "$@"
    grep 'compared' one.log
}

# network NAME LINES: a network of these layers, trained on the digits for an epoch.
network() {
    {
        printf '#include "phoenix.h"\n\nnetwork *model(void)\n{\n    network *net = network_new();\n'
        printf '%s\n' "$2"
        printf '    return net;\n}\n'
    } >"$1.c"
    what_is "$1: training" $phoenix train "$1.c" --task digits --final-epochs 1 --out "$1"
    what_is "$1: export" $phoenix export "$1" --onnx "$1.onnx"
    well_formed "$1.onnx"
    $phoenix predict "$1" --task digits --json >"$1.jsonl"
    what_is "$1" node tests/onnx.js network "$1.onnx" vision/digits/test-images-idx3-ubyte.gz "$1.jsonl"
}
network plain '    conv2d(net, 1, 4, 3, 1, 1);
    relu(net);
    batch_norm2d(net, 4);
    max_pool2d(net, 2, 1);
    conv2d(net, 4, 6, 5, 2, 0);
    gelu(net);
    avg_pool2d(net, 2, 1);
    dropout(net, 0.25);
    flatten(net);
    linear(net, 96, 12);
    relu(net);
    linear(net, 12, 10);'
network small '    conv2d(net, 1, 8, 3, 2, 1);
    hard_swish(net);
    int start = mark(net);
    depthwise2d(net, 8, 3, 1, 1);
    batch_norm2d(net, 8);
    relu6(net);
    conv2d(net, 8, 8, 1, 1, 0);
    residual(net, start);
    global_avg_pool2d(net);
    flatten(net);
    linear(net, 8, 10);'

# Tables with a text, a number and missing ones of both: classes, and a number.
awk 'BEGIN {
    print "colour,weight,length,kind,price"
    split("red green blue", colours, " ")
    for (i = 0; i < 300; i++) {
        colour = colours[1 + i % 3]; weight = (i * 37) % 101 / 10; length_ = (i * 61) % 97
        print (i % 17 ? colour : "NA") "," (i % 13 ? weight : "NA") "," length_ "," \
            (weight > 5 ? "heavy" : colour) "," weight * 3 + length_ / 7 + (colour == "red") * 9.5
    }
}' >rows.csv
for kind in "table kind price" "regression price kind"; do
    # shellcheck disable=SC2086
    set -- $kind
    what_is "$1: training" $phoenix train --task $1 --data rows.csv --label $2 --without $3 --final-epochs 3 --out $1
    what_is "$1: export" $phoenix export $1 --onnx $1.onnx
    well_formed $1.onnx
    $phoenix predict $1 rows.csv --json >$1.jsonl
    what_is $1 node tests/onnx.js table $1.onnx $1/model/network.json rows.csv $1.jsonl
done

# Models with their first weights, of each kind of feed-forward layer, and what they generate.
cat >make_t5.c <<'END'
#include "t5/t5.h"
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
    static const char *const texts[] = {"count = count + 1;\nreturn count;\n"};
    int kind = atoi(argv[1]), source[40];
    t5_config c = t5_config_small();
    base_error error = {""};
    tensor_context *ctx = tensor_context_open(1, &error);
    t5_tokenizer *tokenizer = t5_tokenizer_train(texts, 1, 265, &error);
    t5_sample sample;
    c.vocab_size = 300, c.d_model = 24 + 8 * kind, c.d_kv = 8, c.num_heads = 4 - kind, c.d_ff = 50;
    c.num_layers = 2, c.num_decoder_layers = 3 - kind, c.relative_attention_num_buckets = 8;
    c.relative_attention_max_distance = 20, c.feed_forward_proj = (t5_feed_forward)kind;
    c.tie_word_embeddings = kind != 1;
    t5_model *model = t5_model_new(ctx, &c, false, &error);
    t5_model_init(model, 5);
    for (int i = 0; i < 40; i++)
        source[i] = (3 + 17 * i * i) % 300;
    t5_request r = {.source = source, .source_count = 40, .count = 1, .most = 30,
                    .sampling = t5_sampling_default()};
    r.sampling.greedy = true;
    if (argc != 3 || !t5_folder_write(model, tokenizer, argv[2], NULL, &error) ||
        !t5_generate(model, &r, &sample, &error))
        return fprintf(stderr, "%s\n", error.text), 1;
    printf("{\"heads\":%d,\"d_kv\":%d,\"source\":[", c.num_heads, c.d_kv);
    for (int i = 0; i < 40; i++)
        printf("%s%d", i ? "," : "", source[i]);
    printf("],\"ids\":[");
    for (int i = 0; i < sample.count; i++)
        printf("%s%d", i ? "," : "", sample.ids[i]);
    printf("],\"p\":[");
    for (int i = 0; i < sample.count; i++)
        printf("%s%.9g", i ? "," : "", (double)sample.token_log_probability[i]);
    printf("]}\n");
    return 0;
}
END
cc -std=c11 -D_POSIX_C_SOURCE=200809L -I. -pthread -o make_t5 make_t5.c build/libphoenix.a -lm || exit 1
for kind in 0 1 2; do
    if ./make_t5 $kind "t5_$kind" >"t5_$kind.json" 2>one.log; then
        what_is "t5_$kind: export" $phoenix export "t5_$kind" --onnx "t5_$kind.onnx"
        well_formed "t5_$kind-encoder.onnx"
        well_formed "t5_$kind-decoder.onnx"
        what_is "t5_$kind" node tests/onnx.js t5 "t5_$kind" "t5_$kind.json"
    else
        failed=$((failed + 1))
        cat one.log
    fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
