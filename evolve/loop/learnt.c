/* SPDX-License-Identifier: MIT */
/* learnt.c -- outcomes of candidates as counts and critics take them. */
#include "evolve/loop/learnt.h"
#include "base/file.h"
#include "base/memory.h"
#include "evolve/task.h"
#include <math.h>

bool loop_experience_kept(const char *folder, search_experience **experience, base_error *error)
{
    char *path = base_file_path(folder, "experience.csv");
    const bool is_there = path && base_file_exists(path);
    if (is_there)
        *experience = search_experience_open(path, error);
    base_free(path);
    return path ? !is_there || *experience : base_fail(error, "%s: no memory", folder);
}

void loop_experience_narrow(search_experience *experience, const evolve_settings *settings)
{
    if (experience)
        search_experience_narrow(experience, evolve_scope_name(settings),
                                 evolve_subject_of(settings) == EVOLVE_T5S);
}

/* What it was made from by an edit: in halving, a child is scored again, and then is the parent of itself. */
static const loop_candidate *made_from(const loop_candidate *candidates, const loop_candidate *c)
{
    const loop_candidate *parent = &candidates[c->parent];
    while (parent->share < 1 && parent->parent != LOOP_NOBODY)
        parent = &candidates[parent->parent];
    return parent;
}

/* Of a child that was scored as it is, on all pairs. */
static bool note(const evolve_settings *settings, const mutation_mutator *m,
                 const loop_candidate *candidates, const loop_candidate *c, loop_learnt *learnt)
{
    const loop_candidate *parent = made_from(candidates, c);
    /* Whom it is compared with: its parent, or that one trained on for as long as it was. */
    const loop_candidate *other =
        evolve_inherits(settings) ? &candidates[c->number - c->place] : parent;
    mutation_form source, child;
    if (other == c || c->share < 1 || c->reused || !m->kind->read(m, c->text, c->length, &child) ||
        !m->kind->read(m, parent->text, parent->length, &source))
        return true;
    const score_result *score = &c->score;
    const bool has_score = score->status == SCORE_OK || score->status == SCORE_STOPPED;
    const double gain = has_score ? other->score.score - score->score : -(double)INFINITY;
    if (settings->proposer == EVOLVE_CRITIC)
        return search_critic_note(&learnt->critic, m, &source, &child, parent->number, gain);
    search_counts_note(&learnt->counts, m, &source, &child, score->status == SCORE_OK && gain > 0);
    return true;
}

/* Of one that halving has left behind, when others have come to all pairs since: it has not paid, as far as counts go.
 * How much it lost, nobody knows. */
static void note_left_behind(const evolve_settings *settings, const mutation_mutator *m,
                             const loop_candidate *candidates, int known, const loop_candidate *c,
                             loop_learnt *learnt)
{
    const loop_candidate *parent = &candidates[c->parent];
    mutation_form source, child;
    bool is_over = false;
    if (c->share >= 1 || parent->share < 1 || settings->proposer == EVOLVE_CRITIC)
        return;
    for (int i = c->number + 1; i < known; i++) {
        is_over = is_over || candidates[i].share >= 1;
        if (candidates[i].parent == c->number)
            return; /* it has gone on */
    }
    if (is_over && m->kind->read(m, c->text, c->length, &child) &&
        m->kind->read(m, parent->text, parent->length, &source))
        search_counts_note(&learnt->counts, m, &source, &child, false);
}

bool loop_learn(const evolve_settings *settings, const mutation_mutator *m,
                const search_experience *experience, const loop_candidate *candidates, int known,
                loop_learnt *learnt, base_error *error)
{
    const bool critic = settings->proposer == EVOLVE_CRITIC;
    bool ok = true;
    if (experience && critic)
        ok = search_critic_learn(&learnt->critic, m, experience);
    else if (experience)
        search_counts_learn(&learnt->counts, m, experience);
    for (int i = 1; ok && i < known; i++) {
        if (candidates[i].parent == LOOP_NOBODY)
            continue;
        note_left_behind(settings, m, candidates, known, &candidates[i], learnt);
        ok = note(settings, m, candidates, &candidates[i], learnt);
    }
    ok = ok && (!critic || search_critic_train(&learnt->critic, m, (uint64_t)settings->seed));
    return ok || base_fail(error, "what was learnt: no memory");
}

/* Of a child that paid, among those that paid most, the best first. */
static void add_winner(const mutation_mutator *m, const loop_candidate *candidates,
                       const loop_candidate *c, double gains[SOURCE_MOST_WINNERS],
                       source_lesson *lesson)
{
    mutation_form form;
    const loop_candidate *parent = c->parent == LOOP_NOBODY ? NULL : made_from(candidates, c);
    if (!parent || parent == c || c->share < 1 || c->reused || c->score.status != SCORE_OK ||
        !(c->score.score < parent->score.score) || !m->kind->read(m, c->text, c->length, &form) ||
        !m->kind->read(m, parent->text, parent->length, &form))
        return;
    const double gain = parent->score.score - c->score.score;
    int at = lesson->winner_count;
    if (at < SOURCE_MOST_WINNERS)
        lesson->winner_count++;
    else if (gain <= gains[--at])
        return;
    for (; at > 0 && gains[at - 1] < gain; at--) {
        gains[at] = gains[at - 1];
        lesson->winner[at] = lesson->winner[at - 1];
    }
    gains[at] = gain;
    lesson->winner[at].source = parent->text;
    lesson->winner[at].refined = c->text;
}

/* Weights become the chances with which the counts take an edit (search_counts_take): 1 for the likeliest to pay. */
static void make_chances(double *weight, int count)
{
    double most = 0;
    for (int i = 0; i < count; i++)
        most = weight[i] > most ? weight[i] : most;
    for (int i = 0; i < count; i++)
        weight[i] /= most;
}

/* The first source has the numbers of all that follow. */
bool loop_teach(const evolve_settings *settings, const search_experience *experience,
                const loop_candidate *candidates, int known, source_lesson *lesson,
                base_error *error)
{
    *lesson =
        (source_lesson){.is_weighted = evolve_weighs(settings),
                        .has_words = evolve_weighs(settings) && settings->proposer == EVOLVE_ACTOR};
    const bool has_winners = evolve_trains(settings) && settings->proposer == EVOLVE_WINNERS;
    if (!lesson->is_weighted && !has_winners)
        return true;
    loop_learnt learnt = {0};
    double gains[SOURCE_MOST_WINNERS];
    mutation_mutator mutator = evolve_mutator(settings);
    mutation_mutator_admit(&mutator, candidates[0].text, candidates[0].length, NULL);
    if (has_winners) {
        for (int i = 1; i < known; i++)
            add_winner(&mutator, candidates, &candidates[i], gains, lesson);
        return true;
    }
    if (!loop_learn(settings, &mutator, experience, candidates, known, &learnt, error))
        return false;
    search_counts_weights(&learnt.counts, &mutator, lesson->weight);
    if (lesson->has_words)
        make_chances(lesson->weight, 2 * mutator.edits);
    return true;
}
