/* SPDX-License-Identifier: MIT */
/* statistics.c -- few values, and no more said of them than they bear.
 *
 * Where the distribution is unknown, nothing is assumed of it. An interval is a bootstrap's: the values
 * are drawn again with replacement, and the middle 95 % of the statistic is kept. A test flips the signs
 * of paired differences: if there were no difference, each sign would be a coin, so the share of
 * the 2^n ways that look at least as large is the p itself, exact up to 16 pairs. Random numbers are of
 * streams with names, so the same values always have the same digits. */
#include "evolve/search/statistics.h"
#include "base/random.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RESAMPLES = 1999, MOST_EXACT = 16, RANDOM_FLIPS = 65535 };

static bool good_size(int n) { return n >= 1 && n <= SEARCH_MOST_VALUES; }

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double search_average(const double *x, int n)
{
    assert(good_size(n));
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += x[i];
    return sum / n;
}

double search_median(const double *x, int n)
{
    assert(good_size(n));
    double sorted[SEARCH_MOST_VALUES];
    memcpy(sorted, x, (size_t)n * sizeof *x);
    qsort(sorted, (size_t)n, sizeof *sorted, ascending);
    return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
}

double search_mean(const search_sample *sample)
{
    return sample->count ? search_average(sample->value, sample->count) : 0;
}

static double spread(const double *x, int n)
{
    if (n < 2)
        return 0;
    double mean = search_average(x, n), sum = 0;
    for (int i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sqrt(sum / (n - 1));
}

double search_spread(const search_sample *sample) { return spread(sample->value, sample->count); }

/* Student's t, two-sided 95 %, for 1 .. 30 degrees of freedom. Beyond, the last is too large
 * by at most 4.2 %, which is what an interval of the normal distribution would be narrower. */
static const double student[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
                                 2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
                                 2.110,  2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
                                 2.060,  2.056, 2.052, 2.048, 2.045, 2.042};
enum { DEGREES = sizeof student / sizeof *student };

static double half_interval(const double *x, int n)
{
    int degrees = n - 1;
    if (degrees < 1)
        return 0;
    double t = student[(degrees < DEGREES ? degrees : DEGREES) - 1];
    return t * spread(x, n) / sqrt(n);
}

double search_half_interval(const search_sample *sample)
{
    return half_interval(sample->value, sample->count);
}

search_verdict search_gain(const double *gains, int n, search_interval *interval)
{
    double mean = search_average(gains, n), half = half_interval(gains, n);
    *interval = (search_interval){mean - half, mean + half};
    if (n < 2)
        return SEARCH_NOT_SHOWN;
    return interval->low > 0 ? SEARCH_BETTER : interval->high < 0 ? SEARCH_WORSE : SEARCH_NOT_SHOWN;
}

const char *search_verdict_text(search_verdict verdict)
{
    static const char *const texts[] = {[SEARCH_NOT_SHOWN] = "not shown to be better",
                                        [SEARCH_BETTER] = "better",
                                        [SEARCH_WORSE] = "worse"};
    return texts[verdict];
}

double search_average_of(const double *x, const double *y, int n)
{
    (void)y;
    return search_average(x, n);
}

/* The k-th smallest of R values estimates the quantile k / (R + 1): of 1999, the 50th and the
 * 1950th are the two wanted. So the 50 at each end are all that is kept. */
enum { TAIL = (RESAMPLES + 1) / 40 };

/* Keeps the TAIL smallest of the values that were offered, in their order. */
static void offer(double smallest[TAIL], int *count, double value)
{
    if (*count == TAIL && value >= smallest[TAIL - 1])
        return;
    int at = *count < TAIL ? (*count)++ : TAIL - 1;
    for (; at > 0 && smallest[at - 1] > value; at--)
        smallest[at] = smallest[at - 1];
    smallest[at] = value;
}

search_interval search_bootstrap(search_statistic *statistic, const double *x, const double *y,
                                 int n, uint64_t seed)
{
    assert(good_size(n));
    double drawn_x[SEARCH_MOST_VALUES], drawn_y[SEARCH_MOST_VALUES];
    double low[TAIL] = {0}, high[TAIL] = {0}; /* high: with their signs turned */
    int lows = 0, highs = 0;
    base_random random = {seed, base_random_stream("bootstrap", 0, 0, 0), 0};
    for (int i = 0; i < RESAMPLES; i++) {
        for (int k = 0; k < n; k++) {
            uint32_t row = base_random_below(&random, (uint32_t)n);
            drawn_x[k] = x[row];
            if (y)
                drawn_y[k] = y[row];
        }
        const double value = statistic(drawn_x, y ? drawn_y : NULL, n);
        offer(low, &lows, value);
        offer(high, &highs, -value);
    }
    return (search_interval){low[TAIL - 1], -high[TAIL - 1]};
}

/* Sums of the same numbers in other signs that are equal on paper differ by rounding; a difference
 * below this share of the sum of sizes is none. */
static const double rounding = 1e-12;

static double sum_of_sizes(const double *x, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += fabs(x[i]);
    return sum;
}

static double flipped(const double *x, int n, const uint32_t *signs)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += signs[i / 32] >> i % 32 & 1 ? -x[i] : x[i];
    return sum;
}

/* The share of sign choices whose sum is at least the one seen; of its absolute value, where both
 * sides count. */
static double share_of_flips(const double *x, int n, bool both_sides, uint64_t seed)
{
    assert(good_size(n));
    uint32_t signs[SEARCH_MOST_VALUES / 32] = {0};
    double seen = flipped(x, n, signs);
    double least = (both_sides ? fabs(seen) : seen) - rounding * sum_of_sizes(x, n);
    bool exact = n <= MOST_EXACT;
    uint32_t choices = exact ? (uint32_t)1 << n : RANDOM_FLIPS + 1, reached = 0;
    base_random random = {seed, base_random_stream("sign flips", 0, 0, 0), 0};
    for (uint32_t c = 0; c < choices; c++) { /* choice 0 is the one seen */
        for (int w = 0; c > 0 && w < (n + 31) / 32; w++)
            signs[w] = exact ? c : base_random_next(&random);
        double sum = flipped(x, n, signs);
        reached += (both_sides ? fabs(sum) : sum) >= least;
    }
    return (double)reached / choices;
}

double search_sign_flips(const double *difference, int n, uint64_t seed)
{
    return share_of_flips(difference, n, true, seed);
}

double search_equivalence(const double *difference, int n, double margin, uint64_t seed)
{
    assert(margin > 0);
    double above[SEARCH_MOST_VALUES], below[SEARCH_MOST_VALUES];
    for (int i = 0; i < n; i++) {
        above[i] = difference[i] + margin; /* large, unless the mean is -margin or less */
        below[i] = margin - difference[i];
    }
    double low = share_of_flips(above, n, false, seed);
    double high = share_of_flips(below, n, false, seed);
    return low > high ? low : high;
}

/* Smallest first, each times the number of those not smaller; never falling, at most 1. */
void search_holm(const double *p, int n, double *adjusted)
{
    assert(good_size(n));
    bool done[SEARCH_MOST_VALUES] = {false};
    double copy[SEARCH_MOST_VALUES], least = 0;
    memcpy(copy, p, (size_t)n * sizeof *p);
    for (int left = n; left > 0; left--) {
        int next = 0;
        while (done[next])
            next++;
        for (int i = next + 1; i < n; i++)
            if (!done[i] && copy[i] < copy[next])
                next = i;
        double value = copy[next] * left < 1 ? copy[next] * left : 1;
        least = value > least ? value : least;
        adjusted[next] = least;
        done[next] = true;
    }
}

double search_cliffs_delta(const double *x, int n, const double *y, int m)
{
    assert(good_size(n) && good_size(m));
    int64_t more = 0;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < m; k++)
            more += (x[i] > y[k]) - (x[i] < y[k]);
    return (double)more / ((double)n * m);
}

const char *search_cliffs_word(double delta)
{
    double size = fabs(delta);
    return size < 0.147 ? "negligible" : size < 0.33 ? "small" : size < 0.474 ? "medium" : "large";
}

/* rank[i]: 1 + how many are less than x[i] + half of how many others equal it. */
static void ranks(const double *x, int n, double *rank)
{
    double sorted[SEARCH_MOST_VALUES];
    memcpy(sorted, x, (size_t)n * sizeof *x);
    qsort(sorted, (size_t)n, sizeof *sorted, ascending);
    for (int i = 0; i < n; i++) {
        int first = 0, high = n;
        while (first < high) {
            int middle = (first + high) / 2;
            if (sorted[middle] < x[i])
                first = middle + 1;
            else
                high = middle;
        }
        int last = first;
        while (last + 1 < n && sorted[last + 1] == x[i])
            last++;
        rank[i] = 1 + (first + last) / 2.0;
    }
}

double search_spearman(const double *x, const double *y, int n)
{
    assert(good_size(n));
    double rank_x[SEARCH_MOST_VALUES], rank_y[SEARCH_MOST_VALUES];
    ranks(x, n, rank_x);
    ranks(y, n, rank_y);
    double middle = (n + 1) / 2.0, xx = 0, yy = 0, xy = 0;
    for (int i = 0; i < n; i++) {
        double a = rank_x[i] - middle, b = rank_y[i] - middle;
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : 0;
}

double search_kendall(const double *x, const double *y, int n)
{
    assert(good_size(n));
    int64_t agree = 0, untied_x = 0, untied_y = 0;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < i; k++) {
            int a = (x[i] > x[k]) - (x[i] < x[k]), b = (y[i] > y[k]) - (y[i] < y[k]);
            agree += a * b;
            untied_x += a != 0;
            untied_y += b != 0;
        }
    return untied_x && untied_y ? (double)agree / (sqrt((double)untied_x) * sqrt((double)untied_y))
                                : 0;
}
