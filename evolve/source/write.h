/* SPDX-License-Identifier: MIT */
/* write.h -- what a T5 writes for a source, as a run's settings have it. Whoever proposes and whoever
 * measures what is proposed asks here, so what is measured is what is done. */
#ifndef SOURCE_WRITE_H
#define SOURCE_WRITE_H

#include "evolve/settings.h"
#include "t5/t5.h"

typedef struct source_writer {
    const evolve_settings *settings;
    t5_model *model;
    const t5_tokenizer *tokenizer;
    int draws; /* of a sample at most; SOURCE_DRAWS, or 1 where the caller rejects samples itself */
} source_writer;

/* Sample i of the stream becomes refined[i], `count` texts that are empty before and are the caller's to free.
 * A text that is none of the settings' form says why (form.h). Under --constrained a sample is a program of the
 * mutator's, and one that the edit rules do not make of this source (a copy, two edits at once) is drawn anew, until
 * the writer's draws are used up; then it stays. *flops: the operations of all draws are added. */
enum { SOURCE_DRAWS = 8 };
bool source_write(const source_writer *writer, const char *source, uint64_t stream, int count,
                  base_text *refined, int64_t *flops, base_error *error);

#endif
