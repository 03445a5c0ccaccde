/* SPDX-License-Identifier: MIT */
/* network_table.c -- the rules of networks: the papers' space, that of rows of a table, and one whose
 * networks are worth deploying. */
#include "refine/mutation/grammar_rows.h"

/* ---- the papers' networks ----
 *
 * The papers vary four things: the number of convolutions and of hidden layers, and the sizes
 * of both, each layer's its own. Adding a convolution also adds a pool and changes the
 * inputs of the first dense layer: the listing carries channels, height and width along and
 * works them out in code. Convolutions are padded and the first three are pooled, so that a network
 * of eight fits an image of 14 x 14 as well as one of 32 x 32. */

/* What a layer adds to the listing. */
#define CONVOLUTION(n)                                    \
    "    c = conv2d(net, c, $channels_" n ", 3, 1, 1);\n" \
    "    relu(net);\n"
#define POOL                       \
    "    max_pool2d(net, 2, 2);\n" \
    "    h /= 2;\n"                \
    "    w /= 2;\n"
#define HIDDEN(n)                            \
    "    n = linear(net, n, $size_" n ");\n" \
    "    relu(net);\n"

/* clang-format off */
#define CHANNELS(n) LADDER("channels_" n, 1, "16", "32", "64", "128", "256", "512")
#define SIZE(n) LADDER("size_" n, 0, "16", "32", "64", "128", "256", "512", "1024")
/* clang-format on */

static const mutation_rule network_rules[] = {
    FIXED("network", "#include \"phoenix.h\"\n"
                     "\n"
                     "network *model(void)\n"
                     "{\n"
                     "    network *net = network_new();\n"
                     "    int c = image_channels();\n"
                     "    int h = image_height();\n"
                     "    int w = image_width();\n"
                     "$convolutions"
                     "    flatten(net);\n"
                     "    int n = c * h * w;\n"
                     "$hidden_layers"
                     "    linear(net, n, image_classes());\n"
                     "    return net;\n"
                     "}\n"),
    LADDER("convolutions", 0, "", "$conv_1", "$conv_1$conv_2", "$conv_1$conv_2$conv_3",
           "$conv_1$conv_2$conv_3$conv_4", "$conv_1$conv_2$conv_3$conv_4$conv_5",
           "$conv_1$conv_2$conv_3$conv_4$conv_5$conv_6",
           "$conv_1$conv_2$conv_3$conv_4$conv_5$conv_6$conv_7",
           "$conv_1$conv_2$conv_3$conv_4$conv_5$conv_6$conv_7$conv_8"),
    FIXED("conv_1", CONVOLUTION("1") POOL),
    FIXED("conv_2", CONVOLUTION("2") POOL),
    FIXED("conv_3", CONVOLUTION("3") POOL),
    FIXED("conv_4", CONVOLUTION("4")),
    FIXED("conv_5", CONVOLUTION("5")),
    FIXED("conv_6", CONVOLUTION("6")),
    FIXED("conv_7", CONVOLUTION("7")),
    FIXED("conv_8", CONVOLUTION("8")),
    CHANNELS("1"),
    CHANNELS("2"),
    CHANNELS("3"),
    CHANNELS("4"),
    CHANNELS("5"),
    CHANNELS("6"),
    CHANNELS("7"),
    CHANNELS("8"),
    LADDER("hidden_layers", 0, "$hidden_1", "$hidden_1$hidden_2", "$hidden_1$hidden_2$hidden_3",
           "$hidden_1$hidden_2$hidden_3$hidden_4", "$hidden_1$hidden_2$hidden_3$hidden_4$hidden_5",
           "$hidden_1$hidden_2$hidden_3$hidden_4$hidden_5$hidden_6",
           "$hidden_1$hidden_2$hidden_3$hidden_4$hidden_5$hidden_6$hidden_7",
           "$hidden_1$hidden_2$hidden_3$hidden_4$hidden_5$hidden_6$hidden_7$hidden_8"),
    FIXED("hidden_1", HIDDEN("1")),
    FIXED("hidden_2", HIDDEN("2")),
    FIXED("hidden_3", HIDDEN("3")),
    FIXED("hidden_4", HIDDEN("4")),
    FIXED("hidden_5", HIDDEN("5")),
    FIXED("hidden_6", HIDDEN("6")),
    FIXED("hidden_7", HIDDEN("7")),
    FIXED("hidden_8", HIDDEN("8")),
    SIZE("1"),
    SIZE("2"),
    SIZE("3"),
    SIZE("4"),
    SIZE("5"),
    SIZE("6"),
    SIZE("7"),
    SIZE("8"),
};

_Static_assert(sizeof network_rules / sizeof *network_rules <= MUTATION_MAX_RULES,
               "a choice for each rule");

mutation_grammar mutation_network_grammar(void)
{
    return (mutation_grammar){.rules = network_rules,
                              .count = sizeof network_rules / sizeof *network_rules,
                              .scope = MUTATION_ARCHITECTURE};
}

/* ---- networks for rows of a table: the same hidden layers alone ---- */

static const mutation_rule row_rules[] = {
    FIXED("rows", "#include \"phoenix.h\"\n"
                  "\n"
                  "network *model(void)\n"
                  "{\n"
                  "    network *net = network_new();\n"
                  "    int n = inputs();\n"
                  "$hidden_layers"
                  "    linear(net, n, outputs());\n"
                  "    return net;\n"
                  "}\n"),
    LADDER("hidden_layers", 0, "$hidden_1", "$hidden_1$hidden_2", "$hidden_1$hidden_2$hidden_3",
           "$hidden_1$hidden_2$hidden_3$hidden_4"),
    FIXED("hidden_1", HIDDEN("1")),
    SIZE("1"),
    FIXED("hidden_2", HIDDEN("2")),
    SIZE("2"),
    FIXED("hidden_3", HIDDEN("3")),
    SIZE("3"),
    FIXED("hidden_4", HIDDEN("4")),
    SIZE("4"),
};

mutation_grammar mutation_row_grammar(void)
{
    return (mutation_grammar){.rules = row_rules,
                              .count = sizeof row_rules / sizeof *row_rules,
                              .scope = MUTATION_ARCHITECTURE};
}

/* ---- networks worth deploying ----
 *
 * A stem and up to three further stages, each of which halves the image and has a width of its own;
 * in a stage one block, over and over, which leaves the shape as it is: a convolution, two with a
 * sum around them (He et al. 2016, arXiv:1512.03385), a depthwise and a pointwise one (Howard et al.
 * 2017, arXiv:1704.04861), or these between a widening and a narrowing one (Sandler et al. 2018,
 * arXiv:1801.04381). Kernels are odd and padded by their half, a stride of 2 rounds up, and the end
 * is the mean of each channel: so every derivation fits images of every size, and no source has to
 * carry heights along. What stands in several places is a function or a variable, so that an edit
 * is one line, but for those that change a block. */

#define BLOCKS(n)                                                      \
    SHAPE("block_" n, MUTATION_ARCHITECTURE, 4,                        \
          REPEATED(n, "        int k = $kernel_" n ";\n"               \
                      "        conv2d(net, c, c, k, 1, k / 2);\n"      \
                      "        bend(net, c);\n"),                      \
          REPEATED(n, "        int k = $kernel_" n ";\n"               \
                      "        int from = mark(net);\n"                \
                      "        conv2d(net, c, c, k, 1, k / 2);\n"      \
                      "        bend(net, c);\n"                        \
                      "        conv2d(net, c, c, 3, 1, 1);\n"          \
                      "        batch_norm2d(net, c);\n"                \
                      "        residual(net, from);\n"),               \
          REPEATED(n, "        int k = $kernel_" n ";\n"               \
                      "        depthwise2d(net, c, k, 1, k / 2);\n"    \
                      "        bend(net, c);\n"                        \
                      "        conv2d(net, c, c, 1, 1, 0);\n"          \
                      "        bend(net, c);\n"),                      \
          REPEATED(n, "        int k = $kernel_" n ";\n"               \
                      "        int wide = c * $times_" n ";\n"         \
                      "        int from = mark(net);\n"                \
                      "        conv2d(net, c, wide, 1, 1, 0);\n"       \
                      "        bend(net, wide);\n"                     \
                      "        depthwise2d(net, wide, k, 1, k / 2);\n" \
                      "        bend(net, wide);\n"                     \
                      "        conv2d(net, wide, c, 1, 1, 0);\n"       \
                      "        batch_norm2d(net, c);\n"                \
                      "        residual(net, from);\n"),               \
          "")
#define REPEATED(n, block) "    for (int i = 0; i < $repeats_" n "; i++) {\n" block "    }\n"

/* A stage's own sizes; `width` is the default's place among the widths. */
#define STAGE(n, width)                                                                        \
    BLOCKS(n),                                                                                 \
        LADDER("width_" n, width, "8", "12", "16", "24", "32", "48", "64", "96", "128", "192", \
               "256"),                                                                         \
        LADDER("repeats_" n, 0, "1", "2", "3"), LADDER("kernel_" n, 1, "1", "3", "5"),         \
        LADDER("times_" n, 0, "2", "3", "4", "6")

/* Stages behind the first begin with a convolution of stride 2, whole or in two parts. */
#define HALVED(n)                                                  \
    FIXED("stage_" n, "$entry_" n "    bend(net, c);\n$block_" n), \
        SHAPE("entry_" n, MUTATION_ARCHITECTURE, 0,                \
              "    c = conv2d(net, c, $width_" n ", 3, 2, 1);\n",  \
              "    depthwise2d(net, c, 3, 2, 1);\n"                \
              "    bend(net, c);\n"                                \
              "    c = conv2d(net, c, $width_" n ", 1, 1, 0);\n")

static const mutation_rule deploy_rules[] = {
    /* Which functions a source has: one root for each. */
    FIXED("model_source", "$model"),
    FIXED("whole_source", "$model$train"),
    FIXED("model", "#include \"phoenix.h\"\n"
                   "\n"
                   "static void bend(network *net, int channels)\n"
                   "{\n"
                   "    batch_norm2d(net, channels);\n"
                   "    $activation(net);\n"
                   "}\n"
                   "\n"
                   "network *model(void)\n"
                   "{\n"
                   "    network *net = network_new();\n"
                   "    int c = image_channels();\n"
                   "$stages"
                   "    global_avg_pool2d(net);\n"
                   "    flatten(net);\n"
                   "$dropout"
                   "    linear(net, c, image_classes());\n"
                   "    return net;\n"
                   "}\n"),
    SHAPE("activation", MUTATION_ARCHITECTURE, 0, "relu", "relu6", "hard_swish"),
    LADDER("stages", 1, "$stage_1", "$stage_1$stage_2", "$stage_1$stage_2$stage_3",
           "$stage_1$stage_2$stage_3$stage_4"),
    FIXED("stage_1",
          "    c = conv2d(net, c, $width_1, 3, $stride, 1);\n    bend(net, c);\n$block_1"),
    SHAPE("stride", MUTATION_ARCHITECTURE, 0, "1", "2"),
    STAGE("1", 2),
    HALVED("2"),
    STAGE("2", 4),
    HALVED("3"),
    STAGE("3", 6),
    HALVED("4"),
    STAGE("4", 8),
    SHAPE("dropout", MUTATION_ARCHITECTURE, 1, "    dropout(net, $rate);\n", ""),
    GRID("rate", MUTATION_ARCHITECTURE, 1, "0.1", "0.2", "0.3", "0.5"),

    /* ---- train(): where it varies, the settings' defaults first ---- */
    FIXED("train", "\n"
                   "recipe train(void)\n"
                   "{\n"
                   "    recipe r = usual_recipe();\n"
                   "$optimizer"
                   "    r.weight_decay = $decay;\n"
                   "    r.schedule = $schedule;\n"
                   "    r.warmup = $warmup;\n"
                   "    r.batch = $batch;\n"
                   "    r.label_smoothing = $smoothing;\n"
                   "    r.average = $average;\n"
                   "    r.cut = $cut;\n"
                   "    r.mixup = $mixup;\n"
                   "    return r;\n"
                   "}\n"),
    SHAPE("optimizer", MUTATION_LEARNING, 0,
          "    r.optimizer = UPDATE_SGD;\n"
          "    r.momentum = $momentum;\n"
          "    r.rate = $sgd_rate;\n",
          "    r.optimizer = UPDATE_ADAMW;\n"
          "    r.rate = $adamw_rate;\n"),
    GRID("momentum", MUTATION_LEARNING, 1, "0.8", "0.9", "0.95"),
    GRID("sgd_rate", MUTATION_LEARNING, 2, "0.005", "0.01", "0.02", "0.05", "0.1", "0.2"),
    GRID("adamw_rate", MUTATION_LEARNING, 2, "0.0005", "0.001", "0.002", "0.005", "0.01"),
    GRID("decay", MUTATION_LEARNING, 2, "0.0", "0.0001", "0.0005", "0.002", "0.01", "0.05"),
    SHAPE("schedule", MUTATION_LEARNING, 0, "RATE_COSINE", "RATE_LINEAR", "RATE_CONSTANT"),
    GRID("warmup", MUTATION_LEARNING, 2, "0", "20", "50", "100", "200"),
    GRID("batch", MUTATION_LEARNING, 2, "8", "16", "32", "64", "128"),
    GRID("smoothing", MUTATION_LEARNING, 0, "0.0", "0.05", "0.1", "0.2"),
    GRID("average", MUTATION_LEARNING, 0, "0.0", "0.9", "0.98", "0.995"),
    GRID("cut", MUTATION_LEARNING, 0, "0", "4", "8", "16"),
    GRID("mixup", MUTATION_LEARNING, 0, "0.0", "0.1", "0.2", "0.4"),
};

_Static_assert(sizeof deploy_rules / sizeof *deploy_rules <= MUTATION_MAX_RULES,
               "a choice for each rule");

mutation_grammar mutation_deploy_grammar(unsigned scope)
{
    return (mutation_grammar){.rules = deploy_rules,
                              .count = sizeof deploy_rules / sizeof *deploy_rules,
                              .root = scope & MUTATION_LEARNING ? 1 : 0,
                              .scope = scope};
}
