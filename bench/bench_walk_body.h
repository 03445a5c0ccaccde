/* SPDX-License-Identifier: MIT */
/* bench_walk_body.h -- the steps of bench_walk.c that depend on instructions, compiled once a set.
 *
 * Before it is included: FMA(a, b, c) of floats; VEC a vector of VEC_WIDTH floats, VEC_SET(x),
 * VEC_LOAD(p), VEC_STORE(p, v), VEC_FMA(a, b, c); TILE_M rows and TILE_VECS vectors of C in
 * registers; and NAME(function), that function's name for this set. All are for op(A) = A and
 * op(B) = B, and start from 0. */

/* Element by element. b is read down a column: each step of k is on another line of the cache. */
static void NAME(elements)(const tensor_gemm_task *t)
{
    for (int i = 0; i < t->m; i++)
        for (int j = 0; j < t->n; j++) {
            const float *a = t->a + (size_t)i * t->lda, *b = t->b + j;
            float chain = 0.0F;
            for (int k = 0; k < t->k; k++, b += t->ldb)
                chain = FMA(a[k], *b, chain);
            t->c[(size_t)i * t->ldc + (size_t)j] = chain;
        }
}

/* Row by row: all of a row's chains go one step of k together. */
static void NAME(rows)(const tensor_gemm_task *t)
{
    for (int i = 0; i < t->m; i++) {
        const float *a = t->a + (size_t)i * t->lda, *b = t->b;
        float *c = t->c + (size_t)i * t->ldc;
        for (int j = 0; j < t->n; j++)
            c[j] = 0.0F;
        for (int k = 0; k < t->k; k++, b += t->ldb)
            for (int j = 0; j < t->n; j++)
                c[j] = FMA(a[k], b[j], c[j]);
    }
}

/* The rows from `high` on and the columns from `wide` on, which no whole tile covers. */
static void NAME(edges)(const tensor_gemm_task *t, int high, int wide)
{
    tensor_gemm_task right = *t, below = *t;
    right.m = high;
    right.n = t->n - wide;
    right.b += wide;
    right.c += wide;
    below.m = t->m - high;
    below.a += (size_t)high * t->lda;
    below.c += (size_t)high * t->ldc;
    NAME(elements)(&right);
    NAME(elements)(&below);
}

/* Sixteen elements of C together: eight loads for sixteen fma, and the sums stay in registers. */
static inline void NAME(square)(int steps, const float *a, size_t lda, const float *b, size_t ldb,
                                float *c, size_t ldc)
{
    float sum[SQUARE][SQUARE] = {{0.0F}};
    for (int k = 0; k < steps; k++, a++, b += ldb) {
        UNROLL
        for (size_t i = 0; i < SQUARE; i++) {
            UNROLL
            for (size_t j = 0; j < SQUARE; j++)
                sum[i][j] = FMA(a[i * lda], b[j], sum[i][j]);
        }
    }
    for (size_t i = 0; i < SQUARE; i++)
        for (size_t j = 0; j < SQUARE; j++)
            c[i * ldc + j] = sum[i][j];
}

static void NAME(squares)(const tensor_gemm_task *t)
{
    int high = t->m / SQUARE * SQUARE, wide = t->n / SQUARE * SQUARE;
    for (int j = 0; j < wide; j += SQUARE)
        for (int i = 0; i < high; i += SQUARE)
            NAME(square)
    (t->k, t->a + (size_t)i * t->lda, t->lda, t->b + j, t->ldb, t->c + (size_t)i * t->ldc + j,
     t->ldc);
    NAME(edges)(t, high, wide);
}

/* The same with a vector of chains where a chain was. */
static inline void NAME(tile)(int steps, const float *a, size_t lda, const float *b, size_t ldb,
                              float *c, size_t ldc)
{
    VEC sum[TILE_M][TILE_VECS], right[TILE_VECS];
    UNROLL
    for (size_t i = 0; i < TILE_M; i++) {
        UNROLL
        for (size_t j = 0; j < TILE_VECS; j++)
            sum[i][j] = VEC_SET(0.0F);
    }
    for (int k = 0; k < steps; k++, a++, b += ldb) {
        UNROLL
        for (size_t j = 0; j < TILE_VECS; j++)
            right[j] = VEC_LOAD(b + j * VEC_WIDTH);
        UNROLL
        for (size_t i = 0; i < TILE_M; i++) {
            VEC left = VEC_SET(a[i * lda]);
            UNROLL
            for (size_t j = 0; j < TILE_VECS; j++)
                sum[i][j] = VEC_FMA(left, right[j], sum[i][j]);
        }
    }
    UNROLL
    for (size_t i = 0; i < TILE_M; i++) {
        UNROLL
        for (size_t j = 0; j < TILE_VECS; j++)
            VEC_STORE(c + i * ldc + j * VEC_WIDTH, sum[i][j]);
    }
}

static void NAME(tiles)(const tensor_gemm_task *t)
{
    enum { TILE_N = TILE_VECS * VEC_WIDTH };
    int high = t->m / TILE_M * TILE_M, wide = t->n / TILE_N * TILE_N;
    for (int j = 0; j < wide; j += TILE_N)
        for (int i = 0; i < high; i += TILE_M)
            NAME(tile)
    (t->k, t->a + (size_t)i * t->lda, t->lda, t->b + j, t->ldb, t->c + (size_t)i * t->ldc + j,
     t->ldc);
    NAME(edges)(t, high, wide);
}

#undef FMA
#undef VEC
#undef VEC_WIDTH
#undef VEC_SET
#undef VEC_LOAD
#undef VEC_STORE
#undef VEC_FMA
#undef TILE_M
#undef TILE_VECS
#undef NAME
