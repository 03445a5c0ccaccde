/* SPDX-License-Identifier: MIT */
/* blas_gemm.c -- the products of `phoenix bench` by a BLAS library, for peers.sh.
 *
 *   blas_gemm LIBRARY.so THREADS SECONDS CASE...
 *
 * CASE is a name that phoenix bench lists under gemm, small, vocabulary, attention or decode; what it
 * means is in bench/bench_gemm.c. One JSON object a line. The library is opened at run time, so that
 * one program serves all: those with cblas_sgemm, and oneDNN's dnnl_sgemm. Compiled with -DLIBXSMM and linked with
 * libxsmm, whose kernels are made for one shape and strides, it uses those. */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#ifdef LIBXSMM
#include <libxsmm.h>
#endif

typedef void cblas_function(int order, int transpose_a, int transpose_b, int m, int n, int k,
                            float alpha, const float *a, int lda, const float *b, int ldb,
                            float beta, float *c, int ldc);
typedef int dnnl_function(char transpose_a, char transpose_b, int64_t m, int64_t n, int64_t k,
                          float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
                          float beta, float *c, int64_t ldc);

static cblas_function *cblas;
static dnnl_function *dnnl;
static void (*set_threads)(int); /* NULL: the library has none */

typedef struct work {
    int m, n, k;
    int transpose_a, transpose_b;
    int heads, side_by_side; /* 0: one product; otherwise so many small ones */
    int matrices, next;      /* of B, which take turns */
    float *a, *b, *c;
#ifdef LIBXSMM
    libxsmm_gemmfunction kernel;
#endif
} work;

#ifdef LIBXSMM
/* Our rows are its columns, so that A and B change places. A shape that it has no kernel for ends the program. */
static void by_libxsmm(work *w, const float *a, int lda, const float *b, int ldb, float *c, int ldc)
{
    enum { F32 = LIBXSMM_DATATYPE_F32 };
    if (!w->kernel) {
        int flags = LIBXSMM_GEMM_FLAG_BETA_0 | (w->transpose_b ? LIBXSMM_GEMM_FLAG_TRANS_A : 0) |
                    (w->transpose_a ? LIBXSMM_GEMM_FLAG_TRANS_B : 0);
        w->kernel = libxsmm_dispatch_gemm(
            libxsmm_create_gemm_shape(w->n, w->m, w->k, ldb, lda, ldc, F32, F32, F32, F32),
            (libxsmm_bitfield)flags, LIBXSMM_GEMM_PREFETCH_NONE);
    }
    if (!w->kernel)
        exit(0);
    libxsmm_gemm_param p = {0};
    p.a.primary = (void *)(uintptr_t)b;
    p.b.primary = (void *)(uintptr_t)a;
    p.c.primary = c;
    w->kernel(&p);
}
#endif

static void product(work *w, const float *a, int lda, const float *b, int ldb, float *c, int ldc)
{
#ifdef LIBXSMM
    by_libxsmm(w, a, lda, b, ldb, c, ldc);
    return;
#endif
    enum { ROW_MAJOR = 101, PLAIN = 111, TRANSPOSED = 112 };
    if (cblas)
        cblas(ROW_MAJOR, w->transpose_a ? TRANSPOSED : PLAIN, w->transpose_b ? TRANSPOSED : PLAIN,
              w->m, w->n, w->k, 1, a, lda, b, ldb, 0, c, ldc);
    else
        dnnl(w->transpose_a ? 'T' : 'N', w->transpose_b ? 'T' : 'N', w->m, w->n, w->k, 1, a, lda, b,
             ldb, 0, c, ldc);
}

static void call(work *w)
{
    int lda = w->transpose_a ? w->m : w->k, ldb = w->transpose_b ? w->k : w->n;
    if (!w->heads) {
        const float *b = w->b + (size_t)w->next * (size_t)w->n * (size_t)w->k;
        w->next = (w->next + 1) % w->matrices;
        product(w, w->a, lda, b, ldb, w->c, w->n);
        return;
    }
    int row = w->side_by_side * w->k; /* all heads are square */
#pragma omp parallel for schedule(static)
    for (int i = 0; i < w->heads; i++) {
        size_t at = (size_t)(i / w->side_by_side) * (size_t)(row * w->k) +
                    (size_t)(i % w->side_by_side * w->k);
        product(w, w->a + at, row, w->b + at, row, w->c + at, row);
    }
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *floats(size_t count)
{
    float *f = aligned_alloc(64, (count * sizeof *f + 63) / 64 * 64);
    if (!f) {
        fprintf(stderr, "blas_gemm: no memory\n");
        exit(1);
    }
    uint32_t state = 12345;
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        f[i] = (float)(state >> 8) * 0x1p-23f - 1;
    }
    return f;
}

/* What a case's name says; 0: it is none of ours. */
static int read_case(const char *name, work *w)
{
    char way[8] = "";
    *w = (work){.matrices = 1};
    if (sscanf(name, "decode/%dx%dx%d", &w->m, &w->k, &w->n) == 3) {
        w->transpose_b = 1;
        enum { DECODER_FLOATS = 5 << 20 };
        size_t size = (size_t)w->n * (size_t)w->k;
        w->matrices = size < DECODER_FLOATS ? (int)(DECODER_FLOATS / size) : 1;
        return 1;
    }
    if (sscanf(name, "%*[a-z]/%7[a-z]/%dx%dx%d", way, &w->m, &w->n, &w->k) == 4) {
        w->transpose_a = strcmp(way, "dw") == 0;
        w->transpose_b = strcmp(way, "fwd") == 0;
        return 1;
    }
    const char *slash = strrchr(name, '/');
    if (!slash || (strncmp(name, "attention/strided/", 18) != 0 &&
                   strncmp(name, "attention/contiguous/", 21) != 0))
        return 0;
    w->m = w->n = w->k = 64;
    w->heads = 128;
    w->side_by_side = name[10] == 's' ? 8 : 1;
    w->transpose_a = slash[1] == 't';
    w->transpose_b = slash[2] == 't';
    return 1;
}

static void measure(const char *name, double least, int threads)
{
    work w;
    if (!read_case(name, &w)) {
        fprintf(stderr, "blas_gemm: %s: there is no such case\n", name);
        exit(2);
    }
    size_t many = w.heads ? (size_t)w.heads : 1, m = (size_t)w.m, n = (size_t)w.n, k = (size_t)w.k;
    w.a = floats(many * m * k);
    w.b = floats((w.heads ? many : (size_t)w.matrices) * n * k);
    w.c = floats(many * m * n);
    if (set_threads)
        set_threads(w.heads ? 1 : threads);
    call(&w);
    double seconds = 0;
    for (int calls = 1; seconds < least; calls *= 2) {
        if (seconds > least / 4) /* near enough to be cut to measure */
            calls = (int)(calls / 2 * least / seconds) + 1;
        double began = now();
        for (int i = 0; i < calls; i++)
            call(&w);
        seconds = now() - began;
        if (seconds >= least || calls > 1 << 22) {
            struct rusage usage;
            getrusage(RUSAGE_SELF, &usage);
            printf("{\"case\":\"%s\",\"seconds\":%.9g,\"gflops\":%.5g,\"rss_bytes\":%lld}\n", name,
                   seconds / calls, 2e-9 * (double)(many * m * n * k) * calls / seconds,
                   (long long)usage.ru_maxrss * 1024);
            break;
        }
    }
    free(w.a);
    free(w.b);
    free(w.c);
}

/* A function of the library, through the union that POSIX's dlsym calls for. */
static void (*function(void *library, const char *name))(void)
{
    union {
        void *object;
        void (*function)(void);
    } u = {dlsym(library, name)};
    return u.function;
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: blas_gemm LIBRARY.so THREADS SECONDS CASE...\n");
        return 2;
    }
    int threads = atoi(argv[2]);
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        fprintf(stderr, "blas_gemm: %s\n", dlerror());
        return 1;
    }
    omp_set_num_threads(threads);
    cblas = (cblas_function *)function(library, "cblas_sgemm");
    dnnl = (dnnl_function *)function(library, "dnnl_sgemm");
    set_threads = (void (*)(int))function(library, "openblas_set_num_threads");
    if (!set_threads && cblas) {
        /* BLIS counts in its own integers, of 64 bits. */
        static void (*blis)(int64_t);
        blis = (void (*)(int64_t))function(library, "bli_thread_set_num_threads");
        if (blis)
            blis(threads);
    }
#ifndef LIBXSMM
    if (!cblas && !dnnl) {
        fprintf(stderr, "blas_gemm: %s has neither cblas_sgemm nor dnnl_sgemm\n", argv[1]);
        return 1;
    }
#endif
    for (int i = 4; i < argc; i++)
        measure(argv[i], atof(argv[3]), threads);
    return 0;
}
