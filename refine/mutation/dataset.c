/* SPDX-License-Identifier: MIT */
/* dataset.c -- the dataset as a file. A pair is a pure function of its number, so that any range of
 * the dataset can be written without the pairs before it. */
#include "refine/mutation/dataset.h"

#include "base/file.h"
#include "base/json.h"
#include <string.h>

/* One line of JSON a pair: {"source": ..., "refined": ...}, both as the texts that a T5 is trained on. */
void mutation_dataset_print(const char *source, const char *refined, base_text *text)
{
    base_text_print(text, "{\"source\": ");
    base_json_put_string(text, source, strlen(source));
    base_text_print(text, ", \"refined\": ");
    base_json_put_string(text, refined, strlen(refined));
    base_text_print(text, "}\n");
}

/* All lines are made in memory and written at once: a failure leaves no file, or the old one as it was. */
bool mutation_dataset_write(const mutation_mutator *mutator, uint64_t seed, uint64_t first,
                            size_t count, const char *path, base_error *error)
{
    base_text lines = {0}, source = {0}, refined = {0};
    bool failed = false;
    for (size_t i = 0; i < count && !failed; i++) {
        mutation_drawn pair = mutator->kind->pair(mutator, seed, first + i);
        base_text_clear(&source);
        base_text_clear(&refined);
        mutator->kind->print(mutator, &pair.source, &source);
        mutator->kind->print(mutator, &pair.refined, &refined);
        failed = source.failed || refined.failed;
        if (!failed)
            mutation_dataset_print(source.data, refined.data, &lines);
        failed |= lines.failed;
    }
    bool ok = failed ? base_fail(error, "%s: no memory to write %zu pairs", path, count)
                     : base_file_write_named(path, lines.data, lines.length, error);
    base_text_free(&lines);
    base_text_free(&source);
    base_text_free(&refined);
    return ok;
}
