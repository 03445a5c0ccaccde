/* tape.c -- reverse-mode differentiation: what was done, and the way back.
 *
 * Each op that a gradient must pass appends one record. Since an op's inputs exist before its
 * result, every record comes after those that made its inputs; walked backwards, a result's
 * gradient is complete when its record is reached (Griewank & Walther 2008, "Evaluating
 * Derivatives", section 3.2). */
#include "tensor/state.h"

#include <assert.h>
#include <string.h>

tensor *tensor_result(tensor_context *ctx, int rank, const int *dim, tensor *const *in, int inputs)
{
    bool wants_grad = false;
    for (int i = 0; i < inputs; i++) {
        if (in[i] && in[i]->ctx != ctx)
            tensor_fail(ctx, "result", "the inputs belong to different contexts");
        if (in[i] && in[i]->wants_grad)
            wants_grad = ctx->grad;
    }
    tensor *out = tensor_new(ctx, rank, dim);
    out->wants_grad = wants_grad;
    return out;
}

tensor_tape_record *tensor_record(const char *name, void (*backward)(tensor_tape_record *),
                                  tensor *out, tensor *const *in, int inputs, size_t saved_bytes)
{
    tensor_context *ctx = out->ctx;
    assert(out->wants_grad && inputs <= TENSOR_MAX_INPUTS);
    void *saved = saved_bytes ? tensor_step_memory(ctx, saved_bytes) : NULL;
    tensor_tape_record *record = tensor_step_memory(ctx, sizeof *record);
    *record = (tensor_tape_record){
        .name = name, .backward = backward, .out = out, .saved = saved, .previous = ctx->last};
    for (int i = 0; i < inputs; i++)
        record->in[i] = in[i];
    ctx->last = record;
    ctx->tape_end = tensor_mark(ctx);
    return record;
}

float *tensor_grad(tensor *t)
{
    if (!t || !t->wants_grad)
        return NULL;
    if (!t->grad) {
        size_t bytes = tensor_size(t) * sizeof(float);
        t->grad = tensor_step_memory(t->ctx, bytes);
        memset(t->grad, 0, bytes);
    }
    return t->grad;
}

/* A record whose result has no gradient by the time it is reached had no part in the scalar. */
void tensor_backward(tensor *scalar)
{
    tensor_context *ctx = scalar->ctx;
    char text[64];
    if (tensor_size(scalar) != 1)
        tensor_fail(ctx, "backward", "%s is not a scalar", tensor_shape_text(scalar, text));
    if (!scalar->wants_grad)
        tensor_fail(ctx, "backward", "the scalar depends on nothing that wants a gradient");
    if (ctx->walked)
        tensor_fail(ctx, "backward", "called twice between two calls of tensor_step_end");
    ctx->walked = true;
    *tensor_grad(scalar) += 1;
    for (tensor_tape_record *record = ctx->last; record; record = record->previous)
        if (record->out->grad)
            record->backward(record);
}

void tensor_set_grad(tensor_context *ctx, bool enabled)
{
    ctx->grad = enabled;
}

bool tensor_grad_enabled(const tensor_context *ctx)
{
    return ctx->grad;
}
