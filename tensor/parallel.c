/* SPDX-License-Identifier: MIT */
/* parallel.c -- spreading independent work over threads, and each thread's scratch memory.
 *
 * Threads are a team of POSIX threads (team.h), or OpenMP's where that was asked for instead
 * (make THREADS= OMP=-fopenmp), or there are none (make THREADS=), and the same loops run one
 * after another. Work is cut into contiguous runs; no result depends on which thread did what. */
#include "tensor/state.h"
#include "base/memory.h"
#include "tensor/team.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#if defined TENSOR_POSIX_THREADS
static _Thread_local int this_worker; /* inside a body: which one this thread is */
#elif defined _OPENMP
#include <omp.h>
static _Thread_local int this_worker;
#else
static const int this_worker = 0;
#endif

void tensor_set_threads(tensor_context *ctx, int threads)
{
    if (threads < 1 || threads > TENSOR_MAX_THREADS)
        tensor_fail(ctx, "set_threads", "%d threads; 1 to %d can be had", threads,
                    TENSOR_MAX_THREADS);
    if (threads == ctx->threads)
        return;
    tensor_parallel_free(ctx);
    ctx->threads = threads;
}

int tensor_threads(const tensor_context *ctx) { return ctx->threads; }

/* Items first .. end-1, one after another, on this thread. */
static void run(int first, int end, tensor_parallel_body *body, void *argument, int worker)
{
    for (int i = first; i < end; i++)
        body(argument, i, worker);
}

#if defined TENSOR_POSIX_THREADS

/* More pieces than threads, so that one that is slow, or is not running at all, holds up less. */
enum { PIECES_A_THREAD = 2 };

typedef struct loop {
    int count, pieces;
    tensor_parallel_body *body;
    void *argument;
} loop;

/* this_worker is put back, since the thread that calls tensor_parallel() takes pieces too. */
static void run_piece(void *argument, int piece, int worker)
{
    const loop *l = argument;
    int64_t count = l->count;
    int before = this_worker;
    this_worker = worker;
    run((int)(count * piece / l->pieces), (int)(count * (piece + 1) / l->pieces), l->body,
        l->argument, worker);
    this_worker = before;
}

static void run_shared(tensor_context *ctx, int count, tensor_parallel_body *body, void *argument)
{
    if (!ctx->team)
        ctx->team = tensor_team_new(ctx->threads - 1);
    int pieces = ctx->threads * PIECES_A_THREAD;
    loop l = {count, pieces < count ? pieces : count, body, argument};
    if (ctx->team)
        tensor_team_run(ctx->team, l.pieces, run_piece, &l);
    else
        run(0, count, body, argument, 0);
}

void tensor_parallel_free(tensor_context *ctx)
{
    tensor_team_free(ctx->team);
    ctx->team = NULL;
}

#else

static void run_shared(tensor_context *ctx, int count, tensor_parallel_body *body, void *argument)
{
#ifdef _OPENMP
#pragma omp parallel num_threads(ctx->threads)
    {
        /* the team may have come out smaller than was asked for */
        int64_t worker = omp_get_thread_num(), workers = omp_get_num_threads();
        int before = this_worker;
        this_worker = (int)worker;
        run((int)(count * worker / workers), (int)(count * (worker + 1) / workers), body, argument,
            (int)worker);
        this_worker = before;
    }
#else
    (void)ctx;
    run(0, count, body, argument, 0);
#endif
}

void tensor_parallel_free(tensor_context *ctx) { (void)ctx; }

#endif

/* A body may call ops that are parallel themselves: inside of one they run on its thread, under the
 * worker number it has, so that scratch memory stays its own. */
void tensor_parallel(tensor_context *ctx, int count, tensor_parallel_body *body, void *argument)
{
    if (ctx->planning)
        return;
    if (ctx->inside) {
        run(0, count, body, argument, this_worker);
        return;
    }
    ctx->inside = true;
    if (ctx->threads > 1 && count > 1)
        run_shared(ctx, count, body, argument);
    else
        run(0, count, body, argument, 0);
    ctx->inside = false;
}

/* ---- ranges ---- */

/* Floats: some microseconds of work, against about one that it takes to share it out. */
enum { RANGE = 1 << 15 };

typedef struct ranges {
    size_t total, length;
    tensor_range_body *body;
    void *argument;
} ranges;

static void one_range(void *argument, int i, int worker)
{
    const ranges *s = argument;
    size_t first = (size_t)i * s->length, left = s->total - first;
    s->body(s->argument, first, left < s->length ? left : s->length, worker);
}

void tensor_parallel_ranges(tensor_context *ctx, size_t total, size_t cost, tensor_range_body *body,
                            void *argument)
{
    ranges s = {.total = total, .length = RANGE, .body = body, .argument = argument};
    if (cost > 1)
        s.length = cost < RANGE ? RANGE / cost : 1;
    size_t count = total / s.length + (total % s.length != 0);
    assert(count <= INT_MAX);
    tensor_parallel(ctx, (int)count, one_range, &s);
}

/* Columns are shared out by whole lines of the cache: two threads that write into one line would
 * send it back and forth between their cores. */
enum { LINE = TENSOR_ALIGNMENT / sizeof(float) };

typedef struct column_work {
    size_t columns;
    tensor_range_body *body;
    void *argument;
} column_work;

static void some_lines(void *argument, size_t first, size_t count, int worker)
{
    const column_work *c = argument;
    size_t left = c->columns - first * LINE;
    c->body(c->argument, first * LINE, left < count * LINE ? left : count * LINE, worker);
}

void tensor_parallel_columns(tensor_context *ctx, size_t count, size_t rows,
                             tensor_range_body *body, void *argument)
{
    column_work c = {.columns = count, .body = body, .argument = argument};
    size_t lines = count / LINE + (count % LINE != 0);
    tensor_parallel_ranges(ctx, lines, rows * LINE, some_lines, &c);
}

typedef struct row_sum {
    const tensor_kernels *kernels;
    float *sum;
    const float *x;
    size_t rows, columns;
} row_sum;

static void add_columns(void *argument, size_t first, size_t count, int worker)
{
    const row_sum *w = argument;
    (void)worker;
    for (size_t r = 0; r < w->rows; r++)
        w->kernels->add(w->sum + first, w->x + r * w->columns + first, count);
}

void tensor_add_rows(tensor_context *ctx, float *sum, const float *x, size_t rows, size_t columns)
{
    row_sum w = {.kernels = ctx->kernels, .sum = sum, .x = x, .rows = rows, .columns = columns};
    tensor_parallel_columns(ctx, columns, rows, add_columns, &w);
}

/* ---- scratch ---- */

/* Grows by at least a half, so that sizes that creep up do not mean one malloc each. */
static void grow(tensor_context *ctx, tensor_scratch_block *block, size_t bytes)
{
    size_t larger = block->bytes + block->bytes / 2;
    if (larger < bytes)
        larger = bytes;
    void *raw =
        larger <= SIZE_MAX - TENSOR_ALIGNMENT ? base_malloc(larger + TENSOR_ALIGNMENT) : NULL;
    if (!raw)
        tensor_fail(ctx, "scratch", "%zu bytes asked for; there are none", bytes);
    base_free(block->raw);
    *block = (tensor_scratch_block){.raw = raw, .aligned = tensor_align(raw), .bytes = larger};
}

/* Before the parallel region, for all workers: within it nothing may fail. */
void tensor_scratch_all(tensor_context *ctx, int slot, size_t bytes)
{
    assert(!ctx->inside && slot >= 0 && slot < TENSOR_SCRATCH_SLOTS);
    if (ctx->planning)
        return;
    for (int worker = 0; worker < ctx->threads; worker++)
        if (ctx->scratch[worker][slot].bytes < bytes)
            grow(ctx, &ctx->scratch[worker][slot], bytes);
}

void *tensor_scratch(tensor_context *ctx, int worker, int slot)
{
    return ctx->scratch[worker][slot].aligned;
}

void tensor_scratch_free(tensor_context *ctx)
{
    for (int worker = 0; worker < TENSOR_MAX_THREADS; worker++)
        for (int slot = 0; slot < TENSOR_SCRATCH_SLOTS; slot++)
            base_free(ctx->scratch[worker][slot].raw);
}
