/* SPDX-License-Identifier: MIT */
/* constraint.c -- each sample has the prefix of its own text, which grows by one token a step; a
 * token is allowed if the prefix can go on with the bytes that it spells.
 *
 * An edit's token spells numbers and lines, and what the refinement grows by is the reader's to say
 * (script.h): a number adds all lines of the source before it. */
#include "evolve/loop/constraint.h"
#include "base/memory.h"
#include "evolve/task.h"
#include "refine/mutation/prefix.h"
#include "refine/mutation/script.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* One sample's text. */
typedef struct row {
    mutation_prefix *prefix;
    mutation_script_reader reader; /* where edits are written */
    int count;                     /* tokens that are in it */
} row;

struct loop_constraint {
    mutation_mutator mutator;
    bool edits;
    mutation_script_reader start; /* of the source: no byte read */
    base_text grown;              /* scratch: what a token adds to a refinement */
    base_text bytes;              /* of all tokens, one after the other */
    size_t *first;                /* of each token, and the end of the last */
    int tokens;
    row *rows;
    int row_count;
};

/* The bytes of each token; special ones have none. */
static bool spell_tokens(loop_constraint *c, const t5_tokenizer *tokenizer)
{
    c->tokens = t5_tokenizer_size(tokenizer);
    c->first = base_calloc((size_t)c->tokens + 1, sizeof *c->first);
    for (int token = 0; c->first && token < c->tokens; token++) {
        t5_detokenize(tokenizer, &token, 1, &c->bytes);
        c->first[token + 1] = c->bytes.length;
    }
    return c->first && !c->bytes.failed;
}

static void clear_row(const loop_constraint *c, row *r)
{
    mutation_prefix_clear(r->prefix);
    r->reader = c->start;
    r->count = 0;
}

loop_constraint *loop_constraint_new(const evolve_settings *settings, const char *source,
                                     const t5_tokenizer *tokenizer, int rows, base_error *error)
{
    assert(rows > 0);
    loop_constraint *c = base_calloc(1, sizeof *c);
    bool ok =
        c && (c->rows = base_calloc((size_t)rows, sizeof *c->rows)) && spell_tokens(c, tokenizer);
    if (ok) {
        c->mutator = evolve_mutator(settings);
        mutation_mutator_admit(&c->mutator, source, strlen(source), NULL);
        c->edits = settings->form == EVOLVE_EDIT;
        if (c->edits && !mutation_script_begin(&c->start, source, strlen(source), error)) {
            loop_constraint_free(c);
            return NULL;
        }
    }
    for (; ok && c->row_count < rows; c->row_count += ok) {
        row *r = &c->rows[c->row_count];
        ok = (r->prefix = mutation_prefix_new(&c->mutator)) != NULL;
        if (ok)
            clear_row(c, r);
    }
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
    base_free(c->rows);
    base_free(c->first);
    base_text_free(&c->grown);
    base_text_free(&c->bytes);
    base_free(c);
}

static const char *spelling(const loop_constraint *c, int token, size_t *length)
{
    *length = c->first[token + 1] - c->first[token];
    return c->bytes.data + c->first[token];
}

/* What the text grows by with a token. NULL: an edit cannot go on with it, or there is no memory. */
static const char *growth(loop_constraint *c, mutation_script_reader *reader, int token,
                          size_t *length)
{
    const char *bytes = spelling(c, token, length), *why = NULL;
    if (!c->edits || *length == 0)
        return *length ? bytes : NULL;
    base_text_clear(&c->grown);
    base_text_add(&c->grown, "", 0);
    for (size_t i = 0; i < *length && !why; i++)
        why = mutation_script_next(reader, (unsigned char)bytes[i], &c->grown);
    *length = c->grown.length;
    return why || c->grown.failed ? NULL : c->grown.data;
}

/* Whether the text is one to end with. Of an edit, the rest of the source is added for that, and so
 * the row begins anew at the next token. */
static bool may_end(loop_constraint *c, row *r)
{
    if (!c->edits)
        return mutation_prefix_is_whole(r->prefix);
    mutation_script_reader reader = r->reader;
    base_text_clear(&c->grown);
    base_text_add(&c->grown, "", 0);
    if (mutation_script_end(&reader, &c->grown) || c->grown.failed ||
        !mutation_prefix_follows(r->prefix, c->grown.data, c->grown.length))
        return false;
    bool whole = mutation_prefix_add(r->prefix, c->grown.data, c->grown.length) &&
                 mutation_prefix_is_whole(r->prefix);
    clear_row(c, r);
    return whole;
}

/* Within a percentage: whether one that begins so makes a line that may follow. */
static bool has_percentage(loop_constraint *c, row *r, const mutation_script_reader *reader)
{
    bool follows = !c->edits || !mutation_script_in_percentage(reader);
    for (int i = 0; !follows; i++) {
        base_text_clear(&c->grown);
        if (!mutation_script_percentage(reader, i, &c->grown) || c->grown.failed)
            break;
        follows = mutation_prefix_follows(r->prefix, c->grown.data, c->grown.length);
    }
    return follows;
}

bool loop_constraint_allowed(void *constraint, int index, const int *ids, int count, int token)
{
    loop_constraint *c = constraint;
    assert(index >= 0 && index < c->row_count);
    row *r = &c->rows[index];
    size_t length;
    if (count < r->count)
        clear_row(c, r);
    for (; r->count < count; r->count++) {
        const char *bytes = growth(c, &r->reader, ids[r->count], &length);
        bool added = bytes && mutation_prefix_add(r->prefix, bytes, length);
        assert(added); /* it was allowed before it was chosen */
        (void)added;
    }
    if (token == T5_EOS)
        return may_end(c, r);
    if (token >= c->tokens)
        return false; /* the model has more ids than the tokenizer has tokens */
    mutation_script_reader reader = r->reader;
    const char *bytes = growth(c, &reader, token, &length);
    /* Behind a whole program there is no line: a number that needs one would be a dead end. */
    if (bytes && c->edits && mutation_script_needs_line(&reader) &&
        (length > 0 || mutation_prefix_is_whole(r->prefix)))
        return false;
    return bytes && mutation_prefix_follows(r->prefix, bytes, length) &&
           has_percentage(c, r, &reader);
}
