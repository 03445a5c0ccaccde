/* SPDX-License-Identifier: MIT */
/* compare.h -- phoenix compare's two halves: searches on the table, and runs. */
#ifndef BIN_COMPARE_H
#define BIN_COMPARE_H

#include "evolve/search/benchmark.h"
#include "evolve/report/comparison.h"

typedef struct compare_how {
    const char *table;      /* file; NULL: runs are compared */
    int64_t arms;           /* compare_arms_of: which searches are held against each other */
    int64_t score;          /* evolve_scoring: what the searches climb on */
    const char *experience; /* file, of the arms that learn; NULL: none */
    int64_t seeds, evaluations, population;
    search_imitator t5;
    double margin;
    const char *csv, *figures; /* a file, a folder; NULL: none */
} compare_how;

/* --arms. Each list begins with greedy search with the edit rules, and has it once more with other draws. */
typedef enum compare_arms_of { COMPARE_STRATEGIES, COMPARE_PROPOSERS } compare_arms_of;

/* An exit code. What they print goes to standard output. */
int compare_table(const compare_how *how);
int compare_runs(const compare_how *how, const char *const *runs, int count,
                 const char *const *against, int against_count);

/* The differences of arms from the reference: a table to text and, where figures are asked for, NAME.svg. */
bool compare_arms(const compare_how *how, const char *name, const char *title,
                  const report_arm *reference, const report_arm *arms, int count, int n,
                  base_text *text, base_error *error);

/* Prints what they have to say, and writes the file that is kept of it. */
int compare_finish(const compare_how *how, const base_text *text, const base_text *csv);

#endif
