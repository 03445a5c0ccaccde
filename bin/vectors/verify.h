/* SPDX-License-Identifier: MIT */
/* verify.h -- holding this build, on this machine, against reference vectors.
 *
 * Each function reads vectors in the format that docs/ describes, computes the same
 * quantities, and reports one line for each: how far off, and how far off it may be. What is in the
 * files but is not understood is a line that is not ok: nothing is passed over in silence. */
#ifndef VECTORS_VERIFY_H
#define VECTORS_VERIFY_H

#include "base/error.h"
#include "base/json.h"
#include "nn/optimizer.h"

enum { VERIFY_MOST_JSON = 1 << 28 }; /* bytes of a file */

typedef struct verify_line {
    char name[128]; /* "grad.shared.weight" */
    double error,
        tolerance; /* the largest of the quantity; infinite where nothing could be compared */
    bool ok;
    char note[256]; /* of which part of it, or why it could not be compared; may be empty */
} verify_line;

/* False: something could not be read, and error says what; lines may have been reported before. */

/* nn_ops.safetensors and nn_ops.json in that folder: a line an op and case, with the tensor whose
 * error is the largest part of its tolerance. (verify_ops.c) */
bool verify_ops(const char *folder, void (*report)(void *user, const verify_line *line), void *user,
                base_error *error);

/* A T5's case folder: config.json, model.safetensors, io.safetensors, train.json, generate.json.
 * (verify_t5.c) */
bool verify_t5_case(const char *folder, void (*report)(void *user, const verify_line *line),
                    void *user, base_error *error);

/* relative_buckets.json. (verify_t5.c) */
bool verify_buckets(const char *path, void (*report)(void *user, const verify_line *line),
                    void *user, base_error *error);

/* The cases of a folder: asked to print a line for every quantity, or for the failed ones alone. */
typedef struct verify_cases {
    bool every_line;
    int cases, failed; /* counted */
} verify_cases;

/* Runs and counts every case in the folder, and prints a line for each. A case that cannot be read
 * has failed. (verify_folder.c) */
void verify_folder(verify_cases *cases, const char *folder);

/* An optimizer's settings as the vectors have them:
 *   "optimizer": "torch.optim.AdamW", "lr": 0.001, "betas": [0.9, 0.999], ...
 * Members of other names are not looked at; a setting that means something this library does not
 * have is an error. clip_norm: 0 where there is none. (verify_optimizer.c) */
bool verify_optimizer_config(const base_json *settings, nn_optimizer_config *config,
                             double *clip_norm, base_error *error);
bool verify_is_optimizer_setting(const char *name);

#endif
