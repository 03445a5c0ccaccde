/* SPDX-License-Identifier: MIT */
/* unigram.h -- the tokenizers of T5, Flan and mT5: SentencePiece's unigram model (Kudo 2018,
 * arXiv:1804.10959), as Hugging Face computes it.
 *
 *   Normalizing  The longest strings at each place that a table knows are replaced: mostly Unicode's NFKC.
 *                The table (charsmap) comes with the model, as a trie in a double array.
 *   Words        White space separates words and is gone; each begins with U+2581, a visible space.
 *   Pieces       Each piece has a logarithm of a probability. A word becomes those pieces of the vocabulary
 *                whose sum is largest (Viterbi). A character that begins no piece of its own length is unknown,
 *                10 below the least score; unknown ones side by side are one token. */
#ifndef T5_UNIGRAM_H
#define T5_UNIGRAM_H

#include "base/error.h"
#include "base/text.h"
#include <stdint.h>

typedef struct t5_unigram t5_unigram;

/* What is not said by pieces. */
typedef struct t5_unigram_how {
    const unsigned char *charsmap; /* as SentencePiece saves it; copied */
    size_t charsmap_size;          /* 0: nothing is normalized */
    int unknown;                   /* id of the token for what is unknown */
    bool
        splits; /* words are separated by white space; else each space becomes a U+2581 of its own */
} t5_unigram_how;

/* Piece i is texts[i], NULL where the id stands for no text. NULL: no memory, or a table that is none. */
t5_unigram *t5_unigram_new(const char *const *texts, const double *scores, int count,
                           const t5_unigram_how *how, base_error *error);
void t5_unigram_free(t5_unigram *unigram);

/* Appends the ids of a text to ids[*count ..] and counts them; those beyond `most` are not written. False:
 * no memory. */
bool t5_unigram_encode(const t5_unigram *unigram, const char *text, size_t length, int *ids,
                       int most, int *count);

#endif
