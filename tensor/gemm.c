/* SPDX-License-Identifier: MIT */
/* gemm.c -- matrix products, plain and fast.
 *
 * The fast form is Goto and van de Geijn's (gemm.h). C is computed a tile at a time, and a tile
 * stays in registers while k runs. What the tiles read is first copied ("packed"), where need be,
 * into panels in the order in which they read it, in blocks made for the caches:
 *
 *   for a block of N_BLOCK columns of C          its part of B stays in L3
 *     for a block of k_block() steps of k
 *       pack that block of op(B), panels of tile_n columns
 *       for a block of m_block() rows of C       its part of A stays in L2
 *         pack that block of op(A)
 *         for each panel of B                    which stays in L1, or comes from L2 in time
 *           for each tile_m rows of A
 *             one tile: gemm_tile (kernel_body.h)
 *
 * Cutting k into blocks does not change the result: a later block goes on with the chain where C
 * has kept it. */
#include "tensor/gemm.h"

#include "base/math.h"
#include "tensor/context.h"

#include <assert.h>
#include <string.h>

/* Made for 32 KiB or more of L1, 512 KiB or more of L2 and 2 MiB or more of L3 a core: Zen 2 and
 * later, Intel's servers since Skylake. */
enum {
    N_BLOCK = 1024,         /* 2 or 4 MiB of packed B */
    A_PAD = 16,             /* floats behind a packed row of A */
    SHORT = 128,            /* chains up to this long leave room in L1 for all that they read */
    NARROW = 128,           /* so few columns read A too rarely to pay for most copies of it */
    SMALL = 4096,           /* floats; a matrix of so many stays in L1 beside all else */
    CACHE_LINE = 16,        /* floats */
    PARALLEL_WORK = 1 << 20 /* fewer products than this are not worth waking threads for */
};

/* The block of A, rows by steps. Wide tiles take so few cycles a step that what happens once a
 * chain (C is read and written) is best made rarer; measured, 85 and 91 % of AVX-512's peak where k
 * is 1024. Narrow ones gain more from a smaller panel of B: 93 and 91 % of AVX2's. */
static int k_block(const tensor_kernels *kernels) { return kernels->tile_n >= 32 ? 1024 : 512; }

static int m_block(const tensor_kernels *kernels)
{
    int most = kernels->tile_n >= 32 ? 96 : 120; /* 250 to 400 KiB */
    return most / kernels->tile_m * kernels->tile_m;
}

static int round_up(int n, int step) { return base_ceil_div(n, step) * step; }

/* What is packed at once is bounded by what there is, so that small products need little memory: the rows
 * of A, the steps of both, the columns of B. A few rows (decoding) read B once, so it is not kept. */
static int rows_of(const tensor_kernels *kernels, int m)
{
    return round_up(base_min(m, m_block(kernels)), kernels->tile_m);
}

static int steps_of(const tensor_kernels *kernels, int k) { return base_min(k, k_block(kernels)); }

static int columns_of(const tensor_kernels *kernels, int m)
{
    return m <= kernels->tile_m ? 4 * kernels->tile_n : N_BLOCK;
}

/* Rows and columns that are too few for a copy of A to pay. */
static bool few(int m, int n) { return m <= 4 || n <= NARROW / 4; }

/* The parts of op(A), op(B) and C that begin at a row and a column of each. */
static const float *a_at(const tensor_gemm_task *task, int i, int k)
{
    size_t row = (size_t)(task->transpose_a ? k : i), column = (size_t)(task->transpose_a ? i : k);
    return task->a + row * task->lda + column;
}

static const float *b_at(const tensor_gemm_task *task, int k, int j)
{
    size_t row = (size_t)(task->transpose_b ? j : k), column = (size_t)(task->transpose_b ? k : j);
    return task->b + row * task->ldb + column;
}

static float *c_at(const tensor_gemm_task *task, int i, int j)
{
    return task->c + (size_t)i * task->ldc + (size_t)j;
}

tensor_gemm_task tensor_gemm_ab(int m, int n, int k, const float *a, const float *b, float *c)
{
    tensor_gemm_task task = {.m = m, .n = n, .k = k, .a = a, .b = b, .c = c};
    task.lda = (size_t)k;
    task.ldb = task.ldc = (size_t)n;
    return task;
}

tensor_gemm_task tensor_gemm_abt(int m, int n, int k, const float *a, const float *b, float *c)
{
    tensor_gemm_task task = tensor_gemm_ab(m, n, k, a, b, c);
    task.transpose_b = true;
    task.ldb = (size_t)k;
    return task;
}

tensor_gemm_task tensor_gemm_atb(int m, int n, int k, const float *a, const float *b, float *c)
{
    tensor_gemm_task task = tensor_gemm_ab(m, n, k, a, b, c);
    task.transpose_a = true;
    task.lda = (size_t)m;
    return task;
}

void tensor_gemm_plain(const tensor_gemm_task *task)
{
    for (int i = 0; i < task->m; i++)
        for (int j = 0; j < task->n; j++) {
            float *c = c_at(task, i, j), chain = task->accumulate ? *c : 0.0F;
            for (int k = 0; k < task->k; k++)
                chain = tensor_fmaf(*a_at(task, i, k), *b_at(task, k, j), chain);
            if (task->bias)
                chain = chain + task->bias[j];
            if (task->residual)
                chain = chain + task->residual[(size_t)i * task->ldc + (size_t)j];
            if (task->relu)
                chain = 0.0F > chain ? 0.0F : chain;
            *c = chain;
        }
}

/* Of a stored transpose a tile reads tile_m floats a step, and their line of the cache comes and goes
 * with them. Where that is less than half of the line, most of what is read is not used; then the
 * copy has the tiles one after another, each without gaps. */
static bool by_tiles(const tensor_kernels *kernels, const tensor_gemm_task *task)
{
    return task->transpose_a && 2 * kernels->tile_m < CACHE_LINE;
}

/* A is best read where it stands, unless that keeps missing the L1 cache. A tile reads its rows
 * side by side; long rows a multiple of 2 KiB apart have nearly the same place in the cache and
 * push each other out of it. Of a stored transpose it reads a short piece of each row; the rest of
 * that line of the cache serves the next tile only if it is still there, which it is not where
 * there are many rows, or they collide. Rows a multiple of 4 KiB apart do so in any cache of L1,
 * and a copy pays even for a few columns. */
static bool must_pack_a(const tensor_kernels *kernels, const tensor_gemm_task *task)
{
    bool collide = task->lda % 512 == 0, is_short = task->k <= SHORT;
    bool pays = task->n > NARROW || task->lda % 1024 == 0;
    if (few(task->m, task->n))
        return false;
    if (task->transpose_a)
        return (collide || !is_short) && (pays || by_tiles(kernels, task));
    return collide && !is_short && pays;
}

/* B is always packed, unless its tiles' columns stand side by side and a tile finds them in L1: B is
 * small, or its rows are few and no more than two tiles read it. */
static bool must_pack_b(const tensor_kernels *kernels, const tensor_gemm_task *task)
{
    size_t floats = (size_t)task->k * task->ldb;
    return task->transpose_b || task->k > SHORT || task->n % kernels->tile_n != 0 ||
           (floats > SMALL && task->m > 2 * kernels->tile_m);
}

/* The part of op(A) that is being worked on, packed or where it stands: row i of a tile is `row`
 * floats behind the one before it, a step `step` floats, the next tile `tile` floats. */
typedef struct left_block {
    const float *at;
    size_t row, step, tile;
} left_block;

static left_block pack_a(const tensor_kernels *kernels, float *memory, const tensor_gemm_task *task,
                         int i, int rows, int k, int steps)
{
    const float *a = a_at(task, i, k);
    size_t lda = task->lda, high = (size_t)kernels->tile_m, stride;
    if (!must_pack_a(kernels, task))
        return task->transpose_a ? (left_block){a, 1, lda, high}
                                 : (left_block){a, lda, 1, high * lda};
    if (!task->transpose_a) {
        stride = (size_t)steps_of(kernels, task->k) + A_PAD;
        kernels->copy(memory, stride, a, lda, (size_t)rows, (size_t)steps);
        return (left_block){memory, stride, 1, high * stride};
    }
    if (by_tiles(kernels, task)) {
        kernels->pack_tiles(memory, a, lda, (size_t)steps, (size_t)rows);
        return (left_block){memory, 1, high, high * (size_t)steps};
    }
    stride = (size_t)rows_of(kernels, task->m);
    kernels->copy(memory, stride, a, lda, (size_t)steps, (size_t)rows);
    return (left_block){memory, 1, stride, high};
}

/* The panel of op(B) of columns j .. j+cols, filled up with zeros where it is the last. */
static void pack_panel(const tensor_kernels *kernels, float *panel, const tensor_gemm_task *task,
                       int j, int cols, int k, int steps)
{
    size_t width = (size_t)kernels->tile_n;
    if ((size_t)cols < width)
        memset(panel, 0, width * (size_t)steps * sizeof *panel);
    if (task->transpose_b)
        kernels->transpose(panel, width, b_at(task, k, j), task->ldb, (size_t)cols, (size_t)steps);
    else
        kernels->copy(panel, width, b_at(task, k, j), task->ldb, (size_t)steps, (size_t)cols);
}

/* A region of a stored matrix to prefetch: it is packed, or added to, next. Its rows are spread
 * over the tiles that are computed until then. */
typedef struct region {
    const float *x; /* NULL: nothing */
    size_t ld;
    int rows, cols;
} region;

/* Part `part` of `parts` of the region's rows. */
static void prefetch(const region *next, int part, int parts)
{
#ifdef __GNUC__
    if (next->x)
        for (int i = next->rows * part / parts, end = next->rows * (part + 1) / parts; i < end; i++)
            for (int j = 0; j < next->cols; j += 16) /* a line of the cache */
                __builtin_prefetch(&next->x[(size_t)i * next->ld + (size_t)j], 0, 2);
#else
    (void)next, (void)part, (void)parts;
#endif
}

static region region_of_a(const tensor_kernels *kernels, const tensor_gemm_task *task, int i,
                          int rows, int k, int steps)
{
    if (rows <= 0 || !must_pack_a(kernels, task))
        return (region){0};
    bool t = task->transpose_a;
    return (region){a_at(task, i, k), task->lda, t ? steps : rows, t ? rows : steps};
}

static region region_of_b(const tensor_gemm_task *task, int j, int cols, int k, int steps)
{
    if (cols <= 0)
        return (region){0};
    bool t = task->transpose_b;
    return (region){b_at(task, k, j), task->ldb, t ? cols : steps, t ? steps : cols};
}

/* One block of C: rows i .. i+rows, columns j .. j+cols, steps k .. k+steps of its chains. */
typedef struct block {
    int i, rows, j, cols, k, steps;
} block;

/* The tiles of a block, from A and packed B. pack: B is packed on the way, a panel at a time, just
 * before it is first needed. A chain that goes on in C could not start before C is at hand, so the
 * next tile of C is prefetched too. */
static void multiply_block(const tensor_kernels *kernels, const tensor_gemm_task *task, block w,
                           left_block a, region next_a, float *b, bool pack)
{
    int high = kernels->tile_m, wide = kernels->tile_n;
    int tiles = base_ceil_div(w.rows, high), panels = base_ceil_div(w.cols, wide);
    bool in_place = !must_pack_b(kernels, task);
    tensor_tile t = {.k = (size_t)w.steps, .a_row = a.row, .a_step = a.step, .ldc = task->ldc};
    t.b_step = in_place ? task->ldb : (size_t)wide;
    t.accumulate = task->accumulate || w.k > 0;
    for (int p = 0; p < panels; p++) {
        float *panel = b + (size_t)p * (size_t)wide * (size_t)w.steps;
        int j = w.j + p * wide;
        t.b = in_place ? b_at(task, w.k, j) : panel;
        t.cols = base_min(wide, w.j + w.cols - j);
        region next_b = {0}, next_c = {.ld = task->ldc, .cols = t.cols};
        if (pack && !in_place) {
            pack_panel(kernels, panel, task, j, t.cols, w.k, w.steps);
            next_b =
                region_of_b(task, j + wide, base_min(wide, w.j + w.cols - j - wide), w.k, w.steps);
        }
        for (int tile = 0; tile < tiles; tile++) {
            int i = w.i + tile * high;
            t.a = a.at + (size_t)tile * a.tile;
            t.c = c_at(task, i, j);
            t.rows = base_min(high, w.i + w.rows - i);
            next_c.rows = base_min(high, w.i + w.rows - i - t.rows);
            next_c.x = t.accumulate && next_c.rows ? c_at(task, i + t.rows, j) : NULL;
            prefetch(&next_c, 0, 1);
            prefetch(&next_b, tile, tiles);
            prefetch(&next_a, p * tiles + tile, panels * tiles);
            kernels->gemm_tile(&t);
        }
    }
}

void tensor_gemm_finish(const tensor_kernels *kernels, const tensor_gemm_task *task, int i,
                        int rows, int j, int cols)
{
    if (!task->bias && !task->residual && !task->relu)
        return;
    for (int row = i; row < i + rows; row++) {
        float *c = c_at(task, row, j);
        if (task->bias)
            kernels->add(c, task->bias + j, (size_t)cols);
        if (task->residual)
            kernels->add(c, task->residual + (size_t)row * task->ldc + j, (size_t)cols);
        if (task->relu)
            kernels->relu(c, c, (size_t)cols);
    }
}

/* Rows i .. end of a block of columns and steps of C, block of rows by block of rows. pack: B is
 * still to be packed. */
static void multiply_rows(tensor_context *ctx, int worker, const tensor_gemm_task *task, int i,
                          int end, block w, float *b, bool pack)
{
    const tensor_kernels *kernels = tensor_context_kernels(ctx);
    float *a_memory = tensor_scratch(ctx, worker, TENSOR_SCRATCH_PACK_A);
    int most = m_block(kernels);
    for (w.i = i; w.i < end; w.i += most, pack = false) {
        w.rows = base_min(most, end - w.i);
        int below = w.i + w.rows;
        left_block a = pack_a(kernels, a_memory, task, w.i, w.rows, w.k, w.steps);
        region next = region_of_a(kernels, task, below, base_min(most, end - below), w.k, w.steps);
        multiply_block(kernels, task, w, a, next, b, pack);
        if (w.k + w.steps == task->k)
            tensor_gemm_finish(kernels, task, w.i, w.rows, w.j, w.cols);
    }
}

void tensor_gemm_reserve(tensor_context *ctx, int m, int n, int k)
{
    const tensor_kernels *kernels = tensor_context_kernels(ctx);
    size_t steps = (size_t)steps_of(kernels, k);
    size_t a = few(m, n) ? 0 : (size_t)rows_of(kernels, m) * (steps + A_PAD);
    size_t b = (size_t)round_up(base_min(n, columns_of(kernels, m)), kernels->tile_n) * (steps + 1);
    tensor_scratch_all(ctx, TENSOR_SCRATCH_PACK_A, a * sizeof(float));
    tensor_scratch_all(ctx, TENSOR_SCRATCH_PACK_B, b * sizeof(float));
}

void tensor_gemm_single(tensor_context *ctx, int worker, const tensor_gemm_task *task)
{
    const tensor_kernels *kernels = tensor_context_kernels(ctx);
    float *b = tensor_scratch(ctx, worker, TENSOR_SCRATCH_PACK_B);
    int most = columns_of(kernels, task->m);
    block w = {0};
    for (w.j = 0; w.j < task->n; w.j += most) {
        w.cols = base_min(most, task->n - w.j);
        w.k = 0;
        do { /* once even if task->k is 0: C must be set */
            w.steps = base_min(k_block(kernels), task->k - w.k);
            multiply_rows(ctx, worker, task, 0, task->m, w, b, true);
            w.k += w.steps;
        } while (w.k < task->k);
    }
}

/* ---- B packed once ---- */

size_t tensor_packed_floats(const tensor_kernels *kernels, int n, int k)
{
    return (size_t)round_up(n, kernels->tile_n) * (size_t)k;
}

void tensor_pack(const tensor_kernels *kernels, float *packed, int n, int k, const float *b,
                 size_t ldb, bool transpose)
{
    const tensor_gemm_task task = {.b = b, .ldb = ldb, .transpose_b = transpose};
    for (int j = 0; j < n; j += kernels->tile_n)
        pack_panel(kernels, packed + (size_t)j * (size_t)k, &task, j,
                   base_min(kernels->tile_n, n - j), 0, k);
}

/* The rows of a few tiles are shared out evenly: 8 rows in tiles of 6 are two of 4. */
void tensor_gemm_packed(const tensor_kernels *kernels, int m, int n, int k, tensor_view a,
                        tensor_panels b, tensor_target c)
{
    int wide = kernels->tile_n, tiles = base_ceil_div(m, kernels->tile_m);
    int high = tiles ? base_ceil_div(m, tiles) : 0;
    const float *first = b.at + (size_t)wide * (size_t)b.skip;
    tensor_tile t = {.k = (size_t)k, .a_row = a.row, .a_step = a.step, .b_step = (size_t)wide};
    t.ldc = c.row;
    t.accumulate = c.accumulate;
    for (int j = 0; j < n; j += wide)
        for (int i = 0; i < m; i += high) {
            t.a = a.at + (size_t)i * a.row;
            t.b = first + (size_t)j * (size_t)b.rows;
            t.c = c.at + (size_t)i * c.row + (size_t)j;
            t.rows = base_min(high, m - i);
            t.cols = base_min(wide, n - j);
            kernels->gemm_tile(&t);
        }
}

/* ---- over threads ---- */

/* Rows or columns of C in `parts`, in multiples of a tile. */
typedef struct parallel_gemm {
    tensor_context *ctx;
    const tensor_gemm_task *task;
    int parts;
    block w;  /* by rows: the block of columns and steps that is under way */
    float *b; /* by rows: its packed B, for all threads */
} parallel_gemm;

static int part_begin(int length, int step, int part, int parts)
{
    int tiles = base_ceil_div(length, step);
    return base_min((int)((long long)tiles * part / parts) * step, length);
}

static void pack_part(void *argument, int panel, int worker)
{
    const parallel_gemm *all = argument;
    const tensor_kernels *kernels = tensor_context_kernels(all->ctx);
    const block *w = &all->w;
    int done = panel * kernels->tile_n;
    (void)worker;
    pack_panel(kernels, all->b + (size_t)done * (size_t)w->steps, all->task, w->j + done,
               base_min(kernels->tile_n, w->cols - done), w->k, w->steps);
}

static void rows_part(void *argument, int part, int worker)
{
    const parallel_gemm *all = argument;
    int tile = tensor_context_kernels(all->ctx)->tile_m, m = all->task->m;
    multiply_rows(all->ctx, worker, all->task, part_begin(m, tile, part, all->parts),
                  part_begin(m, tile, part + 1, all->parts), all->w, all->b, false);
}

/* Each block of B is packed by all threads together, then each multiplies rows of its own. */
static void gemm_by_rows(parallel_gemm *all)
{
    const tensor_gemm_task *task = all->task;
    const tensor_kernels *kernels = tensor_context_kernels(all->ctx);
    int wide = kernels->tile_n;
    block *w = &all->w;
    all->b = tensor_scratch(all->ctx, 0, TENSOR_SCRATCH_PACK_B);
    for (w->j = 0; w->j < task->n; w->j += N_BLOCK) {
        w->cols = base_min(N_BLOCK, task->n - w->j);
        w->k = 0;
        do {
            w->steps = base_min(k_block(kernels), task->k - w->k);
            if (must_pack_b(kernels, task))
                tensor_parallel(all->ctx, base_ceil_div(w->cols, wide), pack_part, all);
            tensor_parallel(all->ctx, all->parts, rows_part, all);
            w->k += w->steps;
        } while (w->k < task->k);
    }
}

static void columns_part(void *argument, int part, int worker)
{
    const parallel_gemm *all = argument;
    tensor_gemm_task task = *all->task;
    int tile = tensor_context_kernels(all->ctx)->tile_n;
    int from = part_begin(task.n, tile, part, all->parts);
    task.n = part_begin(task.n, tile, part + 1, all->parts) - from;
    task.b = b_at(all->task, 0, from);
    task.c = c_at(all->task, 0, from);
    task.bias = task.bias ? task.bias + from : NULL;
    task.residual = task.residual ? task.residual + from : NULL;
    tensor_gemm_single(all->ctx, worker, &task);
}

/* A few rows (decoding) stay together, and columns are shared out. */
void tensor_gemm(tensor_context *ctx, const tensor_gemm_task *task)
{
    const tensor_kernels *kernels = tensor_context_kernels(ctx);
    assert(task->m >= 0 && task->n >= 0 && task->k >= 0);
    if (tensor_planning(ctx))
        return;
    tensor_gemm_reserve(ctx, task->m, task->n, task->k);

    int threads = tensor_threads(ctx), tiles = base_ceil_div(task->m, kernels->tile_m);
    double work = (double)task->m * (double)task->n * (double)task->k;
    parallel_gemm all = {.ctx = ctx, .task = task};
    if (threads == 1 || work < PARALLEL_WORK) {
        tensor_gemm_single(ctx, 0, task);
    } else if (tiles >= 4 * threads) {
        all.parts = base_min(tiles, 2 * threads);
        gemm_by_rows(&all);
    } else {
        all.parts = base_min(threads, base_ceil_div(task->n, kernels->tile_n));
        tensor_parallel(ctx, all.parts, columns_part, &all);
    }
}
