/* SPDX-License-Identifier: MIT */
/* test_search.c -- what each strategy promises, on worlds small enough to see through. */
#include "evolve/search/search.h"
#include "refine/mutation/sample.h"
#include "tests/test.h"

#include <assert.h>
#include <math.h>

enum { BATCH = 8, POPULATION = 6, SIZE = 1000 };

static search_how how_of(evolve_strategy strategy, uint64_t seed)
{
    return (search_how){.strategy = strategy,
                        .candidates = BATCH,
                        .population = POPULATION,
                        .sample = 3,
                        .elitism = true,
                        .seed = seed};
}

/* ---- a world: the numbers 0 .. 999, best at 700, rugged; a neighbour is at most 5 away ---- */

static double height(int64_t candidate)
{
    return fabs((double)(candidate - 700)) / 100 + (double)(candidate * 7919 % 13) / 50;
}

typedef struct line {
    double evaluations; /* what it was asked for, counted here */
    int64_t flops, draws, nothing_every;
} line;

static int64_t line_draw(void *user, base_random *random)
{
    (void)user;
    return base_random_below(random, SIZE);
}

static int64_t line_grow(void *user, int64_t source, base_random *random)
{
    (void)user, (void)random;
    return source + 50 < SIZE ? source + 50 : SEARCH_NOTHING;
}

static double line_score(void *user, int64_t candidate, double share)
{
    line *l = user;
    l->evaluations += share;
    return height(candidate) + (1 - share);
}

static int64_t line_cost(int64_t candidate, double share)
{
    return (int64_t)((double)(1000 + candidate) * share);
}

static int64_t line_flops(void *user, int64_t candidate, double share)
{
    (void)user;
    return line_cost(candidate, share);
}

static int64_t line_propose(void *user, int64_t source, base_random *random)
{
    line *l = user;
    int64_t step = (int64_t)base_random_below(random, 11) - 5;
    l->draws++;
    if (l->nothing_every && l->draws % l->nothing_every == 0)
        return SEARCH_NOTHING;
    return source + step < 0 ? 0 : source + step >= SIZE ? SIZE - 1 : source + step;
}

static int64_t line_price(void *user, int64_t source)
{
    (void)user, (void)source;
    return 10;
}

static search_finding run_line(line *l, const search_how *how, const search_budget *budget)
{
    const search_world world = {l, line_draw, line_grow, line_score, line_flops};
    const search_proposer proposer = {.user = l, .propose = line_propose, .flops = line_price};
    search_finding finding = {0};
    CHECK(search_run(how, 100, &world, &proposer, budget, &finding), "no memory");
    return finding;
}

/* ---- all strategies ---- */

/* Whatever the budget: what is spent is what was asked of the world, never more than there was, and
 * what was found is no worse than the start. */
static void budgets_and_the_start(void)
{
    base_random random = {3, base_random_stream("test", 0, 0, 0), 0};
    for (int i = 0; i < 700; i++) {
        search_how how = how_of((evolve_strategy)(i % EVOLVE_STRATEGIES), (uint64_t)i);
        const search_budget budget = {.evaluations = 1 + base_random_below(&random, 400) / 4.0,
                                      .flops = 1100 + base_random_below(&random, 100000),
                                      .proposals = 1 + base_random_below(&random, 200)};
        line l = {.nothing_every = i % 3 * 2};
        search_finding f = run_line(&l, &how, &budget);
        const char *name = evolve_strategy_names[how.strategy];
        CHECK(f.spent.evaluations <= budget.evaluations && f.spent.flops <= budget.flops &&
                  f.spent.proposals <= budget.proposals,
              "%s %d: %g evaluations, %lld operations, %lld proposals", name, i,
              f.spent.evaluations, (long long)f.spent.flops, (long long)f.spent.proposals);
        CHECK(f.spent.evaluations == l.evaluations, "%s: counted %g, was asked for %g", name,
              f.spent.evaluations, l.evaluations);
        CHECK(f.score <= height(100) && f.score == height(f.candidate), "%s: %g", name, f.score);
    }
}

static void a_function_of_the_seed(void)
{
    const search_budget budget = {.evaluations = 60, .flops = INT64_MAX, .proposals = 1000};
    for (int s = 0; s < EVOLVE_STRATEGIES; s++) {
        int others = 0;
        for (uint64_t seed = 0; seed < 10; seed++) {
            search_how how = how_of((evolve_strategy)s, seed);
            line a = {0}, b = {0}, c = {0};
            search_finding one = run_line(&a, &how, &budget), two = run_line(&b, &how, &budget);
            CHECK(one.candidate == two.candidate && one.spent.flops == two.spent.flops,
                  "%s, seed %d", evolve_strategy_names[how.strategy], (int)seed);
            how.seed += 100;
            others += run_line(&c, &how, &budget).spent.flops != one.spent.flops;
        }
        CHECK(s == EVOLVE_LARGER ? others == 0 : others > 5, "%s: %d of 10 seeds differ",
              evolve_strategy_names[s], others);
    }
}

/* A budget that is not reached means that nothing was left to try; else the next trial would not
 * have fitted. In this world a trial is at most 1 evaluation and 2009 operations. */
static void budgets_are_used(void)
{
    const search_budget budget = {.evaluations = 1e9, .flops = 100000, .proposals = 1000000};
    for (int s = 0; s < EVOLVE_STRATEGIES; s++) {
        search_how how = how_of((evolve_strategy)s, 1);
        line l = {0};
        search_finding f = run_line(&l, &how, &budget);
        CHECK(s == EVOLVE_LARGER || f.spent.flops > budget.flops - 2009, "%s: %lld",
              evolve_strategy_names[how.strategy], (long long)f.spent.flops);
    }
}

/* ---- one by one; the answers are made up ---- */

static void answer(search_trial *trial, int64_t candidate, double score)
{
    trial->candidate = candidate;
    trial->score = score;
}

static void greedy(void)
{
    for (int elitism = 0; elitism < 2; elitism++) {
        search_how how = how_of(EVOLVE_GREEDY, 1);
        how.elitism = elitism;
        search_state *s = search_new(&how, 0, 5.0);
        search_trial t[BATCH];
        double score;
        CHECK(search_ask(s, t) == BATCH, "a batch");
        for (int i = 0; i < BATCH; i++) {
            CHECK(t[i].request == SEARCH_REFINE && t[i].source == 0 && t[i].share == 1, "trial %d",
                  i);
            answer(&t[i], i == 3 ? SEARCH_NOTHING : i + 1, i == 3 ? 0 : i == 5 || i == 6 ? 6 : 7);
        }
        search_tell(s, t, BATCH); /* 6 and 7 are the best, but worse than 5.0 */
        int64_t found = search_found(s, &score);
        CHECK(elitism ? found == 0 && score == 5 : found == 6 && score == 6, "elitism %d: %d, %g",
              elitism, (int)found, score);
        search_ask(s, t);
        CHECK(t[0].source == found, "the source is what was found");
        for (int i = 0; i < BATCH; i++)
            answer(&t[i], 10 + i, i < 2 ? 4 : 8);
        search_tell(s, t, BATCH);
        CHECK(search_found(s, &score) == 10 && score == 4, "of equals the first");
        search_ask(s, t);
        for (int i = 0; i < BATCH; i++)
            answer(&t[i], SEARCH_NOTHING, 0);
        search_tell(s, t, BATCH);
        CHECK(search_found(s, &score) == 10, "a batch of nothing changes nothing");
        search_free(s);
    }
}

static void climb(void)
{
    search_how how = how_of(EVOLVE_CLIMB, 1);
    search_state *s = search_new(&how, 0, 5.0);
    search_trial t[BATCH];
    const struct {
        int64_t candidate;
        double score;
        int64_t found;
    } steps[] = {{1, 6, 0}, {2, 5, 2}, {SEARCH_NOTHING, 0, 2}, {3, 4, 3}, {4, 4.5, 3}};
    for (int i = 0; i < 5; i++) {
        double score;
        CHECK(search_ask(s, t) == 1 && t[0].request == SEARCH_REFINE, "one at a time");
        answer(&t[0], steps[i].candidate, steps[i].score);
        search_tell(s, t, 1);
        CHECK(search_found(s, &score) == steps[i].found, "step %d: %d", i,
              (int)search_found(s, &score));
    }
    search_free(s);
}

static bool contains(const int64_t *list, int count, int64_t candidate)
{
    for (int i = 0; i < count; i++)
        if (list[i] == candidate)
            return true;
    return false;
}

/* Candidates are 1, 2, ...; some are nothing, and leave their place to their parent. The generations are kept
 * here as well, and every parent has to be of the one that is whole. With elitism the best of all, candidate
 * 101, is a parent to the end. */
static void genetic(void)
{
    for (int elitism = 0; elitism < 2; elitism++) {
        search_how how = how_of(EVOLVE_GENETIC, 5);
        how.elitism = elitism;
        how.candidates = 4; /* less than a generation */
        search_state *s = search_new(&how, 0, 5.0);
        search_trial t[4];
        int64_t now[POPULATION] = {0}, coming[POPULATION], next = 1;
        int size = 1, made = 0, asked = 0, of_best = 0;
        for (int round = 0; round < 200; round++) {
            double score;
            if (size == POPULATION && made == 0 && elitism)
                coming[made++] = search_found(s, &score);
            int count = search_ask(s, t), left = POPULATION - (size < POPULATION ? size : made);
            CHECK(count == (left < 4 ? left : 4), "%d trials, %d places", count, left);
            bool first = size < POPULATION;
            for (int i = 0, known = size; i < count; i++, asked++) {
                CHECK(contains(now, known, t[i].source), "a parent outside of the generation");
                of_best += round >= 150 && t[i].source == 101;
                bool nothing = asked % 5 == 4;
                answer(&t[i], nothing ? SEARCH_NOTHING : next, (double)(next * 37 % 101));
                *(first ? &now[size++] : &coming[made++]) = nothing ? t[i].source : next;
                next += !nothing;
            }
            search_tell(s, t, count);
            if (made == POPULATION) {
                memcpy(now, coming, sizeof now);
                made = 0;
            }
        }
        CHECK(!elitism || of_best > 0, "the best was lost");
        search_free(s);
    }
}

/* Tournaments prefer the better: with scores 0 .. 5 the better of two draws is the best member with
 * chance 11/36, the worst with 1/36. */
static void selection(void)
{
    search_how how = how_of(EVOLVE_GENETIC, 2);
    how.elitism = false;
    int chosen[POPULATION] = {0}, all = 0;
    for (uint64_t seed = 0; seed < 600; seed++) {
        how.seed = seed;
        search_state *s = search_new(&how, 0, 0);
        search_trial t[BATCH];
        int count = search_ask(s, t);
        for (int i = 0; i < count; i++)
            answer(&t[i], i + 1, i + 1);
        search_tell(s, t, count);
        count = search_ask(s, t);
        for (int i = 0; i < count; i++)
            chosen[t[i].source]++;
        all += count;
        search_free(s);
    }
    for (int i = 0; i < POPULATION; i++) {
        double p = (2 * (POPULATION - i) - 1) / 36.0;
        CHECK(fabs(chosen[i] - p * all) < 4 * sqrt(all * p * (1 - p)), "member %d: %d of %d", i,
              chosen[i], all);
    }
}

static void ageing(void)
{
    search_how how = how_of(EVOLVE_AGEING, 1);
    how.sample = 500; /* all but surely every member is in it */
    search_state *s = search_new(&how, 0, 5.0);
    search_trial t[BATCH];
    double scores[2000] = {5.0};
    int born = 1;
    for (int round = 0; round < 100; round++) {
        int count = search_ask(s, t), best = born > POPULATION ? born - POPULATION : 0;
        for (int i = best; i < born; i++) /* of the youngest: the oldest are gone */
            best = scores[i] < scores[best] ? i : best;
        for (int i = 0; i < count; i++) {
            CHECK(t[i].source == (round == 0 ? 0 : best), "round %d: parent %d, best %d", round,
                  (int)t[i].source, best);
            if (i % 3 == 2) {
                answer(&t[i], SEARCH_NOTHING, 0);
                continue;
            }
            scores[born] = (double)(born * 37 % 101);
            answer(&t[i], born, scores[born]);
            born++;
        }
        search_tell(s, t, count);
    }
    search_free(s);
}

/* 16 on a quarter of the pairs, the better 8 on a half, the better 4 of these on all: 12
 * evaluations, and then the same again. The first are drawn, or refinements of the best so far. */
static void halving(evolve_strategy strategy)
{
    search_how how = how_of(strategy, 1);
    const bool refines = strategy == EVOLVE_REFINED_HALVING;
    search_state *s = search_new(&how, 0, 50.0);
    const int sizes[] = {16, 8, 4};
    const double shares[] = {0.25, 0.5, 1};
    double paid = 0, score;
    for (int bracket = 0; bracket < 2; bracket++)
        for (int rung = 0; rung < 3; rung++)
            for (int made = 0; made < sizes[rung];) {
                search_trial t[BATCH];
                int count = search_ask(s, t);
                CHECK(count > 0 && made + count <= sizes[rung], "rung %d: %d + %d", rung, made,
                      count);
                for (int i = 0; i < count; i++, made++) {
                    CHECK(t[i].share == shares[rung], "rung %d: share %g", rung, t[i].share);
                    const search_request first = refines ? SEARCH_REFINE : SEARCH_DRAW;
                    CHECK(t[i].request == (rung ? SEARCH_AGAIN : first), "rung %d", rung);
                    CHECK(rung || t[i].source == (!refines  ? SEARCH_NOTHING
                                                  : bracket ? 1
                                                            : 0),
                          "of %d", (int)t[i].source);
                    int64_t candidate = rung ? t[i].source : 100 * bracket + 16 - made;
                    /* candidates 1 .. 16 of a bracket, the lower the better */
                    if (rung)
                        CHECK(candidate - 100 * bracket == made + 1, "rung %d, place %d: %d", rung,
                              made, (int)candidate);
                    answer(&t[i], candidate, (double)candidate + rung * 0.1);
                    paid += t[i].share;
                }
                search_tell(s, t, count);
                CHECK(search_found(s, &score) == (bracket || (rung == 2) ? 1 : 0),
                      "only a full score counts");
            }
    CHECK(paid == 24, "%g evaluations", paid);
    search_free(s);
}

/* In the first rung nothing is drawn anew; what fails later is the first to go. */
static void halving_of_failures(void)
{
    search_how how = how_of(EVOLVE_HALVING, 1);
    how.candidates = 2; /* 4, 2, 1 */
    search_state *s = search_new(&how, 0, 50.0);
    search_trial t[2];
    const int64_t drawn[] = {1, SEARCH_NOTHING, 2, 3, 4};
    int next = 0;
    while (next < 5) {
        int count = search_ask(s, t);
        for (int i = 0; i < count; i++, next++)
            answer(&t[i], drawn[next], (double)drawn[next]);
        search_tell(s, t, count);
    }
    CHECK(search_ask(s, t) == 2 && t[0].source == 1 && t[1].source == 2, "the better two");
    answer(&t[0], SEARCH_NOTHING, 0);
    answer(&t[1], 2, 2);
    search_tell(s, t, 2);
    CHECK(search_ask(s, t) == 1 && t[0].source == 2 && t[0].share == 1, "the one that is left");
    search_free(s);
}

static void larger(void)
{
    search_how how = how_of(EVOLVE_LARGER, 1);
    const search_budget budget = {.evaluations = 1000, .flops = INT64_MAX, .proposals = 1000};
    line l = {0};
    search_finding f = run_line(&l, &how, &budget); /* 100, 150, ... 950; then nothing */
    CHECK(f.spent.evaluations == 18 && f.spent.proposals == 18, "%g evaluations, %d proposals",
          f.spent.evaluations, (int)f.spent.proposals);
    CHECK(f.candidate == 700, "%d", (int)f.candidate);
}

/* ---- the papers' space: four million designs, of which a number is a handle ---- */

static int64_t handle_of(const mutation_design *design)
{
    int64_t handle = 0;
    for (int i = 0; i < MUTATION_EDITS; i++)
        handle = handle << 13 | design->value[i];
    return handle;
}

static mutation_design design_of(int64_t handle)
{
    mutation_design design;
    for (int i = MUTATION_EDITS - 1; i >= 0; i--, handle >>= 13)
        design.value[i] = (int)(handle & 8191);
    return design;
}

static int64_t mutate(void *user, int64_t source, base_random *random)
{
    mutation_design design = design_of(source), refined;
    mutation_mutate(user, &design, random, &refined);
    return handle_of(&refined);
}

static double distance(void *user, int64_t candidate, double share)
{
    (void)user, (void)share;
    mutation_design d = design_of(candidate);
    return abs(d.value[0] - 6) + abs(d.value[1] - 7) + abs(d.value[2] - 3) +
           fabs(d.value[3] - 2000.0) / 100;
}

static int64_t no_flops(void *user, int64_t candidate, double share)
{
    (void)user, (void)candidate, (void)share;
    return 0;
}

static void the_papers_space(void)
{
    mutation_rules rules = mutation_paper_rules();
    const mutation_design start = {.value = {2, 2, 8, 1024}};
    const search_world world = {&rules, line_draw, line_grow, distance, no_flops};
    const search_proposer proposer = {.user = &rules, .propose = mutate};
    const search_budget budget = {.evaluations = 640, .flops = 0, .proposals = 10000};
    search_how how = how_of(EVOLVE_GREEDY, 1);
    search_finding f;
    CHECK(search_run(&how, handle_of(&start), &world, &proposer, &budget, &f), "no memory");
    mutation_design found = design_of(f.candidate);
    CHECK(f.score < 0.5 && found.value[0] == 6 && found.value[1] == 7 && found.value[2] == 3,
          "%g: %d %d %d %d", f.score, found.value[0], found.value[1], found.value[2],
          found.value[3]);
}

/* What turns out to be of no use is nowhere any more, whatever the strategy, of those whose trials are all in full. */
static void replaced(void)
{
    for (int s = 0; s < EVOLVE_REFINED_HALVING; s++) {
        search_how how = how_of((evolve_strategy)s, 1);
        search_state *search = search_new(&how, 0, 10);
        search_trial trials[BATCH];
        int count = search_ask(search, trials);
        for (int i = 0; i < count; i++)
            answer(&trials[i], i + 1, 5 + i);
        search_tell(search, trials, count);
        double score;
        CHECK(search_found(search, &score) == 1 && score == 5, "%s: %g",
              evolve_strategy_names[how.strategy], score);
        search_replace(search, 1, 0, 10);
        CHECK(search_found(search, &score) == 0 && score == 10, "%s: %g",
              evolve_strategy_names[how.strategy], score);
        for (int i = 0; i < 20; i++) {
            count = search_ask(search, trials);
            for (int k = 0; k < count; k++) {
                CHECK(trials[k].source != 1, "%s", evolve_strategy_names[how.strategy]);
                answer(&trials[k], 100 * (i + 1) + k, 20);
            }
            search_tell(search, trials, count);
        }
        search_free(search);
    }
}

int main(void)
{
    budgets_and_the_start();
    a_function_of_the_seed();
    budgets_are_used();
    greedy();
    climb();
    genetic();
    selection();
    ageing();
    halving(EVOLVE_HALVING);
    halving(EVOLVE_REFINED_HALVING);
    halving_of_failures();
    larger();
    the_papers_space();
    replaced();
    return test_end();
}
