/* SPDX-License-Identifier: MIT */
/* tokenizer_unigram.c -- the unigram model as tokenizer.json has it, and a tokenizer made of its pieces.
 *
 * What may stand in the pipeline: normalizer Precompiled (SentencePiece's table in base 64), alone or with steps
 * that only touch white space, which words make no difference of; pre_tokenizer WhitespaceSplit and Metaspace,
 * or Metaspace alone; decoder Metaspace. */
#include "base/memory.h"
#include "t5/tokenizer_internal.h"
#include <stdlib.h>
#include <string.h>

/* Both directions are kept: the tokenizer's list gives the bytes of an id, the unigram model's sorted
 * pieces give the ids of a text. A special piece has no text there, so that no text can spell it. */
t5_tokenizer *t5_unigram_tokenizer(const t5_unigram_piece *pieces, int count,
                                   const t5_unigram_how *how, int begin, int end, base_error *error)
{
    t5_tokenizer *t = t5_tokenizer_new(count, 0);
    const char **texts = base_calloc((size_t)count + 1, sizeof *texts);
    double *scores = base_calloc((size_t)count + 1, sizeof *scores);
    bool ok = (t && texts && scores) || base_fail(error, "no memory for %d pieces", count);
    for (int i = 0; ok && i < count; i++) {
        texts[i] = pieces[i].special ? NULL : pieces[i].text;
        scores[i] = pieces[i].score;
        ok = t5_tokenizer_add(t, pieces[i].text, strlen(pieces[i].text), pieces[i].special) ||
             base_fail(error, "no memory for %d pieces", count);
    }
    if (ok) {
        t->kind = T5_UNIGRAM;
        t->begin = begin;
        t->end = end;
        ok = (t->unigram = t5_unigram_new(texts, scores, count, how, error)) != NULL;
    }
    base_free(texts);
    base_free(scores);
    if (ok)
        return t;
    t5_tokenizer_free(t);
    return NULL;
}

/* ---- tokenizer.json ---- */

static bool is_type(const base_json *object, const char *type)
{
    return base_json_has(object, "type", type);
}

/* The bytes of base 64 (RFC 4648), to be freed. NULL: no memory, or other characters. A character has 6
 * bits, so that of each four, the second, the third and the fourth complete a byte. */
static unsigned char *read_base64(const char *text, size_t length, size_t *size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char *bytes = base_malloc(length / 4 * 3 + 3);
    uint32_t bits = 0;
    *size = 0;
    while (length > 0 && text[length - 1] == '=')
        length--;
    for (size_t i = 0; bytes && i < length; i++) {
        const char *digit = text[i] ? strchr(digits, text[i]) : NULL;
        if (!digit) {
            base_free(bytes);
            return NULL;
        }
        bits = bits << 6 | (uint32_t)(digit - digits);
        if (i % 4 > 0)
            bytes[(*size)++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
    }
    return bytes;
}

/* `how` is filled in as the parts of the file are read; the charsmap in it is this reader's memory. */
typedef struct reader {
    const char *origin;
    base_error *error;
    t5_unigram_how how;
    unsigned char *charsmap;
} reader;

static bool read_charsmap(reader *r, const base_json *step)
{
    const base_json *map = base_json_get(step, "precompiled_charsmap");
    if (!map || map->kind == BASE_JSON_NULL)
        return true;
    if (map->kind == BASE_JSON_STRING && !r->charsmap)
        r->charsmap = read_base64(map->string, map->length, &r->how.charsmap_size);
    r->how.charsmap = r->charsmap;
    return r->charsmap ||
           base_fail(r->error, "%s: normalizer: expected one precompiled_charsmap in base 64",
                     r->origin);
}

/* Several spaces as one, or none at the ends: words are the same. */
static bool only_spaces(const base_json *step)
{
    return is_type(step, "Strip") ||
           (is_type(step, "Replace") && base_json_has(step, "content", " ") &&
            base_json_has(base_json_get(step, "pattern"), "Regex", " {2,}"));
}

static bool read_normalizer(reader *r, const base_json *root)
{
    const base_json *normalizer = base_json_get(root, "normalizer");
    if (!normalizer || normalizer->kind == BASE_JSON_NULL)
        return true;
    bool sequence = is_type(normalizer, "Sequence");
    const base_json *steps = base_json_get(normalizer, "normalizers");
    const base_json *step = !sequence ? normalizer : steps ? steps->child : NULL;
    for (; step; step = sequence ? step->next : NULL) {
        const base_json *type = base_json_get(step, "type");
        const char *name = type && type->kind == BASE_JSON_STRING ? type->string : "of no type";
        bool ok = is_type(step, "Precompiled")
                      ? read_charsmap(r, step)
                      : (r->how.splits && only_spaces(step)) ||
                            base_fail(r->error,
                                      "%s: normalizer %.50s is not supported: "
                                      "expected Precompiled",
                                      r->origin, name);
        if (!ok)
            return false;
    }
    return true;
}

/* Metaspace writes each space as U+2581 and puts one before the text. What says the latter is called
 * prepend_scheme, and was called add_prefix_space in older files. */
static bool is_metaspace(const base_json *step)
{
    bool always = base_json_get(step, "prepend_scheme")
                      ? base_json_has(step, "prepend_scheme", "always")
                      : !base_json_get(step, "add_prefix_space") ||
                            base_json_is_true(step, "add_prefix_space");
    return is_type(step, "Metaspace") && always &&
           base_json_has(step, "replacement", "\xe2\x96\x81");
}

/* With WhitespaceSplit in front, white space of every kind only separates words (how.splits). */
static bool read_pre_tokenizer(reader *r, const base_json *root)
{
    const base_json *step = base_json_get(root, "pre_tokenizer");
    if (is_type(step, "Sequence")) {
        const base_json *steps = base_json_get(step, "pretokenizers");
        step = steps ? steps->child : NULL;
        r->how.splits = is_type(step, "WhitespaceSplit");
        if (r->how.splits)
            step = step->next;
    }
    return (is_metaspace(step) && !(r->how.splits && step->next)) ||
           base_fail(r->error,
                     "%s: pre_tokenizer: expected Metaspace, behind WhitespaceSplit or alone, with "
                     "U+2581 before "
                     "each word",
                     r->origin);
}

/* Pieces of model.vocab, [text, score] each, and room for `more`; NULL: an error. */
static t5_unigram_piece *read_vocabulary(const reader *r, const base_json *vocabulary, size_t more)
{
    if (!vocabulary || vocabulary->kind != BASE_JSON_ARRAY ||
        vocabulary->length + more > T5_MOST_TOKENS) {
        base_fail(r->error, "%s: model Unigram: vocab: expected an array of at most %d pieces",
                  r->origin, T5_MOST_TOKENS);
        return NULL;
    }
    t5_unigram_piece *pieces = base_calloc(vocabulary->length + more + 1, sizeof *pieces),
                     *p = pieces;
    if (!pieces)
        base_fail(r->error, "%s: no memory for its pieces", r->origin);
    for (const base_json *item = vocabulary->child; pieces && item; item = item->next, p++) {
        const base_json *text =
            item->kind == BASE_JSON_ARRAY && item->length == 2 ? item->child : NULL;
        if (!text || text->kind != BASE_JSON_STRING || strlen(text->string) != text->length ||
            text->next->kind != BASE_JSON_NUMBER) {
            base_fail(r->error, "%s: model Unigram: vocab: expected a text and a score at %zu",
                      r->origin, (size_t)(p - pieces));
            base_free(pieces);
            return NULL;
        }
        *p = (t5_unigram_piece){text->string, text->next->number, false};
    }
    return pieces;
}

/* An added token is a piece of the vocabulary, or one of those behind it, which must leave no gap. */
static bool add_tokens(const reader *r, const base_json *added, t5_unigram_piece *pieces,
                       int *count, int most)
{
    for (const base_json *json = added ? added->child : NULL; json; json = json->next) {
        t5_added token;
        if (!t5_added_read(&token, json, r->origin, r->error))
            return false;
        t5_unigram_piece *p = token.id >= 0 && token.id < most ? &pieces[token.id] : NULL;
        if (!p || (p->text && strcmp(p->text, token.content) != 0))
            return base_fail(
                r->error, "%s: added_tokens: \"%.50s\": expected the id of that piece, or of none",
                r->origin, token.content);
        *p = (t5_unigram_piece){token.content, p->score, token.special};
    }
    while (*count < most && pieces[*count].text)
        ++*count;
    for (int i = *count; i < most; i++)
        if (pieces[i].text)
            return base_fail(r->error, "%s: added_tokens: no token has the id %d", r->origin,
                             *count);
    return true;
}

/* An added token is cut out of a text before the rest is read in pieces. */
static bool cut_tokens(t5_tokenizer *t, const base_json *added)
{
    for (const base_json *json = added ? added->child : NULL; json; json = json->next) {
        t5_added token;
        if (!t5_added_read(&token, json, "", NULL) ||
            !t5_tokenizer_cut(t, (t5_cut){(int)token.id, token.left, token.right}))
            return false;
    }
    return true;
}

/* byte_fallback would write an unknown character as tokens of its bytes; here it is one unknown token. */
static bool check_rest(const reader *r, const base_json *root)
{
    if (base_json_is_true(base_json_get(root, "model"), "byte_fallback"))
        return base_fail(r->error, "%s: model Unigram: byte_fallback is not supported", r->origin);
    return is_type(base_json_get(root, "decoder"), "Metaspace") ||
           base_fail(r->error, "%s: model Unigram: decoder: expected Metaspace", r->origin);
}

/* From what says how texts are cut to the pieces, then the tokens added to them: `count` grows by those
 * that are not among the pieces. Pieces and charsmap are copied by the tokenizer. */
t5_tokenizer *t5_unigram_read(const base_json *root, const char *origin, base_error *error)
{
    reader r = {.origin = origin, .error = error};
    const base_json *model = base_json_get(root, "model"),
                    *added = base_json_get(root, "added_tokens");
    const base_json *vocabulary = base_json_get(model, "vocab");
    size_t more = added && added->kind == BASE_JSON_ARRAY ? added->length : 0;
    int begin = -1, end = -1, count = 0;
    int64_t unknown = 0;
    t5_tokenizer *t = NULL;
    t5_unigram_piece *pieces = NULL;
    bool ok = check_rest(&r, root) && read_pre_tokenizer(&r, root) && read_normalizer(&r, root) &&
              t5_ends_read(&begin, &end, root, origin, error) &&
              (pieces = read_vocabulary(&r, vocabulary, more)) != NULL;
    if (ok) {
        count = (int)vocabulary->length;
        ok = base_json_get_int(model, "unk_id", 0, count - 1, &unknown, origin, error) &&
             add_tokens(&r, added, pieces, &count, count + (int)more) &&
             ((begin < count && end < count) ||
              base_fail(error, "%s: post_processor: there are only %d tokens", origin, count));
    }
    if (ok) {
        base_error why;
        r.how.unknown = (int)unknown;
        t = t5_unigram_tokenizer(pieces, count, &r.how, begin, end, &why);
        ok = (t && cut_tokens(t, added)) ||
             base_fail(error, "%s: %s", origin, t ? "no memory" : why.text);
    }
    base_free(pieces);
    base_free(r.charsmap);
    if (ok)
        return t;
    t5_tokenizer_free(t);
    return NULL;
}
