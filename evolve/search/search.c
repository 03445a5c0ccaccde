/* SPDX-License-Identifier: MIT */
/* search.c -- the strategies. Each is a pair of functions, ask and tell, over one state: the
 * current source, the best candidate so far, and a population with the next generation in the
 * making. */
#include "evolve/search/search.h"
#include "base/memory.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct member {
    int64_t candidate;
    double score;
} member;

/* population: the generation (GENETIC), the living, oldest first (AGEING), or a rung's candidates
 * (both HALVING). next: the generation or the rung in the making. */
struct search_state {
    search_how how;
    base_random random;
    member source; /* the current one */
    member best;   /* of all that were scored on all pairs */
    member *population, *next;
    int count, next_count;
    int rung; /* HALVING */
};

/* HALVING: 4k candidates on a quarter of the pairs, 2k on half of them, k on all; then afresh. */
enum { RUNGS = 3 };

static int rung_size(const search_state *s)
{
    int last = s->how.candidates > 1 ? s->how.candidates / 2 : 1;
    return last << (RUNGS - 1 - s->rung);
}

static double rung_share(const search_state *s) { return 1.0 / (1 << (RUNGS - 1 - s->rung)); }

static void put(search_trial *trial, search_request request, int64_t source)
{
    *trial = (search_trial){
        .request = request, .source = source, .share = 1, .candidate = SEARCH_NOTHING};
}

static member of_trial(const search_trial *trial)
{
    return (member){trial->candidate, trial->score};
}

/* ---- greedy, climb ---- */

static int ask_greedy(search_state *s, search_trial *trials)
{
    for (int i = 0; i < s->how.candidates; i++)
        put(&trials[i], SEARCH_REFINE, s->source.candidate);
    return s->how.candidates;
}

static void tell_greedy(search_state *s, const search_trial *trials, int count)
{
    const search_trial *best = NULL;
    for (int i = 0; i < count; i++)
        if (trials[i].candidate != SEARCH_NOTHING && (!best || trials[i].score < best->score))
            best = &trials[i];
    if (best && (!s->how.elitism || best->score < s->source.score))
        s->source = of_trial(best);
}

static int ask_climb(search_state *s, search_trial *trials)
{
    put(trials, SEARCH_REFINE, s->source.candidate);
    return 1;
}

static void tell_climb(search_state *s, const search_trial *trials, int count)
{
    if (count && trials->candidate != SEARCH_NOTHING && trials->score <= s->source.score)
        s->source = of_trial(trials);
}

/* ---- populations ---- */

/* The best of `size` members drawn with replacement; of equals the first drawn. */
static member tournament(search_state *s, int size)
{
    member best = s->population[base_random_below(&s->random, (uint32_t)s->count)];
    for (int i = 1; i < size; i++) {
        member other = s->population[base_random_below(&s->random, (uint32_t)s->count)];
        if (other.score < best.score)
            best = other;
    }
    return best;
}

/* The first generation is the start and refinements of it. With elitism each later one begins with
 * the best so far; its other members are children. */
static int ask_genetic(search_state *s, search_trial *trials)
{
    bool first = s->count < s->how.population;
    if (!first && s->next_count == 0 && s->how.elitism)
        s->next[s->next_count++] = s->best;
    int wanted = s->how.population - (first ? s->count : s->next_count);
    int count = wanted < s->how.candidates ? wanted : s->how.candidates;
    for (int i = 0; i < count; i++)
        put(&trials[i], SEARCH_REFINE, first ? s->source.candidate : tournament(s, 2).candidate);
    return count;
}

static double score_of(const search_state *s, int64_t candidate)
{
    int i = 0;
    while (s->population[i].candidate != candidate)
        i++;
    assert(i < s->count);
    return s->population[i].score;
}

/* A child that is no program leaves its place to its parent. */
static void tell_genetic(search_state *s, const search_trial *trials, int count)
{
    bool first = s->count < s->how.population;
    for (int i = 0; i < count; i++) {
        member child = of_trial(&trials[i]);
        if (child.candidate == SEARCH_NOTHING)
            child = (member){trials[i].source, score_of(s, trials[i].source)};
        if (first)
            s->population[s->count++] = child;
        else
            s->next[s->next_count++] = child;
    }
    if (s->next_count == s->how.population) {
        member *old = s->population;
        s->population = s->next;
        s->next = old;
        s->next_count = 0;
    }
}

static int ask_ageing(search_state *s, search_trial *trials)
{
    int young = s->how.population - s->count;
    int count = young > 0 && young < s->how.candidates ? young : s->how.candidates;
    for (int i = 0; i < count; i++)
        put(&trials[i], SEARCH_REFINE,
            young > 0 ? s->source.candidate : tournament(s, s->how.sample).candidate);
    return count;
}

static void tell_ageing(search_state *s, const search_trial *trials, int count)
{
    for (int i = 0; i < count; i++) {
        if (trials[i].candidate == SEARCH_NOTHING)
            continue;
        if (s->count == s->how.population)
            memmove(s->population, s->population + 1, (size_t)--s->count * sizeof *s->population);
        s->population[s->count++] = of_trial(&trials[i]);
    }
}

/* ---- from the space ---- */

static int ask_random(search_state *s, search_trial *trials)
{
    for (int i = 0; i < s->how.candidates; i++)
        put(&trials[i], SEARCH_DRAW, SEARCH_NOTHING);
    return s->how.candidates;
}

static void tell_nothing(search_state *s, const search_trial *trials, int count)
{
    (void)s, (void)trials, (void)count;
}

/* The rest of the rung in the making, as far as it fits in a batch. The first rung is drawn, or refines the best so
 * far. */
static int ask_halving(search_state *s, search_trial *trials)
{
    int left = rung_size(s) - s->next_count;
    int count = left < s->how.candidates ? left : s->how.candidates;
    for (int i = 0; i < count; i++) {
        if (s->rung == 0 && s->how.strategy == EVOLVE_REFINED_HALVING)
            put(&trials[i], SEARCH_REFINE, s->best.candidate);
        else if (s->rung == 0)
            put(&trials[i], SEARCH_DRAW, SEARCH_NOTHING);
        else
            put(&trials[i], SEARCH_AGAIN, s->population[s->next_count + i].candidate);
        trials[i].share = rung_share(s);
    }
    return count;
}

static int better_first(const void *a, const void *b)
{
    const member *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    return (x->candidate > y->candidate) - (x->candidate < y->candidate);
}

/* A candidate that fails on more pairs stays in its rung, ranked last. */
static void tell_halving(search_state *s, const search_trial *trials, int count)
{
    for (int i = 0; i < count; i++)
        if (trials[i].candidate != SEARCH_NOTHING)
            s->next[s->next_count++] = of_trial(&trials[i]);
        else if (trials[i].request == SEARCH_AGAIN)
            s->next[s->next_count++] = (member){trials[i].source, INFINITY};
    if (s->next_count < rung_size(s))
        return;
    qsort(s->next, (size_t)s->next_count, sizeof *s->next, better_first);
    memcpy(s->population, s->next, (size_t)s->next_count * sizeof *s->next);
    s->count = s->next_count;
    s->next_count = 0;
    s->rung = (s->rung + 1) % RUNGS;
}

static int ask_larger(search_state *s, search_trial *trials)
{
    if (s->source.candidate == SEARCH_NOTHING)
        return 0;
    put(trials, SEARCH_GROW, s->source.candidate);
    return 1;
}

/* Continues from the larger candidate whatever its score. */
static void tell_larger(search_state *s, const search_trial *trials, int count)
{
    if (count)
        s->source = of_trial(trials);
}

/* ---- one interface ---- */

const char *const search_request_names[] = {[SEARCH_REFINE] = "refine",
                                            [SEARCH_DRAW] = "draw",
                                            [SEARCH_GROW] = "grow",
                                            [SEARCH_AGAIN] = "again",
                                            NULL};

static const struct {
    int (*ask)(search_state *search, search_trial *trials);
    void (*tell)(search_state *search, const search_trial *trials, int count);
} strategies[EVOLVE_STRATEGIES] = {
    [EVOLVE_GREEDY] = {ask_greedy, tell_greedy},
    [EVOLVE_CLIMB] = {ask_climb, tell_climb},
    [EVOLVE_GENETIC] = {ask_genetic, tell_genetic},
    [EVOLVE_AGEING] = {ask_ageing, tell_ageing},
    [EVOLVE_RANDOM] = {ask_random, tell_nothing},
    [EVOLVE_HALVING] = {ask_halving, tell_halving},
    [EVOLVE_LARGER] = {ask_larger, tell_larger},
    [EVOLVE_REFINED_HALVING] = {ask_halving, tell_halving},
};

search_state *search_new(const search_how *how, int64_t start, double score)
{
    assert(how->candidates >= 1 && how->population >= 2 && how->sample >= 1 && start >= 0);
    search_state *s = base_calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->how = *how;
    s->random = (base_random){how->seed, base_random_stream("search", 0, 0, 0), 0};
    s->source = s->best = (member){start, score};
    bool halving = how->strategy == EVOLVE_HALVING || how->strategy == EVOLVE_REFINED_HALVING;
    size_t room = (size_t)(halving ? rung_size(s) : how->population);
    s->population = base_calloc(room, sizeof *s->population);
    s->next = base_calloc(room, sizeof *s->next);
    if (!s->population || !s->next) {
        search_free(s);
        return NULL;
    }
    if (!halving)
        s->population[s->count++] = s->source;
    return s;
}

void search_free(search_state *search)
{
    if (!search)
        return;
    base_free(search->population);
    base_free(search->next);
    base_free(search);
}

int search_ask(search_state *search, search_trial *trials)
{
    return strategies[search->how.strategy].ask(search, trials);
}

void search_tell(search_state *search, const search_trial *trials, int count)
{
    for (int i = 0; i < count; i++)
        if (trials[i].candidate != SEARCH_NOTHING && trials[i].share == 1 &&
            trials[i].score < search->best.score)
            search->best = of_trial(&trials[i]);
    strategies[search->how.strategy].tell(search, trials, count);
}

static void replace(member *member_of, int64_t candidate, member other)
{
    if (member_of->candidate == candidate)
        *member_of = other;
}

void search_replace(search_state *search, int64_t candidate, int64_t other, double score)
{
    const member instead = {other, score};
    replace(&search->source, candidate, instead);
    replace(&search->best, candidate, instead);
    for (int i = 0; i < search->count; i++)
        replace(&search->population[i], candidate, instead);
    for (int i = 0; i < search->next_count; i++)
        replace(&search->next[i], candidate, instead);
}

int64_t search_found(const search_state *search, double *score)
{
    evolve_strategy strategy = search->how.strategy;
    bool moves = strategy == EVOLVE_GREEDY || strategy == EVOLVE_CLIMB;
    const member *found = moves ? &search->source : &search->best;
    *score = found->score;
    return found->candidate;
}

/* ---- a whole search ---- */

typedef struct searching {
    const search_world *world;
    const search_proposer *proposer;
    const search_budget *budget;
    uint64_t seed;
    search_budget spent;
} searching;

static int64_t propose(const searching *s, const search_trial *trial)
{
    /* A stream per proposal: what the n-th draws does not depend on how much earlier ones drew. */
    base_random random = {s->seed,
                          base_random_stream("proposal", (uint64_t)s->spent.proposals, 0, 0), 0};
    switch (trial->request) {
    case SEARCH_REFINE:
        return s->proposer->propose(s->proposer->user, trial->source, &random);
    case SEARCH_DRAW:
        return s->world->draw(s->world->user, &random);
    case SEARCH_GROW:
        return s->world->grow(s->world->user, trial->source, &random);
    case SEARCH_AGAIN:
        break;
    }
    return trial->source;
}

static bool score(searching *s, int64_t candidate, double share, double *result)
{
    int64_t flops = s->world->flops(s->world->user, candidate, share);
    if (flops > s->budget->flops - s->spent.flops)
        return false;
    s->spent.flops += flops;
    s->spent.evaluations += share;
    *result = s->world->score(s->world->user, candidate, share);
    return true;
}

/* False: it would cost more than is left. */
static bool try(searching *s, search_trial *trial)
{
    if (s->spent.evaluations + trial->share > s->budget->evaluations)
        return false;
    bool charged = trial->request == SEARCH_REFINE && s->proposer->flops;
    int64_t flops = charged ? s->proposer->flops(s->proposer->user, trial->source) : 0;
    if (s->spent.proposals == s->budget->proposals || flops > s->budget->flops - s->spent.flops)
        return false;
    s->spent.flops += flops;
    trial->candidate = propose(s, trial);
    s->spent.proposals++;
    return trial->candidate == SEARCH_NOTHING ||
           score(s, trial->candidate, trial->share, &trial->score);
}

static bool search_on(searching *s, search_state *search, search_trial *trials)
{
    int count = search_ask(search, trials), made = 0;
    while (made < count && try(s, &trials[made]))
        made++;
    search_tell(search, trials, made);
    if (s->proposer->tell)
        s->proposer->tell(s->proposer->user, trials, made);
    return made == count && count > 0;
}

bool search_run(const search_how *how, int64_t start, const search_world *world,
                const search_proposer *proposer, const search_budget *budget,
                search_finding *finding)
{
    searching s = {.world = world, .proposer = proposer, .budget = budget, .seed = how->seed};
    double first = 0;
    bool fits = budget->evaluations >= 1 && score(&s, start, 1, &first);
    assert(fits); /* a budget that does not pay for the start is no budget */
    (void)fits;
    search_trial *trials = base_calloc((size_t)how->candidates, sizeof *trials);
    search_state *search = trials ? search_new(how, start, first) : NULL;
    while (search && search_on(&s, search, trials)) {
    }
    if (search)
        finding->candidate = search_found(search, &finding->score);
    finding->spent = s.spent;
    search_free(search);
    base_free(trials);
    return search != NULL;
}
