/* SPDX-License-Identifier: MIT */
/* params.h -- the parameters of a model: named, in one block of memory.
 *
 * A model first declares its parameters, then allocates them all at once; values and gradients are
 * two contiguous blocks, so the optimizer, zeroing, the gradient norm and a checkpoint are one loop
 * each, and freeing a model is one call.
 *
 *     nn_params *params = nn_params_new(ctx);
 *     tensor *w = nn_param(params, "layer.weight", 2, (int[]){10, 64});
 *     tensor *b = nn_param(params, "layer.bias", 1, (int[]){10});
 *     if (w && b && nn_params_allocate(params, true, &error))
 *         nn_init_kaiming_uniform(w, 64, seed, base_random_stream("layer.weight", 0, 0, 0)); */
#ifndef NN_PARAMS_H
#define NN_PARAMS_H

#include "base/error.h"
#include "base/random.h"
#include "tensor/tensor.h"

typedef struct nn_params nn_params;

nn_params *nn_params_new(tensor_context *ctx); /* NULL: no memory */
void nn_params_free(nn_params *params);
tensor_context *nn_params_context(const nn_params *params);

/* Declares a parameter; name is copied, must be new. The tensor is the set's and gets its memory in
 * nn_params_allocate. NULL: no memory. */
tensor *nn_param(nn_params *params, const char *name, int rank, const int *dim);

/* Zeroed values and gradients. gradients false: for a model that only generates. */
bool nn_params_allocate(nn_params *params, bool gradients, base_error *error);

/* In its place, for a model that only generates and whose numbers are somewhere already, as in flash: parameter
 * i is at at[i], which is only read and outlives the set, or, where that is NULL, gets zeroed memory. */
bool nn_params_place(nn_params *params, const float *const *at, base_error *error);

int nn_params_count(const nn_params *params);               /* tensors */
size_t nn_params_size(const nn_params *params);             /* floats in all of them */
const char *nn_params_name(const nn_params *params, int i); /* in order of declaration */
tensor *nn_params_tensor(const nn_params *params, int i);
tensor *nn_params_find(const nn_params *params, const char *name); /* NULL: none */
float *nn_params_values(const nn_params *params);    /* the whole block; NULL: they were placed */
float *nn_params_gradients(const nn_params *params); /* likewise, settled; NULL: none */

/* Whether every value is finite; if not, the error names origin (a file), the tensor and the number. */
bool nn_params_finite(const nn_params *params, const char *origin, base_error *error);

/* tensor_forget_grad() for each: a tensor's own grad is to be read after a backward that reached it,
 * or after nn_params_gradients(). */
void nn_zero_grad(nn_params *params);

/* The global L2 norm of all gradients: dot products of chunks of 4096 floats of the block, added up
 * in double, in order. */
double nn_grad_norm(const nn_params *params);

/* What clipping by global norm multiplies gradients by: min(1, most / (norm + 1e-6)), as torch's
 * clip_grad_norm_. Given to nn_optimizer_step, which applies it on the way. */
float nn_clip_scale(double norm, double most);

/* ---- initialisers: element i of the tensor is made from number i of its stream; normal ones come
 * in pairs, from two numbers ---- */

void nn_init_normal(tensor *t, double deviation, uint64_t seed, uint64_t stream);
void nn_init_constant(tensor *t, float value);

/* torch's default for Linear and Conv2d: uniform in [-b, b), b = 1/sqrt(fan_in). He et al. 2015,
 * arXiv:1502.01852, with torch's gain. */
void nn_init_kaiming_uniform(tensor *t, int fan_in, uint64_t seed, uint64_t stream);

#endif
