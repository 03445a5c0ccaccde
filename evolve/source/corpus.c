/* SPDX-License-Identifier: MIT */
/* corpus.c -- nothing is kept but the texts: sequence i is drawn, tokenized and corrupted when somebody asks for it, by
 * numbers of its own, so that whoever goes on with a training sees the same sequences. */
#include "evolve/source/corpus.h"
#include "base/file.h"
#include "base/kind.h"
#include "base/list.h"
#include "base/memory.h"
#include "t5/t5.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_BYTES = 1 << 26, MOST_DEPTH = 32 };

/* ---- texts ---- */

typedef struct reader {
    source_corpus *corpus;
    base_hash hash;
    base_error *error;
} reader;

/* The first byte that is no text; `size`: all are. */
static size_t text_end(const char *bytes, size_t size)
{
    size_t at = 0, length;
    while (at < size && bytes[at] && (length = base_utf8_length(bytes + at, size - at)) > 0)
        at += length;
    return at;
}

static bool fail_text(const reader *r, const char *path, const char *bytes, size_t size, size_t at)
{
    const char *kind = base_kind(bytes, size);
    long line = 1;
    for (size_t i = 0; i < at; i++)
        line += bytes[i] == '\n';
    if (kind)
        return base_fail(r->error, "%s: is %s, expected text", path, kind);
    return base_fail(r->error, "%s:%ld: %s, expected UTF-8 text", path, line,
                     bytes[at] ? "is not UTF-8" : "a NUL byte");
}

/* The lines of the text behind `from` that are not blank. False: no memory. */
static bool add_lines(source_corpus *c, size_t from)
{
    for (size_t at = from, length; at < c->text.length; at += length) {
        const char *line = c->text.data + at;
        length = strcspn(line, "\n") + 1;
        if (strspn(line, " \t\r\f\v") >= length - 1)
            continue;
        size_t *grown = base_list_grow(c->lines, c->line_count, 1, sizeof *grown);
        if (!grown)
            return false;
        c->lines = grown;
        grown[c->line_count++] = at;
    }
    return true;
}

static bool add_text(reader *r, const char *path, const char *bytes, size_t size)
{
    source_corpus *c = r->corpus;
    uint8_t length[8];
    size_t start = c->text.length, end = text_end(bytes, size);
    if (end < size)
        return fail_text(r, path, bytes, size, end);
    if (size > MOST_BYTES - start)
        return base_fail(r->error, "%s: the corpus is larger than %d MiB with this file", path,
                         MOST_BYTES >> 20);
    for (int i = 0; i < 8; i++)
        length[i] = (uint8_t)((uint64_t)size >> 8 * i);
    base_hash_add(&r->hash, length, sizeof length);
    base_hash_add(&r->hash, bytes, size);
    base_text_add(&c->text, bytes, size);
    base_text_add(&c->text, "", 1);
    c->files++;
    return (!c->text.failed && add_lines(c, start)) ||
           base_fail(r->error, "%s: no memory for the corpus", path);
}

static bool read_file(reader *r, const char *path)
{
    size_t size;
    char *bytes = base_file_read_text(path, MOST_BYTES, &size, r->error);
    bool ok = bytes && add_text(r, path, bytes, size);
    base_free(bytes);
    return ok;
}

/* For scandir: which entries to look at. */
static int is_shown(const struct dirent *entry) { return entry->d_name[0] != '.'; }

static bool is_c(const char *name)
{
    size_t length = strlen(name);
    return length > 2 && name[length - 2] == '.' &&
           (name[length - 1] == 'c' || name[length - 1] == 'h');
}

static bool read_folder(reader *r, const char *folder, int depth);

static bool read_entry(reader *r, const char *folder, const char *name, int depth)
{
    struct stat about;
    char *path = base_file_path(folder, name);
    bool ok = path || base_fail(r->error, "%s: no memory for its names", folder);
    if (ok && lstat(path, &about) != 0)
        ok = base_fail(r->error, "%s: cannot be looked at: %s", path, strerror(errno));
    else if (ok && S_ISDIR(about.st_mode))
        ok = read_folder(r, path, depth + 1);
    else if (ok && S_ISREG(about.st_mode) && is_c(name))
        ok = read_file(r, path);
    base_free(path);
    return ok;
}

static bool read_folder(reader *r, const char *folder, int depth)
{
    struct dirent **entries;
    if (depth > MOST_DEPTH)
        return base_fail(r->error, "%s: expected at most %d folders in one another", folder,
                         MOST_DEPTH);
    int count = scandir(folder, &entries, is_shown, base_file_by_name);
    if (count < 0)
        return base_fail(r->error, "%s: cannot read the folder: %s", folder, strerror(errno));
    bool ok = true;
    for (int i = 0; i < count; i++) {
        ok = ok && read_entry(r, folder, entries[i]->d_name, depth);
        free(entries[i]); /* scandir's */
    }
    free(entries); /* scandir's */
    return ok;
}

void source_corpus_free(source_corpus *corpus)
{
    if (!corpus)
        return;
    base_text_free(&corpus->text);
    base_free(corpus->lines);
    base_free(corpus);
}

source_corpus *source_corpus_read(const char *path, base_error *error)
{
    struct stat about;
    reader r = {.corpus = base_calloc(1, sizeof *r.corpus), .error = error};
    bool folder = stat(path, &about) == 0 && S_ISDIR(about.st_mode);
    base_hash_start(&r.hash);
    bool ok = (r.corpus || base_fail(error, "%s: no memory for the corpus", path)) &&
              (folder ? read_folder(&r, path, 0) : read_file(&r, path)) &&
              (r.corpus->line_count > 0 ||
               base_fail(error, "%s: expected a line of text%s", path,
                         folder ? " in a file whose name ends in .c or .h" : ""));
    if (ok) {
        base_hash_end_text(&r.hash, r.corpus->hash);
        return r.corpus;
    }
    source_corpus_free(r.corpus);
    return NULL;
}

bool source_corpus_of_run(evolve_settings *settings, const evolve_options *options,
                          source_corpus **corpus, base_error *error)
{
    *corpus = NULL;
    if (!options->corpus)
        return settings->corpus_samples == 0 ||
               base_fail(error,
                         "--corpus-samples %" PRId64 ": --corpus FILE|FOLDER was expected "
                         "with it",
                         settings->corpus_samples);
    if (settings->corpus_samples == 0)
        settings->corpus_samples = (settings->samples + 3) / 4;
    *corpus = source_corpus_read(options->corpus, error);
    return *corpus != NULL;
}

void source_corpus_describe(const source_corpus *corpus, const evolve_settings *settings,
                            base_text *text)
{
    base_text_print(
        text, "corpus: %d file%s, %zu bytes, SHA-256 %.12s...; %" PRId64 " sequences of it\n",
        corpus->files, corpus->files == 1 ? "" : "s", corpus->text.length - (size_t)corpus->files,
        corpus->hash, settings->corpus_samples);
}

/* ---- sequences ---- */

/* Line by line: no piece of the tokenizer goes beyond one, so these are the tokens of the whole text. A line is cut where
 * it has more bytes than any sequence has. */
int source_corpus_draw(const source_corpus *corpus, const t5_tokenizer *tokenizer,
                       base_random *random, int most, int *ids)
{
    const char *at =
        corpus->text.data + corpus->lines[base_random_below(random, (uint32_t)corpus->line_count)];
    int count = 0;
    while (*at && count < most) {
        size_t length = strcspn(at, "\n");
        length += at[length] == '\n';
        if (length > T5_MOST_SOURCE)
            length = T5_MOST_SOURCE;
        int added = t5_tokenize(tokenizer, at, length, ids + count, most - count);
        if (added == INT_MAX)
            return added;
        added--; /* the end token */
        count = added < most - count ? count + added : most;
        at += length;
    }
    return count;
}

/* 15 %, to the nearest, and a span for three of them, to the nearest; at least one of both. */
static int corrupted_of(int count)
{
    int noise = (15 * count + 50) / 100;
    return noise > 0 ? noise : 1;
}

static int spans_of(int noise) { return noise > 1 ? (2 * noise + 3) / 6 : 1; }

/* Between the spans, and one behind them that ends the label. */
int source_corpus_sentinels(const evolve_settings *settings)
{
    return spans_of(corrupted_of((int)settings->max_tokens)) + 1;
}

/* Whether a part ends behind an item, where `cuts` are left among `places` such ends, each set of them equally likely:
 * items one after another (Knuth, The Art of Computer Programming 3.4.2, algorithm S). */
static bool cut(base_random *random, int *cuts, int *places)
{
    bool is = base_random_below(random, (uint32_t)(*places)--) < (uint32_t)*cuts;
    *cuts -= is;
    return is;
}

/* A random number of `left` items, so that each way to divide them into as many parts as there are is equally likely;
 * parts after this one: cuts. */
static int part_of(base_random *random, int *left, int *cuts)
{
    int length = 0, places = *left - 1;
    bool ends = false;
    while (!ends && *left > 0) {
        length++;
        ends = --*left > 0 && *cuts > 0 && cut(random, cuts, &places);
    }
    return length;
}

/* Noise is divided into spans, and what is kept into one part more, of which the first and the last may be empty: one
 * more item in each of the two makes that the same problem. */
source_corrupted source_corrupt(base_random *random, const int *ids, int count, int sentinel,
                                int *source, int *label)
{
    source_corrupted n = {0, 0};
    int noise = corrupted_of(count), spans = spans_of(noise), at = 0;
    int kept = count - noise + 2, kept_cuts = spans, noise_cuts = spans - 1;
    for (int span = 0; span <= spans; span++) {
        int stays = part_of(random, &kept, &kept_cuts) - (span == 0) - (span == spans);
        for (int i = 0; i < stays; i++)
            source[n.sources++] = ids[at++];
        label[n.labels++] = sentinel + span;
        if (span == spans)
            break;
        source[n.sources++] = sentinel + span;
        for (int gap = part_of(random, &noise, &noise_cuts); gap > 0; gap--)
            label[n.labels++] = ids[at++];
    }
    source[n.sources++] = label[n.labels++] = T5_EOS;
    return n;
}
