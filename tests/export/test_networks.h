/* SPDX-License-Identifier: MIT */
/* test_networks.h -- networks of every kind of layer that is exported, and their images. */
#ifndef TEST_NETWORKS_H
#define TEST_NETWORKS_H

#include "tests/export/test_export.h"
#include "tests/vision/test_vision.h"
#include "vision/batch.h"

#include <math.h>

enum { IMAGES = 12 };

/* Convolutions by both methods, with and without padding, with strides; results of 4x4 tiles that
 * are cut off; everything in one place of the buffer and in the other. */
static const struct {
    const char *name;
    vision_architecture net;
    vision_shape input;
    int classes;
    bool winograd;
} cases[] = {
    {"every_kind",
     {13,
      {CONV2D(2, 4, 3, 1, 1), RELU, MAX_POOL2D(2, 1), BATCH_NORM2D(4), CONV2D(4, 6, 3, 2, 1), GELU,
       AVG_POOL2D(2, 1), BATCH_NORM2D(6), FLATTEN, DROPOUT(0.25), LINEAR(54, 7), RELU,
       LINEAR(7, 3)}},
     {2, 9, 8},
     3,
     false},
    {"winograd",
     {10,
      {CONV2D(3, 9, 5, 1, 2), RELU, CONV2D(9, 8, 3, 1, 1), BATCH_NORM2D(8), RELU,
       CONV2D(8, 11, 3, 1, 0), RELU, AVG_POOL2D(3, 2), FLATTEN, LINEAR(11 * 5 * 4, 4)}},
     {3, 13, 11},
     4,
     true},
    {"pools",
     {7,
      {MAX_POOL2D(3, 2), CONV2D(1, 8, 1, 1, 0), CONV2D(8, 8, 3, 1, 2), MAX_POOL2D(2, 3), GELU,
       FLATTEN, LINEAR(32, 5)}},
     {1, 9, 9},
     5,
     true},
    {"bare", {2, {FLATTEN, LINEAR(6, 2)}}, {1, 2, 3}, 2, false},
    /* The kinds that small networks are made of. */
    {"small_kinds",
     {16,
      {DEPTHWISE2D(2, 9, 1, 4), RESIDUAL(0), CONV2D(2, 4, 1, 1, 0), RELU, DEPTHWISE2D(4, 5, 2, 2),
       HARD_SWISH, BATCH_NORM2D(4), CONV2D(4, 4, 3, 1, 1), RELU, RESIDUAL(8), RESIDUAL(7), RELU6,
       GLOBAL_AVG_POOL2D, FLATTEN, LINEAR(4, 3), RELU}},
     {2, 9, 8},
     3,
     false},
    /* Sums over each other: copies that stand side by side, and one where another was. */
    {"sums",
     {20,
      {CONV2D(3, 8, 3, 1, 1),
       RELU,
       CONV2D(8, 8, 3, 1, 1),
       BATCH_NORM2D(8),
       RESIDUAL(2),
       HARD_SWISH,
       DEPTHWISE2D(8, 5, 1, 2),
       BATCH_NORM2D(8),
       RESIDUAL(4),
       RESIDUAL(2),
       RELU6,
       CONV2D(8, 8, 3, 1, 1),
       RESIDUAL(11),
       DEPTHWISE2D(8, 3, 2, 0),
       RELU,
       DROPOUT(0.5),
       RESIDUAL(16),
       GLOBAL_AVG_POOL2D,
       FLATTEN,
       LINEAR(8, 4)}},
     {3, 13, 11},
     4,
     true},
    /* Sizes that a byte does not hold. */
    {"wide",
     {7,
      {CONV2D(1, 300, 2, 1, 0), RELU, GLOBAL_AVG_POOL2D, FLATTEN, LINEAR(300, 2), RELU,
       LINEAR(2, 3)}},
     {1, 3, 3},
     3,
     false},
};
enum { CASES = sizeof cases / sizeof *cases };

/* ---- the networks ---- */

typedef struct network {
    vision_model model;
    unsigned char *pixels; /* (IMAGES, ...) */
    float *logits;
} network;

/* Weights of both signs, statistics away from 0 and 1, and some weights that are 0, -0 and tiny. */
static void shake(nn_params *params)
{
    base_random random = {.seed = 5, .stream = 2};
    for (int i = 0; i < nn_params_count(params); i++) {
        tensor *t = nn_params_tensor(params, i);
        bool variance = strstr(nn_params_name(params, i), "running_var") != NULL;
        for (size_t j = 0; j < tensor_size(t); j++) {
            float x = (float)base_random_below(&random, 2001) / 1000 - 1;
            t->val[j] = variance      ? 1.25F + x
                        : j % 13 == 5 ? copysignf(0, x)
                        : j % 13 == 6 ? 1e-40F * x
                                      : x;
        }
    }
}

static void make(network *n, tensor_context *ctx, int c)
{
    base_error error = {""};
    base_random random = {.seed = 9, .stream = (uint64_t)c};
    vision_shape in = cases[c].input;
    size_t size = (size_t)(in.channels * in.height * in.width);
    vision_model *m = &n->model;
    *m = (vision_model){.net = cases[c].net,
                        .input = in,
                        .classes = cases[c].classes,
                        .seed = 3,
                        .task = "noise",
                        .version = "0 */ 1",
                        .source = "5",
                        .data = "d"};
    for (int i = 0; i < in.channels; i++) {
        m->normal.mean[i] = 0.3F + 0.1F * (float)i;
        m->normal.deviation[i] = 0.21F + 0.1F * (float)i;
    }
    m->network = vision_network_new(ctx, &m->net, in, 4, &error);
    shake(vision_network_params(m->network));
    shake(vision_network_running(m->network));
    n->pixels = malloc(IMAGES * size);
    n->logits = malloc(IMAGES * (size_t)m->classes * sizeof(float));
    int index[IMAGES];
    for (size_t i = 0; i < IMAGES * size; i++)
        n->pixels[i] = (unsigned char)(i / size == 1 ? 0 : base_random_below(&random, 256));
    for (int i = 0; i < IMAGES; i++)
        index[i] = i;
    const vision_images images = {IMAGES,    in.channels, in.height, in.width, 0,
                                  n->pixels, NULL,        NULL,      NULL};
    const vision_part part = {&images, index, IMAGES};
    CHECK(vision_classify(m->network, &part, &m->normal, IMAGES, n->logits, &error), "%s",
          error.text);
}

static void drop(network *n)
{
    vision_network_free(n->model.network);
    free(n->pixels);
    free(n->logits);
}

/* ---- compilers ---- */

/* A program that runs the exported file on pixels of standard input, after its self-test, whose main() has
 * another name here: so the file is compiled once for both. */
static const char driver[] =
    "#include \"net.h\"\n"
    "#include <stdio.h>\n"
    "#undef main\n"
    "int self_test(void);\n"
    "#ifdef NET_UNIT\n"
    "typedef uint8_t number;\n"
    "typedef int32_t logit;\n"
    "#else\n"
    "typedef float number, logit;\n"
    "#endif\n"
    "int main(void)\n"
    "{\n"
    "    static uint8_t pixels[NET_PIXELS];\n"
    "    static logit logits[NET_CLASSES], again[NET_CLASSES];\n"
    "    static number buffer[NET_BUFFER + 1];\n"
    "    buffer[NET_BUFFER] = 5;\n"
    "    if (self_test() != 0)\n"
    "        return 3;\n"
    "    while (fread(pixels, 1, NET_PIXELS, stdin) == NET_PIXELS) {\n"
    "        int i;\n"
    "        net_run(pixels, logits, buffer);\n"
    "        for (i = 0; i < NET_BUFFER; i++)\n"
    "            buffer[i] = 77;\n"
    "        net_run(pixels, again, buffer);\n"
    "        for (i = 0; i < NET_CLASSES; i++)\n"
    "            if (logits[i] != again[i] || logits[i] > logits[net_class(logits)])\n"
    "                return 2;\n"
    "        fwrite(logits, sizeof *logits, NET_CLASSES, stdout);\n"
    "    }\n"
    "    return buffer[NET_BUFFER] != 5;\n"
    "}\n";

/* expected: IMAGES times the classes, of 4 bytes each. */
static void check_with(const network *n, const void *expected, int c, int i)
{
    vision_shape in = cases[c].input;
    size_t size = (size_t)(in.channels * in.height * in.width),
           count = IMAGES * (size_t)cases[c].classes;
    base_error error = {""};
    CHECK(shell("cd '%s' && %s %s -DNET_TEST -Dmain=self_test net.c main.c -o net >log 2>&1 || { "
                "cat log; "
                "false; }",
                scratch, compilers[i].command, compilers[i].flags),
          "%s: %s %s does not take it", cases[c].name, compilers[i].command, compilers[i].flags);
    if (i == 0) /* as its head says, a program of its own */
        CHECK(shell("cd '%s' && %s %s -DNET_TEST net.c -o self >log 2>&1 && ./self", scratch,
                    compilers[i].command, compilers[i].flags),
              "%s: the self-test fails", cases[c].name);
    const base_text pixels = {.data = (char *)n->pixels, .length = IMAGES * size};
    store("pixels", &pixels);
    CHECK(shell("cd '%s' && %s./net <pixels >logits", scratch, compilers[i].runner),
          "%s: %s %s: ends with an error", cases[c].name, compilers[i].command, compilers[i].flags);
    size_t length;
    char *got = base_file_read(below("logits"), 1 << 20, &length, &error);
    swap(got, got ? length : 0, i);
    CHECK(got && length == count * sizeof(float) && memcmp(got, expected, length) == 0,
          "%s: %s %s: other bits", cases[c].name, compilers[i].command, compilers[i].flags);
    free(got);
}

/* Writes the file, its header and the program, and holds it to the logits with every compiler. */
static void check_file(const network *n, const base_text *source, const base_text *header,
                       const void *expected, int c, const bool *there)
{
    const base_text text = {.data = (char *)(uintptr_t)driver, .length = strlen(driver)};
    store("net.c", source);
    store("net.h", header);
    store("main.c", &text);
    for (int i = 0; i < COMPILERS; i++)
        if (compiles(there, i, c))
            check_with(n, expected, c, i);
}

#endif
