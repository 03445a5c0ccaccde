/* sample.c -- random designs, their refinements, and how a design is written as C.
 *
 * Both papers make their dataset by a random mutator: draw a design, then change one parameter of
 * it. "Draw again until the edit is allowed" gives each allowed draw the same probability, so there
 * is no loop here: refine_draws lists the allowed draws, and one of them is picked. The sampler,
 * the probabilities, the entropy (entropy.c) and the model's fidelity (fidelity.c) all read that
 * one list, and cannot disagree about what a refinement is.
 *
 * Streams: pair number `index` reads the stream ("refine_sample", index) from its start: the four
 * source values in the order of refine_edit, the choice of the parameter, the draw. */
#include "refine/sample.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

static const char *const names[REFINE_EDITS] = {
    [REFINE_EDIT_NUM_LAYERS] = "num_layers",
    [REFINE_EDIT_NUM_DECODER_LAYERS] = "num_decoder_layers",
    [REFINE_EDIT_NUM_HEADS] = "num_heads",
    [REFINE_EDIT_D_FF] = "d_ff",
};

const char *refine_edit_name(refine_edit edit)
{
    assert((unsigned)edit < REFINE_EDITS);
    return names[edit];
}

refine_rules refine_paper_rules(void)
{
    return (refine_rules){
        .low = {1, 1, 1, 64},
        .high = {8, 8, 16, 4096},
        .percent = 50,
        .half_for_d_ff = false,
        .clamp = true,
    };
}

bool refine_rules_check(const refine_rules *rules, base_error *error)
{
    if (rules->percent < 1 || rules->percent > REFINE_MAX_PERCENT)
        return base_fail(error, "rules: percent is %d, expected 1 to %d", rules->percent,
                         REFINE_MAX_PERCENT);
    for (int edit = 0; edit < REFINE_EDITS; edit++) {
        int low = rules->low[edit], high = rules->high[edit];
        if (low < 1 || high < low || high > REFINE_MAX_VALUE)
            return base_fail(error, "rules: %s is %d to %d, expected 1 <= low <= high <= %d",
                             names[edit], low, high, REFINE_MAX_VALUE);
        for (int value = low; value <= high; value++) {
            int draws[REFINE_MAX_DRAWS];
            if (!refine_draws(rules, (refine_edit)edit, value, draws))
                return base_fail(error,
                                 "rules: no edit changes %s %d and stays within %d to %d, "
                                 "expected a wider range, a higher percentage, or no clamp",
                                 names[edit], value, low, high);
        }
    }
    return true;
}

/* ---- a design as text ----
 *
 * The source is these pieces with a number between each two, in the order of refine_edit. Writing
 * and reading walk the same list, so one is the inverse of the other. */

static const char *const pieces[REFINE_EDITS + 1] = {
    "#include \"phoenix.h\"\n"
    "\n"
    "t5 *model(void)\n"
    "{\n"
    "    t5_config config = t5_small();\n"
    "    config.num_layers = ",
    ";\n"
    "    config.num_decoder_layers = ",
    ";\n"
    "    config.num_heads = ",
    ";\n"
    "    config.d_kv = config.d_model / config.num_heads;\n"
    "    config.d_ff = ",
    ";\n"
    "    return t5_new(config);\n"
    "}\n",
};

const char *refine_design_piece(int i)
{
    assert(i >= 0 && i <= REFINE_EDITS);
    return pieces[i];
}

void refine_print(const refine_design *design, base_text *text)
{
    for (int i = 0; i < REFINE_EDITS; i++) {
        assert(design->value[i] >= 0);
        base_text_add(text, pieces[i], strlen(pieces[i]));
        base_text_print(text, "%d", design->value[i]);
    }
    base_text_add(text, pieces[REFINE_EDITS], strlen(pieces[REFINE_EDITS]));
}

/* Moves *at past a piece, if it stands there. */
static bool read_piece(const char **at, const char *end, const char *piece)
{
    size_t length = strlen(piece);
    if ((size_t)(end - *at) < length || memcmp(*at, piece, length) != 0)
        return false;
    *at += length;
    return true;
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

bool refine_read(const char *text, size_t length, refine_design *design)
{
    const char *at = text, *end = text + length;
    refine_design read;
    for (int i = 0; i < REFINE_EDITS; i++)
        if (!read_piece(&at, end, pieces[i]) || !read_number(&at, end, &read.value[i]))
            return false;
    if (!read_piece(&at, end, pieces[REFINE_EDITS]) || at != end)
        return false;
    *design = read;
    return true;
}

/* ---- drawing ---- */

double refine_choice(const refine_rules *rules, refine_edit edit)
{
    if (!rules->half_for_d_ff)
        return 1.0 / REFINE_EDITS;
    return edit == REFINE_EDIT_D_FF ? 1.0 / 2 : 1.0 / (2 * (REFINE_EDITS - 1));
}

static bool allowed(const refine_rules *rules, refine_edit edit, int value, int64_t result)
{
    if (result < 1 || result > INT_MAX)
        return false;
    if (!rules->clamp)
        return true;
    return result != value && result >= rules->low[edit] && result <= rules->high[edit];
}

/* First all steps up, then all down. Within each the results are monotonic in p, and no step up
 * ends below the value, no step down on it (value >= 1): so equal results are neighbours. */
int refine_draws(const refine_rules *rules, refine_edit edit, int value,
                 int draws[REFINE_MAX_DRAWS])
{
    int count = 0, steps = edit == REFINE_EDIT_D_FF ? rules->percent : 1;
    for (int sign = 1; sign >= -1; sign -= 2)
        for (int step = 1; step <= steps; step++) {
            int64_t result = edit == REFINE_EDIT_D_FF ? (int64_t)value * (100 + sign * step) / 100
                                                      : (int64_t)value + sign;
            if (allowed(rules, edit, value, result))
                draws[count++] = (int)result;
        }
    return count;
}

/* Half for d_ff: six equal lots, one for each of the first three, three for d_ff. */
static refine_edit choose(const refine_rules *rules, base_random *random)
{
    if (!rules->half_for_d_ff)
        return (refine_edit)base_random_below(random, REFINE_EDITS);
    uint32_t lot = base_random_below(random, 2 * (REFINE_EDITS - 1));
    return lot < REFINE_EDIT_D_FF ? (refine_edit)lot : REFINE_EDIT_D_FF;
}

refine_edit refine_mutate(const refine_rules *rules, const refine_design *source,
                          base_random *random, refine_design *refined)
{
    int draws[REFINE_MAX_DRAWS];
    refine_edit edit = choose(rules, random);
    int count = refine_draws(rules, edit, source->value[edit], draws);
    assert(count > 0);
    *refined = *source;
    refined->value[edit] = draws[base_random_below(random, (uint32_t)count)];
    return edit;
}

refine_design refine_design_sample(const refine_rules *rules, base_random *random)
{
    refine_design design;
    for (int i = 0; i < REFINE_EDITS; i++) {
        uint32_t values = (uint32_t)(rules->high[i] - rules->low[i]) + 1;
        design.value[i] = rules->low[i] + (int)base_random_below(random, values);
    }
    return design;
}

refine_pair refine_sample(const refine_rules *rules, uint64_t seed, uint64_t index)
{
    base_random random = {seed, base_random_stream("refine_sample", index, 0, 0), 0};
    refine_pair pair = {.source = refine_design_sample(rules, &random)};
    pair.edit = refine_mutate(rules, &pair.source, &random, &pair.refined);
    return pair;
}
