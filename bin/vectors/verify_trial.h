/* SPDX-License-Identifier: MIT */
/* verify_trial.h -- what verify_ops.c (cases, comparing) and verify_ops_run.c (the ops) share. */
#ifndef VECTORS_VERIFY_TRIAL_H
#define VECTORS_VERIFY_TRIAL_H

#include "bin/vectors/verify.h"
#include "nn/safetensors.h"
#include <setjmp.h>

enum { VERIFY_MOST_USED = 64, VERIFY_MOST_MADE = 32 };

/* The description of the vectors: relative to the largest magnitude of a tensor. */
#define VERIFY_TOLERANCE            1e-5
#define VERIFY_TRAJECTORY_TOLERANCE 1e-4

/* A tensor that a case has computed. */
typedef struct verify_made {
    char name[64]; /* "out.y", "grad.x" */
    const float *values;
    size_t count;
    double tolerance;
} verify_made;

/* One case, under way. */
typedef struct verify_trial {
    const nn_safetensors *file;
    const base_json *entry, *attrs, *tensors;
    const char *op, *case_name;
    char prefix[128]; /* of its tensors' names: "op.case." */

    const base_json *used[VERIFY_MOST_USED]; /* members of attrs and tensors */
    int used_count;
    verify_made made[VERIFY_MOST_MADE];
    int made_count;

    tensor_context *ctx, *data; /* data: of inputs and results, to the end of the case */
    nn_params *params;
    nn_optimizer *optimizer;
    tensor *given[2]; /* what an objective of optimizers works on */
    int *target;

    verify_line *line;
    jmp_buf end;
} verify_trial;

/* Runs the case's op on its tensors. (verify_ops_run.c) */
void verify_run_op(verify_trial *t);

/* All of these end the case with a line that is not ok where they cannot do what they are for. */
void verify_give_up(verify_trial *t, const char *format, ...) BASE_PRINTF(2, 3);

/* Attributes, and what they are where the case does not have them. */
const base_json *verify_attribute(verify_trial *t, const char *name); /* NULL: not there */
double verify_number(verify_trial *t, const char *name, double otherwise);
int verify_integer(verify_trial *t, const char *name, int otherwise);

/* An attribute with only one value that is implemented. */
void verify_only_number(verify_trial *t, const char *name, double value);
void verify_only_word(verify_trial *t, const char *name, const char *word);

/* Marks a member of attrs as understood. */
void verify_use(verify_trial *t, const base_json *thing);

/* The file's tensor of a name like "in.x". find gives NULL where the case does not list it. */
const nn_safetensors_entry *verify_find(verify_trial *t, const char *name);
const nn_safetensors_entry *verify_need(verify_trial *t, const char *name);

int verify_dimension(verify_trial *t, const nn_safetensors_entry *entry, int axis);
int verify_product(verify_trial *t, const nn_safetensors_entry *entry, int first, int end);
float *verify_values(verify_trial *t, const nn_safetensors_entry *entry);
int *verify_integers(verify_trial *t, const nn_safetensors_entry *entry);

/* A leaf with the values of the file's tensor "in.x" or "param.x", which has as many elements as
 * the shape given; with a gradient, it makes "grad.x". */
tensor *verify_leaf(verify_trial *t, const char *name, int rank, const int *dim, bool gradient);
tensor *verify_natural(verify_trial *t, const char *name, bool gradient); /* in the file's shape */
tensor *verify_row(verify_trial *t, const char *name);                    /* in one row */

/* As a matrix with rows of `columns`, or of the length of the last axis if that is 0. */
tensor *verify_rows(verify_trial *t, const char *name, int columns);

/* Gives kind.name to be compared; the values must stay where they are. */
void verify_make(verify_trial *t, const char *kind, const char *name, const float *values,
                 size_t count, double tolerance);

#endif
