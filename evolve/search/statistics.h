/* SPDX-License-Identifier: MIT */
/* statistics.h -- what may be said of a few runs, and what may not.
 *
 * Runs are compared in pairs: both sides have the same seeds, so that what a seed does to both
 * cancels. Nothing but Student's interval assumes a normal distribution; what is random is drawn by resampling with
 * base/random.h, so that a report has the same digits wherever it is made.
 *
 * All functions take 1 .. SEARCH_MOST_VALUES values, all of them finite (assert). */
#ifndef SEARCH_STATISTICS_H
#define SEARCH_STATISTICS_H

#include <stdbool.h>
#include <stdint.h>

enum { SEARCH_MOST_VALUES = 1024 };

double search_average(const double *x, int n);

/* The mean of the middle two where n is even. */
double search_median(const double *x, int n);

/* ---- a few values that may be taken for normal: scores of one source, a seed each ---- */

typedef struct search_sample {
    double value[64];
    int count;
} search_sample;

double search_mean(const search_sample *sample);   /* 0 of none */
double search_spread(const search_sample *sample); /* standard deviation, n - 1; 0 for n < 2 */

/* Half the width of the mean's 95 % interval, by Student's t: mean +- this. 0 for n < 2. */
double search_half_interval(const search_sample *sample);

typedef struct search_interval {
    double low, high;
} search_interval;

/* What is said of a gain wherever it is said: on the terminal, on the page, in a comparison of runs.
 * The gains are differences in pairs, above 0 where the second of two sources is better. */
typedef enum search_verdict { SEARCH_NOT_SHOWN, SEARCH_BETTER, SEARCH_WORSE } search_verdict;

/* The 95 % interval of the mean gain by Student's t, and whether 0 is outside of it; of fewer than
 * two gains nothing is shown. */
search_verdict search_gain(const double *gains, int n, search_interval *interval);
const char *search_verdict_text(search_verdict verdict); /* "better", "worse", "not shown ..." */

/* ---- how sure: the bootstrap (Efron & Tibshirani 1993, ch. 13) ---- */

/* A statistic of n rows (x[i], y[i]), or of x alone where y is NULL. */
typedef double search_statistic(const double *x, const double *y, int n);

double search_average_of(const double *x, const double *y, int n); /* of x */

/* The interval from the 2.5th to the 97.5th percentile of the statistic over 1999 resamples: n rows
 * drawn from the n with replacement. */
search_interval search_bootstrap(search_statistic *statistic, const double *x, const double *y,
                                 int n, uint64_t seed);

/* ---- whether there is a difference: sign flips (Fisher 1935) ----
 *
 * If both sides are the same, each paired difference could as well have had the other sign. p is
 * the share of the 2^n choices of signs whose sum is at least as far from 0 as the one that was
 * seen: exact up to n = 16; beyond that of 65535 random choices and the one seen (Phipson & Smyth
 * 2010), so that p is never 0. */
double search_sign_flips(const double *difference, int n, uint64_t seed);

/* Holm's correction (1979) of n p-values for having looked n times: adjusted may be p. */
void search_holm(const double *p, int n, double *adjusted);

/* ---- whether there is none: two one-sided tests (Schuirmann 1987) ----
 *
 * p of the hypothesis that the mean difference is margin or more, or -margin or less: the larger
 * of the p-values of two one-sided sign-flip tests of the differences moved by the margin. Where it
 * is small the two sides are the same, to within the margin. margin > 0 */
double search_equivalence(const double *difference, int n, double margin, uint64_t seed);

/* ---- how large ----
 *
 * Cliff's delta (1993): P(x > y) - P(x < y) over all pairs of an x and a y; -1 .. 1. Of its size,
 * 0.147, 0.33 and 0.474 are where small, medium and large begin (Romano et al. 2006). */
double search_cliffs_delta(const double *x, int n, const double *y, int m);
const char *search_cliffs_word(double delta); /* "negligible", "small", "medium", "large" */

/* ---- whether two orders agree ----
 *
 * Spearman's rho: Pearson's correlation of the ranks, of equals their mean. Kendall's tau-b:
 * agreeing less disagreeing pairs, ties taken out of the norm. 0 where one side has no order at
 * all. */
double search_spearman(const double *x, const double *y, int n);
double search_kendall(const double *x, const double *y, int n);

#endif
