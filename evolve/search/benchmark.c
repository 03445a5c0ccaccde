/* SPDX-License-Identifier: MIT */
/* benchmark.c -- searches that look up what others would train.
 *
 * The search is the one of real runs (search.h), behind its four questions: draw, propose, score, cost.
 * Here a cell of the table answers them instead of a training, and so a hundred searches take a second.
 * What is charged is what the trainings would have cost, and a proposer that is a T5 is charged its
 * own training, too. What a search has found is judged by what it never saw: the other seeds' loss
 * after full training. */
#include "evolve/search/benchmark.h"
#include "base/math.h"
#include <assert.h>
#include <math.h>
#include <string.h>

/* ---- the truth ---- */

/* The mean over the seeds but one (-1: over all) of a cell's loss after full training, or of its
 * few-shot score. Where there is but one seed, it stands for the others. */
static double mean(const search_table *table, int cell, int without, bool full)
{
    double sum = 0;
    int count = 0;
    for (int s = 0; s < table->seeds; s++) {
        const search_row *row = search_table_row(table, cell, s);
        if (s != without || table->seeds == 1) {
            sum += (double)(full ? row->full : row->score);
            count++;
        }
    }
    return sum / count;
}

/* ---- the world of a search ---- */

enum { SHARES = 3 }; /* 1/4, 1/2, 1: what HALVING asks for, and what the table has */

typedef struct world {
    const search_table *table;
    int seed;
    bool known[SEARCH_TABLE_CELLS][SHARES];
    const search_imitator *mutator;
    int64_t proposals;
    int model; /* the design that proposes: the source's when the stage began */
    search_counts counts;
    search_critic critic;
    int64_t families; /* of earlier searches: their lessons are of other parents */
    int64_t charged;  /* of the critic's operations */
    bool stale;       /* there are lessons that the critic was not trained on */
    bool failed;      /* no memory */
} world;

static int share_index(double share) { return share < 0.5 ? 0 : share < 1 ? 1 : 2; }

static int64_t draw(void *user, base_random *random)
{
    (void)user;
    return (int64_t)base_random_below(random, SEARCH_TABLE_CELLS);
}

/* A layer or twice the width: what makes a model larger (heads do not). */
static int64_t grow(void *user, int64_t source, base_random *random)
{
    (void)user;
    static const mutation_edit sizes[] = {MUTATION_EDIT_NUM_LAYERS,
                                          MUTATION_EDIT_NUM_DECODER_LAYERS, MUTATION_EDIT_D_FF};
    int larger[3] = {0}, count = 0;
    for (int i = 0; i < 3; i++) {
        int neighbour[2];
        int n = search_table_edits((int)source, sizes[i], neighbour);
        if (n > 0 && neighbour[0] > source)
            larger[count++] = neighbour[0];
    }
    return count ? larger[base_random_below(random, (uint32_t)count)] : SEARCH_NOTHING;
}

static double score(void *user, int64_t candidate, double share)
{
    world *w = user;
    const search_row *row = search_table_row(w->table, (int)candidate, w->seed);
    int index = share_index(share);
    w->known[candidate][index] = true;
    return (double)(index == 0 ? row->quarter : index == 1 ? row->half : row->score);
}

/* Equal programs are scored once. */
static int64_t score_flops(void *user, int64_t candidate, double share)
{
    const world *w = user;
    int64_t flops = search_table_row(w->table, (int)candidate, w->seed)->flops;
    int index = share_index(share);
    return w->known[candidate][index] ? 0 : flops >> (SHARES - 1 - index);
}

/* ---- proposals ---- */

static int edit_by_rules(int cell, mutation_edit edit, base_random *random)
{
    int neighbour[2];
    int count = search_table_edits(cell, edit, neighbour);
    return neighbour[base_random_below(random, (uint32_t)count)];
}

static int edit_one(int cell, base_random *random)
{
    mutation_edit edit = (mutation_edit)base_random_below(random, MUTATION_EDITS);
    return edit_by_rules(cell, edit, random);
}

/* One parameter for certain, each other with chance 1/4, until it is two or more. */
static int edit_several(int cell, base_random *random)
{
    for (;;) {
        int first = (int)base_random_below(random, MUTATION_EDITS), edits = 0, result = cell;
        for (int i = 0; i < MUTATION_EDITS; i++)
            if (i == first || base_random_below(random, 4) == 0) {
                result = edit_by_rules(result, (mutation_edit)i, random);
                edits++;
            }
        if (edits > 1)
            return result;
    }
}

/* One parameter to any value but its own. */
static int edit_illegally(int cell, base_random *random)
{
    mutation_edit edit = (mutation_edit)base_random_below(random, MUTATION_EDITS);
    mutation_design design = search_table_design(cell), other;
    do
        other = search_table_design((int)base_random_below(random, SEARCH_TABLE_CELLS));
    while (other.value[edit] == design.value[edit]);
    design.value[edit] = other.value[edit];
    return search_table_cell(&design);
}

/* The table's edits for those who learn: a mutator whose sources have names, values and edits. */
static const char *name_of(const mutation_mutator *m, int edit)
{
    (void)m;
    return mutation_edit_name((mutation_edit)edit);
}

static bool refine_on_grid(const mutation_mutator *m, const mutation_form *source,
                           base_random *random, mutation_form *refined)
{
    (void)m;
    refined->design = search_table_design(edit_one(search_table_cell(&source->design), random));
    return true;
}

static int value_of(const mutation_form *form, int edit) { return form->design.value[edit]; }

static const mutation_kind grid = {.name = name_of, .refine = refine_on_grid, .value = value_of};
static const mutation_mutator on_grid = {.kind = &grid, .edits = MUTATION_EDITS};

static bool is_known(void *user, const mutation_form *child)
{
    const world *w = user;
    return w->known[search_table_cell(&child->design)][SHARES - 1];
}

static int learnt(world *w, const search_counts *counts, bool again, int64_t source,
                  base_random *random)
{
    mutation_form form = {.design = search_table_design((int)source)}, child;
    search_counts_refine(counts, &on_grid, w->mutator->edits, &form, again ? NULL : is_known, w,
                         random, &child);
    return search_table_cell(&child.design);
}

enum { TILTED = 64 };

static int tilted(world *w, int64_t source, base_random *random)
{
    int cell[TILTED];
    double chance[TILTED], all = 0, best = INFINITY;
    for (int i = 0; i < TILTED; i++) {
        cell[i] = learnt(w, NULL, true, source, random);
        bool known = w->known[cell[i]][SHARES - 1];
        chance[i] = known ? INFINITY : (double)search_table_row(w->table, cell[i], w->seed)->score;
        best = chance[i] < best ? chance[i] : best;
    }
    for (int i = 0; i < TILTED; i++)
        all += chance[i] = chance[i] < INFINITY ? base_exp((best - chance[i]) / 0.01) : 0;
    double at = base_random_uniform(random) * all;
    int i = 0;
    while (i + 1 < TILTED && (at -= chance[i]) >= 0)
        i++;
    return cell[i];
}

static void take_outcomes(void *user, const search_trial *trials, int count)
{
    world *w = user;
    for (int i = 0; i < count; i++) {
        const search_trial *t = &trials[i];
        if (t->request != SEARCH_REFINE || t->candidate == SEARCH_NOTHING)
            continue;
        mutation_form source = {.design = search_table_design((int)t->source)};
        mutation_form child = {.design = search_table_design((int)t->candidate)};
        double gain = (double)search_table_row(w->table, (int)t->source, w->seed)->score - t->score;
        search_counts_note(&w->counts, &on_grid, &source, &child, gain > 0);
        if (!search_critic_note(&w->critic, &on_grid, &source, &child, w->families + t->source,
                                gain))
            w->failed = true;
        w->stale = true;
    }
}

/* Every second child is drawn as the rules draw it. */
static int by_critic(world *w, int64_t source, base_random *random)
{
    mutation_form form = {.design = search_table_design((int)source)}, child;
    const int64_t number = w->proposals++;
    if (number % 2)
        return learnt(w, NULL, false, source, random);
    search_critic_refine(&w->critic, (int)(number / 2 % SEARCH_CRITICS), &on_grid, &form, is_known,
                         w, random, &child);
    return search_table_cell(&child.design);
}

static int64_t propose(void *user, int64_t source, base_random *random)
{
    world *w = user;
    const search_imitator *m = w->mutator;
    if (m->writer == SEARCH_CRITIC)
        return by_critic(w, source, random);
    if (m->writer == SEARCH_TILTED)
        return tilted(w, source, random);
    if (m->writer != SEARCH_IMITATES)
        return learnt(w, m->writer == SEARCH_COUNTS ? &w->counts : NULL, false, source, random);
    double kind = base_random_uniform(random);
    w->proposals++;
    if ((kind -= m->invalid) < 0)
        return SEARCH_NOTHING;
    if ((kind -= m->copies) < 0)
        return source;
    if ((kind -= m->several) < 0)
        return edit_several((int)source, random);
    if (kind - m->illegal < 0)
        return edit_illegally((int)source, random);
    return edit_one((int)source, random);
}

/* The critic is trained when it is next asked; what it takes to judge is charged with the next proposal. */
static int64_t critic_flops(void *user, int64_t source)
{
    (void)source;
    world *w = user;
    if (w->stale && !search_critic_train(&w->critic, &on_grid, (uint64_t)w->seed))
        w->failed = true;
    w->stale = false;
    const int64_t before = w->charged;
    w->charged = w->critic.flops;
    return w->charged - before;
}

/* Generation takes one pass forward where a training step takes that and two backward. */
static int64_t propose_flops(void *user, int64_t source)
{
    world *w = user;
    const search_imitator *m = w->mutator;
    bool train = w->proposals % m->stage == 0;
    if (train)
        w->model = (int)source;
    int64_t full = search_table_row(w->table, w->model, w->seed)->full_flops;
    return (train ? full / SEARCH_TABLE_FULL * m->pairs : 0) + full / SEARCH_TABLE_FULL / 3;
}

/* ---- a search ---- */

static void look_up(const search_table *table, int seed, search_searched *result)
{
    int start = search_table_start();
    double best = INFINITY, best_score = INFINITY;
    result->full = mean(table, result->cell, -1, true);
    result->better = 0;
    for (int cell = 0; cell < SEARCH_TABLE_CELLS; cell++) {
        double full = mean(table, cell, -1, true);
        double score_of_cell = (double)search_table_row(table, cell, seed)->score;
        best = full < best ? full : best;
        best_score = score_of_cell < best_score ? score_of_cell : best_score;
        result->better += full < result->full;
    }
    result->missed = result->score - best_score;
    result->regret = result->full - best;
    result->gain = (double)search_table_row(table, start, seed)->score - result->score;
    result->fresh = mean(table, start, seed, false) - mean(table, result->cell, seed, false);
}

static bool search_on(world *w, const search_how *how, const search_budget *budget,
                      search_finding *finding)
{
    const search_world lookups = {w, draw, grow, score, score_flops};
    const bool critic = w->mutator->writer == SEARCH_CRITIC;
    const search_proposer proposer = {w, propose,
                                      critic              ? critic_flops
                                      : w->mutator->pairs ? propose_flops
                                                          : NULL,
                                      take_outcomes};
    return search_run(how, search_table_start(), &lookups, &proposer, budget, finding);
}

/* Searches with other seeds of the table than how's, and draws that nothing else has. */
static bool learn(world *w, const search_how *how)
{
    static const search_imitator edits = {.writer = SEARCH_EDITS};
    const search_budget budget = {.evaluations = 32, .flops = INT64_MAX, .proposals = INT64_MAX};
    const int64_t seeds = w->table->seeds;
    search_finding finding;
    if (w->mutator->experience) {
        search_counts_learn(&w->counts, &on_grid, w->mutator->experience);
        if (!search_critic_learn(&w->critic, &on_grid, w->mutator->experience))
            return false;
    }
    search_counts past = {0};
    for (int64_t i = 0; i < w->mutator->past; i++) {
        int64_t other = seeds > 1 ? (w->seed + 1 + i % (seeds - 1)) % seeds : 0;
        world before = {.table = w->table,
                        .seed = (int)other,
                        .mutator = &edits,
                        .counts = past,
                        .critic = w->critic,
                        .families = (i + 1) * SEARCH_TABLE_CELLS};
        search_how its = *how;
        its.strategy = EVOLVE_GREEDY;
        its.seed = base_random_stream("past", how->seed, (uint64_t)i, 0);
        bool ok = search_on(&before, &its, &budget, &finding) && !before.failed;
        w->critic = before.critic;
        if (!ok)
            return false;
        past = before.counts;
    }
    search_counts_limit(&past, SEARCH_MOST_PAST);
    for (int i = 0; i < MUTATION_MAX_OUTCOMES; i++) {
        w->counts.tried[i] += past.tried[i];
        w->counts.paid[i] += past.paid[i];
    }
    return true;
}

bool search_benchmark_search(const search_table *table, const search_how *how,
                             const search_imitator *mutator, const search_budget *budget,
                             search_searched *result)
{
    assert(table->seeds >= 1);
    int seed = (int)(how->seed % (uint64_t)table->seeds);
    world w = {.table = table, .seed = seed, .mutator = mutator, .stale = true};
    search_finding finding;
    bool ok = learn(&w, how) && search_on(&w, how, budget, &finding) && !w.failed;
    search_critic_free(&w.critic);
    if (!ok)
        return false;
    *result = (search_searched){
        .cell = (int)finding.candidate, .score = finding.score, .spent = finding.spent};
    look_up(table, w.seed, result);
    return true;
}

/* ---- what a score is worth ---- */

static const char *const proxies[SEARCH_PROXIES] = {
    [SEARCH_BY_PARAMETERS] = "parameters", [SEARCH_BY_FLOPS] = "flops",
    [SEARCH_BY_QUARTER] = "score at 1/4",  [SEARCH_BY_HALF] = "score at 1/2",
    [SEARCH_BY_SCORE] = "score",           [SEARCH_BY_TAIL] = "last quarter",
    [SEARCH_BY_HELD_OUT] = "held-out",     [SEARCH_BY_FULL] = "full, one seed",
};

const char *search_proxy_name(search_proxy proxy) { return proxies[proxy]; }

static double proxy_of(const search_row *row, search_proxy proxy)
{
    switch (proxy) {
    case SEARCH_BY_PARAMETERS:
        return -(double)row->parameters;
    case SEARCH_BY_FLOPS:
        return -(double)row->flops;
    case SEARCH_BY_QUARTER:
        return (double)row->quarter;
    case SEARCH_BY_HALF:
        return (double)row->half;
    case SEARCH_BY_SCORE:
        return (double)row->score;
    case SEARCH_BY_TAIL:
        return (double)row->tail;
    case SEARCH_BY_HELD_OUT:
        return (double)row->held_out;
    default:
        return (double)row->full;
    }
}

void search_benchmark_proxy(const search_table *table, search_proxy proxy, int seed,
                            double x[SEARCH_TABLE_CELLS], double truth[SEARCH_TABLE_CELLS])
{
    for (int cell = 0; cell < SEARCH_TABLE_CELLS; cell++) {
        x[cell] = proxy_of(search_table_row(table, cell, seed), proxy);
        truth[cell] = mean(table, cell, seed, true);
    }
}

/* A tie goes to the lower number. */
static bool liked_more(const double *x, int one, int other)
{
    return x[one] != x[other] ? x[one] < x[other] : one < other;
}

double search_benchmark_regret(const double x[SEARCH_TABLE_CELLS],
                               const double truth[SEARCH_TABLE_CELLS])
{
    int liked = 0, best = 0;
    for (int i = 1; i < SEARCH_TABLE_CELLS; i++) {
        liked = liked_more(x, i, liked) ? i : liked;
        best = liked_more(truth, i, best) ? i : best;
    }
    return truth[liked] - truth[best];
}

/* Of all sets of eight. The set's favourite of x is the cell c, and its best is c too, if the seven
 * others are among the cells that are worse than c by both: C(worse, 7) sets. C(n, 7) is a product
 * of seven factors, so the ratio to all C(256, 8) is taken factor by factor. A tie in truth is no
 * loss. */
double search_benchmark_best_of_8(const double x[SEARCH_TABLE_CELLS],
                                  const double truth[SEARCH_TABLE_CELLS])
{
    double probability = 0;
    for (int c = 0; c < SEARCH_TABLE_CELLS; c++) {
        int worse = 0;
        for (int i = 0; i < SEARCH_TABLE_CELLS; i++)
            worse += liked_more(x, c, i) && truth[i] >= truth[c];
        double share = 8.0 / SEARCH_TABLE_CELLS;
        for (int k = 0; k < 7; k++)
            share *= worse > k ? (double)(worse - k) / (SEARCH_TABLE_CELLS - 1 - k) : 0;
        probability += share;
    }
    return probability;
}

void search_benchmark_false_gains(const search_table *table, double *by_fresh, double *by_full)
{
    int64_t gains = 0, not_fresh = 0, not_full = 0;
    for (int cell = 0; cell < SEARCH_TABLE_CELLS; cell++)
        for (int edit = 0; edit < MUTATION_EDITS; edit++) {
            int neighbour[2];
            int count = search_table_edits(cell, (mutation_edit)edit, neighbour);
            for (int i = 0; i < count * table->seeds; i++) {
                int other = neighbour[i / table->seeds], seed = i % table->seeds;
                if (search_table_row(table, other, seed)->score >=
                    search_table_row(table, cell, seed)->score)
                    continue;
                gains++;
                not_fresh += mean(table, other, seed, false) >= mean(table, cell, seed, false);
                not_full += mean(table, other, -1, true) >= mean(table, cell, -1, true);
            }
        }
    *by_fresh = (double)not_fresh / (double)gains;
    *by_full = (double)not_full / (double)gains;
}

double search_benchmark_spread(const search_table *table)
{
    double of_seed[SEARCH_TABLE_SEEDS] = {0}, all = 0, squares = 0;
    int seeds = table->seeds;
    if (seeds < 2)
        return 0;
    for (int i = 0; i < SEARCH_TABLE_CELLS * seeds; i++)
        of_seed[i % seeds] +=
            (double)search_table_row(table, i / seeds, i % seeds)->full / SEARCH_TABLE_CELLS;
    for (int s = 0; s < seeds; s++)
        all += of_seed[s] / seeds;
    for (int i = 0; i < SEARCH_TABLE_CELLS * seeds; i++) {
        double expected = mean(table, i / seeds, -1, true) + of_seed[i % seeds] - all;
        double rest = (double)search_table_row(table, i / seeds, i % seeds)->full - expected;
        squares += rest * rest;
    }
    return sqrt(squares / ((SEARCH_TABLE_CELLS - 1) * (seeds - 1)));
}

int64_t search_benchmark_mean_flops(const search_table *table)
{
    int64_t sum = 0;
    int rows = SEARCH_TABLE_CELLS * table->seeds;
    for (int i = 0; i < rows; i++)
        sum += search_table_row(table, i / table->seeds, i % table->seeds)->flops;
    return sum / rows;
}
