/* grammar_table.c -- the rules: what sources of T5s, and of networks for images, can say in C.
 *
 * Every derivation is a program that checks, runs, and draws no warning from any compiler. Where
 * two decisions could disagree, the templates keep them apart: Nesterov's momentum has a grid
 * without 0, the alternatives of a schedule all use `step` and `steps`, an average is begun before
 * anything can end the loop. (To draw again what does not fit would leave a refinement without a
 * probability that could be said.)
 *
 * Numbers stand on grids: a model of refinements has to meet each of them often. */
#include "refine/mutation/grammar.h"
#include "refine/mutation/sample.h"

#include <assert.h>
#include <string.h>

/* train() around the line that updates; its loop says what is done with a batch. */
#define TRAIN_BEGIN                               \
    "\nvoid train(t5 *model, dataset *data)\n{\n" \
    "    optimizer *o = $optimizer;\n"            \
    "    objective loss = cross_entropy();\n"     \
    "$smoothing$z_loss$end_weight$edit_weight"    \
    "    int steps = $steps;\n"                   \
    "$loop$average$stop$learn$clip"
#define TRAIN_END "@loop_end    }\n@averaged}\n"

/* A rule that decides nothing, one of ordered numbers, one of any alternatives, another text for
 * a rule's alternatives, and an architecture's sizes, each next to the last. `first` is the
 * default. */
/* clang-format off */
#define FIXED(name, text) {name, NULL, 0, 0, MUTATION_UNORDERED, {text}}
#define GRID(name, scope, first, ...) {name, NULL, scope, first, MUTATION_GRID, {__VA_ARGS__}}
#define SHAPE(name, scope, first, ...) {name, NULL, scope, first, MUTATION_UNORDERED, {__VA_ARGS__}}
#define WRITING(name, of, ...) {name, of, 0, 0, MUTATION_UNORDERED, {__VA_ARGS__}}
#define LADDER(name, first, ...) {name, NULL, MUTATION_ARCHITECTURE, first, MUTATION_LADDER, {__VA_ARGS__}}
/* clang-format on */

static const mutation_rule source_rules[] = {
    /* Which functions a source has: one root for each. */
    FIXED("model_source", "$model"),
    FIXED("training_source", "$model$training"),
    FIXED("data_source", "$model$data"),
    FIXED("whole_source", "$model$data$training"),

    /* ---- model() ---- */
    FIXED("model", MUTATION_LISTING("$layers", "$decoder_layers", "$heads", "$d_ff")),
    GRID("layers", MUTATION_ARCHITECTURE, 1, "1", "2", "3", "4", "5", "6", "7", "8"),
    GRID("decoder_layers", MUTATION_ARCHITECTURE, 1, "1", "2", "3", "4", "5", "6", "7", "8"),
    GRID("heads", MUTATION_ARCHITECTURE, 3, "1", "2", "4", "8", "16"),
    GRID("d_ff", MUTATION_ARCHITECTURE, 8, "64", "96", "128", "192", "256", "384", "512", "768",
         "1024", "1536", "2048", "3072", "4096"),

    /* ---- data() ---- */
    FIXED("data", "\ndataset *data(void)\n{\n$pairs}\n"),
    SHAPE("pairs", MUTATION_DATA, 0, "    return pairs(0, budget());\n",
          "    dataset *d = pairs(0, budget());\n"
          "$order    return d;\n",
          /* fewer pairs, each more often */
          "    dataset *d = pairs(0, budget() / $times);\n"
          "    repeat(d, @times);\n"
          "$order    return d;\n",
          /* some of the score's pairs, the rest new ones */
          "    int n = budget();\n"
          "    dataset *d = pairs(0, n / $times);\n"
          "    $join(d, pairs(n, n - n / @times));\n"
          "$order    return d;\n",
          /* curriculum: short pairs first */
          "    dataset *all = pairs(0, budget());\n"
          "    dataset *d = pairs(0, 0);\n"
          "    dataset *rest = pairs(0, 0);\n"
          "    for (int i = 0; i < size(all); i++)\n"
          "        if (tokens(all, i) <= $tokens)\n"
          "            add(d, all, i);\n"
          "        else\n"
          "            add(rest, all, i);\n"
          "    append(d, rest);\n"
          "    return d;\n",
          /* curriculum: easy ones over and over, from a window that grows */
          "    dataset *easy = pairs(0, budget() / $times);\n"
          "    sort_by_length(easy);\n"
          "    dataset *d = pairs(0, 0);\n"
          "    for (int n = size(easy) / @times; n > 0 && n <= size(easy); n *= 2)\n"
          "        for (int i = 0; i < n; i++)\n"
          "            add(d, easy, i);\n"
          "    return d;\n"),
    GRID("times", MUTATION_DATA, 0, "2", "3", "4", "8"),
    SHAPE("join", MUTATION_DATA, 0, "append", "mix"),
    GRID("tokens", MUTATION_DATA, 2, "64", "96", "128", "192", "256", "384"),
    SHAPE("order", MUTATION_DATA, 0, "    shuffle(d, $shuffle_seed);\n",
          "    sort_by_length(d);\n$longest_first", ""),
    SHAPE("longest_first", MUTATION_DATA, 1, "    reverse(d);\n", ""),
    GRID("shuffle_seed", MUTATION_DATA, 0, "1", "2", "3", "4", "5", "6", "7", "8"),

    /* ---- train(): the objective ---- */
    SHAPE("smoothing", MUTATION_OBJECTIVE, 1, "    loss.label_smoothing = $smoothing_value;\n", ""),
    GRID("smoothing_value", MUTATION_OBJECTIVE, 3, "0.01", "0.02", "0.05", "0.1", "0.2"),
    SHAPE("z_loss", MUTATION_OBJECTIVE, 1, "    loss.z_loss = $z_loss_value;\n", ""),
    GRID("z_loss_value", MUTATION_OBJECTIVE, 1, "1e-05", "0.0001", "0.001", "0.01"),
    SHAPE("end_weight", MUTATION_OBJECTIVE, 1, "    loss.end_weight = $end_value;\n", ""),
    GRID("end_value", MUTATION_OBJECTIVE, 1, "0.25", "0.5", "2.0", "4.0"),
    SHAPE("edit_weight", MUTATION_OBJECTIVE, 1, "    loss.edit_weight = $edit_value;\n", ""),
    GRID("edit_value", MUTATION_OBJECTIVE, 1, "0.5", "2.0", "4.0", "8.0", "16.0"),

    /* ---- train(): learning ---- */
    SHAPE("training", MUTATION_LEARNING, 0,
          "\n"
          "static double factor(int step, int steps)\n"
          "{\n"
          "$warmup    return $schedule;\n"
          "}\n" TRAIN_BEGIN "        update(o, $rate * factor(step, steps));\n" TRAIN_END,
          TRAIN_BEGIN "        update(o, $rate);\n" TRAIN_END,
          TRAIN_BEGIN "        update(o, $rate * ($schedule));\n" TRAIN_END,
          TRAIN_BEGIN "        double rate = $rate * ($schedule);\n$slow_start"
                      "        update(o, rate);\n" TRAIN_END),
    SHAPE("optimizer", MUTATION_LEARNING, 0, "adamw_scaled(model, $beta1, $beta2, $eps, $decay)",
          "adamw(model, $beta1, $beta2, $eps, $decay)", "adam(model, $beta1, $beta2, $eps, $decay)",
          "rmsprop(model, $alpha, $eps, $momentum, $decay)", "sgd(model, $momentum, $decay, 0)",
          "sgd(model, $nesterov, $decay, 1)",
          "adafactor(model, $decay_rate, 1.0, $decay, 0, $by_scale)"),
    GRID("beta1", MUTATION_LEARNING, 1, "0.8", "0.9", "0.95"),
    GRID("beta2", MUTATION_LEARNING, 3, "0.95", "0.98", "0.99", "0.999"),
    GRID("eps", MUTATION_LEARNING, 1, "1e-10", "1e-08", "1e-06"),
    GRID("decay", MUTATION_LEARNING, 3, "0.0", "0.0001", "0.001", "0.01", "0.1"),
    GRID("alpha", MUTATION_LEARNING, 2, "0.9", "0.95", "0.99", "0.999"),
    GRID("momentum", MUTATION_LEARNING, 2, "0.0", "0.5", "0.9", "0.95", "0.99"),
    GRID("nesterov", MUTATION_LEARNING, 1, "0.5", "0.9", "0.95", "0.99"),
    GRID("decay_rate", MUTATION_LEARNING, 1, "-0.9", "-0.8", "-0.5"),
    SHAPE("by_scale", MUTATION_LEARNING, 0, "0", "1"),
    GRID("rate", MUTATION_LEARNING, 10, "1e-05", "2e-05", "5e-05", "0.0001", "0.0002", "0.0005",
         "0.001", "0.002", "0.005", "0.01", "0.02", "0.05", "0.1", "0.2", "0.5"),

    SHAPE("schedule", MUTATION_LEARNING, 0, "1.0 - (double)step / steps",
          "0.5 * (1.0 + cosine((double)step / steps / 2.0))", "power($least, (double)step / steps)",
          "1.0 / square_root(1.0 + $pace * step / steps)", "step < steps * $knee ? 1.0 : $least",
          "$least + (1.0 - @least) * (1.0 - (double)step / steps)"),
    GRID("least", MUTATION_LEARNING, 1, "0.01", "0.1", "0.2", "0.3"),
    GRID("pace", MUTATION_LEARNING, 1, "3.0", "8.0", "15.0", "99.0"),
    GRID("knee", MUTATION_LEARNING, 1, "0.25", "0.5", "0.75", "0.9"),
    SHAPE("warmup", MUTATION_LEARNING, 1,
          "    if (step < $warmup_steps)\n"
          "        return (step + 1.0) / @warmup_steps;\n",
          ""),
    WRITING("slow_start", "warmup",
            "        if (step < $warmup_steps)\n"
            "            rate *= (step + 1.0) / @warmup_steps;\n",
            ""),
    GRID("warmup_steps", MUTATION_LEARNING, 2, "5", "10", "20", "50", "100"),

    SHAPE("loop", MUTATION_LEARNING, 0, "    for (int step = 0; step < steps; step++) {\n",
          "    int step = 0;\n"
          "    while (step < steps) {\n",
          "    for (int step = 0; step < steps && budget() > 0; step++) {\n"),
    WRITING("loop_end", "loop", "", "        step++;\n", ""),
    GRID("batch", MUTATION_LEARNING, 3, "1", "2", "4", "8", "16", "32", "64"),
    WRITING("steps", "batch", "size(data)", "(size(data) + 1) / 2", "(size(data) + 3) / 4",
            "(size(data) + 7) / 8", "(size(data) + 15) / 16", "(size(data) + 31) / 32",
            "(size(data) + 63) / 64"),
    WRITING("half", "batch", "1", "1", "2", "4", "8", "16", "32"),
    WRITING("quarter", "batch", "1", "1", "1", "2", "4", "8", "16"),
    SHAPE("stop", MUTATION_LEARNING, 1,
          "        if (step > steps * $stop_at)\n"
          "            break;\n",
          ""),
    GRID("stop_at", MUTATION_LEARNING, 1, "0.5", "0.75", "0.9"),
    SHAPE("learn", MUTATION_LEARNING, 0,
          "        batch *b = next(data, @batch);\n"
          "        learn(model, b, loss);\n",
          "        if (learn(model, next(data, @batch), loss) < $enough)\n"
          "            break;\n",
          /* gradients of several batches add up to one update */
          "        loss.scale = 0.5;\n"
          "        for (int i = 0; i < 2; i++)\n"
          "            learn(model, next(data, @half), loss);\n",
          "        loss.scale = 0.25;\n"
          "        for (int i = 0; i < 4; i++)\n"
          "            learn(model, next(data, @quarter), loss);\n"),
    GRID("enough", MUTATION_LEARNING, 1, "0.01", "0.05", "0.1", "0.2"),
    SHAPE("clip", MUTATION_LEARNING, 0, "        clip(model, $clip_norm);\n", ""),
    GRID("clip_norm", MUTATION_LEARNING, 3, "0.1", "0.25", "0.5", "1.0", "2.0", "5.0"),
    SHAPE("average", MUTATION_LEARNING, 1, "        average(model, $inertia);\n", ""),
    WRITING("averaged", "average", "    if (steps > 0)\n        take_average(model);\n", ""),
    GRID("inertia", MUTATION_LEARNING, 1, "0.9", "0.95", "0.99", "0.995"),
};

_Static_assert(sizeof source_rules / sizeof *source_rules <= MUTATION_MAX_RULES,
               "a choice for each rule");

mutation_grammar mutation_grammar_of(unsigned scope)
{
    const char *root = "model_source";
    bool trains = scope & (MUTATION_LEARNING | MUTATION_OBJECTIVE);
    if (trains)
        root = scope & MUTATION_DATA ? "whole_source" : "training_source";
    else if (scope & MUTATION_DATA)
        root = "data_source";
    mutation_grammar g = {source_rules, sizeof source_rules / sizeof *source_rules, 0, scope, {0}};
    g.root = mutation_grammar_find(&g, root, strlen(root));
    assert(g.root >= 0);
    return g;
}

/* ---- networks ----
 *
 * The papers vary four things (C2): the number of convolutions and of hidden layers, and the sizes
 * of both, each layer's its own (AMB-14). Adding a convolution also adds a pool and changes the
 * inputs of the first dense layer (C10): the listing carries channels, height and width along and
 * works them out in code. Convolutions are padded and the first three are pooled, so that a network
 * of eight fits an image of 14 x 14 as well as one of 32 x 32 (AMB-13). */

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
    return (mutation_grammar){
        network_rules, sizeof network_rules / sizeof *network_rules, 0, MUTATION_ARCHITECTURE, {0}};
}
