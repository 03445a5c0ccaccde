/* SPDX-License-Identifier: MIT */
/* tape.c -- reverse-mode differentiation: what was done, and the way back.
 *
 * Each op that a gradient must pass appends one record. Since an op's inputs exist before its
 * result, every record comes after those that made its inputs; walked backwards, a result's
 * gradient is complete when its record is reached (Griewank & Walther 2008, "Evaluating
 * Derivatives", section 3.2). */
#include "tensor/state.h"

#include <assert.h>
#include <string.h>

/* Wanting a gradient spreads from inputs to results, unless gradients are off: then nothing that is
 * computed wants one, nothing is recorded, and a generation's tape stays empty. */
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

/* The peak of the step arena is sealed into scores, and decides who is refused for memory, so it is
 * the same with pointers of any width: what has pointers in it takes as much as with wide ones. */
enum { RECORD_BYTES = 128, SAVED_BYTES = 256 };

_Static_assert(sizeof(tensor_tape_record) <= RECORD_BYTES, "a record of the tape");

/* What the op keeps comes before the record in the arena, so that the record's end is the tape's: a
 * release below it (tensor_release) is refused. */
tensor_tape_record *tensor_record(const tensor_op *op, tensor *out, tensor *const *in, int inputs,
                                  size_t saved_bytes)
{
    tensor_context *ctx = out->ctx;
    assert(out->wants_grad && inputs <= TENSOR_MAX_INPUTS);
    saved_bytes = (saved_bytes + SAVED_BYTES - 1) / SAVED_BYTES * SAVED_BYTES;
    void *saved = saved_bytes ? tensor_step_memory(ctx, saved_bytes) : NULL;
    tensor_tape_record *record = tensor_step_memory(ctx, RECORD_BYTES);
    *record = (tensor_tape_record){
        .op = op, .inputs = inputs, .out = out, .saved = saved, .previous = ctx->last};
    for (int i = 0; i < inputs; i++)
        record->in[i] = in[i];
    ctx->last = record;
    ctx->tape_end = tensor_mark(ctx);
    return record;
}

/* The tape, its other end first: every record then has behind it the one that came later. */
static tensor_tape_record *reversed(tensor_tape_record *last)
{
    tensor_tape_record *first = NULL;
    while (last) {
        tensor_tape_record *previous = last->previous;
        last->previous = first;
        first = last;
        last = previous;
    }
    return first;
}

void tensor_tape_print(tensor_context *ctx, base_text *text)
{
    char shape[64];
    tensor_tape_record *first = reversed(ctx->last);
    for (const tensor_tape_record *r = first; r; r = r->previous) {
        base_text_print(text, "%s %s <-", r->op->name, tensor_shape_text(r->out, shape));
        for (int i = 0; i < r->inputs; i++)
            if (r->in[i])
                base_text_print(text, " %s", tensor_shape_text(r->in[i], shape));
        base_text_print(text, "\n");
    }
    ctx->last = reversed(first);
}

/* ---- memory of gradients ---- */

/* A result's gradient lives from the last of its uses, which backward reaches first, to the record
 * that made it: a few are alive at a time. Their memory is reused: of the blocks given back, take()
 * picks the smallest that is large enough and at most twice too large. */
static float *take(tensor_context *ctx, size_t bytes)
{
    tensor_idle_block *best = NULL;
    for (int i = 0; i < ctx->idle_blocks; i++) {
        tensor_idle_block *b = &ctx->idle[i];
        if (b->bytes >= bytes && b->bytes / 2 <= bytes && (!best || b->bytes < best->bytes))
            best = b;
    }
    if (!best)
        return tensor_step_memory(ctx, bytes);
    void *memory = best->memory;
    *best = ctx->idle[--ctx->idle_blocks];
    return memory;
}

/* If the list is full, the block is left to be freed with the step. */
static void give_back(tensor_context *ctx, float *memory, size_t bytes)
{
    if (ctx->idle_blocks < TENSOR_IDLE_BLOCKS)
        ctx->idle[ctx->idle_blocks++] = (tensor_idle_block){memory, bytes};
}

static size_t gradient_bytes(const tensor *t) { return tensor_size(t) * sizeof(float); }

float *tensor_grad_first(tensor *t, bool *first)
{
    *first = false;
    if (!t || !t->wants_grad)
        return NULL;
    *first = !t->grad || t->grad_stale;
    if (!t->grad)
        t->grad = take(t->ctx, gradient_bytes(t));
    t->grad_stale = false;
    return t->grad;
}

float *tensor_grad(tensor *t)
{
    bool first;
    float *grad = tensor_grad_first(t, &first);
    if (first)
        tensor_zero(t->ctx, grad, tensor_size(t));
    return grad;
}

void tensor_forget_grad(tensor *leaf) { leaf->grad_stale = leaf->grad != NULL; }

void tensor_settle_grad(tensor *leaf)
{
    if (leaf->grad_stale)
        tensor_grad(leaf);
}

/* The array changes owner instead of being added to zeros: one pass over memory less, and the same
 * bits but for a -0, which 0 + -0 would make 0. */
bool tensor_grad_pass(tensor_tape_record *record, tensor *t)
{
    if (!t->wants_grad || t->grad || tensor_size(t) != tensor_size(record->out))
        return false;
    t->grad = record->out->grad;
    record->out->grad = NULL;
    return true;
}

/* ---- the way back ---- */

/* No gradient by now means that the scalar does not depend on this result: its record is skipped. A
 * gradient is complete here and not needed after, so its memory goes back to the idle blocks. */
static void walk(tensor_context *ctx)
{
    for (tensor_tape_record *record = ctx->last; record; record = record->previous) {
        tensor *out = record->out;
        if (!out->grad)
            continue;
        record->op->backward(record);
        if (out->grad)
            give_back(ctx, out->grad, gradient_bytes(out));
        out->grad = NULL;
    }
}

/* A second walk over one tape would add the gradients of the first once more. */
static void check_walk(tensor_context *ctx, const tensor *from)
{
    if (!from->wants_grad)
        tensor_fail(ctx, "backward", "the scalar depends on nothing that wants a gradient");
    if (ctx->walked)
        tensor_fail(ctx, "backward", "called twice between two calls of tensor_step_end");
    ctx->walked = true;
}

/* d(scalar)/d(scalar) = 1, and from there on backwards. */
void tensor_backward(tensor *scalar)
{
    tensor_context *ctx = scalar->ctx;
    char text[64];
    if (tensor_size(scalar) != 1)
        tensor_fail(ctx, "backward", "%s is not a scalar", tensor_shape_text(scalar, text));
    check_walk(ctx, scalar);
    float *grad = tensor_grad(scalar);
    if (!ctx->planning)
        *grad += 1;
    walk(ctx);
}

void tensor_backward_from(tensor *y)
{
    check_walk(y->ctx, y);
    walk(y->ctx);
}

void tensor_set_grad(tensor_context *ctx, bool enabled) { ctx->grad = enabled; }

bool tensor_grad_enabled(const tensor_context *ctx) { return ctx->grad; }
