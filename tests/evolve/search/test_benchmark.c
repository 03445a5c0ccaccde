/* SPDX-License-Identifier: MIT */
/* test_benchmark.c -- searches on tables that are made up, so that what has to come out is
 * known. */
#include "evolve/search/benchmark.h"
#include "evolve/search/statistics.h"
#include "tests/test.h"

#include <math.h>

static search_table table;
static const search_imitator rules = {0};

/* Every training takes SEARCH_TABLE_FEW operations, or SEARCH_TABLE_FULL; losses by a function of cell and seed. */
static void fill(float (*loss)(int cell, int seed))
{
    table.seeds = SEARCH_TABLE_SEEDS;
    for (int i = 0; i < SEARCH_TABLE_ROWS; i++) {
        float x = loss(i / SEARCH_TABLE_SEEDS, i % SEARCH_TABLE_SEEDS);
        table.row[i] = (search_row){.parameters = 1,
                                    .flops = SEARCH_TABLE_FEW,
                                    .full_flops = SEARCH_TABLE_FULL,
                                    .quarter = x + 2,
                                    .half = x + 1,
                                    .score = x,
                                    .tail = x,
                                    .held_out = x,
                                    .full = x};
    }
}

static int steps(int cell) /* from the start, in edits */
{
    int sum = 0, start = search_table_start();
    for (int k = 1; k < SEARCH_TABLE_CELLS; k *= SEARCH_TABLE_SIDE)
        sum += abs(cell / k % SEARCH_TABLE_SIDE - start / k % SEARCH_TABLE_SIDE);
    return sum;
}

static int parameters_changed(int cell)
{
    int sum = 0, start = search_table_start();
    for (int k = 1; k < SEARCH_TABLE_CELLS; k *= SEARCH_TABLE_SIDE)
        sum += cell / k % SEARCH_TABLE_SIDE != start / k % SEARCH_TABLE_SIDE;
    return sum;
}

static float slope(int cell, int seed)
{
    return 100 - (float)cell / 4 + (float)seed; /* the last cell is the best */
}

static float two_edits(int cell, int seed)
{
    (void)seed;
    return cell == search_table_start() ? 5 : parameters_changed(cell) >= 2 ? 4 : 6;
}

static float one_far_edit(int cell, int seed)
{
    (void)seed;
    return cell == search_table_start()                        ? 5
           : parameters_changed(cell) == 1 && steps(cell) == 2 ? 4
                                                               : 6;
}

static search_searched search(evolve_strategy strategy, const search_imitator *mutator,
                              double evaluations, int64_t flops, uint64_t seed)
{
    const search_how how = {.strategy = strategy,
                            .candidates = 8,
                            .population = 8,
                            .sample = 2,
                            .elitism = true,
                            .seed = seed};
    const search_budget budget = {
        .evaluations = evaluations, .flops = flops, .proposals = 64 * (int64_t)evaluations};
    search_searched result;
    CHECK(search_benchmark_search(&table, &how, mutator, &budget, &result), "no memory");
    return result;
}

static void what_was_found(void)
{
    fill(slope);
    search_searched best = search(EVOLVE_GREEDY, &rules, 400, INT64_MAX, 1);
    CHECK(best.cell == 255 && best.regret == 0 && best.missed == 0 && best.better == 0,
          "greedy: cell %d, regret %g", best.cell, best.regret);
    double gain = (255 - search_table_start()) / 4.0;
    CHECK(best.gain == gain && best.fresh == gain, "%g, %g", best.gain, best.fresh);
    CHECK(best.score == 100 - 255 / 4.0 + 1 && fabs(best.full - best.score) < 1e-9,
          "seed 1 of 0, 1, 2: %g, %g", best.score, best.full);
    CHECK(best.spent.flops <= 256 * SEARCH_TABLE_FEW, "%lld: a design is scored once",
          (long long)best.spent.flops);
    search_searched none = search(EVOLVE_GREEDY, &rules, 1, INT64_MAX, 1);
    CHECK(none.cell == search_table_start() && none.gain == 0 && none.better == 255 - none.cell,
          "%d are better", none.better);
    CHECK(none.missed == gain && fabs(none.regret - gain) < 1e-9, "%g", none.regret);
    search_searched larger = search(EVOLVE_LARGER, &rules, 100, INT64_MAX, 1);
    CHECK(larger.spent.evaluations == 1 + 2 + 2 + 2, "%g", larger.spent.evaluations);
    search_searched halving = search(EVOLVE_HALVING, &rules, 1 + 12, INT64_MAX, 1);
    CHECK(halving.spent.evaluations == 13 && halving.gain > 0, "%g", halving.spent.evaluations);
}

/* A T5 that has learnt the rules perfectly proposes what they do: the same search at its price. */
static void a_perfect_imitation(void)
{
    fill(slope);
    const search_imitator perfect = {.pairs = 1000, .stage = 16};
    for (uint64_t seed = 0; seed < 20; seed++) {
        search_searched a = search(EVOLVE_GREEDY, &rules, 33, INT64_MAX, seed);
        search_searched b = search(EVOLVE_GREEDY, &perfect, 33, INT64_MAX, seed);
        CHECK(a.cell == b.cell, "%d and %d", a.cell, b.cell);
        /* 32 proposals are two stages: 2 * 1000 pairs at 1 operation. A pass forward of a training
         * of three passes at 1 operation is none. */
        CHECK(b.spent.flops == a.spent.flops + 2000, "%lld and %lld", (long long)a.spent.flops,
              (long long)b.spent.flops);
    }
    for (int i = 0; i < SEARCH_TABLE_ROWS; i++)
        table.row[i].full_flops = 3 * SEARCH_TABLE_FULL;
    search_searched a = search(EVOLVE_GREEDY, &rules, 33, INT64_MAX, 1);
    search_searched b = search(EVOLVE_GREEDY, &perfect, 33, INT64_MAX, 1);
    CHECK(b.spent.flops == a.spent.flops + 6000 + 32, "%lld and %lld", (long long)a.spent.flops,
          (long long)b.spent.flops);
    const int64_t first = SEARCH_TABLE_FEW + 3000; /* the start's score, and a training of the T5 */
    search_searched c = search(EVOLVE_GREEDY, &perfect, 33, first - 1, 1);
    CHECK(c.spent.evaluations == 1 && c.spent.flops == SEARCH_TABLE_FEW,
          "no training that does not fit: %lld", (long long)c.spent.flops);
    const int64_t second = first + 1 + SEARCH_TABLE_FEW;
    c = search(EVOLVE_GREEDY, &perfect, 33, second, 1);
    CHECK(c.spent.evaluations >= 2 && c.spent.flops <= second, "%g", c.spent.evaluations);
}

static void other_proposals(void)
{
    int start = search_table_start();
    const search_imitator invalid = {.invalid = 1}, copies = {.copies = 1},
                          several = {.several = 1}, illegal = {.illegal = 1};
    fill(slope);
    search_searched f = search(EVOLVE_GREEDY, &invalid, 50, INT64_MAX, 1);
    CHECK(f.cell == start && f.spent.evaluations == 1 && f.spent.proposals == 64 * 50,
          "nothing: %g evaluations, %lld proposals", f.spent.evaluations,
          (long long)f.spent.proposals);
    f = search(EVOLVE_GREEDY, &copies, 50, INT64_MAX, 1);
    CHECK(f.cell == start && f.spent.evaluations == 50 && f.spent.flops == SEARCH_TABLE_FEW,
          "copies: %g evaluations, %lld operations", f.spent.evaluations, (long long)f.spent.flops);
    fill(two_edits);
    CHECK(search(EVOLVE_GREEDY, &rules, 50, INT64_MAX, 1).cell == start, "one edit is no gain");
    CHECK(search(EVOLVE_GREEDY, &several, 50, INT64_MAX, 1).score == 4, "several are");
    fill(one_far_edit);
    CHECK(search(EVOLVE_GREEDY, &rules, 50, INT64_MAX, 1).cell == start, "one step is no gain");
    CHECK(search(EVOLVE_GREEDY, &several, 50, INT64_MAX, 1).cell == start, "nor are several");
    CHECK(search(EVOLVE_GREEDY, &illegal, 50, INT64_MAX, 1).score == 4, "two are");
}

/* What 20 searches of 17 evaluations miss. */
static double missed(const search_imitator *mutator)
{
    double sum = 0;
    for (uint64_t seed = 0; seed < 20; seed++)
        sum += search(EVOLVE_GREEDY, mutator, 17, INT64_MAX, seed).missed;
    return sum;
}

/* On a slope up each edit that pays pays everywhere, so whoever learns which it is gets further. */
static void proposals_that_learn(void)
{
    const search_imitator edits = {.writer = SEARCH_EDITS}, counts = {.writer = SEARCH_COUNTS},
                          past = {.writer = SEARCH_COUNTS, .past = 5},
                          critic = {.writer = SEARCH_CRITIC},
                          critic_past = {.writer = SEARCH_CRITIC, .past = 5},
                          tilted = {.writer = SEARCH_TILTED};
    fill(two_edits);
    search_searched f = search(EVOLVE_GREEDY, &edits, 50, INT64_MAX, 1);
    CHECK(f.score == 4, "one edit or more: %g", f.score);
    CHECK(f.spent.flops == 50 * SEARCH_TABLE_FEW, "nothing is scored twice: %lld operations",
          (long long)f.spent.flops);
    fill(slope);
    double by_edits = missed(&edits), by_counts = missed(&counts), by_past = missed(&past),
           by_tilted = missed(&tilted);
    CHECK(by_edits > by_counts && by_counts > by_past && by_counts > by_tilted,
          "edits %g, counts %g, with experience %g, never wrong %g", by_edits, by_counts, by_past,
          by_tilted);
    double by_critic = missed(&critic), by_critic_past = missed(&critic_past);
    CHECK(by_edits > by_critic && by_critic > by_critic_past,
          "edits %g, a critic %g, with experience %g", by_edits, by_critic, by_critic_past);
    f = search(EVOLVE_GREEDY, &critic, 17, INT64_MAX, 1);
    CHECK(f.spent.flops > 17 * SEARCH_TABLE_FEW, "a critic is charged: %lld operations",
          (long long)f.spent.flops);
}

static float shuffled(int cell, int seed)
{
    (void)seed;
    return (float)(cell * 101 % 257);
}

static float only_seed(int cell, int seed) { return (float)cell + 1000 * (float)seed; }

static void worth_of_scores(void)
{
    double x[SEARCH_TABLE_CELLS], truth[SEARCH_TABLE_CELLS], other[SEARCH_TABLE_CELLS];
    fill(slope);
    for (int p = 0; p < SEARCH_PROXIES; p++) {
        search_benchmark_proxy(&table, (search_proxy)p, 1, x, truth);
        double rho = search_spearman(x, truth, SEARCH_TABLE_CELLS);
        CHECK(rho == (p == SEARCH_BY_PARAMETERS || p == SEARCH_BY_FLOPS ? 0 : 1), "%s: %g",
              search_proxy_name((search_proxy)p), rho);
    }
    CHECK(truth[7] == 100 - 7 / 4.0 + 1, "the mean of seeds 0 and 2: %g", truth[7]);
    CHECK(fabs(search_benchmark_best_of_8(x, truth) - 1) < 1e-12, "of the same order: %.17g",
          search_benchmark_best_of_8(x, truth));
    CHECK(search_benchmark_regret(x, truth) == 0, "the best is liked best");
    for (int i = 0; i < SEARCH_TABLE_CELLS; i++)
        other[i] = -truth[i];
    CHECK(search_benchmark_best_of_8(other, truth) == 0, "of the opposite order");
    CHECK(search_benchmark_regret(other, truth) == (SEARCH_TABLE_CELLS - 1) / 4.0, "%g",
          search_benchmark_regret(other, truth));
    fill(shuffled);
    search_benchmark_proxy(&table, SEARCH_BY_SCORE, 0, other, other);
    double chance = search_benchmark_best_of_8(other, truth); /* orders that do not agree */
    CHECK(fabs(chance - 1.0 / 8) < 0.05, "%g", chance);

    double by_fresh, by_full;
    fill(slope);
    search_benchmark_false_gains(&table, &by_fresh, &by_full);
    CHECK(by_fresh == 0 && by_full == 0, "%g, %g", by_fresh, by_full);
    for (int i = 0; i < SEARCH_TABLE_ROWS; i++)
        table.row[i].full = -table.row[i].full;
    search_benchmark_false_gains(&table, &by_fresh, &by_full);
    CHECK(by_fresh == 0 && by_full == 1, "%g, %g", by_fresh, by_full);
}

/* Without what a seed does to all designs nothing is left; then one design is moved by 3, -3, 0,
 * which leaves residuals of 3 and -3 but for what the seeds' means take of it, 3/256. */
static void spread(void)
{
    fill(only_seed);
    CHECK(search_benchmark_spread(&table) < 1e-9, "%g", search_benchmark_spread(&table));
    table.row[30].full += 3;
    table.row[31].full -= 3;
    double sum = 2 * (9 * (255.0 / 256) * (255.0 / 256) + 255 * 9 / 65536.0);
    double want = sqrt(sum / (255 * 2));
    CHECK(fabs(search_benchmark_spread(&table) - want) < 1e-9, "%g, want %g",
          search_benchmark_spread(&table), want);
    CHECK(search_benchmark_mean_flops(&table) == SEARCH_TABLE_FEW, "%lld",
          (long long)search_benchmark_mean_flops(&table));
}

int main(void)
{
    what_was_found();
    a_perfect_imitation();
    other_proposals();
    proposals_that_learn();
    worth_of_scores();
    spread();
    return test_end();
}
