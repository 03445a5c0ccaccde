/* SPDX-License-Identifier: MIT */
/* bench.h -- what the measurements of phoenix bench share.
 *
 * A case is one thing to be measured, by name. It runs in a process of its own, so that its memory
 * is its own and what it leaves behind ends with it: a function prepares the work, hands it to
 * bench_measure, and puts the figures that only it knows into the result.
 *
 * A machine's clock wanders, by its temperature and by what its neighbours do. So each sample is
 * taken between two short bursts of nothing but multiply-adds (bench_peak.c), and the share of the
 * peak is the median of the samples' own shares: it can be compared where seconds cannot. */
#ifndef BENCH_H
#define BENCH_H

#include "base/error.h"
#include "tensor/context.h"
#include "tensor/gemm.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BENCH_NAME = 48, BENCH_PARAMETERS = 6, BENCH_MOST_SAMPLES = 999 };

/* Of several samples. */
typedef struct bench_spread {
    double low, median, high; /* the quartiles */
} bench_spread;

/* All a case has to say; it goes through a pipe as it is. What is 0 is not said. */
typedef struct bench_result {
    bool ok;
    char message[256];    /* where not ok */
    int samples, calls;   /* calls: of the work, in one sample */
    bench_spread seconds; /* of one call */
    bench_spread share;   /* of the peak, 1 is all of it */
    double peak;          /* multiply-adds as 2 operations, a second, median of the bursts */

    /* the case's own */
    double flops;         /* operations of one call: those that were done, in matrix products */
    double bytes;         /* that one call must at least move, where memory is the limit */
    double units;         /* of the case's unit, in one call */
    int64_t memory_bytes; /* weights, gradients, optimizer state, results: as the library counts */
    int64_t rss_bytes;    /* the most that the process has had */
} bench_result;

/* A case under way. */
typedef struct bench_run {
    tensor_context *ctx;
    int threads, samples;
    double seconds; /* of one sample, at least */
    bool cold;      /* set by a case: nothing is to be warmed up, the first call counts */
    bench_result *result;
} bench_run;

typedef struct bench_case bench_case;
struct bench_case {
    char name[BENCH_NAME]; /* "group/what/size" */
    bool (*run)(const bench_case *self, bench_run *run, base_error *error);
    int parameter[BENCH_PARAMETERS]; /* what they mean is run's business */
    const char *unit;                /* of result.units, "samples/s"; NULL: none */
};

typedef struct bench_list {
    bench_case *cases;
    int count;
    bool failed; /* no memory */
} bench_list;

/* Appends a case without a name or parameters, to be filled in; where there is no memory, one that
 * does not count. */
bench_case *bench_add(bench_list *list);

/* Calls once(state) again and again: so often a sample that it takes run->seconds, run->samples
 * samples. before (may be NULL) is called before each call, off the clock. The first two calls warm
 * up (the arena gets its memory in the first step and its final form in the second) and do not
 * count, unless run->cold. A sample between two bursts that differ by a twelfth was disturbed by
 * something else and is taken again, as often as there are samples. */
void bench_measure(bench_run *run, void (*before)(void *state), void (*once)(void *state),
                   void *state);

/* count floats between -1 and 1 from a fixed stream, 64-byte aligned; NULL: no memory, and error
 * says so. */
float *bench_floats(size_t count, base_error *error);
void bench_free(float *floats); /* may be NULL */

/* ---- bench_peak.c ---- */

/* Operations a second that the context's threads do right now with the widest multiply-add of its
 * kernel set, registers only, looked at for `seconds`. */
double bench_peak(tensor_context *ctx, double seconds);

/* The sum of count floats (a multiple of 128), as fast as they can be read. */
float bench_read(const tensor_context *ctx, const float *x, size_t count);

/* ---- bench_walk.c ---- */

/* A step from three loops to tensor_gemm: C = A B, nothing transposed, nothing added. */
typedef struct bench_walk_step {
    const char *name;
    void (*multiply)(tensor_context *ctx, const tensor_gemm_task *task);
} bench_walk_step;
const bench_walk_step *bench_walk_steps(void); /* the last one has no name */

/* ---- the cases, group by group ---- */

void bench_memory_cases(bench_list *list); /* bench_ops.c */
void bench_gemm_cases(bench_list *list);   /* bench_gemm.c */
void bench_walk_cases(bench_list *list);   /* bench_walk.c */
void bench_op_cases(bench_list *list);     /* bench_ops.c */
void bench_t5_cases(bench_list *list);     /* bench_t5.c */
void bench_net_cases(bench_list *list);    /* bench_nets.c */
void bench_loop_cases(bench_list *list);   /* bench_loop.c */

#endif
