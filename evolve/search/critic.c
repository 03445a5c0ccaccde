/* SPDX-License-Identifier: MIT */
/* critic.c -- logistic regression by gradient descent: both losses are convex, so that nothing but the
 * weights of the lessons is random in what is learnt. */
#include "evolve/search/critic.h"
#include "base/list.h"
#include "base/math.h"
#include "base/memory.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EACH = 4, STEPS = 200, WINDOW = 64, DRAWS = 64, LOGISTIC_FLOPS = 20 };

static const double rate = 0.1, momentum = 0.9, decay = 0.01;

static int features_of(const mutation_mutator *m) { return EACH * m->edits; }

/* ---- lessons ---- */

static void describe(const mutation_mutator *m, const mutation_form *source,
                     const mutation_form *child, double *x)
{
    for (int i = 0; i < m->edits; i++, x += EACH) {
        int before = m->kind->value(source, i), after = m->kind->value(child, i);
        memset(x, 0, EACH * sizeof *x);
        if (before < 0 || after < 0 || before == after)
            continue;
        double from = base_log(1.0 + before) / 4, to = base_log(1.0 + after) / 4;
        x[after > before] = 1;
        x[2] = to - from;
        x[3] = to * to - from * from;
    }
}

/* The features of the next lesson, all zero. NULL: no memory. */
static double *add(search_critic *c, int features, int64_t family, double gain)
{
    const size_t count = (size_t)c->count, each = (size_t)features;
    search_lesson *lesson = base_list_grow(c->lesson, count, 1, sizeof *lesson);
    if (lesson)
        c->lesson = lesson;
    double *x = lesson ? base_list_grow(c->features, count * each, each, sizeof *x) : NULL;
    if (!x)
        return NULL;
    c->features = x;
    c->lesson[c->count++] = (search_lesson){family, gain};
    return memset(x + count * each, 0, each * sizeof *x);
}

bool search_critic_note(search_critic *critic, const mutation_mutator *m,
                        const mutation_form *source, const mutation_form *child, int64_t family,
                        double gain)
{
    double *x = add(critic, features_of(m), family, gain);
    if (x)
        describe(m, source, child, x);
    return x != NULL;
}

static bool known_by_name(const mutation_mutator *m, const search_outcome_row *row, double *x)
{
    const char *edits = row->edits, *name;
    size_t length;
    bool up, known = false;
    while (search_next_edit(&edits, &name, &length, &up))
        for (int i = 0; i < m->edits; i++)
            if (strlen(m->kind->name(m, i)) == length &&
                memcmp(m->kind->name(m, i), name, length) == 0) {
                known = true;
                if (x)
                    x[EACH * i + up] = 1;
            }
    return known;
}

/* Rows of one parent stand side by side in a file. Families of a file have numbers below 0, which no candidate has. */
bool search_critic_learn(search_critic *critic, const mutation_mutator *m,
                         const search_experience *experience)
{
    int known = 0;
    int64_t family = 0;
    for (int i = 0; i < experience->count; i++)
        known += known_by_name(m, &experience->row[i], NULL);
    const int every = 1 + known / SEARCH_MOST_LESSONS;
    for (int i = 0; i < experience->count; i++) {
        const search_outcome_row *row = &experience->row[i];
        family -=
            i == 0 || strcmp(row[-1].parent, row->parent) != 0 || row[-1].before != row->before;
        if (family % every != 0 || !known_by_name(m, row, NULL))
            continue;
        double *x = add(critic, features_of(m), family,
                        row->outcome == SEARCH_FAILS ? -INFINITY : row->before - row->after);
        if (!x)
            return false;
        known_by_name(m, row, x);
    }
    return true;
}

/* ---- training ---- */

static double product(const double *a, const double *b, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

/* d/du of log(1 + exp(-u)), less its sign. */
static double pull(double u) { return 1 / (1 + base_exp(u)); }

/* What one model is trained with: of each lesson its weight, what the model says of it now, and the loss's derivative by
 * that. */
typedef struct training {
    const search_critic *critic;
    int features;
    double *weight, *says, *slope;
    double *velocity; /* [features] */
} training;

/* Adds the derivatives of both losses, each the mean by weight; returns the one by the threshold above which a child is
 * said to be better than its parent. pairs: how many were compared. */
static double slopes(const training *t, double threshold, int64_t *pairs)
{
    const search_lesson *lesson = t->critic->lesson;
    double all = 0, compared = 0, by_threshold = 0;
    memset(t->slope, 0, (size_t)t->critic->count * sizeof *t->slope);
    for (int pass = 0; pass < 2; pass++) /* the first sums the weights up */
        for (int i = 0; i < t->critic->count; i++)
            for (int k = i - 1; k >= 0 && k >= i - WINDOW; k--) {
                if (lesson[i].family != lesson[k].family || lesson[i].gain == lesson[k].gain)
                    continue;
                double w = t->weight[i] * t->weight[k];
                int better = lesson[i].gain > lesson[k].gain ? i : k, worse = i + k - better;
                if (pass == 0) {
                    compared += w;
                    ++*pairs;
                    continue;
                }
                double p = w / compared * pull(t->says[better] - t->says[worse]);
                t->slope[better] -= p;
                t->slope[worse] += p;
            }
    for (int i = 0; i < t->critic->count; i++)
        all += t->weight[i];
    for (int i = 0; i < t->critic->count; i++) {
        double sign = lesson[i].gain > 0 ? 1 : -1;
        double p = sign * t->weight[i] / all * pull(sign * (t->says[i] - threshold));
        t->slope[i] -= p;
        by_threshold += p;
    }
    return by_threshold;
}

static void train(const training *t, double *model, int64_t *flops)
{
    const search_critic *c = t->critic;
    double threshold = 0;
    for (int step = 0; step < STEPS; step++) {
        int64_t pairs = 0;
        for (int i = 0; i < c->count; i++)
            t->says[i] = product(model, c->features + (size_t)i * (size_t)t->features, t->features);
        threshold -= rate * slopes(t, threshold, &pairs);
        for (int f = 0; f < t->features; f++) {
            double slope = decay * model[f];
            for (int i = 0; i < c->count; i++)
                slope += t->slope[i] * c->features[(size_t)i * (size_t)t->features + (size_t)f];
            t->velocity[f] = momentum * t->velocity[f] + slope;
            model[f] -= rate * t->velocity[f];
        }
        *flops += 4 * (int64_t)c->count * t->features + LOGISTIC_FLOPS * (pairs + c->count);
    }
}

bool search_critic_train(search_critic *c, const mutation_mutator *m, uint64_t seed)
{
    const int features = features_of(m), count = c->count;
    base_free(c->models);
    c->models = NULL;
    if (count == 0)
        return true;
    double *room = base_calloc((size_t)(3 * count + features), sizeof *room);
    c->models = room ? base_calloc((size_t)(SEARCH_CRITICS * features), sizeof *room) : NULL;
    for (int k = 0; c->models && k < SEARCH_CRITICS; k++) {
        training t = {c, features, room, room + count, room + 2 * count, room + 3 * count};
        base_random random = {seed, base_random_stream("critic", (uint64_t)k, 0, 0), 0};
        for (int i = 0; i < count; i++)
            t.weight[i] = -base_log(1 - base_random_uniform(&random));
        memset(t.velocity, 0, (size_t)features * sizeof *t.velocity);
        train(&t, c->models + k * features, &c->flops);
    }
    base_free(room);
    return c->models != NULL;
}

/* ---- children ---- */

bool search_critic_refine(search_critic *c, int model, const mutation_mutator *m,
                          const mutation_form *source,
                          bool (*known)(void *user, const mutation_form *child), void *user,
                          base_random *random, mutation_form *child)
{
    const int features = features_of(m);
    double best = -INFINITY, x[EACH * MUTATION_MAX_EDITS];
    for (int draw = 0; draw < (c->models ? DRAWS : 1); draw++) {
        mutation_form drawn;
        if (!search_counts_refine(NULL, m, 0, source, known, user, random, &drawn))
            return false;
        describe(m, source, &drawn, x);
        double says = c->models ? product(c->models + model * features, x, features) : 0;
        if (draw == 0 || says > best)
            *child = drawn;
        best = says > best ? says : best;
        c->flops += 2 * features;
    }
    return true;
}

void search_critic_free(search_critic *c)
{
    base_free(c->lesson);
    base_free(c->features);
    base_free(c->models);
    *c = (search_critic){0};
}
