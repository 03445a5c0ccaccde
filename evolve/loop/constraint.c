/* constraint.c -- each sample has the prefix of its own text, which grows by one token a step; a
 * token is allowed if the prefix can go on with the bytes that it spells. */
#include "evolve/loop/constraint.h"
#include "refine/mutation/prefix.h"
#include "evolve/task.h"
#include <assert.h>
#include <stdlib.h>

/* One sample's text. */
typedef struct row {
    mutation_prefix *prefix;
    int count; /* tokens that are in it */
} row;

struct loop_constraint {
    mutation_mutator mutator;
    base_text bytes; /* of all tokens, one after the other */
    size_t *start;   /* of each token, and the end of the last */
    int tokens;
    row *rows;
    int row_count;
};

/* The bytes of each token; special ones have none. */
static bool spell_tokens(loop_constraint *c, const t5_tokenizer *tokenizer)
{
    c->tokens = t5_tokenizer_size(tokenizer);
    c->start = calloc((size_t)c->tokens + 1, sizeof *c->start);
    for (int token = 0; c->start && token < c->tokens; token++) {
        t5_detokenize(tokenizer, &token, 1, &c->bytes);
        c->start[token + 1] = c->bytes.length;
    }
    return c->start && !c->bytes.failed;
}

loop_constraint *loop_constraint_new(const evolve_settings *settings, const t5_tokenizer *tokenizer,
                                     int rows, base_error *error)
{
    assert(rows > 0);
    loop_constraint *c = calloc(1, sizeof *c);
    bool ok = c && (c->rows = calloc((size_t)rows, sizeof *c->rows)) && spell_tokens(c, tokenizer);
    if (ok)
        c->mutator = evolve_mutator(settings);
    for (; ok && c->row_count < rows; c->row_count++)
        ok = (c->rows[c->row_count].prefix = mutation_prefix_new(&c->mutator)) != NULL;
    if (ok)
        return c;
    base_fail(error, "the constraint of %d samples: no memory", rows);
    loop_constraint_free(c);
    return NULL;
}

void loop_constraint_free(loop_constraint *c)
{
    if (!c)
        return;
    for (int i = 0; i < c->row_count; i++)
        mutation_prefix_free(c->rows[i].prefix);
    free(c->rows);
    free(c->start);
    base_text_free(&c->bytes);
    free(c);
}

static const char *spelling(const loop_constraint *c, int token, size_t *length)
{
    *length = c->start[token + 1] - c->start[token];
    return c->bytes.data + c->start[token];
}

bool loop_constraint_allowed(void *constraint, int index, const int *ids, int count, int token)
{
    loop_constraint *c = constraint;
    assert(index >= 0 && index < c->row_count);
    row *r = &c->rows[index];
    size_t length;
    if (count < r->count) {
        mutation_prefix_clear(r->prefix);
        r->count = 0;
    }
    for (; r->count < count; r->count++) {
        const char *bytes = spelling(c, ids[r->count], &length);
        bool added = mutation_prefix_add(r->prefix, bytes, length);
        assert(added); /* it was allowed before it was chosen */
        (void)added;
    }
    if (token == T5_EOS)
        return mutation_prefix_is_whole(r->prefix);
    if (token >= c->tokens)
        return false; /* the model has more ids than the tokenizer has tokens */
    const char *bytes = spelling(c, token, &length);
    return length > 0 && mutation_prefix_follows(r->prefix, bytes, length);
}
