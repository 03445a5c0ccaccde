/* SPDX-License-Identifier: MIT */
/* lineage.c -- one pass over the journal. Each kind of event has a function that takes it in, and
 * checks that it follows from those before it: an index that it names exists, what it says comes
 * in turn. */
#include "evolve/report/lineage.h"
#include "base/file.h"
#include "base/list.h"
#include "base/memory.h"
#include "evolve/source/host.h"
#include "evolve/loop/manifest.h"
#include "evolve/score/measure.h"
#include "vision/images.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool no_memory(const report_lineage *l, base_error *error)
{
    return base_fail(error, "%s: no memory", l->folder);
}

/* A member that has to be exactly that number. */
static bool is_next(int64_t value, const char *member, int want, const char *origin,
                    base_error *error)
{
    return value == want ||
           base_fail(error, "%s: expected %s %d, got %" PRId64, origin, member, want, value);
}

/* ---- events ---- */

/* The settings once more, and what the images of the task are. */
static bool on_started(report_lineage *l, const loop_event *event, const char *origin,
                       base_error *error)
{
    int size[3] = {0, 0, 0}, n = 0;
    loop_difference d;
    if (strcmp(event->version, l->version) != 0)
        return base_fail(error, "%s: manifest.json and journal.jsonl disagree about \"version\"",
                         l->folder);
    if (loop_differs(base_json_get(l->manifest, "settings"), event->settings.value, &d))
        return base_fail(error, "%s: manifest.json and journal.jsonl disagree about \"%s\": %s, %s",
                         l->folder, d.name, d.first, d.second);
    if (!loop_first_is(event, l->own_first ? l->default_source : NULL, l->folder, error))
        return false;
    if (l->subject == EVOLVE_T5S)
        return true;
    const base_json *image = event->image.value;
    for (const base_json *s = image ? image->child : NULL; s && n < 3; s = s->next)
        if (s->is_integer && s->integer >= 0 && s->integer <= VISION_MAX_SIDE)
            size[n++] = (int)s->integer;
    bool row = size[1] == 0 && size[2] == 0; /* of a table */
    if (n != 3 || size[0] < 1 || (!row && (size[1] < 1 || size[2] < 1)) || image->length != 3)
        return base_fail(error, "%s: expected channels, height and width of \"image\"", origin);
    l->image = (vision_shape){size[0], size[1], size[2]};
    l->classes = (int)event->classes;
    return (event->classes >= 1 && event->classes <= VISION_MAX_CLASSES) ||
           base_fail(error, "%s: expected 1 to %d classes", origin, VISION_MAX_CLASSES);
}

/* Takes in an outcome, and counts what it took. */
static bool take_outcome(report_lineage *l, loop_candidate *c, const loop_event *event,
                         const char *origin, base_error *error)
{
    if (!loop_candidate_take(c, event, &l->settings, origin, error))
        return false;
    if (c->reused || c->score.flops <= 0)
        return true;
    l->compute.evaluation += (double)c->score.flops;
    l->compute.evaluations++;
    return true;
}

/* Everything is measured against its score, so a run without one is no run. */
static bool on_default(report_lineage *l, const loop_event *event, const char *origin,
                       base_error *error)
{
    return take_outcome(l, l->candidates.list, event, origin, error) &&
           is_next(event->candidate, "candidate", 0, origin, error) &&
           (event->result.status == SCORE_OK ||
            base_fail(error, "%s: the default source has no score", origin));
}

/* The current source gives way to that of the last training, in the same episode. */
static bool on_untrainable(report_lineage *l, const loop_event *event, const char *origin,
                           base_error *error)
{
    const report_trained *before = l->trained_count ? &l->trained[l->trained_count - 1] : NULL;
    if (!before || l->last == before->source)
        return base_fail(error, "%s: no source to go back to", origin);
    if (!is_next(event->episode, "episode", l->trained_count, origin, error))
        return false;
    report_untrained *grown =
        base_list_grow(l->untrained, (size_t)l->untrained_count, 1, sizeof *grown);
    if (!grown)
        return no_memory(l, error);
    l->untrained = grown;
    grown[l->untrained_count++] = (report_untrained){.episode = l->trained_count,
                                                     .source = l->last,
                                                     .back = before->source,
                                                     .reason = event->untrainable};
    l->last = before->source;
    return true;
}

/* A model, built from the current source, or, for images, the one that writes all candidates. */
static bool on_trained(report_lineage *l, const loop_event *event, const char *origin,
                       base_error *error)
{
    if (l->subject == EVOLVE_NETWORKS && l->trained_count > 0)
        return base_fail(error, "%s: the T5 of a run for images is trained once", origin);
    if (!is_next(event->episode, "episode", l->trained_count, origin, error) ||
        !score_measures_possible(event->held_out.value, event->fidelity.value, origin, error))
        return false;
    if (!(event->loss >= 0))
        return base_fail(error, "%s: \"loss\" is below 0, which no cross-entropy is", origin);
    report_trained *grown = base_list_grow(l->trained, (size_t)l->trained_count, 1, sizeof *grown);
    if (!grown)
        return no_memory(l, error);
    l->trained = grown;
    grown[l->trained_count++] = (report_trained){
        .source = l->subject == EVOLVE_T5S ? l->last : LOOP_NOBODY, .event = *event};
    l->begun = l->trained_count;
    l->compute.training += (double)event->flops;
    return true;
}

/* Of the next batch: the one that the last training was of; where there is no training in each, an
 * episode is over with its last batch. */
static int episode_of_next(const report_lineage *l)
{
    const report_batch *previous = l->batch_count ? &l->batch[l->batch_count - 1] : NULL;
    if (l->stages)
        return l->trained_count - 1;
    if (!previous)
        return 0;
    return previous->episode + (previous->batch + 1 == l->settings.batches);
}

/* Kept until the proposals follow: they are made from the sources that it names. */
static bool on_asked(report_lineage *l, const loop_event *event, const char *origin,
                     base_error *error)
{
    const base_json *from = event->from.value;
    bool good = from->kind == BASE_JSON_ARRAY && !l->is_asked && event->share <= 1 &&
                (event->share > 0 || !event->request);
    for (const base_json *number = good ? from->child : NULL; number; number = number->next)
        good = good && number->is_integer && number->integer >= LOOP_NOBODY &&
               number->integer < l->candidates.count;
    l->is_asked = true;
    l->asked = *event;
    return good || base_fail(error, "%s: expected sources that are there, and a share", origin);
}

/* What the batch was asked for; where no event says so, refinements of the current source. */
static void take_request(const report_lineage *l, report_batch *batch)
{
    for (int i = 0; l->is_asked && l->asked.request && search_request_names[i]; i++)
        if (strcmp(search_request_names[i], l->asked.request) == 0)
            batch->request = (search_request)i;
}

/* Begins a batch: the one before must be over, and the default source scored. */
static bool on_proposed(report_lineage *l, const loop_event *event, const char *origin,
                        base_error *error)
{
    const report_batch *previous = l->batch_count ? &l->batch[l->batch_count - 1] : NULL;
    if ((l->trains && l->trained_count == 0) || !l->candidates.list->scored ||
        (previous && !previous->selected))
        return base_fail(error, "%s: proposals out of turn", origin);
    report_batch batch = {.episode = episode_of_next(l),
                          .first = l->candidates.count,
                          .before = l->last,
                          .after = l->last};
    batch.batch = previous && previous->episode == batch.episode ? previous->batch + 1 : 0;
    take_request(l, &batch);
    if (!is_next(event->episode, "episode", batch.episode, origin, error) ||
        !is_next(event->batch, "batch", batch.batch, origin, error) ||
        !loop_candidates_propose(&l->candidates, &l->settings, event,
                                 l->is_asked ? &l->asked : NULL, l->last, origin, error))
        return false;
    batch.count = l->candidates.count - batch.first;
    report_batch *grown = base_list_grow(l->batch, (size_t)l->batch_count, 1, sizeof *grown);
    if (!grown)
        return no_memory(l, error);
    l->batch = grown;
    grown[l->batch_count++] = batch;
    l->begun = batch.episode + 1;
    l->is_asked = false;
    l->compute.generation += (double)event->flops;
    return true;
}

/* Whose outcome a candidate took over: the last with that key that was executed. */
static int find_original(const report_lineage *l, int number)
{
    const loop_candidate *list = l->candidates.list;
    for (int i = number - 1; i >= 0; i--)
        if (!list[i].reused && strcmp(list[i].key, list[number].key) == 0)
            return i;
    return LOOP_NOBODY;
}

/* Outcomes come in the order of the candidates. */
static bool on_evaluated(report_lineage *l, const loop_event *event, const char *origin,
                         base_error *error)
{
    const report_batch *batch = l->batch_count ? &l->batch[l->batch_count - 1] : NULL;
    int next = batch ? batch->first : l->candidates.count;
    while (next < l->candidates.count && l->candidates.list[next].scored)
        next++;
    if (next == l->candidates.count)
        return base_fail(error, "%s: an outcome without a proposal", origin);
    loop_candidate *c = &l->candidates.list[next];
    if (!is_next(event->episode, "episode", c->episode, origin, error) ||
        !is_next(event->batch, "batch", c->batch, origin, error) ||
        !is_next(event->candidate, "candidate", next, origin, error) ||
        !take_outcome(l, c, event, origin, error))
        return false;
    if (!c->reused)
        return true;
    c->original = find_original(l, next);
    if (c->original != LOOP_NOBODY) /* what it had to beat when it was executed */
        c->bound = l->candidates.list[c->original].bound;
    return true;
}

/* Ends a batch. The journal names the source; what is checked is that it can be. */
static bool on_selected(report_lineage *l, const loop_event *event, const char *origin,
                        base_error *error)
{
    report_batch *batch = l->batch_count ? &l->batch[l->batch_count - 1] : NULL;
    loop_candidate *list = l->candidates.list;
    if (!batch || batch->selected || (batch->count && !list[l->candidates.count - 1].scored))
        return base_fail(error, "%s: a selection out of turn", origin);
    if (!is_next(event->episode, "episode", batch->episode, origin, error) ||
        !is_next(event->batch, "batch", batch->batch, origin, error))
        return false;
    batch->selected = true;
    if (!event->accepted)
        return is_next(event->candidate, "candidate", l->last, origin, error);
    if (event->candidate < batch->first || event->candidate >= l->candidates.count ||
        list[event->candidate].score.status != SCORE_OK)
        return base_fail(error, "%s: expected a candidate of the batch with a score", origin);
    batch->after = l->last = (int)event->candidate;
    list[l->last].accepted = true;
    return true;
}

static bool on_kept(report_lineage *l, const loop_event *event, const char *origin,
                    base_error *error)
{
    if (l->kept.count > 0 || l->compared.count > 0)
        return base_fail(error, "%s: expected one network, before the comparison", origin);
    if (!is_next(event->candidate, "candidate", l->last, origin, error))
        return false;
    if (event->result.status != SCORE_OK || !*event->result.model)
        return base_fail(error, "%s: expected a score and a network", origin);
    loop_candidate c = l->candidates.list[l->last];
    c.kind = LOOP_KEPT;
    c.seed = 0;
    c.bound = 0;
    c.begins[0] = '\0';
    return loop_candidate_take(&c, event, &l->settings, origin, error) &&
           (loop_candidates_add(&l->kept, &c) || no_memory(l, error));
}

static bool on_model(report_lineage *l, const loop_event *event, const char *origin,
                     base_error *error)
{
    if (!evolve_task_has_pairs(&l->settings) || l->has_model || l->compared.count > 0)
        return base_fail(error, "%s: expected a model of pairs, once, before the comparison",
                         origin);
    l->has_model = !event->untrainable;
    l->model = *event;
    return is_next(event->candidate, "candidate", l->last, origin, error);
}

/* In turn the default source and the last one, with one fresh seed after the other. */
static bool on_compared(report_lineage *l, const loop_event *event, const char *origin,
                        base_error *error)
{
    int n = l->compared.count, number = n % 2 ? l->last : 0;
    search_sample *sample = &l->fresh[n % 2];
    if (!is_next(event->seed, "seed", n / 2, origin, error) ||
        !is_next(event->candidate, "candidate", number, origin, error))
        return false;
    if (event->result.status != SCORE_OK || sample->count == sizeof sample->value / sizeof(double))
        return base_fail(error, "%s: expected at most 64 scores of each source", origin);
    sample->value[sample->count++] = event->result.score;
    loop_candidate c = l->candidates.list[number];
    c.kind = LOOP_COMPARED;
    c.seed = n / 2;
    c.bound = 0;
    c.begins[0] = '\0';
    return loop_candidate_take(&c, event, &l->settings, origin, error) &&
           (loop_candidates_add(&l->compared, &c) || no_memory(l, error));
}

static bool on_finished(report_lineage *l, const loop_event *event, const char *origin,
                        base_error *error)
{
    const bool keeps = l->subject == EVOLVE_NETWORKS && l->kept.count == 0;
    l->finished = true;
    l->ending = *event;
    return (!keeps && l->fresh[0].count == l->fresh[1].count) ||
           base_fail(error, "%s: the run ends without %s", origin,
                     keeps ? "its network" : "the whole comparison");
}

/* By kind: a kind of event without a function does not build. */
static bool (*const take[])(report_lineage *l, const loop_event *event, const char *origin,
                            base_error *error) = {
    [LOOP_STARTED] = on_started,     [LOOP_DEFAULT] = on_default,
    [LOOP_TRAINED] = on_trained,     [LOOP_UNTRAINABLE] = on_untrainable,
    [LOOP_ASKED] = on_asked,         [LOOP_PROPOSED] = on_proposed,
    [LOOP_EVALUATED] = on_evaluated, [LOOP_SELECTED] = on_selected,
    [LOOP_KEPT] = on_kept,           [LOOP_MODEL] = on_model,
    [LOOP_COMPARED] = on_compared,   [LOOP_FINISHED] = on_finished,
};
_Static_assert(sizeof take / sizeof *take == LOOP_KINDS, "an event that is not read");

/* What begins a run is there once, and first; the files of its end are written last. */
static bool in_turn(const report_lineage *l, loop_kind kind, int i, const char *origin,
                    base_error *error)
{
    const bool is_over = l->batch_count > 0 && l->batch[l->batch_count - 1].selected;
    const bool good = i < 2 ? kind == (i == 0 ? LOOP_STARTED : LOOP_DEFAULT)
                            : kind != LOOP_STARTED && kind != LOOP_DEFAULT && !l->finished &&
                                  (kind < LOOP_KEPT || is_over) &&
                                  (kind >= LOOP_KEPT || !(l->kept.count || l->compared.count));
    return good ||
           base_fail(error, "%s: the event \"%s\" is out of turn", origin, loop_kind_name(kind));
}

/* Line i + 1 of the file is event i, for messages. */
static bool take_events(report_lineage *l, base_error *error)
{
    char origin[300];
    loop_event event;
    for (int i = 0; i < loop_journal_recorded(l->journal); i++) {
        snprintf(origin, sizeof origin, "%.256s/journal.jsonl:%d", l->folder, i + 1);
        if (!loop_journal_event(l->journal, i, &event, error) ||
            !in_turn(l, event.kind, i, origin, error) ||
            !take[event.kind](l, &event, origin, error))
            return false;
    }
    /* A comparison under way: only whole pairs count. */
    if (l->fresh[0].count > l->fresh[1].count)
        l->fresh[0].count--;
    return true;
}

/* ---- the files ---- */

static char *read_file(const report_lineage *l, const char *name, size_t most, size_t *size,
                       base_error *error)
{
    char *path = base_file_path(l->folder, name);
    if (!path) {
        no_memory(l, error);
        return NULL;
    }
    char *text = base_file_read(path, most, size, error);
    base_free(path);
    return text;
}

/* As read_file for what may be missing: *text is NULL then, and no error. */
static bool read_if_there(const report_lineage *l, const char *name, size_t most, char **text,
                          base_error *error)
{
    size_t size;
    char *path = base_file_path(l->folder, name);
    if (!path)
        return no_memory(l, error);
    const bool there = base_file_exists(path);
    base_free(path);
    return !there || (*text = read_file(l, name, most, &size, error));
}

static bool read_manifest(report_lineage *l, base_error *error)
{
    char origin[300];
    snprintf(origin, sizeof origin, "%.256s/manifest.json", l->folder);
    l->manifest = loop_manifest_json(l->folder, error);
    const base_json *settings = base_json_get(l->manifest, "settings");
    if (!l->manifest || !base_json_get_string(l->manifest, "version", &l->version, origin, error) ||
        !base_json_get_string(settings, "task", &l->task, origin, error) ||
        !evolve_settings_read(&l->settings, settings, origin, error))
        return false;
    l->subject = evolve_subject_of(&l->settings);
    l->trains = evolve_trains(&l->settings);
    l->stages = l->trains && l->subject == EVOLVE_T5S;
    l->writes = evolve_writes(&l->settings);
    mutation_mutator mutator = evolve_mutator(&l->settings);
    l->floor = mutator.kind->entropy(&mutator);
    return true;
}

/* first.c, or the default source, whose text follows from the settings. Another version of the program may
 * have printed it otherwise: then it is the first model's source. */
static bool add_default(report_lineage *l, base_error *error)
{
    if (!read_if_there(l, "first.c", SOURCE_MOST, &l->default_source, error))
        return false;
    l->own_first = l->default_source != NULL;
    if (!l->default_source && l->subject == EVOLVE_T5S && strcmp(l->version, EVOLVE_VERSION) != 0 &&
        !read_if_there(l, "episode-0/source.c", SOURCE_MOST, &l->default_source, error))
        return false;
    if (!l->default_source) {
        base_text text = {0};
        source_default_source_of(&l->settings, &text);
        l->default_source = text.failed ? NULL : base_copy(text.data, text.length);
        base_text_free(&text);
    }
    const loop_candidate first = {.kind = LOOP_DEFAULT,
                                  .text = l->default_source,
                                  .length = l->default_source ? strlen(l->default_source) : 0,
                                  .parent = LOOP_NOBODY,
                                  .share = 1,
                                  .original = LOOP_NOBODY};
    return (l->default_source && loop_candidates_add(&l->candidates, &first)) ||
           no_memory(l, error);
}

static const char *last_part(const char *folder)
{
    const char *slash = strrchr(folder, '/');
    return slash && slash[1] ? slash + 1 : folder;
}

/* The journal is only looked at: a run that is under way goes on undisturbed, and is read as far as it
 * has come. */
report_lineage *report_lineage_read(const char *folder, base_error *error)
{
    report_lineage *l = base_calloc(1, sizeof *l);
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    if (!l || !(l->folder = base_copy(folder, length))) {
        base_free(l);
        base_fail(error, "%s: no memory", folder);
        return NULL;
    }
    l->name = last_part(l->folder);
    if (read_manifest(l, error) && (l->journal = loop_journal_look(l->folder, error)) &&
        read_if_there(l, "timing.jsonl", REPORT_MOST_CSV, &l->timing, error) &&
        add_default(l, error) && take_events(l, error))
        return l;
    report_lineage_free(l);
    return NULL;
}

void report_lineage_free(report_lineage *l)
{
    if (!l)
        return;
    loop_journal_close(l->journal);
    base_json_free(l->manifest);
    loop_candidates_free(&l->candidates);
    loop_candidates_free(&l->kept);
    loop_candidates_free(&l->compared);
    base_free(l->batch);
    base_free(l->trained);
    base_free(l->untrained);
    base_free(l->default_source);
    base_free(l->timing);
    base_free(l->folder);
    base_free(l);
}

/* ---- questions ---- */

double report_compute_all(const report_compute *compute)
{
    return compute->training + compute->generation + compute->evaluation;
}

const char *report_lineage_name(const report_lineage *l, int number, char name[REPORT_NAME])
{
    const loop_candidate *c = &l->candidates.list[number > 0 ? number : 0];
    if (number > 0)
        snprintf(name, REPORT_NAME, "%d.%d.%d", c->episode, c->batch, c->place);
    else
        snprintf(name, REPORT_NAME, "%s", number == LOOP_NOBODY ? "-" : "default");
    return name;
}

bool report_lineage_find(const report_lineage *l, const char *name, int *number, base_error *error)
{
    char known[REPORT_NAME];
    *number = l->last;
    if (strcmp(name, "last") == 0)
        return true;
    for (int i = 0; i < l->candidates.count; i++)
        if (strcmp(report_lineage_name(l, i, known), name) == 0) {
            *number = i;
            return true;
        }
    if (l->candidates.count == 1)
        return base_fail(error, "%s: there are no candidates in %s yet", name, l->folder);
    return base_fail(error,
                     "%s: no candidate of %s: expected EPISODE.BATCH.CANDIDATE (0.0.0 .. %s), "
                     "\"default\" or \"last\"",
                     name, l->folder, report_lineage_name(l, l->candidates.count - 1, known));
}

const char *report_lineage_text(const report_lineage *l, int number)
{
    return l->candidates.list[number].text;
}

const score_result *report_lineage_score(const report_lineage *l, int number)
{
    return &l->candidates.list[number].score;
}

const report_batch *report_lineage_batch(const report_lineage *l, int number)
{
    int i = 0;
    while (number >= l->batch[i].first + l->batch[i].count)
        i++;
    return &l->batch[i];
}

int report_lineage_origin(const report_lineage *l, int number)
{
    int parent = l->candidates.list[number].parent;
    return parent == LOOP_NOBODY ? report_lineage_batch(l, number)->before : parent;
}

static bool has_score(const loop_candidate *c) { return c->scored && c->score.status == SCORE_OK; }

/* Of equal scores the one that was proposed first is before the other. */
int report_lineage_rank(const report_lineage *l, int number, int *of)
{
    const report_batch *batch = report_lineage_batch(l, number);
    const loop_candidate *list = l->candidates.list;
    int rank = 1;
    *of = 0;
    for (int i = batch->first; i < batch->first + batch->count; i++) {
        if (!has_score(&list[i]))
            continue;
        double other = list[i].score.score, own = list[number].score.score;
        rank += other < own || (other == own && i < number);
        ++*of;
    }
    return has_score(&list[number]) ? rank : 0;
}

/* The source after so many whole episodes; LOOP_NOBODY: they are not over. */
int report_lineage_after(const report_lineage *l, int episodes)
{
    int source = 0, over = 0;
    for (int b = 0; b < l->batch_count && over < episodes; b++) {
        source = l->batch[b].after;
        over += l->batch[b].selected && l->batch[b].batch + 1 == l->settings.batches;
    }
    return over == episodes && l->candidates.list->scored ? source : LOOP_NOBODY;
}

const score_result *report_lineage_training(const report_lineage *l, int number, base_error *error)
{
    loop_candidate *c = &l->candidates.list[number];
    if (!c->scored) {
        base_fail(error, "%s: no score yet", l->folder);
        return NULL;
    }
    if (!c->score.losses && !score_read_losses(&c->score, c->json, l->folder, error))
        return NULL;
    return &c->score;
}

double report_lineage_tokens(const report_lineage *l)
{
    const loop_candidate *first = l->candidates.list;
    return first->scored && first->score.score > 0 ? first->score.score_pair / first->score.score
                                                   : 0;
}
