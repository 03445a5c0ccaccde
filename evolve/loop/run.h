/* SPDX-License-Identifier: MIT */
/* run.h -- the loop: Algorithm 1 of both papers, as their prose has it.
 *
 *   source <- default source
 *   for each episode
 *       model <- the model that source defines, trained on the refinement pairs
 *       for each batch
 *           candidates <- sampled from model, given its own source
 *           score each: run it, train it briefly, look at its loss      (evaluate.h, in processes)
 *           source <- the best candidate, or source itself where none is better
 *   compare the last source with the first on fresh pairs, with fresh seeds
 *
 * Where the task is images, source is a network's and model is the T5 of the default source,
 * trained once, on refinements of networks; in the end the last and the first network are trained
 * on the whole training set, and both meet the test set once.
 *
 * That is the greedy search with a trained T5. --strategy asks for other candidates and takes
 * others for the source (search.h), --proposer has them made by others (propose.h). Where no T5
 * writes, there is no training stage.
 *
 * (The papers' listing overwrites the generator inside the candidate loop: read literally,
 * candidate 2 would be written by candidate 1's few-shot-trained model. Their prose, and this loop,
 * have one trained generator a stage.)
 *
 * A run is a folder:
 *   manifest.json            format, version, numeric mode, every setting, and how it was run
 *   journal.jsonl            what happened, the only truth (journal.h)
 *   episode-N/source.c       the source that the episode's model was built from
 *   episode-N/model/         that model, trained: config.json, model.safetensors, tokenizer.json
 *   episode-N/losses.csv     the loss of each training step
 *   timing.jsonl             seconds, and on what machine, each line sealed; nothing else depends on them
 *   model/, losses.csv       of a run on pairs of text: the last source's T5, trained on all of them
 *   first.c                  the source that the run started from, where that is not the default one
 *   first-2.c, ...           other sources that it was given: its first candidates
 *   experience.csv           the outcomes of earlier runs that this one learns from, if it does
 *   source.c, summary.txt    the last source, and the table at the end */
#ifndef LOOP_RUN_H
#define LOOP_RUN_H

#include "evolve/loop/how.h"
#include "evolve/settings.h"

typedef enum loop_outcome {
    LOOP_DONE,
    LOOP_FAILED,
    LOOP_INTERRUPTED,
    LOOP_TAKEN /* options->fresh, and the folder was there already */
} loop_outcome;

/* Runs to the end, or to *stop, or to an error. settings are ignored where a run is resumed: its
 * manifest has them. */
loop_outcome loop_run(const evolve_settings *settings, const loop_options *options,
                      base_error *error);

#endif
