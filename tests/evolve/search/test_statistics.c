/* SPDX-License-Identifier: MIT */
/* test_statistics.c -- against published values, values worked out by hand, and what the
 * tests promise about themselves: how often they are wrong. */
#include "evolve/search/statistics.h"
#include "base/random.h"
#include "evolve/report/comparison.h"
#include "tests/test.h"
#include "tests/test_normal.h"

#include <math.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

static bool near(double got, double want) { return fabs(got - want) <= 1e-12; }

static void middle(void)
{
    const double odd[] = {5, 1, 9}, even[] = {4, 1, 3, 2}, one[] = {7};
    CHECK(search_median(odd, 3) == 5, "%g", search_median(odd, 3));
    CHECK(search_median(even, 4) == 2.5, "%g", search_median(even, 4));
    CHECK(search_median(one, 1) == 7 && search_average(one, 1) == 7, "one value");
    CHECK(even[0] == 4 && even[3] == 2, "the values were moved");
    CHECK(search_average(even, 4) == 2.5, "%g", search_average(even, 4));
}

/* Darwin's fifteen pairs of maize, eighths of an inch (Fisher 1935, The Design of Experiments,
 * section 21): of the 2^15 choices of signs 835 have a sum above 314 and 28 exactly that. */
static void fishers_test(void)
{
    const double maize[] = {49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48};
    double p = search_sign_flips(maize, COUNT(maize), 1);
    CHECK(p == 2 * 863.0 / 32768, "%.17g", p);
    double tenths[COUNT(maize)]; /* equal sums are no longer equal numbers */
    for (int i = 0; i < COUNT(maize); i++)
        tenths[i] = maize[i] / 10;
    CHECK(search_sign_flips(tenths, COUNT(maize), 1) == p, "in tenths");
    const double five[] = {1, 2, 3, 4, 5}, none[] = {0, 0, 0}, balanced[] = {1, -1};
    CHECK(search_sign_flips(five, 5, 1) == 2.0 / 32, "%g", search_sign_flips(five, 5, 1));
    CHECK(search_sign_flips(none, 3, 1) == 1 && search_sign_flips(balanced, 2, 1) == 1, "no sum");
}

/* Beyond 16 values signs are drawn: held to the binomial law of a sum of 40 signs, within what
 * 65536 draws can miss it by; and p is never 0. */
static void drawn_signs(void)
{
    double x[40];
    for (int i = 0; i < 40; i++)
        x[i] = 1 + i % 3;
    CHECK(search_sign_flips(x, 40, 1) == 1.0 / 65536, "%g", search_sign_flips(x, 40, 1));
    for (int i = 0; i < 40; i++)
        x[i] = i < 26 ? 1 : -1; /* sum 12, of 40 signs: P(|S| >= 12) = P(26 or more of 40) * 2 */
    double p = search_sign_flips(x, 40, 1), exact = 2 * 0.040345;
    double sigma = sqrt(exact * (1 - exact) / 65536);
    CHECK(fabs(p - exact) < 5 * sigma, "%g, want %g +- %g", p, exact, sigma);
}

/* Of no difference at most 5 % are called one; of a difference of one standard deviation, ten
 * pairs, most are (a t test has power 0.80 there). */
static void how_often_wrong(void)
{
    enum { TRIALS = 1000, N = 10 };
    base_random random = {1, base_random_stream("test", 0, 0, 0), 0};
    int said = 0, found = 0, covered = 0, same = 0;
    for (int t = 0; t < TRIALS; t++) {
        double x[N], moved[N], wide[30];
        for (int i = 0; i < N; i++) {
            x[i] = test_normal(&random);
            moved[i] = x[i] + 1;
        }
        for (int i = 0; i < 30; i++)
            wide[i] = test_normal(&random);
        said += search_sign_flips(x, N, 1) <= 0.05;
        found += search_sign_flips(moved, N, 1) <= 0.05;
        same += search_equivalence(moved, N, 1, 1) <= 0.05; /* the truth is on the margin */
        if (t < 200) {
            search_interval i = search_bootstrap(search_average_of, wide, NULL, 30, 1);
            covered += i.low <= 0 && 0 <= i.high;
        }
    }
    double sigma = sqrt(0.05 * 0.95 / TRIALS);
    CHECK(said <= TRIALS * (0.05 + 4 * sigma), "%d of %d", said, TRIALS);
    CHECK(same <= TRIALS * (0.05 + 4 * sigma), "%d of %d", same, TRIALS);
    CHECK(found > TRIALS * 7 / 10, "%d of %d", found, TRIALS);
    /* The percentile interval of 30 values is somewhat short of its 95 % (Efron & Tibshirani,
     * section 13.7): 92 or so, +- 2 for the 200 trials. */
    CHECK(covered >= 170 && covered <= 198, "%d of 200", covered);
}

static double median_of(const double *x, const double *y, int n)
{
    (void)y;
    return search_median(x, n);
}

static void intervals(void)
{
    const double same[] = {3, 3, 3}, two[] = {0, 1};
    search_interval i = search_bootstrap(search_average_of, same, NULL, 3, 1);
    CHECK(i.low == 3 && i.high == 3, "%g %g", i.low, i.high);
    i = search_bootstrap(median_of, two, NULL, 2, 1); /* 0, 1/2, 1: 1/4, 1/2, 1/4 */
    CHECK(i.low == 0 && i.high == 1, "%g %g", i.low, i.high);
    double x[100], y[100];
    for (int k = 0; k < 100; k++) {
        x[k] = k;
        y[k] = 2 * k;
    }
    i = search_bootstrap(search_spearman, x, y, 100, 1); /* rows stay together */
    CHECK(near(i.low, 1) && near(i.high, 1), "%.17g %.17g", i.low, i.high);
    i = search_bootstrap(search_average_of, x, NULL, 100, 1);
    double sigma = sqrt((100.0 * 100 - 1) / 12 / 100); /* of the mean of a uniform draw of 100 */
    CHECK(fabs(i.low - (49.5 - 1.96 * sigma)) < 0.5 * sigma, "%g", i.low);
    CHECK(fabs(i.high - (49.5 + 1.96 * sigma)) < 0.5 * sigma, "%g", i.high);
    search_interval again = search_bootstrap(search_average_of, x, NULL, 100, 1);
    CHECK(i.low == again.low && i.high == again.high, "not a function of its seed");
}

/* Two one-sided tests: ten zeros with margin 1 are ten ones on both sides, and only one of 2^10
 * choices of signs has so large a sum. */
static void equivalence(void)
{
    const double zeros[10] = {0}, far[] = {2, 2, 2, 2, 2, 2, 2, 2, 2, 2};
    const double sides[] = {1.5, -1.5, 1.5, -1.5};
    CHECK(search_equivalence(zeros, 10, 1, 1) == 1.0 / 1024, "%g",
          search_equivalence(zeros, 10, 1, 1));
    CHECK(search_equivalence(far, 10, 1, 1) == 1, "%g", search_equivalence(far, 10, 1, 1));
    /* Moved by 1: 2.5, -0.5, 2.5, -0.5, sum 4. All sums that large: that one, one or both of the
     * two small ones turned (sums 5, 5, 6). So 4 of 16, on either side. */
    CHECK(search_equivalence(sides, 4, 1, 1) == 4.0 / 16, "%g", search_equivalence(sides, 4, 1, 1));
}

static void holm(void)
{
    const double p[] = {0.01, 0.04, 0.03, 0.005}, want[] = {0.03, 0.06, 0.06, 0.02};
    double adjusted[4];
    search_holm(p, 4, adjusted);
    for (int i = 0; i < 4; i++)
        CHECK(near(adjusted[i], want[i]), "%d: %g, want %g", i, adjusted[i], want[i]);
    const double large[] = {0.5, 0.9};
    search_holm(large, 2, adjusted);
    CHECK(adjusted[0] == 1 && adjusted[1] == 1, "%g %g", adjusted[0], adjusted[1]);
    double in_place[] = {0.02, 0.01};
    search_holm(in_place, 2, in_place);
    CHECK(near(in_place[0], 0.02) && near(in_place[1], 0.02), "%g %g", in_place[0], in_place[1]);
}

static void effects(void)
{
    const double x[] = {1, 2, 3}, y[] = {2, 3, 4}, z[] = {10, 11};
    /* 9 pairs: x more in 1 (3 > 2), less in 6, equal in 2 */
    CHECK(near(search_cliffs_delta(x, 3, y, 3), -5.0 / 9), "%g", search_cliffs_delta(x, 3, y, 3));
    CHECK(search_cliffs_delta(z, 2, x, 3) == 1 && search_cliffs_delta(x, 3, x, 3) == 0, "ends");
    CHECK(strcmp(search_cliffs_word(-0.1), "negligible") == 0, "-0.1");
    CHECK(strcmp(search_cliffs_word(0.147), "small") == 0, "0.147");
    CHECK(strcmp(search_cliffs_word(-0.4), "medium") == 0, "-0.4");
    CHECK(strcmp(search_cliffs_word(0.474), "large") == 0, "0.474");
}

/* IQ and hours of television of ten people, the example of many textbooks: rho = -29/165, and of
 * the 45 pairs 20 agree and 25 do not. */
static void ranks(void)
{
    const double iq[] = {106, 100, 86, 101, 99, 103, 97, 113, 112, 110};
    const double hours[] = {7, 27, 2, 50, 28, 29, 20, 12, 6, 17};
    CHECK(near(search_spearman(iq, hours, 10), -29.0 / 165), "%.17g",
          search_spearman(iq, hours, 10));
    CHECK(near(search_kendall(iq, hours, 10), -5.0 / 45), "%.17g", search_kendall(iq, hours, 10));
    /* Ties: ranks of x 1, 2.5, 2.5, 4. Sums of squares 4.5 and 5, of products 4.5: rho = 4.5 /
     * sqrt(22.5). Of 6 pairs x has an order in 5, y in all; 5 agree: tau-b = 5 / sqrt(30). */
    const double x[] = {1, 2, 2, 3}, y[] = {1, 2, 3, 4}, flat[] = {1, 1, 1, 1};
    CHECK(near(search_spearman(x, y, 4), 4.5 / sqrt(22.5)), "%.17g", search_spearman(x, y, 4));
    CHECK(near(search_kendall(x, y, 4), 5 / sqrt(30)), "%.17g", search_kendall(x, y, 4));
    CHECK(search_spearman(flat, y, 4) == 0 && search_kendall(y, flat, 4) == 0, "no order");
}

static void contrasts(void)
{
    const double one[] = {1, 2, 3, 4, 5}, worse[] = {2, 3, 4, 5, 6};
    const report_arm reference = {"one", one}, arms[] = {{"itself", one}, {"worse", worse}};
    report_comparison r[2];
    report_comparisons(&reference, arms, 2, 5, 0.5, r);
    CHECK(r[0].difference == 0 && r[0].p == 1 && r[0].delta == 0 && r[0].interval.low == 0 &&
              r[0].interval.high == 0 && r[0].same == 1.0 / 32,
          "an arm against itself");
    CHECK(r[1].difference == 1 && r[1].p == 2.0 / 32 && r[1].adjusted == 4.0 / 32 &&
              r[1].median == 4 && r[1].same == 1,
          "%g %g %g %g", r[1].difference, r[1].p, r[1].adjusted, r[1].same);
    CHECK(near(r[1].delta, (15.0 - 6) / 25), "%g", r[1].delta); /* 15 pairs more, 6 less, 4 equal */
    base_text text = {0};
    report_comparisons_print(&reference, arms, 2, 5, 0.5, r, &text);
    CHECK(strstr(text.data, "worse                 4.0000   +1.0000 [+1.0000, +1.0000]"), "%s",
          text.data);
    text.length = 0;
    report_svg svg = {.text = &text};
    report_comparisons_draw(&reference, arms, 2, 5, 0.5, r, "two", "Two arms", &svg);
    CHECK(strstr(text.data, "<svg") && strstr(text.data, ">worse</text>") &&
              strstr(text.data, "</svg>"),
          "%s", text.data);
    /* From the margin below 0 to what is worse, and both inside of the frame. */
    CHECK(svg.x.low <= -0.5 && svg.x.high >= 1 && report_svg_x(&svg, 0) < report_svg_x(&svg, 1) &&
              report_svg_x(&svg, 1) <= svg.width && report_svg_y(&svg, 0) < svg.height,
          "%g .. %g", svg.x.low, svg.x.high);
    base_text_free(&text);
}

int main(void)
{
    middle();
    fishers_test();
    drawn_signs();
    how_often_wrong();
    intervals();
    equivalence();
    holm();
    effects();
    ranks();
    contrasts();
    return test_end();
}
