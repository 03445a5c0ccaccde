/* prefix.h -- whether a text is the beginning of a program that a mutator could write.
 *
 * A language model that may only write such beginnings writes programs (grammar-constrained
 * decoding; Geng et al. 2023, arXiv:2305.13971). It asks of each token that it might write next, so
 * the answer must be had without reading the text again: what is kept of a text is every place in
 * every derivation that it may have come to, and a byte moves each of them or ends it.
 *
 * The programs are what refine_form_print writes: of a grammar, all its derivations; of the papers'
 * four integers, each from the least to the greatest that sources and refinements can have. */
#ifndef REFINE_PREFIX_H
#define REFINE_PREFIX_H

#include "refine/mutator.h"

typedef struct refine_prefix refine_prefix;

/* Of the empty text. The mutator's grammar must outlive it. NULL: no memory. */
refine_prefix *refine_prefix_new(const refine_mutator *mutator);
void refine_prefix_free(refine_prefix *prefix);

/* Back to the empty text. */
void refine_prefix_clear(refine_prefix *prefix);

/* Whether some program begins with the text and then these bytes. Without memory: no. */
bool refine_prefix_follows(refine_prefix *prefix, const char *bytes, size_t length);

/* Adds the bytes to the text, if they may follow. */
bool refine_prefix_add(refine_prefix *prefix, const char *bytes, size_t length);

/* Whether the text is a whole program. */
bool refine_prefix_is_whole(const refine_prefix *prefix);

#endif
