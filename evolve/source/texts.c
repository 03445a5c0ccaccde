/* SPDX-License-Identifier: MIT */
/* texts.c -- one sort does it all: pairs ordered by a hash of their source lie in random order, equal
 * sources side by side, and the parts are cut off at the front. */
#include "evolve/source/texts.h"
#include "base/file.h"
#include "base/json.h"
#include "base/kind.h"
#include "base/list.h"
#include "base/memory.h"
#include "evolve/task.h"
#include "t5/t5.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A text of that many bytes has at most as many tokens, and one more that ends it. */
enum { MOST_TEXT = T5_MOST_SOURCE - 1, TOKENIZER_PAIRS = 16384 };
static const size_t most_bytes = (size_t)1 << 30;

/* ---- a line ---- */

/* A file of JSON lines that is being read. */
typedef struct reader {
    const char *origin, *keys[2];
    uint64_t seed;
    source_texts *texts;
    int64_t count;
    bool opens; /* the line that is wrong is the first of a text of several lines */
    base_error *error;
} reader;

/* Names the members that are there: one of them is what was meant, as a rule. */
static bool lacks(const reader *r, const base_json *object, const char *key, const char *where)
{
    base_text names = {0};
    for (const base_json *member = object->child; member; member = member->next)
        base_text_print(&names, "%s\"%.40s\"", names.length ? ", " : "", member->name);
    base_fail(r->error, "%s: has no \"%.60s\": it has %.200s (--%s-key names it)", where, key,
              names.length > 0 && !names.failed ? names.data : "nothing",
              key == r->keys[0] ? "source" : "target");
    base_text_free(&names);
    return false;
}

/* Copies a text of the line to the end of all, where there is room: each of a line's two is shorter than
 * its JSON. */
static bool take_text(reader *r, const base_json *object, const char *key, const char *where,
                      char **end, const char **copy)
{
    const char *text;
    if (!base_json_get(object, key))
        return lacks(r, object, key, where);
    if (!base_json_get_string(object, key, &text, where, r->error))
        return false;
    size_t length = strlen(text);
    if (length > MOST_TEXT)
        return base_fail(r->error, "%s: \"%.60s\": %zu bytes, expected at most %d", where, key,
                         length, (int)MOST_TEXT);
    *copy = memcpy(*end, text, length + 1);
    *end += length + 1;
    return true;
}

/* The first 8 bytes of SHA-256(source, seed): an order as good as random, the same on every machine, in
 * which equal sources stand side by side. */
static uint64_t order_of(uint64_t seed, const char *source)
{
    base_hash hash;
    uint8_t digest[BASE_HASH_BYTES];
    uint64_t order = 0;
    base_hash_start(&hash);
    base_hash_add(&hash, source, strlen(source));
    for (int i = 0; i < 8; i++) {
        uint8_t byte = (uint8_t)(seed >> 8 * i);
        base_hash_add(&hash, &byte, 1);
    }
    base_hash_end(&hash, digest);
    for (int i = 0; i < 8; i++)
        order = order << 8 | digest[i];
    return order;
}

static bool is_blank(const char *text, size_t length)
{
    while (length > 0 && text[length - 1] && strchr(" \t\r", text[length - 1]))
        length--;
    return length == 0;
}

/* The parser counts lines of what it is given, which here is always line 1. */
static void fail_line(const reader *r, int line, const char *why)
{
    bool placed = strncmp(why, ":1:", 3) == 0;
    if (r->count == 0 && r->opens) { /* [ or { on a line of its own */
        base_fail(r->error,
                  "%s:%d: expected an object on each line (JSON Lines), and not one JSON "
                  "text of several lines",
                  r->origin, line);
        return;
    }
    base_fail(r->error, "%s:%d%s", r->origin, line, placed ? why + 2 : why);
}

static bool read_line(reader *r, const char *text, size_t length, int line, char **end)
{
    base_error why;
    base_text where = {0};
    base_json *object = base_json_parse(text, length, "", &why);
    if (!object) {
        r->opens = length > 0 && (*text == '[' || *text == '{') && is_blank(text + 1, length - 1);
        fail_line(r, line, why.text);
        return false;
    }
    source_text_pair pair = {.line = line};
    base_text_print(&where, "%s:%d", r->origin, line);
    const char *at = where.failed ? r->origin : where.data;
    bool ok =
        (object->kind == BASE_JSON_OBJECT ||
         base_fail(r->error, "%s: expected an object, as each line is one (JSON Lines)", at)) &&
        take_text(r, object, r->keys[0], at, end, &pair.source) &&
        take_text(r, object, r->keys[1], at, end, &pair.target);
    base_json_free(object);
    base_text_free(&where);
    if (!ok)
        return false;
    source_text_pair *grown = base_list_grow(r->texts->pairs, (size_t)r->count, 1, sizeof *grown);
    if (!grown)
        return base_fail(r->error, "%s: no memory for its pairs", r->origin);
    r->texts->pairs = grown;
    pair.order = order_of(r->seed, pair.source);
    grown[r->count++] = pair;
    return true;
}

/* The last line may lack its line feed, and a line may end as Windows's do; a byte order mark in front and
 * lines without anything say nothing. */
static bool read_lines(reader *r, const char *text, size_t size)
{
    const char *end = text + size;
    text += base_kind_mark(text, size);
    char *copied = r->texts->bytes;
    for (int line = 1; text < end; line++) {
        const char *feed = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((feed ? feed : end) - text);
        if (line == INT32_MAX)
            return base_fail(r->error, "%s: expected fewer than %d lines", r->origin, INT32_MAX);
        if (!is_blank(text, length) && !read_line(r, text, length, line, &copied))
            return false;
        text += length + (feed != NULL);
    }
    return true;
}

/* ---- the parts ---- */

static int by_order(const void *a, const void *b)
{
    const source_text_pair *x = a, *y = b;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

/* The end of a part of `wanted` pairs from `from` on, or of a few more: equal sources stay together. */
static int64_t cut(const source_texts *t, int64_t from, int64_t wanted, int64_t count)
{
    int64_t end = from + wanted;
    while (end < count && t->pairs[end].order == t->pairs[end - 1].order)
        end++;
    return end < count ? end : count;
}

/* A tenth of the pairs is held out, another tenth decides when a training stops (at most `most` pairs
 * each, but for equal sources), and the rest is to train on. */
static bool divide(const reader *r, int64_t most)
{
    source_texts *t = r->texts;
    if (r->count > 0)
        qsort(t->pairs, (size_t)r->count, sizeof *t->pairs, by_order);
    int64_t wanted = r->count / 10 < most ? r->count / 10 : most;
    if (wanted == 0)
        wanted = 1;
    t->start[SOURCE_PARTS] = r->count;
    for (int part = SOURCE_VALIDATION; part <= SOURCE_TRAINING; part++)
        t->start[part] = cut(t, t->start[part - 1], wanted, r->count);
    return t->start[SOURCE_TRAINING] < r->count ||
           base_fail(r->error,
                     "%s: expected pairs with at least three different sources: to train, to "
                     "validate and "
                     "to be held out",
                     r->origin);
}

/* ---- the whole ---- */

void source_texts_free(source_texts *texts)
{
    if (!texts)
        return;
    base_free(texts->pairs);
    base_free(texts->bytes);
    base_free(texts);
}

/* The texts of all pairs go into one block of the file's size: unescaped, they are shorter than their
 * JSON. */
source_texts *source_texts_parse(const char *text, size_t size, const evolve_options *options,
                                 const evolve_settings *settings, base_error *error)
{
    reader r = {.origin = options->pairs,
                .keys = {options->source_key ? options->source_key : "source",
                         options->target_key ? options->target_key : "target"},
                .seed = evolve_data_seed(settings),
                .texts = base_calloc(1, sizeof *r.texts),
                .error = error};
    if (r.texts)
        r.texts->bytes = base_malloc(size + 2);
    bool ok = (r.texts && r.texts->bytes) || base_fail(error, "%s: no memory", r.origin);
    if (ok)
        base_hash_text(text, size, r.texts->hash);
    const char *digest = options->pairs_digest;
    ok = ok &&
         (!digest || strcmp(digest, r.texts->hash) == 0 ||
          base_fail(error, "%s: its SHA-256 is %s, expected %.64s: it is another file", r.origin,
                    r.texts->hash, digest)) &&
         (strcmp(r.keys[0], r.keys[1]) != 0 ||
          base_fail(error, "--target-key %.60s: expected another than --source-key", r.keys[1])) &&
         read_lines(&r, text, size) && divide(&r, settings->held_out);
    if (ok)
        return r.texts;
    source_texts_free(r.texts);
    return NULL;
}

bool source_texts_of_task(const evolve_settings *settings, const evolve_options *options,
                          source_texts **texts, base_error *error)
{
    size_t size;
    *texts = NULL;
    if (!evolve_task_has_pairs(settings))
        return !options->pairs ||
               base_fail(error, "--pairs: expected no --task but \"pairs\" with it");
    if (!options->pairs)
        return base_fail(error, "--task pairs: --pairs FILE was expected with it");
    char *text = base_file_read(options->pairs, most_bytes, &size, error);
    if (text)
        *texts = source_texts_parse(text, size, options, settings, error);
    base_free(text);
    return *texts != NULL;
}

int64_t source_texts_count(const source_texts *texts, source_part part)
{
    return texts->start[part + 1] - texts->start[part];
}

const source_text_pair *source_texts_pair(const source_texts *texts, source_part part, uint64_t i)
{
    return &texts->pairs[texts->start[part] +
                         (int64_t)(i % (uint64_t)source_texts_count(texts, part))];
}

/* Of both sides of the training part alone: the other parts are to be new to it. */
t5_tokenizer *source_texts_tokenizer(const source_texts *texts, const evolve_settings *settings,
                                     base_error *error)
{
    int64_t count = source_texts_count(texts, SOURCE_TRAINING);
    if (count > TOKENIZER_PAIRS)
        count = TOKENIZER_PAIRS;
    const char **list = base_malloc((size_t)count * 2 * sizeof *list);
    if (!list) {
        base_fail(error, "no memory for the tokenizer's texts");
        return NULL;
    }
    for (int64_t i = 0; i < count; i++) {
        const source_text_pair *pair = source_texts_pair(texts, SOURCE_TRAINING, (uint64_t)i);
        list[2 * i] = pair->source;
        list[2 * i + 1] = pair->target;
    }
    t5_tokenizer *tokenizer =
        t5_tokenizer_train(list, (size_t)count * 2, (int)settings->vocabulary, error);
    base_free(list);
    return tokenizer;
}

void source_texts_settle(const source_texts *texts, evolve_settings *settings)
{
    int64_t most = source_texts_count(texts, SOURCE_TRAINING);
    if (settings->few_shot > most)
        settings->few_shot = most;
}
