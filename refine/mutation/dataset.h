/* SPDX-License-Identifier: MIT */
/* dataset.h -- the random refinement dataset as a file: JSONL, one pair a line,
 *
 *     {"source": "...", "refined": "..."}
 *
 * A pair of the papers' dataset takes about 596 bytes. Training reads no file: each pair is made
 * when its turn comes (mutator.h). */
#ifndef MUTATION_DATASET_H
#define MUTATION_DATASET_H

#include "base/error.h"
#include "refine/mutation/mutator.h"
#include <stddef.h>

/* Appends one pair as a line of such a file, newline and all. The strings are UTF-8. */
void mutation_dataset_print(const char *source, const char *refined, base_text *text);

/* Writes the pairs first .. first+count-1 that (mutator, seed) defines. The file is replaced whole
 * or not at all (base/file.h), and its text is in memory until then. */
bool mutation_dataset_write(const mutation_mutator *mutator, uint64_t seed, uint64_t first,
                            size_t count, const char *path, base_error *error);

#endif
