/* dataset.h -- pairs of sources, in memory and as JSONL.
 *
 * One line a pair: {"source": "...", "refined": "..."}.
 *
 * Memory: a pair of the papers' dataset takes 558 bytes here (two sources of about 270, two
 * pointers) and about 596 in a file: a million pairs are 0.56 GB. Training needs none of it, as it
 * makes each pair when its turn comes (mutator.h); a dataset in memory is for
 * pairs that someone brings, and for showing and sharing ours. */
#ifndef MUTATION_DATASET_H
#define MUTATION_DATASET_H

#include "refine/mutation/mutator.h"
#include <stddef.h>

/* What is read: a longer file or line, or a source longer than the language allows
 * (LANGUAGE_MAX_SOURCE), is an error before it costs memory. A line has room for two of the longest
 * sources with every byte escaped (\u00XX). */
#define MUTATION_MAX_DATASET_FILE ((size_t)1 << 30)
#define MUTATION_MAX_DATASET_LINE ((size_t)1 << 20)

typedef struct mutation_dataset {
    size_t count;
    char **source, **refined; /* NUL-terminated; the arrays and the text are the dataset's */
    char *text;
} mutation_dataset;

/* The functions that fill a dataset write it only where they succeed, and free nothing that was in
 * it before. */

/* The pairs first .. first+count-1 of the dataset that (mutator, seed) defines. Fails for want of
 * memory, or where the indexes do not fit in 64 bits. */
bool mutation_dataset_sample(mutation_dataset *dataset, const mutation_mutator *mutator,
                             uint64_t seed, uint64_t first, size_t count, base_error *error);

/* Reads and writes a JSONL file. Reading refuses a malformed line by its number; it ignores
 * members of other names, and lets the last line do without its newline. An empty file is a
 * dataset of no pairs. Writing replaces the file whole or not at all (base/file.h); it needs
 * memory for the file's text beside the dataset, and strings that are UTF-8. */
bool mutation_dataset_read(mutation_dataset *dataset, const char *path, base_error *error);
bool mutation_dataset_write(const mutation_dataset *dataset, const char *path, base_error *error);

/* Appends one pair as a line of such a file, newline and all. */
void mutation_dataset_print(const char *source, const char *refined, base_text *text);

void mutation_dataset_free(mutation_dataset *dataset); /* leaves an empty dataset */

#endif
