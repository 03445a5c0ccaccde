/* SPDX-License-Identifier: MIT */
/* verify_case.h -- what verify_t5.c and verify_t5_runs.c share: one case, opened. */
#ifndef VECTORS_VERIFY_CASE_H
#define VECTORS_VERIFY_CASE_H

#include "base/json.h"
#include "bin/vectors/verify.h"
#include "nn/safetensors.h"
#include "t5/t5.h"

typedef struct verify_case {
    void (*report)(void *user, const verify_line *line);
    void *user;
    const char *folder;
    tensor_context *ctx;
    t5_model *model;
    nn_safetensors *io;
    t5_batch batch; /* io's, as padded there */
} verify_case;

/* A line: ok unless error is more than tolerance, or no number. */
void verify_report(const verify_case *v, double error, double tolerance, const char *format, ...)
    BASE_PRINTF(4, 5);

/* A line for what could not be compared; the format says why. Returns false. */
bool verify_failure(const verify_case *v, const char *name, const char *format, ...)
    BASE_PRINTF(3, 4);

/* train.json and generate.json of a case. False: not to be read. (verify_t5_runs.c) */
bool verify_train(verify_case *v, base_error *error);
bool verify_generate(verify_case *v, base_error *error);

#endif
