/* SPDX-License-Identifier: MIT */
/* context.c -- a context: the failure handler, the step arena, and what is made in it.
 *
 * A training step makes hundreds of arrays that all die together. So they are cut one after another
 * from a few large chunks, and freed by setting a counter back (Hanson 1990, "Fast allocation and
 * deallocation of memory based on object lifetimes", Software: Practice and Experience 20(1)). A
 * step that does not fit takes another chunk; the next step starts with a single one for as much as
 * any step has taken. Hence a step like one before it calls malloc zero times. */
#include "tensor/state.h"

#include "base/memory.h"
#include "base/number.h"
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An arena hides overruns from AddressSanitizer, unless it marks what is in use. */
#if defined __has_feature
#if __has_feature(address_sanitizer) && !defined __SANITIZE_ADDRESS__
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#if defined __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define IN_USE(memory, bytes)     ASAN_UNPOISON_MEMORY_REGION(memory, bytes)
#define NOT_IN_USE(memory, bytes) ASAN_POISON_MEMORY_REGION(memory, bytes)
#else
#define IN_USE(memory, bytes)     ((void)(memory), (void)(bytes))
#define NOT_IN_USE(memory, bytes) ((void)(memory), (void)(bytes))
#endif

enum { SMALLEST_CHUNK = 1 << 12 };

/* ---- failure ---- */

static void print_and_abort(void *user, const char *operation, const char *message)
{
    (void)user;
    fprintf(stderr, "%s: %s\n", operation, message);
    abort();
}

void tensor_set_failure_handler(tensor_context *ctx, tensor_failure_handler *handler, void *user)
{
    ctx->handler = handler ? handler : print_and_abort;
    ctx->handler_user = user;
}

void tensor_fail(const tensor_context *ctx, const char *operation, const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    base_print_list(message, sizeof message, format, arguments);
    va_end(arguments);
    ctx->handler(ctx->handler_user, operation, message);
    abort(); /* a handler must not return; the op that failed could not go on */
}

/* Where a guarded failure ends up, and the handler that it must not reach. */
typedef struct escape {
    jmp_buf to;
    char *reason;
    tensor_failure_handler *handler;
    void *user;
} escape;

/* The handler while work is guarded: keeps the message and leaves the work for tensor_guarded(). */
static void escape_from(void *user, const char *operation, const char *message)
{
    escape *e = user;
    snprintf(e->reason, 256, "%.40s: %.200s", operation, message);
    longjmp(e->to, 1);
}

bool tensor_guarded(tensor_context *ctx, void (*work)(void *argument), void *argument,
                    char reason[256])
{
    escape e = {.reason = reason, .handler = ctx->handler, .user = ctx->handler_user};
    if (setjmp(e.to) == 0) {
        tensor_set_failure_handler(ctx, escape_from, &e);
        work(argument);
        tensor_set_failure_handler(ctx, e.handler, e.user);
        return true;
    }
    tensor_set_failure_handler(ctx, e.handler, e.user);
    tensor_set_grad(ctx, true);
    tensor_step_end(ctx);
    return false;
}

/* ---- the step arena ---- */

void *tensor_align(void *p)
{
    size_t beyond = (size_t)((uintptr_t)p % TENSOR_ALIGNMENT);
    return beyond ? (char *)p + (TENSOR_ALIGNMENT - beyond) : p;
}

/* One block for a chunk: this struct, up to 63 bytes that align what follows, the memory. get: where
 * from. */
static tensor_arena_chunk *new_chunk(size_t capacity, void *(*get)(size_t size))
{
    const size_t extra = sizeof(tensor_arena_chunk) + TENSOR_ALIGNMENT;
    if (capacity > SIZE_MAX - extra)
        return NULL;
    tensor_arena_chunk *chunk = get(capacity + extra);
    if (!chunk)
        return NULL;
    *chunk = (tensor_arena_chunk){.capacity = capacity, .memory = tensor_align(chunk + 1)};
    NOT_IN_USE(chunk->memory, capacity);
    return chunk;
}

static void free_chunks(tensor_arena *arena)
{
    for (tensor_arena_chunk *chunk = arena->first, *next; chunk; chunk = next) {
        next = chunk->next;
        IN_USE(chunk->memory, chunk->capacity);
        base_free(chunk);
    }
    arena->first = arena->current = NULL;
    arena->capacity = 0;
}

/* Links it in behind the current chunk, so that it is the next to be used. */
static void add_chunk(tensor_arena *arena, tensor_arena_chunk *chunk)
{
    tensor_arena_chunk **place = arena->current ? &arena->current->next : &arena->first;
    chunk->next = *place;
    *place = chunk;
    arena->capacity += chunk->capacity;
}

static size_t bytes_in_use(const tensor_arena *arena)
{
    return arena->current ? arena->current->start + arena->current->used : 0;
}

/* Makes a chunk current that is empty and has room for `bytes`; false: no memory. A new one is half
 * as large as all before it together, so that their number stays small, but heeds the limit. */
static bool next_chunk(tensor_arena *arena, size_t bytes)
{
    size_t start = bytes_in_use(arena);
    tensor_arena_chunk *next = arena->current ? arena->current->next : arena->first;
    if (!next || next->capacity < bytes) {
        size_t most = arena->limit ? arena->limit : SIZE_MAX;
        size_t left = most > arena->capacity ? most - arena->capacity : 0;
        size_t size = arena->capacity / 2;
        if (size < SMALLEST_CHUNK)
            size = SMALLEST_CHUNK;
        if (size > left)
            size = left;
        next = size > bytes ? new_chunk(size, base_malloc_spare) : NULL;
        if (!next)
            next = new_chunk(bytes, base_malloc);
        if (!next)
            return false;
        add_chunk(arena, next);
    }
    next->start = start;
    next->used = 0;
    arena->current = next;
    return true;
}

/* Every piece begins at a multiple of 64 bytes, a line of the cache and the widest vector: no two
 * pieces share a line, and threads that write to different pieces do not wait for each other. */
void *tensor_step_memory(tensor_context *ctx, size_t bytes)
{
    tensor_arena *arena = &ctx->arena;
    size_t in_use = bytes_in_use(arena);
    size_t most = arena->limit ? arena->limit : SIZE_MAX;
    size_t rounded = bytes + (TENSOR_ALIGNMENT - bytes % TENSOR_ALIGNMENT) % TENSOR_ALIGNMENT;
    if (rounded < bytes || in_use > most || rounded > most - in_use)
        tensor_fail(ctx, "step memory", "%zu bytes asked for with %zu in use; the limit is %zu",
                    bytes, in_use, most);
    tensor_arena_chunk *chunk = arena->current;
    if (!chunk || chunk->capacity - chunk->used < rounded) {
        if (!next_chunk(arena, rounded))
            tensor_fail(ctx, "step memory", "%zu bytes asked for with %zu in use; there are none",
                        bytes, in_use);
        chunk = arena->current;
    }
    void *memory = chunk->memory + chunk->used;
    chunk->used += rounded;
    IN_USE(memory, bytes);
    if (arena->peak < in_use + rounded)
        arena->peak = in_use + rounded;
    return memory;
}

void tensor_set_step_limit(tensor_context *ctx, size_t bytes) { ctx->arena.limit = bytes; }

size_t tensor_step_peak(const tensor_context *ctx) { return ctx->arena.peak; }

/* Chunks are merged here, between steps, because nothing points into them now: the next step of the
 * same size then fits into one. */
void tensor_step_end(tensor_context *ctx)
{
    tensor_arena *arena = &ctx->arena;
    if (arena->first && arena->first->next) {
        size_t together = arena->peak; /* what lies unused behind each chunk is not needed in one */
        free_chunks(arena);
        tensor_arena_chunk *chunk = new_chunk(together, base_malloc_spare);
        if (chunk) /* otherwise the next step takes what it needs, piece by piece */
            add_chunk(arena, chunk);
    }
    arena->current = arena->first;
    if (arena->first) {
        arena->first->used = 0;
        NOT_IN_USE(arena->first->memory, arena->first->capacity);
    }
    ctx->last = NULL;
    ctx->tape_end = 0;
    ctx->idle_blocks = 0;
    ctx->walked = false;
}

size_t tensor_mark(const tensor_context *ctx) { return bytes_in_use(&ctx->arena); }

/* Idle memory of gradients that is no longer part of what is in use is not to be taken again. */
static void forget_released(tensor_context *ctx)
{
    for (int i = 0; i < ctx->idle_blocks;) {
        uintptr_t at = (uintptr_t)ctx->idle[i].memory;
        const tensor_arena_chunk *chunk = ctx->arena.first, *end = ctx->arena.current->next;
        while (chunk != end &&
               (at < (uintptr_t)chunk->memory || at >= (uintptr_t)chunk->memory + chunk->used))
            chunk = chunk->next;
        if (chunk == end)
            ctx->idle[i] = ctx->idle[--ctx->idle_blocks];
        else
            i++;
    }
}

/* A mark is a number of bytes in use, so the chunk it lies in is the last that starts before it. */
void tensor_release(tensor_context *ctx, size_t mark)
{
    tensor_arena *arena = &ctx->arena;
    if (mark > bytes_in_use(arena))
        tensor_fail(ctx, "release", "the mark %zu lies beyond the %zu bytes in use", mark,
                    bytes_in_use(arena));
    if (ctx->tape_end > mark)
        tensor_fail(ctx, "release", "the tape holds results made since the mark");
    tensor_arena_chunk *chunk = arena->first, *end = arena->current;
    if (!chunk)
        return;
    while (chunk != end && chunk->next->start <= mark)
        chunk = chunk->next;
    arena->current = chunk;
    chunk->used = mark - chunk->start;
    NOT_IN_USE(chunk->memory + chunk->used, chunk->capacity - chunk->used);
    for (tensor_arena_chunk *beyond = chunk; beyond != end;) {
        beyond = beyond->next;
        NOT_IN_USE(beyond->memory, beyond->capacity);
    }
    forget_released(ctx);
}

/* ---- the context itself ---- */

tensor_context *tensor_context_new(void)
{
    const tensor_kernels *kernels = tensor_kernels_pick(getenv("PHOENIX_KERNEL"));
    const bool good = kernels && !tensor_arithmetic_fault(kernels);
    tensor_context *ctx = good ? base_calloc(1, sizeof *ctx) : NULL;
    if (!ctx)
        return NULL;
    ctx->kernels = kernels;
    ctx->handler = print_and_abort;
    ctx->grad = true;
    ctx->threads = 1;
    return ctx;
}

tensor_context *tensor_context_open(int threads, base_error *error)
{
    tensor_context *ctx = tensor_context_new();
    if (ctx) {
        tensor_set_threads(ctx, threads);
        return ctx;
    }
    const tensor_kernels *kernels = tensor_kernels_pick(getenv("PHOENIX_KERNEL"));
    const char *fault = kernels ? tensor_arithmetic_fault(kernels) : NULL;
    if (fault)
        base_fail(error, "results would have other bits here: %s", fault);
    else
        base_fail(error,
                  kernels ? "no memory" : "PHOENIX_KERNEL names a set of kernels that is not here");
    return NULL;
}

void tensor_context_free(tensor_context *ctx)
{
    if (!ctx)
        return;
    free_chunks(&ctx->arena);
    tensor_parallel_free(ctx);
    tensor_scratch_free(ctx);
    base_free(ctx);
}

const tensor_kernels *tensor_context_kernels(const tensor_context *ctx) { return ctx->kernels; }

void tensor_set_planning(tensor_context *ctx, bool planning) { ctx->planning = planning; }

bool tensor_planning(const tensor_context *ctx) { return ctx->planning; }

void tensor_zero(const tensor_context *ctx, float *x, size_t n)
{
    if (!ctx->planning)
        memset(x, 0, n * sizeof *x);
}

/* ---- tensors ---- */

/* 1 for a scalar: the empty product. */
size_t tensor_size(const tensor *t)
{
    size_t size = 1;
    for (int i = 0; i < t->rank; i++)
        size *= (size_t)t->dim[i];
    return size;
}

int tensor_rows(const tensor *t)
{
    char text[64];
    size_t rows = t->rank ? tensor_size(t) / (size_t)t->dim[t->rank - 1] : 1;
    if (rows > INT_MAX)
        tensor_fail(t->ctx, "rows", "%s has too many", tensor_shape_text(t, text));
    return (int)rows;
}

/* 64 characters hold the longest shape: four dimensions of at most 10 digits, and 5 more. */
static const char *shape_text(int rank, const int *dim, char text[64])
{
    size_t at = 1;
    strcpy(text, "(");
    for (int i = 0; i < rank; i++)
        at += (size_t)snprintf(text + at, 64 - at, i ? ",%d" : "%d", dim[i]);
    strcpy(text + at, ")");
    return text;
}

const char *tensor_shape_text(const tensor *t, char text[64])
{
    return shape_text(t->rank, t->dim, text);
}

/* Half of SIZE_MAX, so that sums of two sizes in bytes, as an arena makes them, do not wrap. */
size_t tensor_check_shape(const tensor_context *ctx, const char *operation, int rank,
                          const int *dim)
{
    char text[64];
    size_t size = 1;
    if (rank < 0 || rank > TENSOR_MAX_RANK)
        tensor_fail(ctx, operation, "rank %d; 0 to %d can be had", rank, TENSOR_MAX_RANK);
    for (int i = 0; i < rank; i++) {
        if (dim[i] < 1)
            tensor_fail(ctx, operation, "%s has a dimension below 1", shape_text(rank, dim, text));
        if (size > SIZE_MAX / 2 / sizeof(float) / (size_t)dim[i])
            tensor_fail(ctx, operation, "%s is too large", shape_text(rank, dim, text));
        size *= (size_t)dim[i];
    }
    return size;
}

void tensor_leaf(tensor *leaf, tensor_context *ctx, int rank, const int *dim, float *val,
                 float *grad)
{
    tensor_check_shape(ctx, "leaf", rank, dim);
    *leaf =
        (tensor){.rank = rank, .wants_grad = grad != NULL, .val = val, .grad = grad, .ctx = ctx};
    for (int i = 0; i < rank; i++)
        leaf->dim[i] = dim[i];
}

/* The struct and its values are one piece of step memory, the values at a multiple of 64 bytes. */
tensor *tensor_new(tensor_context *ctx, int rank, const int *dim)
{
    enum { HEAD = (sizeof(tensor) + TENSOR_ALIGNMENT - 1) / TENSOR_ALIGNMENT * TENSOR_ALIGNMENT };
    size_t size = tensor_check_shape(ctx, "new", rank, dim);
    char *memory = tensor_step_memory(ctx, HEAD + size * sizeof(float));
    tensor *t = (tensor *)(void *)memory;
    tensor_leaf(t, ctx, rank, dim, (float *)(void *)(memory + HEAD), NULL);
    return t;
}
