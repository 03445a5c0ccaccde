/* SPDX-License-Identifier: MIT */
/* params.c -- the parameters of a model, in two blocks: values, gradients.
 *
 * Tensors stand in the blocks one after another, in order of declaration, with nothing between
 * them: a loop over a block is a loop over all parameters (llm.c has the same layout). */
#include "nn/params.h"

#include "base/list.h"
#include "base/memory.h"
#include "tensor/context.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The norm's partial sums: short enough that a float's dot product loses nothing that matters. */
enum { NORM_CHUNK = 4096 };

typedef struct param {
    char *name;
    tensor tensor;
} param;

struct nn_params {
    tensor_context *ctx;
    param **list; /* each has memory of its own: tensors are pointed to while the list grows */
    int count;
    size_t size;    /* floats in all of them */
    bool too_large; /* size has overflowed */
    float *values, *gradients;
    void *block[2];  /* the memory that they are in */
    double *partial; /* one for each NORM_CHUNK of the block */
};

/* Nothing is allocated yet but the set: sizes are known when all is declared. */
nn_params *nn_params_new(tensor_context *ctx)
{
    nn_params *params = base_calloc(1, sizeof *params);
    if (params)
        params->ctx = ctx;
    return params;
}

static void param_free(param *p)
{
    if (p)
        base_free(p->name);
    base_free(p);
}

void nn_params_free(nn_params *params)
{
    if (!params)
        return;
    for (int i = 0; i < params->count; i++)
        param_free(params->list[i]);
    base_free(params->list);
    for (int i = 0; i < 2; i++)
        base_free(params->block[i]);
    base_free(params->partial);
    base_free(params);
}

tensor_context *nn_params_context(const nn_params *params) { return params->ctx; }

/* Room for one more in the list. */
static bool grow(nn_params *params)
{
    param **list = base_list_grow(params->list, (size_t)params->count, 1, sizeof *list);
    params->list = list ? list : params->list;
    return list != NULL;
}

/* Sizes may come from a configuration file, so one that fits no memory is not the caller's bug: it
 * is kept in mind, and nn_params_allocate says so. */
static void add_size(nn_params *params, const tensor *t)
{
    const size_t most = (PTRDIFF_MAX - TENSOR_ALIGNMENT) / sizeof(float);
    size_t size = 1;
    for (int i = 0; i < t->rank; i++) {
        if (size > most / (size_t)t->dim[i])
            params->too_large = true;
        else
            size *= (size_t)t->dim[i];
    }
    if (size > most - params->size)
        params->too_large = true;
    else
        params->size += size;
}

/* Wrong shapes and names are the caller's bug; running out of memory is not. */
tensor *nn_param(nn_params *params, const char *name, int rank, const int *dim)
{
    tensor_context *ctx = params->ctx;
    if (params->block[0])
        tensor_fail(ctx, "nn_param", "%s: declared after nn_params_allocate", name);
    if (rank < 0 || rank > TENSOR_MAX_RANK)
        tensor_fail(ctx, "nn_param", "%s: rank %d, expected 0 to %d", name, rank, TENSOR_MAX_RANK);
    for (int i = 0; i < rank; i++)
        if (dim[i] < 1)
            tensor_fail(ctx, "nn_param", "%s: dimension %d is %d, expected 1 or more", name, i,
                        dim[i]);
    if (nn_params_find(params, name))
        tensor_fail(ctx, "nn_param", "%s: declared twice", name);

    param *p = base_calloc(1, sizeof *p);
    if (!p || !(p->name = base_copy(name, strlen(name))) || !grow(params)) {
        param_free(p);
        return NULL;
    }
    p->tensor = (tensor){.rank = rank, .ctx = ctx};
    for (int i = 0; i < rank; i++)
        p->tensor.dim[i] = dim[i];
    add_size(params, &p->tensor);
    params->list[params->count++] = p;
    return &p->tensor;
}

/* Zeroed floats in *block, aligned for the widest vectors; NULL: no memory. While the context plans,
 * nobody reads them, and memory that is not touched costs none. */
static float *zeroed(const tensor_context *ctx, size_t count, void **block)
{
    *block = base_malloc(count * sizeof(float) + TENSOR_ALIGNMENT);
    float *floats = *block ? tensor_align(*block) : NULL;
    if (floats)
        tensor_zero(ctx, floats, count);
    return floats;
}

/* The tensors become leaves over slices of the two blocks, in order of declaration, or where `at` has
 * them; `size`: floats of those that are in the blocks. */
static bool allocate(nn_params *params, size_t size, bool gradients, const float *const *at,
                     base_error *error)
{
    assert(!params->block[0]);
    if (params->too_large)
        return base_fail(error, "the model's %d parameters are larger than any memory",
                         params->count);
    void *block[2] = {NULL};
    float *values = zeroed(params->ctx, size, &block[0]);
    float *gradient_block = gradients ? zeroed(params->ctx, size, &block[1]) : NULL;
    double *partial = gradients ? base_malloc((size / NORM_CHUNK + 1) * sizeof *partial) : NULL;
    if (!values || (gradients && (!gradient_block || !partial))) {
        for (int i = 0; i < 2; i++)
            base_free(block[i]);
        base_free(partial);
        return base_fail(error, "no memory for the model's %zu parameters", size);
    }
    params->values = at ? NULL : values;
    params->gradients = gradient_block;
    memcpy(params->block, block, sizeof block);
    params->partial = partial;

    size_t start = 0;
    for (int i = 0; i < params->count; i++) {
        tensor *t = &params->list[i]->tensor;
        const bool there = at && at[i];
        int dim[TENSOR_MAX_RANK];
        memcpy(dim, t->dim, sizeof dim);
        tensor_leaf(t, params->ctx, t->rank, dim, there ? (float *)at[i] : values + start,
                    gradients ? gradient_block + start : NULL);
        start += there ? 0 : tensor_size(t);
    }
    return true;
}

bool nn_params_allocate(nn_params *params, bool gradients, base_error *error)
{
    return allocate(params, params->size, gradients, NULL, error);
}

bool nn_params_place(nn_params *params, const float *const *at, base_error *error)
{
    size_t size = 0;
    for (int i = 0; i < params->count && !params->too_large; i++)
        size += at[i] ? 0 : tensor_size(&params->list[i]->tensor);
    return allocate(params, size, false, at, error);
}

int nn_params_count(const nn_params *params) { return params->count; }

size_t nn_params_size(const nn_params *params) { return params->size; }

const char *nn_params_name(const nn_params *params, int i)
{
    assert(i >= 0 && i < params->count);
    return params->list[i]->name;
}

tensor *nn_params_tensor(const nn_params *params, int i)
{
    assert(i >= 0 && i < params->count);
    return &params->list[i]->tensor;
}

/* Looks at every name: models have hundreds, and ask for them when they are made and loaded. */
tensor *nn_params_find(const nn_params *params, const char *name)
{
    for (int i = 0; i < params->count; i++)
        if (strcmp(params->list[i]->name, name) == 0)
            return &params->list[i]->tensor;
    return NULL;
}

/* All parameters, one after another: what the optimizer and a checkpoint go over. */
float *nn_params_values(const nn_params *params) { return params->values; }

float *nn_params_gradients(const nn_params *params)
{
    for (int i = 0; i < params->count; i++)
        tensor_settle_grad(&params->list[i]->tensor);
    return params->gradients;
}

void nn_zero_grad(nn_params *params)
{
    for (int i = 0; i < params->count; i++)
        tensor_forget_grad(&params->list[i]->tensor);
}

bool nn_params_finite(const nn_params *params, const char *origin, base_error *error)
{
    for (int i = 0; i < params->count; i++) {
        const tensor *t = &params->list[i]->tensor;
        for (size_t j = 0; j < tensor_size(t); j++)
            if (!isfinite(t->val[j]))
                return base_fail(error, "%s: tensor \"%s\": number %zu is not finite", origin,
                                 params->list[i]->name, j);
    }
    return true;
}

/* Writes only what params points to, the partial sums. */
typedef struct norm_task {
    const nn_params *params;
} norm_task;

/* The squares of one chunk, summed as kernel.h has it; chunks are cut by size alone, so the norm is
 * the same for any number of threads. */
static void norm_chunk(void *argument, int i, int worker)
{
    const nn_params *params = ((const norm_task *)argument)->params;
    (void)worker;
    size_t start = (size_t)i * NORM_CHUNK, left = params->size - start;
    const float *g = params->gradients + start;
    params->partial[i] = (double)tensor_context_kernels(params->ctx)
                             ->dot(g, g, left < NORM_CHUNK ? left : NORM_CHUNK);
}

/* sqrt(sum of g^2) over all parameters, as if they were one vector: chunks in parallel, then their
 * sums in order of the chunks and in double precision. While the context plans, no chunk has been
 * summed and the norm is 0. */
double nn_grad_norm(const nn_params *params)
{
    if (!params->gradients)
        return 0;
    nn_params_gradients(params); /* settles them */
    int chunks = (int)((params->size + NORM_CHUNK - 1) / NORM_CHUNK);
    tensor_parallel(params->ctx, chunks, norm_chunk, &(norm_task){params});
    double sum = 0;
    for (int i = 0; i < chunks && !tensor_planning(params->ctx); i++)
        sum += params->partial[i];
    return sqrt(sum);
}

/* The factor of torch's clip_grad_norm_: min(1, most / (norm + 1e-6)). The small term keeps a norm
 * of 0 from giving an infinity. */
float nn_clip_scale(double norm, double most)
{
    double scale = most / (norm + 1e-6);
    return scale < 1 ? (float)scale : 1;
}
