/* SPDX-License-Identifier: MIT */
/* corpus.h -- texts of C that a T5 is pre-trained on, by filling gaps, before it learns to refine sources.
 *
 *     text     if (size > most)\n        return false;
 *     source   if (<extra_id_0> most)\n        <extra_id_1> false;
 *     label    <extra_id_0>size ><extra_id_1>return<extra_id_2>
 *
 * T5's own objective, span corruption (Raffel et al. 2020, arXiv:1910.10683, sections 3.1.4 and 3.3.4): 15 % of a
 * sequence's tokens are taken out, in spans of 3 tokens on average, and a sentinel stands for each span. A sequence
 * begins with a line that is drawn from all that are not blank, and ends with its file or after --max-tokens. */
#ifndef SOURCE_CORPUS_H
#define SOURCE_CORPUS_H

#include "base/hash.h"
#include "base/random.h"
#include "base/text.h"
#include "evolve/options.h"
#include "evolve/settings.h"
#include "t5/tokenizer.h"

typedef struct source_corpus {
    base_text text; /* of all files, a NUL behind each */
    size_t *lines;  /* where those begin that are not blank */
    size_t line_count;
    int files;
    char hash
        [BASE_HASH_TEXT]; /* of the files' sizes and bytes, in their order; not of their names */
} source_corpus;

/* Reads a file; or the files of a folder and of folders in it whose names end in .c or .h, in the order of their names'
 * bytes. What begins with a dot is left out, and no symbolic link in a folder is followed. Texts are UTF-8 without NUL, of
 * 64 MiB together at most, and have a line that is not blank. NULL: an error, which names the file. */
source_corpus *source_corpus_read(const char *path, base_error *error);
void source_corpus_free(source_corpus *corpus);

/* That of the options; NULL, which is no error: they name none. Settings without a number of sequences get a quarter of
 * --samples, which takes about as long as these. */
bool source_corpus_of_run(evolve_settings *settings, const evolve_options *options,
                          source_corpus **corpus, base_error *error);

/* Appends "corpus: 38 files, 120034 bytes, SHA-256 0123456789ab...; 4096 sequences of it" and a line feed. */
void source_corpus_describe(const source_corpus *corpus, const evolve_settings *settings,
                            base_text *text);

/* The sentinels that sequences of at most --max-tokens tokens can have. */
int source_corpus_sentinels(const evolve_settings *settings);

/* The tokens of the sequence that is drawn, `most` at most and at least one. Returns their number; INT_MAX: no memory. */
int source_corpus_draw(const source_corpus *corpus, const t5_tokenizer *tokenizer,
                       base_random *random, int most, int *ids);

/* Takes spans out of a sequence of count >= 1 tokens, and ends both with T5_EOS. sentinel: the id of <extra_id_0>, behind
 * which the others follow. source and label have room for count + 3 tokens. */
typedef struct source_corrupted {
    int sources, labels; /* tokens written */
} source_corrupted;
source_corrupted source_corrupt(base_random *random, const int *ids, int count, int sentinel,
                                int *source, int *label);

#endif
