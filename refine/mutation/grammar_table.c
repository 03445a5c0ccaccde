/* SPDX-License-Identifier: MIT */
/* grammar_table.c -- the rules: what sources of T5s can say in C (network_table.c has those of networks).
 *
 * Every derivation is a program that checks, runs, and draws no warning from any compiler. Where
 * two decisions could disagree, the templates keep them apart: Nesterov's momentum has a grid
 * without 0, the alternatives of a schedule all use `step` and `steps`, an average is begun before
 * anything can end the loop. (To draw again what does not fit would leave a refinement without a
 * probability that could be said.)
 *
 * Numbers stand on grids: a model of refinements has to meet each of them often. */
#include "refine/mutation/grammar_rows.h"
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
    mutation_grammar g = {
        .rules = source_rules, .count = sizeof source_rules / sizeof *source_rules, .scope = scope};
    g.root = mutation_grammar_find(&g, root, strlen(root));
    assert(g.root >= 0);
    return g;
}
