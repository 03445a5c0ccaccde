/* lineage.c -- see lineage.h. One pass over the journal; each kind of event has a function that
 * takes in what it says. An event of an unknown kind is of a later version, and passed over. */
#include "evolve/report/lineage.h"
#include "base/file.h"
#include "base/list.h"
#include "base/number.h"
#include "base/seal.h"
#include "evolve/source/host.h"
#include "evolve/search/search.h"
#include "vision/images.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_MANIFEST = 1 << 20, MOST_SOURCE = 1 << 20, MOST_CSV = 1 << 28 };

static bool no_memory(const report_lineage *l, base_error *error)
{
    return base_fail(error, "%s: no memory", l->folder);
}

/* A member that has to be exactly that number. */
static bool is_next(const base_json *event, const char *member, int want, const char *origin,
                    base_error *error)
{
    int64_t value;
    return base_json_get_int(event, member, 0, INT32_MAX, &value, origin, error) &&
           (value == want ||
            base_fail(error, "%s: expected %s %d, got %" PRId64, origin, member, want, value));
}

/* ---- events ---- */

static bool read_score(const base_json *event, score_result *score, const char *origin,
                       base_error *error)
{
    bool ok = score_read(score, event, origin, error);
    score_free(score);
    score->losses = NULL;
    return ok;
}

/* What the images of the task are; journals of earlier versions do not say. */
static bool on_started(report_lineage *l, const base_json *event, const char *origin,
                       base_error *error)
{
    const base_json *image = base_json_get(event, "image");
    int64_t classes;
    if (!image)
        return true;
    int size[3] = {0, 0, 0}, n = 0;
    for (const base_json *s = image->child; s && n < 3; s = s->next)
        if (s->is_integer && s->integer > 0 && s->integer <= VISION_MAX_SIDE)
            size[n++] = (int)s->integer;
    if (n != 3 || image->length != 3)
        return base_fail(error, "%s: expected channels, height and width of \"image\"", origin);
    if (!base_json_get_int(event, "classes", 1, VISION_MAX_CLASSES, &classes, origin, error))
        return false;
    l->image = (vision_shape){size[0], size[1], size[2]};
    l->classes = (int)classes;
    return true;
}

static bool on_default(report_lineage *l, const base_json *event, const char *origin,
                       base_error *error)
{
    if (!base_json_get_string(event, "key", &l->first_key, origin, error) ||
        !read_score(event, &l->first_score, origin, error))
        return false;
    l->first_scored = true;
    l->first_event = event;
    return l->first_score.status == SCORE_OK ||
           base_fail(error, "%s: the first source has no score", origin);
}

static bool on_untrained(report_lineage *l, const char *reason, const char *origin,
                         base_error *error)
{
    const report_trained *before = l->trained_count ? &l->trained[l->trained_count - 1] : NULL;
    if (!before || l->last == before->source)
        return base_fail(error, "%s: no source to go back to", origin);
    report_untrained *grown =
        base_list_grow(l->untrained, (size_t)l->untrained_count, 1, sizeof *grown);
    if (!grown)
        return no_memory(l, error);
    l->untrained = grown;
    grown[l->untrained_count++] = (report_untrained){
        .episode = l->trained_count, .source = l->last, .back = before->source, .reason = reason};
    l->last = before->source;
    return true;
}

static bool on_trained(report_lineage *l, const base_json *event, const char *origin,
                       base_error *error)
{
    report_trained t = {.episode = l->trained_count,
                        .source = l->subject == EVOLVE_T5S ? l->last : REPORT_NOBODY,
                        .event = event};
    const char *reason;
    if (l->subject == EVOLVE_NETWORKS && l->trained_count > 0)
        return base_fail(error, "%s: the T5 of a run for images is trained once", origin);
    if (!is_next(event, "episode", t.episode, origin, error))
        return false;
    if (base_json_get_string(event, "untrainable", &reason, origin, NULL))
        return on_untrained(l, reason, origin, error);
    if (!base_json_get_int(event, "parameters", 0, INT64_MAX, &t.parameters, origin, error) ||
        !base_json_get_int(event, "steps", 0, INT64_MAX, &t.steps, origin, error))
        return false;
    report_trained *grown = base_list_grow(l->trained, (size_t)l->trained_count, 1, sizeof *grown);
    if (!grown)
        return no_memory(l, error);
    l->trained = grown;
    l->trained[l->trained_count++] = t;
    l->begun = l->trained_count;
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
    return previous->episode + (previous->batch + 1 == l->batches);
}

/* What the next proposals are to be made from, by number: 0 the first source, then the candidates
 * in their order, and -1 for nothing. */
static bool on_asked(report_lineage *l, const base_json *event, const char *origin,
                     base_error *error)
{
    const base_json *from = base_json_get(event, "from");
    double share = 1;
    bool good = from && from->kind == BASE_JSON_ARRAY && !l->asked;
    for (const base_json *number = good ? from->child : NULL; number; number = number->next)
        good = good && number->is_integer && number->integer >= SEARCH_NOTHING &&
               number->integer <= l->record_count;
    if (base_json_get(event, "share"))
        good = good && base_json_get_number(event, "share", &share, origin, error);
    l->asked = event;
    return (good && share > 0 && share <= 1) ||
           base_fail(error, "%s: expected sources that are there, and a share", origin);
}

/* The parent of that number, counted as the event counts; where there was no such event, the source
 * of now. */
static int parent_of(const report_lineage *l, const base_json *from)
{
    if (!from)
        return l->last;
    return from->integer == SEARCH_NOTHING ? REPORT_NOBODY : (int)from->integer - 1;
}

static bool add_records(report_lineage *l, const report_batch *batch, const base_json *texts,
                        const char *origin, base_error *error)
{
    int number = 0;
    double share = 1;
    const base_json *from = NULL;
    if (batch->asked) {
        base_json_get_number(batch->asked, "share", &share, origin, NULL);
        from = base_json_get(batch->asked, "from")->child;
    }
    for (const base_json *text = texts->child; text; text = text->next, number++) {
        if (text->kind != BASE_JSON_STRING)
            return base_fail(error, "%s: a proposal is no text", origin);
        if (batch->asked && !from)
            return base_fail(error, "%s: more proposals than were asked for", origin);
        report_record *grown =
            base_list_grow(l->records, (size_t)l->record_count, 1, sizeof *grown);
        if (!grown)
            return no_memory(l, error);
        l->records = grown;
        l->records[l->record_count++] = (report_record){.episode = batch->episode,
                                                        .batch = batch->batch,
                                                        .number = number,
                                                        .text = text->string,
                                                        .parent = parent_of(l, from),
                                                        .share = share,
                                                        .original = REPORT_NOBODY,
                                                        .key = ""};
        from = from ? from->next : NULL;
    }
    return true;
}

static bool on_proposed(report_lineage *l, const base_json *event, const char *origin,
                        base_error *error)
{
    const report_batch *previous = l->batch_count ? &l->batch[l->batch_count - 1] : NULL;
    if ((l->trains && l->trained_count == 0) || !l->first_scored ||
        (previous && !previous->selected))
        return base_fail(error, "%s: proposals out of turn", origin);
    report_batch batch = {.episode = episode_of_next(l),
                          .first = l->record_count,
                          .before = l->last,
                          .after = l->last,
                          .asked = l->asked};
    batch.batch = previous && previous->episode == batch.episode ? previous->batch + 1 : 0;
    const base_json *texts = base_json_get(event, "texts");
    if (!is_next(event, "episode", batch.episode, origin, error) ||
        !is_next(event, "batch", batch.batch, origin, error))
        return false;
    if (!texts || texts->kind != BASE_JSON_ARRAY || texts->length > 1000000)
        return base_fail(error, "%s: expected the array \"texts\"", origin);
    batch.count = (int)texts->length;
    if (!add_records(l, &batch, texts, origin, error))
        return false;
    report_batch *grown = base_list_grow(l->batch, (size_t)l->batch_count, 1, sizeof *grown);
    if (!grown)
        return no_memory(l, error);
    l->batch = grown;
    l->batch[l->batch_count++] = batch;
    l->begun = batch.episode + 1;
    l->asked = NULL;
    return true;
}

/* Whose score a candidate took over: of the last with that key that was executed. */
static int find_original(const report_lineage *l, int before, const char *key)
{
    for (int i = before - 1; i >= 0; i--)
        if (!l->records[i].reused && strcmp(l->records[i].key, key) == 0)
            return i;
    return strcmp(l->first_key, key) == 0 ? REPORT_FIRST : REPORT_NOBODY;
}

static bool on_evaluated(report_lineage *l, const base_json *event, const char *origin,
                         base_error *error)
{
    const report_batch *batch = l->batch_count ? &l->batch[l->batch_count - 1] : NULL;
    int next = batch ? batch->first : 0;
    while (next < l->record_count && l->records[next].scored)
        next++;
    if (next == l->record_count)
        return base_fail(error, "%s: an outcome without a proposal", origin);
    report_record *r = &l->records[next];
    const base_json *reused = base_json_get(event, "reused");
    if (!is_next(event, "episode", r->episode, origin, error) ||
        !is_next(event, "batch", r->batch, origin, error) ||
        !is_next(event, "candidate", r->number, origin, error) ||
        !base_json_get_string(event, "key", &r->key, origin, error) ||
        !read_score(event, &r->score, origin, error))
        return false;
    r->scored = true;
    r->event = event;
    r->reused = reused && reused->kind == BASE_JSON_TRUE;
    if (r->reused)
        r->original = find_original(l, next, r->key);
    return true;
}

static bool on_selected(report_lineage *l, const base_json *event, const char *origin,
                        base_error *error)
{
    report_batch *batch = l->batch_count ? &l->batch[l->batch_count - 1] : NULL;
    if (!batch || batch->selected || (batch->count && !l->records[l->record_count - 1].scored))
        return base_fail(error, "%s: a selection out of turn", origin);
    const base_json *accepted = base_json_get(event, "accepted");
    batch->selected = true;
    if (!accepted || accepted->kind != BASE_JSON_TRUE)
        return true;
    int best = REPORT_NOBODY;
    for (int i = batch->first; i < l->record_count; i++)
        if (l->records[i].score.status == SCORE_OK &&
            (best < 0 || l->records[i].score.score < l->records[best].score.score))
            best = i;
    if (best < 0)
        return base_fail(error, "%s: accepted, but no candidate has a score", origin);
    l->records[best].accepted = true;
    batch->after = l->last = best;
    return true;
}

static bool on_compared(report_lineage *l, const base_json *event, const char *origin,
                        base_error *error)
{
    int n = l->fresh[0].count + l->fresh[1].count;
    loop_sample *sample = &l->fresh[n % 2];
    score_result score;
    if (!is_next(event, "candidate", n, origin, error) || !read_score(event, &score, origin, error))
        return false;
    if (score.status != SCORE_OK || sample->count == sizeof sample->value / sizeof(double))
        return base_fail(error, "%s: expected at most 64 scores of each source", origin);
    sample->value[sample->count++] = score.score;
    return true;
}

static bool on_finished(report_lineage *l, const base_json *event, const char *origin,
                        base_error *error)
{
    (void)event, (void)origin, (void)error;
    l->finished = true;
    return true;
}

static const struct {
    const char *name;
    bool (*take)(report_lineage *l, const base_json *event, const char *origin, base_error *error);
} kinds[] = {{"started", on_started},   {"default", on_default},   {"trained", on_trained},
             {"asked", on_asked},       {"proposed", on_proposed}, {"evaluated", on_evaluated},
             {"selected", on_selected}, {"compared", on_compared}, {"finished", on_finished}};

static bool take_events(report_lineage *l, base_error *error)
{
    char origin[300];
    for (int i = 0; i < loop_journal_recorded(l->journal); i++) {
        const base_json *event = loop_journal_event(l->journal, i);
        const char *kind;
        snprintf(origin, sizeof origin, "%.256s/journal.jsonl:%d", l->folder, i + 1);
        if (!base_json_get_string(event, "event", &kind, origin, error))
            return false;
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            if (strcmp(kinds[k].name, kind) == 0 && !kinds[k].take(l, event, origin, error))
                return false;
        loop_compute_add(&l->spent, event);
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
    free(path);
    return text;
}

static bool read_manifest(report_lineage *l, base_error *error)
{
    size_t size;
    char origin[300];
    snprintf(origin, sizeof origin, "%.256s/manifest.json", l->folder);
    char *text = read_file(l, "manifest.json", MOST_MANIFEST, &size, error);
    bool ok = text && (l->manifest = base_json_parse(text, size, origin, error)) &&
              ((size > 0 && base_sealed(text, size - 1)) ||
               base_fail(error, "%s: was changed: its check is wrong", origin));
    free(text);
    l->settings = base_json_get(l->manifest, "settings");
    l->task = "self"; /* before there was another */
    base_json_get_string(l->settings, "task", &l->task, origin, NULL);
    l->subject = evolve_subject_of_task(l->task);
    l->strategy = "greedy"; /* likewise */
    base_json_get_string(l->settings, "strategy", &l->strategy, origin, NULL);
    evolve_settings settings;
    l->trains = l->writes = true; /* likewise */
    if (evolve_settings_read(&settings, l->settings, origin, NULL)) {
        l->trains = evolve_trains(&settings);
        l->writes = evolve_writes(&settings);
    }
    l->stages = l->trains && l->subject == EVOLVE_T5S;
    return ok && base_json_get_string(l->manifest, "version", &l->version, origin, error) &&
           base_json_get_string(l->settings, "preset", &l->preset, origin, error) &&
           base_json_get_int(l->settings, "episodes", 1, 1000, &l->episodes, origin, error) &&
           base_json_get_int(l->settings, "batches", 1, 1000, &l->batches, origin, error) &&
           base_json_get_int(l->settings, "candidates", 1, 1000, &l->candidates, origin, error);
}

/* The first source's text: the first model's source, or, before there is a model and for networks,
 * what this version begins with. */
static bool read_first(report_lineage *l, base_error *error)
{
    size_t size;
    if (l->subject == EVOLVE_T5S)
        l->first_text = read_file(l, "episode-0/source.c", MOST_SOURCE, &size, NULL);
    if (l->first_text)
        return true;
    base_text text = {0};
    evolve_settings settings;
    if (evolve_settings_read(&settings, l->settings, "manifest", NULL) ||
        (evolve_settings_preset(&settings, "quick", NULL) &&
         evolve_settings_task(&settings, l->task, NULL)))
        source_default_source_of(&settings, &text);
    else
        source_default_source(&text);
    if (!text.failed)
        l->first_text = base_copy(text.data, text.length);
    base_text_free(&text);
    return l->first_text || no_memory(l, error);
}

/* Exact where this version knows what the pairs were drawn by. */
static void find_floor(report_lineage *l)
{
    evolve_settings settings;
    if (evolve_settings_read(&settings, l->settings, "manifest", NULL)) {
        mutation_mutator mutator = evolve_mutator(&settings);
        l->floor = mutation_mutator_entropy(&mutator);
        l->floor_exact = true;
    } else if (l->trained_count) {
        const base_json *held_out = base_json_get(l->trained[0].event, "held_out");
        base_json_get_number(base_json_get(held_out, "all"), "floor", &l->floor, "trained", NULL);
    }
}

static const char *last_part(const char *folder)
{
    const char *slash = strrchr(folder, '/');
    return slash && slash[1] ? slash + 1 : folder;
}

report_lineage *report_lineage_read(const char *folder, base_error *error)
{
    report_lineage *l = calloc(1, sizeof *l);
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    if (!l || !(l->folder = base_copy(folder, length))) {
        free(l);
        base_fail(error, "%s: no memory", folder);
        return NULL;
    }
    l->name = last_part(l->folder);
    l->last = REPORT_FIRST;
    l->first_key = "";
    if (read_manifest(l, error) && (l->journal = loop_journal_look(l->folder, error)) &&
        take_events(l, error) && read_first(l, error)) {
        find_floor(l);
        return l;
    }
    report_lineage_free(l);
    return NULL;
}

void report_lineage_free(report_lineage *l)
{
    if (!l)
        return;
    loop_journal_close(l->journal);
    base_json_free(l->manifest);
    free(l->records);
    free(l->batch);
    free(l->trained);
    free(l->untrained);
    free(l->first_text);
    free(l->folder);
    free(l);
}

/* ---- questions ---- */

const char *report_lineage_name(const report_lineage *l, int index, char name[REPORT_NAME])
{
    if (index == REPORT_NOBODY)
        snprintf(name, REPORT_NAME, "-");
    else if (index == REPORT_FIRST)
        snprintf(name, REPORT_NAME, "default");
    else
        snprintf(name, REPORT_NAME, "%d.%d.%d", l->records[index].episode, l->records[index].batch,
                 l->records[index].number);
    return name;
}

bool report_lineage_find(const report_lineage *l, const char *name, int *index, base_error *error)
{
    char known[REPORT_NAME];
    *index = strcmp(name, "last") == 0 ? l->last : REPORT_FIRST;
    if (strcmp(name, "last") == 0 || strcmp(name, "default") == 0)
        return true;
    for (int i = 0; i < l->record_count; i++)
        if (strcmp(report_lineage_name(l, i, known), name) == 0) {
            *index = i;
            return true;
        }
    if (l->record_count == 0)
        return base_fail(error, "%s: there are no candidates in %s yet", name, l->folder);
    return base_fail(error,
                     "%s: no candidate of %s: expected EPISODE.BATCH.CANDIDATE (0.0.0 .. %s), "
                     "\"default\" or \"last\"",
                     name, l->folder, report_lineage_name(l, l->record_count - 1, known));
}

const char *report_lineage_text(const report_lineage *l, int index)
{
    return index == REPORT_FIRST ? l->first_text : l->records[index].text;
}

const score_result *report_lineage_score(const report_lineage *l, int index)
{
    return index == REPORT_FIRST ? &l->first_score : &l->records[index].score;
}

const report_batch *report_lineage_batch(const report_lineage *l, int index)
{
    int i = 0;
    while (index >= l->batch[i].first + l->batch[i].count)
        i++;
    return &l->batch[i];
}

int report_lineage_origin(const report_lineage *l, int index)
{
    int parent = l->records[index].parent;
    return parent == REPORT_NOBODY ? report_lineage_batch(l, index)->before : parent;
}

static bool has_score(const report_record *r)
{
    return r->scored && r->score.status == SCORE_OK;
}

int report_lineage_rank(const report_lineage *l, int index, int *of)
{
    const report_batch *batch = report_lineage_batch(l, index);
    int rank = 1;
    *of = 0;
    for (int i = batch->first; i < batch->first + batch->count; i++) {
        if (!has_score(&l->records[i]))
            continue;
        double other = l->records[i].score.score, own = l->records[index].score.score;
        rank += other < own || (other == own && i < index);
        ++*of;
    }
    return has_score(&l->records[index]) ? rank : 0;
}

loop_funnel report_lineage_funnel(const report_lineage *l, int episode)
{
    loop_funnel funnel = {0};
    for (int i = 0; i < l->record_count; i++) {
        const report_record *r = &l->records[i];
        if (!r->scored || (episode >= 0 && r->episode != episode))
            continue;
        loop_funnel_add(&funnel, r->score.status, r->reused);
        funnel.accepted += r->accepted;
    }
    return funnel;
}

int report_lineage_after(const report_lineage *l, int episodes)
{
    int source = REPORT_FIRST, over = 0;
    for (int b = 0; b < l->batch_count && over < episodes; b++) {
        source = l->batch[b].after;
        over += l->batch[b].selected && l->batch[b].batch + 1 == l->batches;
    }
    return over == episodes && l->first_scored ? source : REPORT_NOBODY;
}

bool report_lineage_training(const report_lineage *l, int index, score_result *score,
                             base_error *error)
{
    const base_json *event = index == REPORT_FIRST ? l->first_event : l->records[index].event;
    return event ? score_read(score, event, l->folder, error)
                 : base_fail(error, "%s: no score yet", l->folder);
}

bool report_lineage_network(const report_lineage *l, int index, vision_architecture *net)
{
    const char *text = report_lineage_text(l, index);
    vision_set set = {.train = {.channels = l->image.channels,
                                .height = l->image.height,
                                .width = l->image.width,
                                .classes = l->classes}};
    evolve_settings settings;
    language_diagnostic diagnostic;
    if (l->subject == EVOLVE_T5S || l->classes == 0 ||
        !evolve_settings_preset(&settings, "quick", NULL) ||
        !evolve_settings_task(&settings, "images", NULL))
        return false;
    settings.set = &set;
    language_program *program = source_parse("source.c", text, strlen(text), &diagnostic);
    source_host *host = program ? source_host_new(&settings, 0) : NULL;
    source_executor executor = source_interpreter(program);
    bool ok =
        host && source_host_network(host, &executor, "source.c", net, &diagnostic) == LANGUAGE_OK;
    source_host_free(host);
    language_program_free(program);
    return ok;
}

double report_lineage_tokens(const report_lineage *l)
{
    return l->first_scored && l->first_score.score > 0
               ? l->first_score.score_pair / l->first_score.score
               : 0;
}

/* "step,loss", then a line a step. */
static int parse_losses(char *csv, double *losses)
{
    int count = 0;
    char *at = strchr(csv, '\n');
    while (at && at[1]) {
        char *end;
        long long step = strtoll(at + 1, &end, 10);
        if (step != count + 1 || *end != ',')
            return -1;
        losses[count] = base_read_number(end + 1, &at);
        if (at == end + 1 || *at != '\n')
            return -1;
        count++;
    }
    return at ? count : -1;
}

bool report_lineage_losses(const report_lineage *l, int episode, double **losses, int *count,
                           base_error *error)
{
    char name[64];
    size_t size;
    *losses = NULL;
    *count = 0;
    snprintf(name, sizeof name, "episode-%d/losses.csv", episode);
    char *path = base_file_path(l->folder, name);
    bool there = path && base_file_exists(path);
    free(path);
    if (!there)
        return true;
    char *csv = read_file(l, name, MOST_CSV, &size, error);
    if (!csv)
        return false;
    *losses = malloc((size / 4 + 1) * sizeof **losses); /* "1,2\n" is the shortest line */
    *count = *losses ? parse_losses(csv, *losses) : -1;
    free(csv);
    if (*count >= 0)
        return true;
    bool memory = *losses != NULL;
    free(*losses);
    *losses = NULL;
    *count = 0;
    return memory ? base_fail(error, "%s/%s: expected lines of step,loss", l->folder, name)
                  : no_memory(l, error);
}

static void add_seconds(report_seconds list[REPORT_KINDS], int *count, const char *kind,
                        double seconds)
{
    int i = 0;
    while (i < *count && strncmp(list[i].kind, kind, sizeof list[i].kind - 1) != 0)
        i++;
    if (i == REPORT_KINDS)
        return;
    if (i == *count) {
        list[i] = (report_seconds){.times = 0};
        snprintf(list[i].kind, sizeof list[i].kind, "%s", kind);
        ++*count;
    }
    list[i].times++;
    list[i].seconds += seconds;
}

int report_lineage_seconds(const report_lineage *l, report_seconds list[REPORT_KINDS])
{
    int count = 0;
    size_t size;
    char *text = read_file(l, "timing.jsonl", MOST_CSV, &size, NULL);
    for (char *line = text; line && *line;) {
        size_t length = strcspn(line, "\n");
        base_json *json = base_json_parse(line, length, "timing.jsonl", NULL);
        const char *kind;
        double seconds;
        if (base_json_get_string(json, "what", &kind, "timing.jsonl", NULL) &&
            base_json_get_number(json, "seconds", &seconds, "timing.jsonl", NULL) && seconds >= 0)
            add_seconds(list, &count, kind, seconds);
        base_json_free(json);
        line += length + (line[length] == '\n');
    }
    free(text);
    return count;
}

/* ---- what a source says ---- */

static bool is_number(const char *token)
{
    return *token && strspn(token, "0123456789.") == strlen(token);
}

static void set_design(report_design designs[REPORT_DESIGNS], int *count, const char *name,
                       double value)
{
    int i = 0;
    while (i < *count && strcmp(designs[i].name, name) != 0)
        i++;
    if (i == REPORT_DESIGNS || strlen(name) >= sizeof designs[i].name)
        return;
    if (i == *count)
        memcpy(designs[(*count)++].name, name, strlen(name) + 1);
    designs[i].value = value;
}

/* In the normal form a blank is between any two tokens, and a line is a statement. */
int report_source_design(const char *text, report_design designs[REPORT_DESIGNS])
{
    int count = 0;
    language_diagnostic diagnostic;
    language_program *program = source_parse("source.c", text, strlen(text), &diagnostic);
    base_text form = {0};
    if (program)
        language_normalise(program, &form);
    for (char *line = form.failed ? NULL : form.data; line && *line;) {
        char variable[64], field[64], value[64], rest[2];
        size_t length = strcspn(line, "\n");
        bool more = line[length] == '\n';
        line[length] = '\0';
        if (sscanf(line, "%63s . %63s = %63s ; %1s", variable, field, value, rest) == 3 &&
            is_number(value))
            set_design(designs, &count, field, base_read_number(value, NULL));
        line += length + more;
    }
    language_program_free(program);
    base_text_free(&form);
    return count;
}
