/* SPDX-License-Identifier: MIT */
/* texts.h -- pairs of text of one's own: a file of JSON lines, in three parts.
 *
 *     {"source": "snake_case_name", "target": "snakeCaseName"}
 *
 * Such a file is another dataset in the place of the refinements (pairs.h): finite, of no known law, so
 * there is no entropy floor to hold a model against and no edit to call faithful. What is left to say of a
 * model is its loss, and how much of pairs that it never saw it gets right.
 *
 * The held-out part is what a model is reported by, the validation part what decides: when a training
 * stops, which candidate is better. Each is a tenth of the file, but at most --held-out pairs; the rest
 * trains. Pairs with the same source are in the same part, so that no answer is known from the training.
 * Which source is where is drawn by its text and the seed of the dataset: the order of lines plays no part. */
#ifndef SOURCE_TEXTS_H
#define SOURCE_TEXTS_H

#include "base/hash.h"
#include "evolve/options.h"
#include "evolve/settings.h"
#include "t5/tokenizer.h"

typedef enum source_part {
    SOURCE_HELD,
    SOURCE_VALIDATION,
    SOURCE_TRAINING,
    SOURCE_PARTS
} source_part;

typedef struct source_text_pair {
    const char *source, *target; /* NUL-ended, UTF-8; either may be empty */
    int line;                    /* of the file, from 1 */
    uint64_t order;              /* of its source: pairs are in the order of these, then of lines */
} source_text_pair;

typedef struct source_texts {
    source_text_pair *pairs; /* the parts one after another */
    int64_t start[SOURCE_PARTS + 1];
    char hash[BASE_HASH_TEXT]; /* SHA-256 of the file */
    char *bytes;               /* all texts */
} source_texts;

/* Reads the file of the options, where the task has pairs of text; elsewhere *texts is NULL, and the
 * options must name none. Each line is one object with both texts, of at most 8191 bytes and without a NUL:
 * the first that is not is the error, with file, line and reason. At least three sources must be different. */
bool source_texts_of_task(const evolve_settings *settings, const evolve_options *options,
                          source_texts **texts, base_error *error);

/* The same of a file's bytes; options->pairs names it in errors. NULL: an error. */
source_texts *source_texts_parse(const char *text, size_t size, const evolve_options *options,
                                 const evolve_settings *settings, base_error *error);
void source_texts_free(source_texts *texts);

int64_t source_texts_count(const source_texts *texts, source_part part);

/* Pair i of a part, modulo its size. */
const source_text_pair *source_texts_pair(const source_texts *texts, source_part part, uint64_t i);

/* Trained on both texts of the first 16384 pairs of the training part. */
t5_tokenizer *source_texts_tokenizer(const source_texts *texts, const evolve_settings *settings,
                                     base_error *error);

/* What follows from the file for a run's settings: a score takes no pair twice. */
void source_texts_settle(const source_texts *texts, evolve_settings *settings);

#endif
