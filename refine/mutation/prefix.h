/* SPDX-License-Identifier: MIT */
/* prefix.h -- whether a text is the beginning of a program that a mutator could write.
 *
 * A language model that may only write such beginnings writes programs (grammar-constrained
 * decoding; Geng et al. 2023, arXiv:2305.13971). It asks of each token that it might write next, so
 * the answer must be had without reading the text again: what is kept of a text is every place in
 * every derivation that it may have come to, and a byte moves each of them or ends it.
 *
 * The programs are what a mutator prints: of a grammar, all its derivations; of the papers'
 * four integers, each from the least to the greatest that sources and refinements can have. */
#ifndef MUTATION_PREFIX_H
#define MUTATION_PREFIX_H

#include "refine/mutation/mutator.h"

typedef struct mutation_prefix mutation_prefix;

/* At the start of a program. The mutator's grammar must outlive it. NULL: no memory. */
mutation_prefix *mutation_prefix_new(const mutation_mutator *mutator);
void mutation_prefix_free(mutation_prefix *prefix);

/* Goes back to the start. */
void mutation_prefix_clear(mutation_prefix *prefix);

/* Whether memory has run out: then nothing follows any more. */
bool mutation_prefix_failed(const mutation_prefix *prefix);

/* Whether some program begins with the text and then these bytes. */
bool mutation_prefix_follows(mutation_prefix *prefix, const char *bytes, size_t length);

/* Adds the bytes to the text, if they may follow. */
bool mutation_prefix_add(mutation_prefix *prefix, const char *bytes, size_t length);

/* Whether the text is a whole program. */
bool mutation_prefix_is_whole(const mutation_prefix *prefix);

#endif
