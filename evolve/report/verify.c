/* verify.c -- see verify.h. */
#include "evolve/report/verify.h"
#include "base/file.h"
#include "base/list.h"
#include "base/number.h"
#include "base/process.h"
#include "base/seal.h"
#include "evolve/source/host.h"
#include "evolve/loop/journal.h"
#include "evolve/loop/manifest.h"
#include "evolve/loop/run.h"
#include "evolve/loop/scorer.h"
#include "evolve/loop/stage.h"
#include "evolve/task.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A candidate of the run, and the event that has its outcome. */
typedef struct item {
    char name[48];
    const base_json *event;
    evolve_settings settings; /* of its score */
} item;

typedef struct verification {
    const report_verify *verify;
    const char *folder;
    evolve_settings settings;
    loop_journal *journal;
    char *default_source;
    char *generator; /* of the T5, where it is not what evolves; else NULL */
    item *items;
    loop_candidate *candidates; /* an item each */
    int count;
    t5_tokenizer *tokenizer; /* made where a stage is looked at */
    report_verified *verified;
    base_error *error;

    /* of the event at hand: the source of now, the batch's texts, the episode */
    const char *source, *trained_source;
    double score, trained_score; /* theirs */
    const base_json *texts;
    int64_t episode;
    double share;   /* of a score that the batch's candidates have */
    int64_t stages; /* how many were trained */
} verification;

static bool fail_memory(verification *v)
{
    return base_fail(v->error, "%s: no memory", v->folder);
}

static void mismatch(verification *v, const char *format, ...) BASE_PRINTF(2, 3);

static void mismatch(verification *v, const char *format, ...)
{
    char line[700];
    va_list arguments;
    va_start(arguments, format);
    base_print_list(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    strcat(line, "\n");
    v->verified->mismatches++;
    v->verify->how->watch.say(v->verify->how->watch.user, line);
}

/* ---- files ---- */

/* What a file's hash is to be. */
static void hold_file(verification *v, const char *folder, const char *name, const char *want)
{
    char hash[BASE_HASH_TEXT];
    base_error why;
    char *path = base_file_path(folder, name);
    v->verified->files++;
    if (!path)
        mismatch(v, "%s/%s: no memory", folder, name);
    else if (!base_file_hash(path, hash, &why))
        mismatch(v, "%s", why.text);
    else if (strcmp(hash, want) != 0)
        mismatch(v, "%s: is not the file that the journal names: it was changed", path);
    free(path);
}

static bool hold_named_file(verification *v, const char *folder, const char *name,
                            const base_json *event, const char *member)
{
    const char *want;
    if (!base_json_get_string(event, member, &want, "journal", v->error))
        return false;
    hold_file(v, folder, name, want);
    return true;
}

static void hold_text(verification *v, const char *folder, const char *name, const char *text)
{
    char want[BASE_HASH_TEXT];
    base_hash_text(text, strlen(text), want);
    hold_file(v, folder, name, want);
}

/* Each of its lines is sealed; it may be missing. */
static void hold_timing(verification *v)
{
    base_error why;
    size_t size, at = 0;
    char *path = base_file_path(v->folder, "timing.jsonl");
    if (path && base_file_exists(path)) {
        char *text = base_file_read(path, (size_t)1 << 28, &size, &why);
        v->verified->files++;
        if (!text)
            mismatch(v, "%s", why.text);
        for (int line = 1; text && at < size; line++) {
            const char *feed = memchr(text + at, '\n', size - at);
            size_t end = feed ? (size_t)(feed - text) : size;
            if (!feed || !base_sealed(text + at, end - at))
                mismatch(v, "%s:%d: the line was changed or torn: its check is wrong", path, line);
            at = end + 1;
        }
        free(text);
    }
    free(path);
}

/* ---- stages ---- */

static char *episode_folder(const verification *v, int64_t episode)
{
    char name[32];
    snprintf(name, sizeof name, "episode-%lld", (long long)episode);
    return base_file_path(v->folder, name);
}

/* What the stage under way trains. */
static const char *stage_source(const verification *v)
{
    return v->generator ? v->generator : v->source;
}

static bool config_of_source(verification *v, t5_config *config)
{
    language_diagnostic diagnostic;
    if (!v->tokenizer && !(v->tokenizer = source_tokenizer(&v->settings, v->error)))
        return false;
    const char *source = stage_source(v);
    return source_run_model("source.c", source, strlen(source), &v->settings,
                            t5_tokenizer_size(v->tokenizer), config, NULL,
                            &diagnostic) == LANGUAGE_OK ||
           base_fail(v->error, "the source does not run: %s", diagnostic.text);
}

static loop_stage stage_in(const verification *v, const char *folder, tensor_context *ctx,
                           const char *label)
{
    return (loop_stage){.file = "source.c",
                        .source = stage_source(v),
                        .length = strlen(stage_source(v)),
                        .settings = &v->settings,
                        .tokenizer = v->tokenizer,
                        .ctx = ctx,
                        .folder = folder,
                        .label = label,
                        .seed = (uint64_t)v->settings.seed,
                        .stop = v->verify->how->stop,
                        .watch = &v->verify->how->watch};
}

/* The checkpoint of the stage under way, where it is training. */
static bool hold_checkpoint(verification *v)
{
    t5_config config;
    char *folder = episode_folder(v, v->stages);
    if (!folder)
        return fail_memory(v);
    bool is_there = false, whole = false;
    loop_stage stage = stage_in(v, folder, NULL, "");
    bool ok = config_of_source(v, &config) &&
              loop_stage_checkpoint(&stage, &config, &is_there, &whole, v->error);
    if (ok && is_there) {
        v->verified->files++;
        if (!whole)
            mismatch(v,
                     "%s/training.safetensors: is not the checkpoint that training.sha256 names: "
                     "--resume would start the stage anew",
                     folder);
    }
    free(folder);
    return ok;
}

static bool same_hash(verification *v, const base_json *event, const char *member, const char *hash)
{
    const char *want;
    if (!base_json_get_string(event, member, &want, "journal", v->error))
        return false;
    if (strcmp(want, hash) != 0)
        mismatch(v, "episode %lld: trained again, %s: recorded %s, now %s", (long long)v->episode,
                 member, want, hash);
    return true;
}

static bool same_flops(verification *v, const base_json *event, int64_t flops)
{
    int64_t want;
    if (!base_json_get_int(event, "flops", 0, INT64_MAX, &want, "journal", v->error))
        return false;
    if (want != flops)
        mismatch(v, "episode %lld: trained again, flops: recorded %lld, now %lld",
                 (long long)v->episode, (long long)want, (long long)flops);
    return true;
}

static bool train_in(verification *v, const char *folder, const base_json *event)
{
    loop_stage_result result;
    char label[64];
    snprintf(label, sizeof label, "episode %lld: training", (long long)v->episode);
    if (!v->tokenizer && !(v->tokenizer = source_tokenizer(&v->settings, v->error)))
        return false;
    tensor_context *ctx = tensor_context_open((int)v->verify->how->run.threads, v->error);
    if (!ctx)
        return false;
    loop_stage stage = stage_in(v, folder, ctx, label);
    bool ok = loop_stage_run(&stage, &result, v->error);
    if (ok) {
        t5_model_free(result.model);
        v->verified->models++;
        ok = same_flops(v, event, result.flops) &&
             same_hash(v, event, "config", result.hashes[0]) &&
             same_hash(v, event, "weights", result.hashes[1]) &&
             same_hash(v, event, "tokenizer", result.hashes[2]) &&
             same_hash(v, event, "losses", result.losses_hash);
    }
    tensor_context_free(ctx);
    return ok;
}

static bool train_again(verification *v, const base_json *event)
{
    char folder[512];
    if (!base_temporary_folder("phoenix-verify", folder, sizeof folder, v->error))
        return false;
    bool ok = train_in(v, folder, event);
    base_remove_folder(folder);
    return ok;
}

static bool take_trained(verification *v, const base_json *event)
{
    if (base_json_get(event, "untrainable")) { /* back to the one before, in the same folder */
        v->source = v->trained_source;
        v->score = v->trained_score;
        return v->source || base_fail(v->error, "journal: the source cannot be trained");
    }
    v->trained_source = v->source;
    v->trained_score = v->score;
    char *folder = episode_folder(v, v->stages++);
    char *model = folder ? base_file_path(folder, "model") : NULL;
    bool ok = model || fail_memory(v);
    if (ok)
        hold_text(v, folder, "source.c", stage_source(v));
    ok = ok && hold_named_file(v, folder, "losses.csv", event, "losses") &&
         hold_named_file(v, model, "config.json", event, "config") &&
         hold_named_file(v, model, "model.safetensors", event, "weights") &&
         hold_named_file(v, model, "tokenizer.json", event, "tokenizer") &&
         (!v->verify->models || train_again(v, event));
    free(folder);
    free(model);
    return ok;
}

/* ---- candidates ---- */

/* Whether a name is in the list of those to look at. */
static bool is_chosen(const verification *v, const char *name)
{
    const char *list = v->verify->candidates;
    size_t length = strlen(name);
    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return !list;
}

static bool add(verification *v, const base_json *event, const char *text, size_t length,
                const evolve_settings *settings, double bound, const char *name)
{
    size_t count = (size_t)v->count;
    item *items = base_list_grow(v->items, count, 1, sizeof *items);
    v->items = items ? items : v->items;
    loop_candidate *candidates = base_list_grow(v->candidates, count, 1, sizeof *candidates);
    v->candidates = candidates ? candidates : v->candidates;
    if (!items || !candidates)
        return fail_memory(v);
    item *i = &v->items[v->count];
    *i = (item){.event = event, .settings = *settings};
    snprintf(i->name, sizeof i->name, "%s", name);
    v->candidates[v->count++] = (loop_candidate){.text = text, .length = length, .bound = bound};
    return true;
}

static bool is_reused(const base_json *event)
{
    const base_json *reused = base_json_get(event, "reused");
    return reused && reused->kind == BASE_JSON_TRUE;
}

/* What a candidate had to beat when it was executed: of a score that was taken over, what the equal
 * program had to beat that it is from. */
static double bound_of(const verification *v, const base_json *event)
{
    const char *key, *other;
    bool reused = is_reused(event) && base_json_get_string(event, "key", &key, "journal", NULL);
    for (int i = v->count - 1; reused && i >= 0; i--)
        if (!is_reused(v->items[i].event) &&
            base_json_get_string(v->items[i].event, "key", &other, "journal", NULL) &&
            strcmp(key, other) == 0)
            return v->candidates[i].bound;
    return loop_bound(&v->settings, v->score);
}

static bool take_evaluated(verification *v, const base_json *event)
{
    char name[48];
    int64_t batch, candidate;
    if (!base_json_get_int(event, "batch", 0, INT32_MAX, &batch, "journal", v->error) ||
        !base_json_get_int(event, "candidate", 0, INT32_MAX, &candidate, "journal", v->error))
        return false;
    const base_json *text = v->texts ? v->texts->child : NULL;
    for (int64_t i = 0; text && i < candidate; i++)
        text = text->next;
    if (!text || text->kind != BASE_JSON_STRING)
        return base_fail(v->error, "journal: candidate %lld was not proposed",
                         (long long)candidate);
    snprintf(name, sizeof name, "%lld.%lld.%lld", (long long)v->episode, (long long)batch,
             (long long)candidate);
    const evolve_settings settings = evolve_settings_share(&v->settings, v->share);
    return add(v, event, text->string, text->length, &settings, bound_of(v, event), name);
}

static bool take_compared(verification *v, const base_json *event)
{
    char name[48];
    int64_t candidate;
    int64_t most = 2 * v->settings.fresh_seeds - 1;
    if (!base_json_get_int(event, "candidate", 0, most, &candidate, "journal", v->error))
        return false;
    const char *text = candidate % 2 ? v->source : v->default_source;
    const evolve_settings fresh = loop_fresh_settings(&v->settings, (int)(candidate / 2));
    snprintf(name, sizeof name, "compared.%lld", (long long)candidate);
    return add(v, event, text, strlen(text), &fresh, 0, name);
}

/* An outcome for a line. */
static void describe(const score_result *score, char text[300])
{
    if (score->status == SCORE_OK)
        base_print(text, 300, "ok %.17g", score->score);
    else
        snprintf(text, 300, "%s: %s", score_status_name(score->status), score->reason);
}

/* The outcome's bytes as the journal has them. One that was taken over from an equal program is
 * recorded without losses. */
static bool bytes_of(const score_result *score, bool reused, base_text *text)
{
    score_result part = *score;
    if (reused)
        part.steps = 0;
    score_members(&part, text);
    return !text->failed;
}

static bool hold_candidate(verification *v, const item *i, const loop_candidate *now)
{
    score_result recorded = {0};
    const char *key = "";
    char was[300], is[300];
    base_text a = {0}, b = {0};
    bool reused = now->reused || is_reused(i->event);
    bool ok = base_json_get_string(i->event, "key", &key, "journal", v->error) &&
              score_read(&recorded, i->event, "journal", v->error);
    if (ok && (!bytes_of(&recorded, reused, &a) || !bytes_of(&now->score, reused, &b)))
        ok = fail_memory(v);
    describe(&recorded, was);
    describe(&now->score, is);
    v->verified->candidates++;
    if (ok && strcmp(key, now->key) != 0)
        mismatch(v, "%s: recorded for another program", i->name);
    else if (ok && strcmp(was, is) != 0)
        mismatch(v, "%s: recorded %s, now %s", i->name, was, is);
    else if (ok && strcmp(a.data, b.data) != 0)
        mismatch(v, "%s: the same score, other losses or figures", i->name);
    base_text_free(&a);
    base_text_free(&b);
    score_free(&recorded);
    return ok;
}

/* Leaves those that are to be executed. */
static bool choose(verification *v)
{
    int count = 0, chosen = 0;
    for (int i = 0; i < v->count; i++) {
        const char *status;
        if (!is_chosen(v, v->items[i].name))
            continue;
        chosen++;
        if (!base_json_get_string(v->items[i].event, "status", &status, "journal", v->error))
            return false;
        if (strcmp(status, score_status_name(SCORE_CRASH)) == 0 ||
            strcmp(status, score_status_name(SCORE_TIMEOUT)) == 0) {
            v->verified->of_machine++;
            continue;
        }
        v->items[count] = v->items[i];
        v->candidates[count++] = v->candidates[i];
    }
    v->count = count;
    int named = v->verify->candidates ? 1 : 0;
    for (const char *at = v->verify->candidates; at && (at = strchr(at, ',')); at++)
        named++;
    return !named || named == chosen ||
           base_fail(v->error, "--candidates %s: %d of these names are in the run",
                     v->verify->candidates, chosen);
}

static bool execute(verification *v)
{
    if (!choose(v))
        return false;
    for (int i = 0; i < v->count; i++)
        v->candidates[i].settings = &v->items[i].settings;
    loop_scorer *referee = loop_scorer_new(NULL, v->verify->how, v->settings.reuse != 0);
    bool ok = (referee || fail_memory(v)) && loop_scorer_score(referee, "", "", "evaluating again",
                                                               v->candidates, v->count, v->error);
    for (int i = 0; ok && i < v->count; i++)
        ok = hold_candidate(v, &v->items[i], &v->candidates[i]);
    loop_candidates_free(v->candidates, v->count);
    loop_scorer_free(referee);
    return ok;
}

/* ---- the whole ---- */

static bool take(verification *v, const base_json *event)
{
    const char *kind;
    const base_json *episode = base_json_get(event, "episode");
    if (!base_json_get_string(event, "event", &kind, "journal", v->error) ||
        (episode &&
         !base_json_get_int(event, "episode", 0, INT32_MAX, &v->episode, "journal", v->error)))
        return false;
    if (strcmp(kind, "default") == 0)
        return base_json_get_number(event, "score", &v->score, "journal", v->error) &&
               add(v, event, v->source, strlen(v->source), &v->settings, 0, "default");
    if (strcmp(kind, "trained") == 0)
        return take_trained(v, event);
    if (strcmp(kind, "evaluated") == 0)
        return take_evaluated(v, event);
    if (strcmp(kind, "compared") == 0)
        return take_compared(v, event);
    if (strcmp(kind, "asked") == 0 && base_json_get(event, "share"))
        return base_json_get_number(event, "share", &v->share, "journal", v->error);
    if (strcmp(kind, "proposed") == 0)
        v->texts = base_json_get(event, "texts");
    if (strcmp(kind, "selected") == 0)
        return base_json_get_string(event, "source", &v->source, "journal", v->error) &&
               base_json_get_number(event, "score", &v->score, "journal", v->error);
    if (strcmp(kind, "finished") == 0)
        return hold_named_file(v, v->folder, "source.c", event, "source") &&
               hold_named_file(v, v->folder, "summary.txt", event, "summary");
    return true;
}

static void say_nothing(void *user, const char *text)
{
    (void)user, (void)text;
}

static void no_progress(void *user, const char *what, int64_t done, int64_t total,
                        const char *detail)
{
    (void)user, (void)what, (void)done, (void)total, (void)detail;
}

/* Goes through the run as if to resume it: what follows from what went before is worked out again.
 * This also reads the manifest. */
static bool replay(verification *v)
{
    loop_options how = *v->verify->how;
    how.replay = true;
    how.watch = (loop_watch){say_nothing, no_progress, NULL};
    if (!loop_manifest_read(v->folder, &v->settings, v->error))
        return false;
    loop_outcome outcome = loop_run(&v->settings, &how, v->error);
    v->verified->finished = outcome == LOOP_DONE;
    v->verified->files += 2; /* manifest.json, journal.jsonl */
    return outcome != LOOP_FAILED;
}

static bool open_run(verification *v)
{
    base_text source = {0};
    if (!replay(v) || !(v->journal = loop_journal_read(v->folder, v->error)))
        return false;
    source_default_source_of(&v->settings, &source);
    v->default_source = source.failed ? NULL : base_copy(source.data, source.length);
    base_text_free(&source);
    v->source = v->default_source;
    if (evolve_subject_of(&v->settings) == EVOLVE_NETWORKS) {
        base_text generator = {0};
        source_generator_source(&v->settings, &generator);
        v->generator = generator.failed ? NULL : base_copy(generator.data, generator.length);
        base_text_free(&generator);
        if (!v->generator)
            return fail_memory(v);
    }
    v->share = 1;
    return v->default_source || fail_memory(v);
}

bool report_verify_is_run(const char *folder)
{
    static const char *const names[] = {"manifest.json", "journal.jsonl"};
    bool found = false;
    for (int i = 0; i < 2; i++) {
        char *path = base_file_path(folder, names[i]);
        found = found || (path && base_file_exists(path));
        free(path);
    }
    return found;
}

bool report_verify_run(const report_verify *verify, report_verified *verified, base_error *error)
{
    verification v = {
        .verify = verify, .folder = verify->how->folder, .verified = verified, .error = error};
    memset(verified, 0, sizeof *verified);
    bool ok = open_run(&v);
    int events = ok ? loop_journal_recorded(v.journal) : 0;
    for (int i = 0; ok && i < events; i++)
        ok = take(&v, loop_journal_event(v.journal, i));
    if (ok)
        hold_timing(&v);
    bool may_train = ok && !verified->finished && evolve_trains(&v.settings);
    ok = ok && (!may_train || hold_checkpoint(&v)) && (!verify->execute || execute(&v));
    t5_tokenizer_free(v.tokenizer);
    loop_journal_close(v.journal);
    free(v.items);
    free(v.candidates);
    free(v.default_source);
    free(v.generator);
    return ok;
}
