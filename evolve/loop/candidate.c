/* SPDX-License-Identifier: MIT */
/* candidate.c -- what the loop, verification and the report would else each know for themselves: by
 * which settings a candidate is scored, what it has to beat, and which event has its outcome. */
#include "evolve/loop/candidate.h"
#include "base/list.h"
#include "base/memory.h"
#include "evolve/source/pairs.h"
#include "evolve/task.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool loop_candidates_add(loop_candidates *candidates, const loop_candidate *candidate)
{
    loop_candidate *grown =
        base_list_grow(candidates->list, (size_t)candidates->count, 1, sizeof *grown);
    if (!grown)
        return false;
    candidates->list = grown;
    grown[candidates->count++] = *candidate;
    return true;
}

void loop_candidates_free(loop_candidates *candidates)
{
    for (int i = 0; i < candidates->count; i++)
        score_free(&candidates->list[i].score);
    base_free(candidates->list);
    *candidates = (loop_candidates){0};
}

/* The score that refinements of a source with that score have to beat; 0: they are not stopped. */
static double bound_of(const evolve_settings *settings, double score)
{
    bool stops = settings->early_stop && settings->elitism &&
                 evolve_subject_of(settings) == EVOLVE_T5S && settings->strategy == EVOLVE_GREEDY;
    return stops ? score : 0;
}

bool loop_candidates_propose(loop_candidates *candidates, const evolve_settings *settings,
                             const loop_event *proposed, const loop_event *asked, int source,
                             const char *origin, base_error *error)
{
    const base_json *texts = proposed->texts.value;
    const base_json *from = asked ? asked->from.value->child : NULL;
    loop_candidate c = {.kind = LOOP_EVALUATED,
                        .episode = (int)proposed->episode,
                        .batch = (int)proposed->batch,
                        .parent = source,
                        .share = asked && asked->request ? asked->share : 1,
                        .bound = bound_of(settings, candidates->list[source].score.score),
                        .original = LOOP_NOBODY};
    if (texts->kind != BASE_JSON_ARRAY || texts->length > 1000000)
        return base_fail(error, "%s: expected the array \"texts\"", origin);
    for (const base_json *text = texts->child; text; text = text->next, c.place++) {
        if (text->kind != BASE_JSON_STRING)
            return base_fail(error, "%s: a proposal is no text", origin);
        if (asked && !from)
            return base_fail(error, "%s: more proposals than were asked for", origin);
        c.number = candidates->count;
        c.text = text->string;
        c.length = text->length;
        c.parent = from ? (int)from->integer : source;
        from = from ? from->next : NULL;
        if (evolve_inherits(settings) && c.parent != LOOP_NOBODY)
            memcpy(c.begins, candidates->list[c.parent].score.model, sizeof c.begins);
        if (!loop_candidates_add(candidates, &c))
            return base_fail(error, "%s: no memory for a candidate", origin);
    }
    return true;
}

static const int64_t most_seed = 1000000000000000; /* of --seed */
static const int64_t most_deadline = 1000000;      /* of --deadline */
static const int64_t most_pairs = 1000000000;      /* of --few-shot */
static const double most_flops = 1e19;             /* of --max-flops */

/* A search is after what its sources come to when they are trained in earnest, of which a score is
 * only a guide: the last comparison has more pairs, a budget to match, and the loss of held-out pairs
 * in the end. */
static void train_in_full(evolve_settings *s)
{
    int64_t times = s->final_times;
    s->few_shot = s->few_shot < most_pairs / times ? s->few_shot * times : most_pairs;
    s->deadline = s->deadline < most_deadline / times ? s->deadline * times : most_deadline;
    s->max_flops =
        s->max_flops < most_flops / (double)times ? s->max_flops * (double)times : most_flops;
    s->score = EVOLVE_BY_HELD_OUT;
}

evolve_settings loop_candidate_settings(const evolve_settings *settings,
                                        const loop_candidate *candidate)
{
    evolve_settings own = evolve_settings_share(settings, candidate->share);
    if (candidate->kind != LOOP_COMPARED && candidate->kind != LOOP_KEPT)
        return own;
    own.data_seed = (int64_t)evolve_data_seed(settings);
    own.seed = ((settings->seed + 1) * 1000 + candidate->seed) % most_seed;
    own.first_pair = (int64_t)SOURCE_FRESH;
    if (evolve_subject_of(settings) == EVOLVE_NETWORKS) { /* no budget but the epochs */
        own.part = EVOLVE_FINAL;
        own.deadline = most_deadline;
    } else if (evolve_task_has_pairs(settings)) {
        /* likewise: a file has no fresh pairs, but seeds */
        own.part = EVOLVE_FINAL;
        own.deadline = most_deadline;
        own.max_flops = most_flops;
    } else if (settings->final_times > 1) {
        train_in_full(&own);
    }
    return own;
}

bool loop_candidate_keeps(const evolve_settings *settings, const loop_candidate *candidate)
{
    return candidate->kind == LOOP_KEPT ||
           (evolve_inherits(settings) && candidate->kind != LOOP_COMPARED);
}

bool loop_candidate_take(loop_candidate *candidate, const loop_event *event,
                         const evolve_settings *settings, const char *origin, base_error *error)
{
    const evolve_settings own = loop_candidate_settings(settings, candidate);
    candidate->scored = true;
    candidate->reused = event->reused;
    candidate->score = event->result;
    candidate->json = event->json;
    snprintf(candidate->key, sizeof candidate->key, "%s", event->key);
    return score_possible(&event->result, event->json, &own, origin, error);
}

loop_event loop_candidate_event(const loop_candidate *candidate)
{
    return (loop_event){.kind = candidate->kind,
                        .episode = candidate->episode,
                        .batch = candidate->batch,
                        .seed = candidate->seed,
                        .candidate = candidate->number,
                        .key = candidate->key,
                        .reused = candidate->reused,
                        .result = candidate->score};
}
