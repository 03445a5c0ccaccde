/* SPDX-License-Identifier: MIT */
/* bench_run.h -- running a case, for bench.c. */
#ifndef BENCH_BENCH_RUN_H
#define BENCH_BENCH_RUN_H

#include "bench/bench.h"

typedef struct bench_settings {
    int threads, samples;
    double seconds; /* of a sample, at least */
} bench_settings;

/* Runs a case in a process of its own, to its end. */
bool bench_run_case(const bench_case *c, const bench_settings *settings, bench_result *result,
                    base_error *error);

#endif
