/* SPDX-License-Identifier: MIT */
/* constraint.c -- each sample has the prefix of its own text, which grows by one token a step; a
 * token is allowed if the prefix can go on with the bytes that it spells.
 *
 * Where a token spells numbers or names of lines, the form's reader (lines.h) says what the refinement
 * grows by: a number adds all lines of the source before it. */
#include "evolve/source/constraint.h"
#include "base/memory.h"
#include "evolve/source/form.h"
#include "evolve/task.h"
#include "refine/mutation/prefix.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* One sample's text. */
typedef struct row {
    mutation_prefix *prefix;
    mutation_reader reader; /* of an answer that is no text of a program */
    int count;              /* tokens that are in it */
} row;

struct source_constraint {
    mutation_mutator mutator;
    const mutation_reading *reading; /* NULL: answers are programs */
    mutation_reader start;           /* of the source: no byte read */
    base_text grown;                 /* scratch: what a token adds to a refinement */
    base_text bytes;                 /* of all tokens, one after the other */
    size_t *first;                   /* of each token, and the end of the last */
    int tokens;
    row *rows;
    int row_count;
    bool failed; /* memory ran out */
};

/* The bytes of each token; special ones have none. */
static bool spell_tokens(source_constraint *c, const t5_tokenizer *tokenizer)
{
    c->tokens = t5_tokenizer_size(tokenizer);
    c->first = base_calloc((size_t)c->tokens + 1, sizeof *c->first);
    for (int token = 0; c->first && token < c->tokens; token++) {
        t5_detokenize(tokenizer, &token, 1, &c->bytes);
        c->first[token + 1] = c->bytes.length;
    }
    return c->first && !c->bytes.failed;
}

static void clear_row(const source_constraint *c, row *r)
{
    mutation_prefix_clear(r->prefix);
    r->reader = c->start;
    r->count = 0;
}

source_constraint *source_constraint_new(const evolve_settings *settings, const char *source,
                                         const t5_tokenizer *tokenizer, int rows, base_error *error)
{
    assert(rows > 0);
    source_constraint *c = base_calloc(1, sizeof *c);
    bool ok =
        c && (c->rows = base_calloc((size_t)rows, sizeof *c->rows)) && spell_tokens(c, tokenizer);
    if (ok) {
        c->mutator = evolve_mutator(settings);
        mutation_mutator_admit(&c->mutator, source, strlen(source), NULL);
        c->reading = source_form_reading((evolve_form)settings->form);
        if (c->reading && !c->reading->begin(&c->start, source, strlen(source), error)) {
            source_constraint_free(c);
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
    source_constraint_free(c);
    return NULL;
}

void source_constraint_free(source_constraint *c)
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

static const char *spelling(const source_constraint *c, int token, size_t *length)
{
    *length = c->first[token + 1] - c->first[token];
    return c->bytes.data + c->first[token];
}

/* What the text grows by with a token. NULL: an answer cannot go on with it, or there is no memory. */
static const char *growth(source_constraint *c, mutation_reader *reader, int token, size_t *length)
{
    const char *bytes = spelling(c, token, length), *why = NULL;
    if (!c->reading || *length == 0)
        return *length ? bytes : NULL;
    base_text_clear(&c->grown);
    base_text_add(&c->grown, "", 0);
    for (size_t i = 0; i < *length && !why; i++)
        why = c->reading->next(reader, (unsigned char)bytes[i], &c->grown);
    *length = c->grown.length;
    c->failed |= c->grown.failed;
    return why || c->grown.failed ? NULL : c->grown.data;
}

/* Whether c->grown may come next. */
static bool follows(source_constraint *c, row *r)
{
    c->failed |= c->grown.failed;
    return !c->grown.failed && mutation_prefix_follows(r->prefix, c->grown.data, c->grown.length);
}

/* Whether the text is one to end with. What a reader holds back is added for that, and so the row
 * begins anew at the next token. */
static bool may_end(source_constraint *c, row *r)
{
    if (!c->reading)
        return mutation_prefix_is_whole(r->prefix);
    mutation_reader copy = r->reader;
    base_text_clear(&c->grown);
    base_text_add(&c->grown, "", 0);
    if (c->reading->end(&copy, &c->grown) || !follows(c, r))
        return false;
    bool whole = mutation_prefix_add(r->prefix, c->grown.data, c->grown.length) &&
                 mutation_prefix_is_whole(r->prefix);
    clear_row(c, r);
    return whole;
}

/* Whether a number may follow c->grown, of which `digits` bytes are there, and then those bytes. */
static bool has_number(source_constraint *c, row *r, int digits, const char *after, size_t length)
{
    enum { MOST = 12 };
    size_t grown = c->grown.length;
    base_text_add(&c->grown, after, length);
    bool found = digits > 0 && follows(c, r);
    for (const char *next = digits > 0 ? "0123456789.e-" : "0123456789";
         !found && digits < MOST && *next; next++) {
        c->grown.length = grown;
        base_text_add(&c->grown, next, 1);
        found = follows(c, r) && has_number(c, r, digits + 1, after, length);
    }
    return found;
}

/* Whether what a reader holds back can become something that may follow: a line that was named, or a percentage
 * that begins so. Behind c->grown. */
static bool can_go_on(source_constraint *c, row *r, const mutation_reader *reader)
{
    size_t grown = c->grown.length, length;
    const char *after;
    if (!c->reading || !c->reading->holds(reader))
        return true;
    for (int way = 0; c->reading->open(reader, way, &c->grown, &after, &length); way++) {
        if (after ? has_number(c, r, reader->last != '\0', after, length) : follows(c, r))
            return true;
        c->grown.length = grown;
    }
    return false;
}

bool source_constraint_allowed(void *constraint, int index, const int *ids, int count, int token)
{
    source_constraint *c = constraint;
    assert(index >= 0 && index < c->row_count);
    row *r = &c->rows[index];
    size_t length;
    if (count < r->count)
        clear_row(c, r);
    for (; r->count < count; r->count++) {
        const char *bytes = growth(c, &r->reader, ids[r->count], &length);
        bool added = bytes && mutation_prefix_add(r->prefix, bytes, length);
        assert(added || source_constraint_failed(c)); /* it was allowed before it was chosen */
        (void)added;
    }
    if (token == T5_EOS)
        return may_end(c, r);
    if (token >= c->tokens)
        return false; /* the model has more ids than the tokenizer has tokens */
    mutation_reader reader = r->reader;
    const char *bytes = growth(c, &reader, token, &length);
    /* Behind a whole program there is no line: a number that needs one would be a dead end. */
    if (bytes && c->reading && c->reading->needs_line(&reader) &&
        (length > 0 || mutation_prefix_is_whole(r->prefix)))
        return false;
    return bytes && mutation_prefix_follows(r->prefix, bytes, length) && can_go_on(c, r, &reader);
}

bool source_constraint_failed(const source_constraint *c)
{
    bool failed = c->failed;
    for (int i = 0; i < c->row_count; i++)
        failed |= mutation_prefix_failed(c->rows[i].prefix);
    return failed;
}
