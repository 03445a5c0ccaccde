/* SPDX-License-Identifier: MIT */
/* spiece.c -- SentencePiece's own file (spiece.model), which is a protocol buffer.
 *
 * A buffer is fields one after another: a number that says which field and of what kind (a number, 8 bytes, bytes
 * with their length, 4 bytes), then the value. Of all the fields that SentencePiece writes these say what ids a
 * text has:
 *
 *     1  a piece, in the order of ids: 1 its text, 2 its score (float), 3 its type (1 normal, 2 unknown,
 *        3 control, 4 user-defined, 5 unused, 6 byte)
 *     2  how it was trained: 3 the kind of model (1 is unigram)
 *     3  how texts are normalized: 2 the charsmap; 3, 4, 5 flags that are true in every T5
 *
 * Every length is held against what is left, and a field that is of another kind than it should be is an error. */
#include "base/list.h"
#include "base/memory.h"
#include <stdio.h>
#include "base/math.h"
#include "t5/tokenizer_internal.h"
#include <stdlib.h>
#include <string.h>

typedef struct view {
    const unsigned char *at, *end;
} view;

/* A field: of kind 0 (then `number`), of 4 bytes (likewise), or of bytes (then `bytes`). */
typedef struct field {
    uint32_t name, kind;
    uint64_t number;
    view bytes;
} field;

/* A varint: 7 bits a byte, the lowest first; the top bit says that another byte follows. False: it is
 * longer than 64 bits may be, or than what is left. */
static bool read_number(view *v, uint64_t *number)
{
    *number = 0;
    for (int shift = 0; shift < 64 && v->at < v->end; shift += 7) {
        unsigned char byte = *v->at++;
        *number |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

static bool read_fixed(view *v, int size, uint64_t *number)
{
    if (v->end - v->at < size)
        return false;
    *number = 0;
    for (int i = 0; i < size; i++)
        *number |= (uint64_t)*v->at++ << 8 * i;
    return true;
}

/* field = key value, where key = number of the field * 8 + kind. Kinds: 0 a varint, 1 eight bytes, 2 a
 * length and as many bytes, 5 four bytes. 3 and 4, long out of use, bracket groups and are refused. */
static bool read_field(view *v, field *f)
{
    uint64_t key, length;
    if (!read_number(v, &key) || key >> 3 > UINT32_MAX)
        return false;
    *f = (field){.name = (uint32_t)(key >> 3), .kind = (uint32_t)(key & 7)};
    switch (f->kind) {
    case 0:
        return read_number(v, &f->number);
    case 1:
        return read_fixed(v, 8, &f->number);
    case 2:
        if (!read_number(v, &length) || length > (uint64_t)(v->end - v->at))
            return false;
        f->bytes = (view){v->at, v->at + length};
        v->at += length;
        return true;
    case 5:
        return read_fixed(v, 4, &f->number);
    default:
        return false;
    }
}

/* ---- the model ---- */

typedef struct reader {
    const char *origin;
    base_error *error;
    t5_unigram_piece *pieces;
    char **texts; /* of them */
    int count, unknown;
    view charsmap;
} reader;

enum {
    TEXT = 1,
    SCORE = 2,
    TYPE = 3,
    UNKNOWN = 2,
    CONTROL = 3,
    USER = 4,
    UNUSED = 5,
    BYTE = 6,
    UNIGRAM = 1
};

static bool torn(const reader *r, const char *where)
{
    return base_fail(r->error, "%s: is torn, or no SentencePiece model: %s", r->origin, where);
}

/* The text is copied, since pieces of their own name (add_extra) have no other place to live. */
static bool add(reader *r, view text, double score, bool special)
{
    t5_unigram_piece *pieces = base_list_grow(r->pieces, (size_t)r->count, 1, sizeof *pieces);
    if (pieces)
        r->pieces = pieces;
    char **texts = pieces ? base_list_grow(r->texts, (size_t)r->count, 1, sizeof *texts) : NULL;
    if (texts)
        r->texts = texts;
    char *copy = texts ? base_copy((const char *)text.at, (size_t)(text.end - text.at)) : NULL;
    if (!copy)
        return base_fail(r->error, "%s: no memory for its pieces", r->origin);
    r->texts[r->count] = copy;
    r->pieces[r->count++] = (t5_unigram_piece){copy, score, special};
    return true;
}

/* Fields may come in any order and more than once, where the last one counts; what a piece leaves out
 * has the default that SentencePiece gives it. */
static bool read_piece(reader *r, view v)
{
    field f;
    view text = {v.at, v.at};
    uint64_t type = 1, score = 0;
    while (v.at < v.end) {
        if (!read_field(&v, &f) || (f.name == TEXT && f.kind != 2) ||
            (f.name == SCORE && f.kind != 5) || (f.name == TYPE && f.kind != 0))
            return torn(r, "a piece");
        text = f.name == TEXT ? f.bytes : text;
        score = f.name == SCORE ? f.number : score;
        type = f.name == TYPE ? f.number : type;
    }
    if (r->count == T5_MOST_TOKENS || memchr(text.at, 0, (size_t)(text.end - text.at)))
        return torn(r, "a piece");
    if (type == BYTE)
        return base_fail(r->error, "%s: pieces for bytes are not supported", r->origin);
    if (type == UNKNOWN)
        r->unknown = r->count;
    uint32_t bits = (uint32_t)score;
    float number;
    memcpy(&number, &bits, sizeof number);
    if (!(number > -1e30f && number < 1e30f))
        return torn(r, "a score");
    return add(r, text, (double)number, type == UNKNOWN || type == CONTROL || type == UNUSED);
}

static bool read_trainer(const reader *r, view v)
{
    field f;
    while (v.at < v.end) {
        if (!read_field(&v, &f))
            return torn(r, "how it was trained");
        if (f.name == 3 && f.number != UNIGRAM)
            return base_fail(r->error, "%s: expected a unigram model, as T5's is", r->origin);
    }
    return true;
}

static bool read_normalizer(reader *r, view v)
{
    field f;
    while (v.at < v.end) {
        if (!read_field(&v, &f))
            return torn(r, "how texts are normalized");
        if (f.name == 2 && f.kind == 2)
            r->charsmap = f.bytes;
        if (f.name >= 3 && f.name <= 5 && f.number == 0)
            return base_fail(
                r->error, "%s: expected a space before a text, no two in it, and U+2581 for each",
                r->origin);
    }
    return true;
}

static bool read_model(reader *r, view v)
{
    field f;
    while (v.at < v.end) {
        if (!read_field(&v, &f) || (f.name <= 3 && f.kind != 2))
            return torn(r, "its fields");
        if ((f.name == 1 && !read_piece(r, f.bytes)) ||
            (f.name == 2 && !read_trainer(r, f.bytes)) ||
            (f.name == 3 && !read_normalizer(r, f.bytes)))
            return false;
    }
    return (r->count > T5_UNK && r->unknown >= 0) || torn(r, "it has no piece for what is unknown");
}

/* <extra_id_99> first: transformers gives the last id to <extra_id_0>. */
static bool add_extra(reader *r, int extra)
{
    for (int i = extra - 1; i >= 0; i--) {
        char name[32];
        int length = snprintf(name, sizeof name, "<extra_id_%d>", i);
        const unsigned char *bytes = (const unsigned char *)name;
        if (!add(r, (view){bytes, bytes + length}, 0, true))
            return false;
    }
    return true;
}

/* transformers cuts out the special tokens that a text spells: pad, end, unknown, and the extra ones. */
static bool cut_special(t5_tokenizer *t)
{
    for (int id = 0; id < t->size; id++)
        if (t->tokens[id].special && !t5_tokenizer_cut(t, (t5_cut){id, false, false}))
            return false;
    return true;
}

t5_tokenizer *t5_spiece_parse(const char *bytes, size_t size, int extra, const char *origin,
                              base_error *error)
{
    reader r = {.origin = origin, .error = error, .unknown = -1};
    const unsigned char *at = (const unsigned char *)bytes;
    t5_tokenizer *t = NULL;
    if (read_model(&r, (view){at, at + size}) && add_extra(&r, extra)) {
        base_error why = {"no memory"};
        const t5_unigram_how how = {.charsmap = r.charsmap.at,
                                    .charsmap_size = (size_t)(r.charsmap.end - r.charsmap.at),
                                    .unknown = r.unknown,
                                    .splits = true};
        t = t5_unigram_tokenizer(r.pieces, r.count, &how, -1, T5_EOS, &why);
        if (t && !cut_special(t)) {
            t5_tokenizer_free(t);
            t = NULL;
        }
        if (!t)
            base_fail(error, "%s: %s", origin, why.text);
    }
    for (int i = 0; i < r.count; i++)
        base_free(r.texts[i]);
    base_free(r.texts);
    base_free(r.pieces);
    return t;
}
