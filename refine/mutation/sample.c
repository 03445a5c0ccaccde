/* SPDX-License-Identifier: MIT */
/* sample.c -- random designs, their refinements, and how a design is written as C.
 *
 * Both papers make their dataset by a random mutator: draw a design, then change one parameter of
 * it. "Draw again until the edit is allowed" gives each allowed draw the same probability, so there
 * is no loop here: mutation_draws lists the allowed draws, and one of them is picked. The sampler,
 * the probabilities, the entropy (entropy.c) and the model's fidelity (fidelity.c) all read that
 * one list, and cannot disagree about what a refinement is.
 *
 * Streams: pair number `index` reads the stream ("refine_sample", index) from its start: the four
 * source values in the order of mutation_edit, the choice of the parameter, the draw. */
#include "refine/mutation/sample.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

static const char *const names[MUTATION_EDITS] = {
    [MUTATION_EDIT_NUM_LAYERS] = "num_layers",
    [MUTATION_EDIT_NUM_DECODER_LAYERS] = "num_decoder_layers",
    [MUTATION_EDIT_NUM_HEADS] = "num_heads",
    [MUTATION_EDIT_D_FF] = "d_ff",
};

const char *mutation_edit_name(mutation_edit edit)
{
    assert((unsigned)edit < MUTATION_EDITS);
    return names[edit];
}

/* Sheng & Padmanabhan 2022, section 4.1. */
mutation_rules mutation_paper_rules(void)
{
    return (mutation_rules){
        .low = {1, 1, 1, 64},
        .high = {8, 8, 16, 4096},
        .percent = 50,
        .half_for_d_ff = false,
        .clamp = true,
    };
}

/* ---- a design as text ----
 *
 * Writing and reading walk one listing, so that one is the inverse of the other. */

static const char listing[] = MUTATION_LISTING("$", "$", "$", "$");

const char *mutation_listing(void) { return listing; }

/* The length of the fixed text up to the next number, or the end. */
static size_t fixed_length(const char *at) { return strcspn(at, "$"); }

void mutation_print(const mutation_design *design, base_text *text)
{
    const char *at = listing;
    for (int i = 0; i < MUTATION_EDITS; i++) {
        assert(design->value[i] >= 0);
        base_text_add(text, at, fixed_length(at));
        base_text_print(text, "%d", design->value[i]);
        at += fixed_length(at) + 1;
    }
    base_text_add(text, at, fixed_length(at));
}

/* Moves *at past fixed text, as far as it stands there. */
static bool read_fixed(const char **at, const char *end, const char *fixed)
{
    size_t length = fixed_length(fixed), same = 0;
    while (same < length && *at < end && **at == fixed[same]) {
        same++;
        (*at)++;
    }
    return same == length;
}

/* number = "0" | [1-9][0-9]*, at most INT_MAX: how %d writes it, and no other way. */
static bool read_number(const char **at, const char *end, int *value)
{
    const char *start = *at;
    int64_t number = 0;
    while (*at < end && **at >= '0' && **at <= '9') {
        number = number * 10 + (**at - '0');
        if (number > INT_MAX)
            return false;
        (*at)++;
    }
    *value = (int)number;
    return *at > start && (*start != '0' || *at == start + 1);
}

/* Nothing is written unless all of the text is a listing. */
bool mutation_read(const char *text, size_t length, mutation_design *design, size_t *far)
{
    const char *at = text, *end = text + length, *fixed = listing;
    mutation_design read;
    bool ok = true;
    for (int i = 0; ok && i < MUTATION_EDITS; i++) {
        ok = read_fixed(&at, end, fixed) && read_number(&at, end, &read.value[i]);
        fixed += fixed_length(fixed) + 1;
    }
    ok = ok && read_fixed(&at, end, fixed) && at == end;
    if (ok)
        *design = read;
    else if (far)
        *far = (size_t)(at - text);
    return ok;
}

/* ---- drawing ---- */

/* The papers say "one parameter"; the second option gives d_ff, which has the most values, half. */
double mutation_choice(const mutation_rules *rules, mutation_edit edit)
{
    if (!rules->half_for_d_ff)
        return 1.0 / MUTATION_EDITS;
    return edit == MUTATION_EDIT_D_FF ? 1.0 / 2 : 1.0 / (2 * (MUTATION_EDITS - 1));
}

/* The result of a draw, before it is known to fit an int. */
static bool allowed(const mutation_rules *rules, mutation_edit edit, int value, int64_t result)
{
    if (result < 1 || result > INT_MAX)
        return false;
    if (!rules->clamp)
        return true;
    return result != value && result >= rules->low[edit] && result <= rules->high[edit];
}

/* First all steps up, then all down. Within each the results are monotonic in p, and no step up
 * ends below the value, no step down on it (value >= 1): so equal results are neighbours. */
int mutation_draws(const mutation_rules *rules, mutation_edit edit, int value,
                   int draws[MUTATION_MAX_DRAWS])
{
    int count = 0, steps = edit == MUTATION_EDIT_D_FF ? rules->percent : 1;
    for (int sign = 1; sign >= -1; sign -= 2)
        for (int step = 1; step <= steps; step++) {
            int64_t result = edit == MUTATION_EDIT_D_FF ? (int64_t)value * (100 + sign * step) / 100
                                                        : (int64_t)value + sign;
            if (allowed(rules, edit, value, result))
                draws[count++] = (int)result;
        }
    return count;
}

/* Half for d_ff: six equal lots, one for each of the first three, three for d_ff. */
static mutation_edit choose(const mutation_rules *rules, base_random *random)
{
    if (!rules->half_for_d_ff)
        return (mutation_edit)base_random_below(random, MUTATION_EDITS);
    uint32_t lot = base_random_below(random, 2 * (MUTATION_EDITS - 1));
    return lot < MUTATION_EDIT_D_FF ? (mutation_edit)lot : MUTATION_EDIT_D_FF;
}

/* One number chooses the parameter, the next one of the draws that it allows. */
mutation_edit mutation_mutate(const mutation_rules *rules, const mutation_design *source,
                              base_random *random, mutation_design *refined)
{
    int draws[MUTATION_MAX_DRAWS];
    mutation_edit edit = choose(rules, random);
    int count = mutation_draws(rules, edit, source->value[edit], draws);
    assert(count > 0);
    *refined = *source;
    refined->value[edit] = draws[base_random_below(random, (uint32_t)count)];
    return edit;
}

/* In the order of mutation_edit, which is part of the dataset's definition. */
mutation_design mutation_design_sample(const mutation_rules *rules, base_random *random)
{
    mutation_design design;
    for (int i = 0; i < MUTATION_EDITS; i++) {
        uint32_t values = (uint32_t)(rules->high[i] - rules->low[i]) + 1;
        design.value[i] = rules->low[i] + (int)base_random_below(random, values);
    }
    return design;
}

mutation_pair mutation_sample(const mutation_rules *rules, uint64_t seed, uint64_t index)
{
    base_random random = {seed, base_random_stream("refine_sample", index, 0, 0), 0};
    mutation_pair pair = {.source = mutation_design_sample(rules, &random)};
    pair.edit = mutation_mutate(rules, &pair.source, &random, &pair.refined);
    return pair;
}
