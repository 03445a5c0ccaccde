/* gemm.c -- matrix products, plain and fast.
 *
 * The fast form is Goto and van de Geijn's (gemm.h). C is computed a tile at a time, and a tile
 * stays in registers while k runs. What the tiles read is first copied ("packed"), where need be,
 * into panels in the order in which they read it, in blocks made for the caches:
 *
 *   for a block of N_BLOCK columns of C          its part of B (K_BLOCK x N_BLOCK) stays in L3
 *     for a block of K_BLOCK steps of k
 *       pack that block of op(B), panels of tile_n columns
 *       for a block of M_BLOCK rows of C         its part of A stays in L2
 *         pack that block of op(A)
 *         for each panel of B                    which stays in L1, or comes from L2 in time
 *           for each tile_m rows of A
 *             one tile: gemm_tile (kernel_body.h)
 *
 * Cutting k into blocks does not change the result: a later block goes on with the chain where C
 * has kept it. */
#include "tensor/gemm.h"
#include "tensor/context.h"

#include <assert.h>
#include <string.h>

/* Made for 32 KiB or more of L1, 512 KiB or more of L2 and 2 MiB or more of L3 a core: Zen 2 and
 * later, Intel's servers since Skylake. */
enum {
    K_BLOCK = 512,
    M_BLOCK = 120,           /* 248 KiB of packed A */
    N_BLOCK = 1024,          /* 2 MiB of packed B */
    A_STRIDE = K_BLOCK + 16, /* between packed rows of A */
    PARALLEL_WORK = 1 << 20  /* fewer products than this are not worth waking threads for */
};

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int round_up(int n, int step)
{
    return (n + step - 1) / step * step;
}

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

void tensor_gemm_plain(const tensor_gemm_task *task)
{
    for (int i = 0; i < task->m; i++)
        for (int j = 0; j < task->n; j++) {
            float *c = c_at(task, i, j), chain = task->accumulate ? *c : 0.0F;
            for (int k = 0; k < task->k; k++)
                chain = tensor_fmaf(*a_at(task, i, k), *b_at(task, k, j), chain);
            if (task->bias)
                chain = chain + task->bias[j];
            if (task->relu)
                chain = 0.0F > chain ? 0.0F : chain;
            *c = chain;
        }
}

/* The part of op(A) that is being worked on. The tile whose first row is i begins at at[i * down],
 * and has its own row r and step k of it at [r * row + k * step] from there. */
typedef struct a_block {
    const float *at;
    size_t down, row, step;
} a_block;

/* A is best read where it stands, unless that keeps missing the L1 cache. A tile reads its rows
 * side by side; rows a multiple of 2 KiB apart have nearly the same place in the cache and push
 * each other out of it. Of a stored transpose it reads a short piece of each row; the rest of that
 * line of the cache serves the next tile only if it is still there, which it is not where rows are
 * a multiple of 4 KiB apart, the size of the cache over its associativity. */
static bool must_pack_a(const tensor_gemm_task *task)
{
    return task->m > 4 && task->lda % (task->transpose_a ? 1024 : 512) == 0;
}

static a_block pack_a(const tensor_kernels *kernels, float *memory, const tensor_gemm_task *task,
                      int i, int rows, int k, int steps)
{
    const float *a = a_at(task, i, k);
    size_t lda = task->lda, tile = (size_t)kernels->tile_m;
    if (!must_pack_a(task))
        return task->transpose_a ? (a_block){a, 1, 1, lda} : (a_block){a, lda, lda, 1};
    if (!task->transpose_a) {
        kernels->copy(memory, A_STRIDE, a, lda, (size_t)rows, (size_t)steps);
        return (a_block){memory, A_STRIDE, A_STRIDE, 1};
    }
    /* A few rows of A as stored at a time: a panel takes less than a line of the cache from each,
     * and the next panel finds the rest of that line there. */
    for (int from = 0; from < steps; from += 8)
        for (int done = 0; done < rows; done += kernels->tile_m) {
            float *panel = memory + (size_t)done * (size_t)steps;
            kernels->copy(panel + (size_t)from * tile, tile, a_at(task, i + done, k + from), lda,
                          (size_t)least(8, steps - from),
                          (size_t)least(kernels->tile_m, rows - done));
        }
    return (a_block){memory, (size_t)steps, 1, tile};
}

/* Panels of tile_n columns of op(B), one after another, the last filled up with zeros. */
static void pack_b(const tensor_kernels *kernels, float *panel, const tensor_gemm_task *task, int j,
                   int cols, int k, int steps)
{
    size_t width = (size_t)kernels->tile_n, size = width * (size_t)steps;
    for (int end = j + cols; j < end; j += kernels->tile_n, panel += size) {
        size_t some = (size_t)least(kernels->tile_n, end - j);
        if (some < width)
            memset(panel, 0, size * sizeof *panel);
        if (task->transpose_b)
            kernels->transpose(panel, width, b_at(task, k, j), task->ldb, some, (size_t)steps);
        else
            kernels->copy(panel, width, b_at(task, k, j), task->ldb, (size_t)steps, some);
    }
}

/* Has the cache get a tile of C while another is computed: its chains start from there, and could
 * not start before it is at hand. */
static void announce(const float *c, size_t ldc, int rows, int cols)
{
#ifdef __GNUC__
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j += 16)
            __builtin_prefetch(&c[(size_t)i * ldc + (size_t)j], 1);
#else
    (void)c, (void)ldc, (void)rows, (void)cols;
#endif
}

/* The tiles of rows i .. i+rows and columns j .. j+cols of C, from A and packed B. */
static void multiply_block(const tensor_kernels *kernels, const tensor_gemm_task *task, a_block a,
                           const float *b, int i, int rows, int j, int cols, int steps,
                           bool accumulate)
{
    int high = kernels->tile_m, wide = kernels->tile_n;
    for (int right = 0; right < cols; right += wide)
        for (int down = 0; down < rows; down += high) {
            int width = least(wide, cols - right), below = down + high;
            if (accumulate && below < rows)
                announce(c_at(task, i + below, j + right), task->ldc, least(high, rows - below),
                         width);
            kernels->gemm_tile((size_t)steps, a.at + (size_t)down * a.down, a.row, a.step,
                               b + (size_t)right * (size_t)steps, c_at(task, i + down, j + right),
                               task->ldc, least(high, rows - down), width, accumulate);
        }
}

/* Bias and relu, for elements whose chains are done. */
static void finish_block(const tensor_kernels *kernels, const tensor_gemm_task *task, int i,
                         int rows, int j, int cols)
{
    for (int row = i; row < i + rows; row++) {
        if (task->bias)
            kernels->add(c_at(task, row, j), task->bias + j, (size_t)cols);
        if (task->relu)
            kernels->relu(c_at(task, row, j), c_at(task, row, j), (size_t)cols);
    }
}

void tensor_gemm_reserve(tensor_context *ctx, int m, int n, int k)
{
    const tensor_kernels *kernels = tensor_context_kernels(ctx);
    size_t steps = (size_t)least(k, K_BLOCK);
    size_t a = (size_t)round_up(least(m, M_BLOCK), kernels->tile_m) * A_STRIDE;
    size_t b = (size_t)round_up(least(n, N_BLOCK), kernels->tile_n) * (steps + 1);
    tensor_scratch_all(ctx, TENSOR_SCRATCH_PACK_A, a * sizeof(float));
    tensor_scratch_all(ctx, TENSOR_SCRATCH_PACK_B, b * sizeof(float));
}

void tensor_gemm_single(tensor_context *ctx, int worker, const tensor_gemm_task *task)
{
    const tensor_kernels *kernels = tensor_context_kernels(ctx);
    float *a_memory = tensor_scratch(ctx, worker, TENSOR_SCRATCH_PACK_A);
    float *b_memory = tensor_scratch(ctx, worker, TENSOR_SCRATCH_PACK_B);
    int m_block = M_BLOCK / kernels->tile_m * kernels->tile_m, n_block = N_BLOCK;
    if (task->m <= kernels->tile_m && !task->transpose_a) /* decoding: B is read once, so at once */
        n_block = 4 * kernels->tile_n;

    for (int j = 0; j < task->n; j += n_block) {
        int cols = least(n_block, task->n - j), k = 0;
        do { /* once even if task->k is 0: C must be set */
            int steps = least(K_BLOCK, task->k - k);
            pack_b(kernels, b_memory, task, j, cols, k, steps);
            for (int i = 0; i < task->m; i += m_block) {
                int rows = least(m_block, task->m - i);
                a_block a = pack_a(kernels, a_memory, task, i, rows, k, steps);
                multiply_block(kernels, task, a, b_memory, i, rows, j, cols, steps,
                               task->accumulate || k > 0);
                if (k + steps == task->k)
                    finish_block(kernels, task, i, rows, j, cols);
            }
            k += steps;
        } while (k < task->k);
    }
}

/* ---- over threads ---- */

typedef struct parallel_gemm {
    tensor_context *ctx;
    const tensor_gemm_task *task;
    int parts, step; /* of rows, or of columns: multiples of a tile */
    bool by_rows;
} parallel_gemm;

static void gemm_part(void *argument, int part, int worker)
{
    const parallel_gemm *all = argument;
    tensor_gemm_task task = *all->task;
    int length = all->by_rows ? task.m : task.n, tiles = (length + all->step - 1) / all->step;
    int from = (int)((long long)tiles * part / all->parts) * all->step;
    int to = least((int)((long long)tiles * (part + 1) / all->parts) * all->step, length);
    if (all->by_rows) {
        task.m = to - from;
        task.a = a_at(all->task, from, 0);
        task.c = c_at(all->task, from, 0);
    } else {
        task.n = to - from;
        task.b = b_at(all->task, 0, from);
        task.c = c_at(all->task, 0, from);
        task.bias = task.bias ? task.bias + from : NULL;
    }
    tensor_gemm_single(all->ctx, worker, &task);
}

/* The longer side of C is cut, so that each thread packs little beyond its own share. */
void tensor_gemm(tensor_context *ctx, const tensor_gemm_task *task)
{
    const tensor_kernels *kernels = tensor_context_kernels(ctx);
    assert(task->m >= 0 && task->n >= 0 && task->k >= 0);
    tensor_gemm_reserve(ctx, task->m, task->n, task->k);

    parallel_gemm all = {.ctx = ctx, .task = task, .by_rows = task->m >= task->n};
    all.step = all.by_rows ? kernels->tile_m : kernels->tile_n;
    int tiles = ((all.by_rows ? task->m : task->n) + all.step - 1) / all.step;
    all.parts = least(tensor_threads(ctx), tiles);
    double work = (double)task->m * (double)task->n * (double)task->k;
    if (all.parts <= 1 || work < PARALLEL_WORK)
        tensor_gemm_single(ctx, 0, task);
    else
        tensor_parallel(ctx, all.parts, gemm_part, &all);
}
