/* SPDX-License-Identifier: MIT */
/* stage.h -- the training stage: the model that a source defines, trained on the whole dataset,
 * measured, and saved.
 *
 * The source's train() and data(), or the default's, are interpreted, whatever executes
 * candidates. */
#ifndef LOOP_STAGE_H
#define LOOP_STAGE_H

#include "evolve/score/measure.h"
#include "evolve/loop/events.h"
#include "evolve/loop/how.h"
#include "evolve/source/pairs.h"

typedef struct loop_stage {
    const char *file, *source; /* its name for diagnostics, and its text */
    size_t length;
    const evolve_settings *settings;
    const source_texts *texts; /* what is trained on; NULL: refinements */
    const source_corpus
        *corpus; /* its sequences, as many as the settings say, come first; NULL: none do */
    const source_lesson *lesson; /* of refinements; NULL: all weigh alike */
    const t5_tokenizer *tokenizer;
    tensor_context *ctx;
    const char *folder; /* where a checkpoint under way goes */
    const char *out;    /* where losses.csv and model/ go; made if need be. NULL: to folder */
    const char *label;  /* for progress: "episode 1: training" */
    uint64_t seed;      /* of weights and shuffling */
    const volatile sig_atomic_t *stop;
    const loop_watch *watch;
} loop_stage;

typedef struct loop_stage_result {
    t5_model *model;                /* trained; the caller frees it */
    language_diagnostic diagnostic; /* failure not LANGUAGE_OK: the source is at fault */
    int64_t steps, parameters;
    int64_t flops;    /* of the training, with that on the corpus */
    double last_loss; /* mean a token over the last tenth of the steps */
    int64_t corpus_flops;
    double corpus_loss; /* of the steps on the corpus, likewise */
    score_held_out held_out;
    mutation_fidelity fidelity;
    /* Instead of both, of texts: by parts; the epochs that were gone through, and the one of them that left
     * the weights. */
    score_texts texts[SOURCE_PARTS];
    int64_t epochs, lowest;
    char hashes[3][BASE_HASH_TEXT];   /* config.json, model.safetensors, tokenizer.json */
    char losses_hash[BASE_HASH_TEXT]; /* losses.csv */
} loop_stage_result;

/* Trains. Continues from a checkpoint in the folder where there is a whole one of this stage, and
 * writes one each minute. False: error, such as too little memory for a step; or *stop was set, then
 * a checkpoint was written and the error's text is empty. */
bool loop_stage_run(const loop_stage *stage, loop_stage_result *result, base_error *error);

/* The event that has what the training left, by hashes and counts; what was measured is left to the
 * caller, who knows of what. failure: why there is no model; NULL: there is one. The event's texts are the
 * result's. */
loop_event loop_stage_event(loop_kind kind, const loop_stage_result *result, const char *failure);

/* Lines for people: what the training came to. */
void loop_stage_describe(const loop_stage *stage, const loop_stage_result *result, base_text *text);

/* Writes folder/losses.csv, a line a step; hash (BASE_HASH_TEXT bytes, or NULL): of the file. */
bool loop_losses_write(const char *folder, const float *losses, int64_t steps, char *hash,
                       base_error *error);

/* Whether there is a checkpoint of the stage in its folder, and whether it is whole; of the training or of that on
 * the corpus. The stage's source, settings, seed, corpus and folder are looked at. */
bool loop_stage_checkpoint(const loop_stage *stage, bool *is_there, bool *whole, base_error *error);

#endif
