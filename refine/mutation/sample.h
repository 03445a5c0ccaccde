/* SPDX-License-Identifier: MIT */
/* sample.h -- random T5 programs and their refinements: the papers' dataset.
 *
 * A design is the four integers that the papers vary (Sheng 2022, section 3; Sheng & Padmanabhan
 * 2022, section 4.1). A design is printed as a C source of seven lines inside model(); a refinement
 * changes exactly one of the four, and the pair (source, refined) is what the T5 learns from.
 *
 * Every pair is a pure function of (rules, seed, index): a dataset needs no file, and any part of
 * it can be made anywhere. The distribution is known, so its conditional entropy, the loss that no
 * model can beat, is computed exactly by enumeration (mutation_entropy). */
#ifndef MUTATION_SAMPLE_H
#define MUTATION_SAMPLE_H

#include "base/random.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum mutation_edit {
    MUTATION_EDIT_NUM_LAYERS,
    MUTATION_EDIT_NUM_DECODER_LAYERS,
    MUTATION_EDIT_NUM_HEADS,
    MUTATION_EDIT_D_FF,
    MUTATION_EDITS
} mutation_edit;

const char *mutation_edit_name(mutation_edit edit); /* "num_layers", ... */

typedef struct mutation_design {
    int value[MUTATION_EDITS]; /* indexed by mutation_edit; never negative */
} mutation_design;

/* The ranges and the edit rule. The papers leave open how "one parameter" is chosen and what
 * happens at the border of a range; both are settings. The functions below want rules that can be
 * drawn from: 1 <= low <= high <= MUTATION_MAX_VALUE, 1 <= percent <= MUTATION_MAX_PERCENT, and an
 * edit for every value of every range (a range of one value, clamped, has none). */
typedef struct mutation_rules {
    int low[MUTATION_EDITS], high[MUTATION_EDITS]; /* inclusive */
    int percent;        /* d_ff changes by 1 .. percent per cent, up or down */
    bool half_for_d_ff; /* false: one of four, each 1/4. true: d_ff 1/2, the others 1/6 each */
    bool clamp; /* true: an edit that leaves its range, or changes nothing, is drawn again */
} mutation_rules;

enum {
    MUTATION_MAX_VALUE = 65536, /* of a range: d_ff of T5-11B, the widest there is */
    MUTATION_MAX_PERCENT = 100,
    MUTATION_MAX_DRAWS = 2 * MUTATION_MAX_PERCENT
};

/* B5-B12 of the papers: layers 1..8 each, heads 1..16, d_ff 64..4096, 50 per cent; uniform over
 * the four, clamped. */
mutation_rules mutation_paper_rules(void);

/* Appends the source of a design: the program that Table 1 of both papers shows, in C. */
void mutation_print(const mutation_design *design, base_text *text);

/* Reads a design back from a source printed by mutation_print (to the byte). False: it is not one.
 * Any int from 0 on is read, in range or not, since a model may write any. *far (which may be NULL), where it is not one:
 * so many bytes could be one's beginning. */
bool mutation_read(const char *text, size_t length, mutation_design *design, size_t *far);

/* The text of such a source, with '$' for the number of each edit, in their order. */
const char *mutation_listing(void);

/* The same for a table of rules (grammar_table.c), with other words for the numbers. */
#define MUTATION_LISTING(layers, decoder_layers, heads, d_ff) \
    "#include \"phoenix.h\"\n"                                \
    "\n"                                                      \
    "t5 *model(void)\n"                                       \
    "{\n"                                                     \
    "    t5_config config = t5_small();\n"                    \
    "    config.num_layers = " layers ";\n"                   \
    "    config.num_decoder_layers = " decoder_layers ";\n"   \
    "    config.num_heads = " heads ";\n"                     \
    "    config.d_kv = config.d_model / config.num_heads;\n"  \
    "    config.d_ff = " d_ff ";\n"                           \
    "    return t5_new(config);\n"                            \
    "}\n"

/* P(this parameter is the one that is edited). */
double mutation_choice(const mutation_rules *rules, mutation_edit edit);

/* What a parameter of that value can become, one entry for each draw that is allowed; every entry
 * is equally likely, and equal entries stand side by side. Returns how many. 0: the rules allow no
 * edit here, which happens only to a value outside its range, under clamp.
 *
 *   layers, heads   value + 1, value - 1
 *   d_ff            value * (100 + p) / 100 and value * (100 - p) / 100 for p = 1 .. percent,
 *                   cut towards 0 as C and the papers' int() do
 *
 * A result below 1 is no model and is never allowed ("syntactically and logically correct"), nor
 * one above INT_MAX. clamp also forbids results outside low .. high and the value itself. Without
 * it a small d_ff may stay what it was: 64 * 101 / 100 is 64. */
int mutation_draws(const mutation_rules *rules, mutation_edit edit, int value,
                   int draws[MUTATION_MAX_DRAWS]);

/* Each value uniform over its range: the prior over sources. */
mutation_design mutation_design_sample(const mutation_rules *rules, base_random *random);

/* One random refinement of any design in range: what the T5 learns to imitate. Returns the
 * parameter it chose. A chosen parameter that has no draws is a bug of the caller (assert). */
mutation_edit mutation_mutate(const mutation_rules *rules, const mutation_design *source,
                              base_random *random, mutation_design *refined);

typedef struct mutation_pair {
    mutation_design source, refined;
    mutation_edit edit;
} mutation_pair;

/* The pair of that index. Streams: see sample.c. One hash and seven random numbers, no memory: with
 * printing both designs about a microsecond, so training makes its pairs as it goes. */
mutation_pair mutation_sample(const mutation_rules *rules, uint64_t seed, uint64_t index);

/* P(refined | source) under the rules; 0 where it is no legal refinement. Over all refined it sums
 * to 1 for any source in range; to less for one outside that has a parameter without draws. */
double mutation_probability(const mutation_rules *rules, const mutation_design *source,
                            const mutation_design *refined);

/* The conditional entropy H(refined | source) in nats a pair, averaged over the sources that the
 * rules draw: exact, by enumerating every source value and every outcome.
 * by_edit (may be NULL): the entropy of the new value, given that this parameter is edited; the
 * total is the entropy of the choice plus the average of these. */
double mutation_entropy(const mutation_rules *rules, double by_edit[MUTATION_EDITS]);

#endif
