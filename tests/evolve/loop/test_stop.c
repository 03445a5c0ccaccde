/* SPDX-License-Identifier: MIT */
/* test_stop.c -- a candidate that cannot beat the source any more is stopped, and nothing
 * else is changed by it: not where it is stopped by whom, not the scores that are below the bound,
 * not what a run selects. */
#include "base/random.h"
#include "base/number.h"
#include "evolve/score/evaluate.h"
#include "evolve/source/host.h"
#include "evolve/loop/journal.h"
#include "evolve/report/lineage.h"
#include "evolve/score/native.h"
#include "evolve/loop/run.h"
#include "evolve/loop/scorer.h"
#include "evolve/report/verify.h"
#include "tests/evolve/plain_training.h"
#include "tests/evolve/test_evolve.h"
#include "tests/evolve/test_score.h"
#include <math.h>

/* ---- one source ---- */

/* 16 steps, which learn something. */
static evolve_settings stepping_settings(void)
{
    evolve_settings settings = tiny_settings();
    settings.form = EVOLVE_PROGRAM;
    settings.few_shot = 124; /* the last batch has four pairs */
    settings.rate = 5e-3;
    return settings;
}

static score_native *native; /* runs the source; NULL: it is interpreted */

static score_result evaluate(const char *source, const evolve_settings *settings, double bound)
{
    return score_text(source,
                      (score_request){.settings = settings, .native = native, .bound = bound});
}

/* The same members, byte for byte. */
static bool same(const score_result *a, const score_result *b)
{
    base_text members[2] = {{0}};
    score_members(a, &members[0]);
    score_members(b, &members[1]);
    bool equal = strcmp(members[0].data, members[1].data) == 0;
    if (!equal)
        test_note(__FILE__, __LINE__, "differ", "%s\n%s", members[0].data, members[1].data);
    base_text_free(&members[0]);
    base_text_free(&members[1]);
    return equal;
}

/* The first step after which the score, a mean over that many tokens, cannot be below the bound;
 * after the last step it is known. */
static int last_step(const plain_training *o, double tokens, double bound)
{
    int step = 0;
    while (step < o->steps - 1 && o->sum[step] / tokens < bound)
        step++;
    return step;
}

static void it_is_stopped_when_it_cannot_win(void)
{
    evolve_settings settings = stepping_settings();
    const char *source = tiny_source(64, "");
    score_result whole = evaluate(source, &settings, 0);
    source_plan plan = source_plan_of_score(&settings);
    plain_training o = plain_train(source, &settings, &plan);
    double tokens = o.tokens[o.steps - 1];
    int stopped = 0;
    CHECK(whole.status == SCORE_OK && o.steps == 16 && whole.score == o.sum[o.steps - 1] / tokens,
          "%g", whole.score);
    for (int i = 0; i < 40; i++) {
        double bound = i < 34   ? whole.score * (i + 1) / 34 /* up to the score itself */
                       : i < 36 ? o.sum[i - 30] / tokens     /* a sum on the way, exactly */
                       : i < 38 ? nextafter(o.sum[i - 30] / tokens, 100)
                                : nextafter(whole.score, 100) + (i - 38);
        score_result score = evaluate(source, &settings, bound);
        int last = last_step(&o, tokens, bound);
        if (last == o.steps - 1) {
            CHECK(same(&score, &whole), "bound %g", bound);
        } else {
            stopped++;
            CHECK(score.status == SCORE_STOPPED && score.steps == last + 1 &&
                      score.pairs == 8 * (last + 1) && score.score == o.sum[last] / tokens &&
                      score.score >= bound && score.score <= whole.score &&
                      score.score_pair == o.sum[last] / 124 && score.flops < whole.flops,
                  "bound %g: %s, %d pairs, %g", bound, score.reason, (int)score.pairs, score.score);
            CHECK(memcmp(score.losses, whole.losses, (size_t)score.steps * sizeof(float)) == 0,
                  "other losses");
        }
        score_free(&score);
    }
    CHECK(stopped >= 30, "%d of 40 are stopped", stopped);
    score_free(&whole);
    free(o.weights);
}

/* The last quarter alone: the mean over its pairs, and stopped only within it. A difference of two
 * sums of some thousand doubles is not a sum of its own to the bit, but to a part in 1e12. */
static void the_last_quarter(void)
{
    evolve_settings settings = stepping_settings();
    const char *source = tiny_source(64, "");
    settings.few_shot = 128;
    source_plan plan = source_plan_of_score(&settings);
    plain_training o = plain_train(source, &settings, &plan);
    score_result all = evaluate(source, &settings, 0);
    settings.score = EVOLVE_LAST_QUARTER;
    score_result last = evaluate(source, &settings, 0);
    score_result lost = evaluate(source, &settings, 0.5 * last.score);
    double loss = o.sum[15] - o.sum[11], want = loss / (o.tokens[15] - o.tokens[11]);
    CHECK(o.steps == 16 && fabs(last.score - want) < 1e-12 * want &&
              fabs(last.score_pair - loss / 32) < 1e-12 * loss,
          "%.17g, not %.17g", last.score, want);
    CHECK(last.steps == all.steps && last.flops == all.flops &&
              memcmp(last.losses, all.losses, (size_t)all.steps * sizeof(float)) == 0,
          "how it is scored changes the training");
    CHECK(lost.status == SCORE_STOPPED && lost.steps > 12 && lost.steps < 16 && lost.pairs < 32 &&
              lost.score >= 0.5 * last.score && strstr(lost.reason, "of 32 pairs"),
          "%s", lost.reason);
    score_free(&lost);
    score_free(&last);
    score_free(&all);
    free(o.weights);
}

/* A source that says how it is trained, as ever; and one that learns nothing, so that the host
 * measures what it left out. In both executors. */
static void whoever_trains_it(void)
{
    evolve_settings settings = stepping_settings();
    base_text written = {0};
    base_error error = {""};
    base_text_print(&written, "%s\n", tiny_source(64, ""));
    source_default_training(&settings, &written);
    char lazy[2048];
    snprintf(lazy, sizeof lazy,
             "%s\nvoid train(t5 *model, dataset *data)\n{\n"
             "    if (size(data) == 0)\n        clip(model, 1.0);\n}\n",
             tiny_source(64, ""));
    const char *plain = tiny_source(64, ""), *sources[2] = {written.data, lazy};
    tiny_scope(&settings, EVOLVE_LEARNING);
    for (int i = 0; i < 2; i++) {
        score_result whole = evaluate(sources[i], &settings, 0);
        double bound = 0.7 * whole.score;
        score_result score = evaluate(sources[i], &settings, bound);
        score_result want = evaluate(plain, &settings, bound);
        score_result above = evaluate(sources[i], &settings, nextafter(whole.score, 100));
        CHECK(score.status == SCORE_STOPPED && score.pairs < 124 && score.score >= bound &&
                  score.score <= whole.score,
              "%d: %s", i, score.reason);
        CHECK(i == 1 || same(&score, &want), "written out it is stopped elsewhere");
        CHECK(same(&above, &whole), "%d: a bound that is beaten makes a difference", i);
        const score_native_how how = {.level = SANDBOX_BEST, .seconds = 60, .deadline = 60};
        native = score_native_open("test.c", sources[i], strlen(sources[i]), &how, &error);
        if (native) {
            score_result compiled = evaluate(sources[i], &settings, bound);
            CHECK(same(&compiled, &score), "%d: compiled", i);
            score_free(&compiled);
            score_native_free(native);
            native = NULL;
        } else
            SKIP("the native executor: %s", error.text);
        score_free(&above);
        score_free(&want);
        score_free(&score);
        score_free(&whole);
    }
    base_text_free(&written);
}

/* Where held-out pairs decide, the training comes first: what is stopped is their measurement. */
static void held_out_pairs(void)
{
    evolve_settings settings = stepping_settings();
    tiny_scope(&settings, EVOLVE_DATA);
    char own[2048];
    snprintf(own, sizeof own, "%s\ndataset *data(void)\n{\n    return pairs(0, 16);\n}\n",
             tiny_source(64, ""));
    const char *sources[2] = {tiny_source(64, ""), own};
    for (int i = 0; i < 2; i++) {
        score_result whole = evaluate(sources[i], &settings, 0);
        score_result score = evaluate(sources[i], &settings, 0.5 * whole.score);
        score_result above = evaluate(sources[i], &settings, nextafter(whole.score, 100));
        CHECK(score.status == SCORE_STOPPED && score.pairs > 40 && score.pairs < 90 &&
                  score.pairs % 16 == 0 && score.steps == whole.steps,
              "%d: %s", i, score.reason);
        CHECK(score.score >= 0.5 * whole.score && score.score < whole.score, "%g", score.score);
        CHECK(same(&above, &whole), "%d: a bound that is beaten makes a difference", i);
        score_free(&above);
        score_free(&score);
        score_free(&whole);
    }
}

/* What makes the bound one: also where the target is all but certain, and of every sum's size. */
static void no_loss_is_negative(void)
{
    enum { N = 64, V = 40 };
    tensor_context *ctx = tensor_context_new();
    base_random random = {7, base_random_stream("loss", 0, 0, 0), 0};
    float loss[N];
    int target[N], least = 0, negative = 0;
    for (int round = 0; round < 400; round++) {
        tensor *logits = tensor_new(ctx, 2, (int[]){N, V});
        for (int i = 0; i < N; i++) {
            double distance = (round + 1) * 0.3 * base_random_uniform(&random);
            target[i] = (int)base_random_below(&random, V);
            for (int v = 0; v < V; v++)
                logits->val[i * V + v] =
                    (float)(i % 4 ? -distance * base_random_uniform(&random) : -distance);
            logits->val[i * V + target[i]] = 0;
        }
        tensor_cross_entropy(logits, target, NULL, loss);
        for (int i = 0; i < N; i++) {
            negative += !(loss[i] >= 0);
            least += loss[i] <= 0;
        }
        tensor_step_end(ctx);
    }
    CHECK(negative == 0 && least > 0, "%d are negative, %d are 0", negative, least);
    tensor_context_free(ctx);
}

/* ---- a batch ---- */

static void say(void *user, const char *text) { (void)user, (void)text; }

static void progress(void *user, const char *what, int64_t done, int64_t total, const char *detail)
{
    (void)user, (void)what, (void)done, (void)total, (void)detail;
}

static loop_options options_for(const char *folder, int jobs)
{
    return (loop_options){.folder = folder,
                          .run = {.jobs = jobs, .threads = 1, .launcher = ""},
                          .program = TEST_PHOENIX,
                          .watch = {say, progress, say, NULL}};
}

static int count_of(const char *bytes, const char *piece)
{
    int count = 0;
    for (; (bytes = strstr(bytes, piece)); bytes++)
        count++;
    return count;
}

/* One program, held to one bound after the other, a batch each, and twice in the last. */
static void a_stopped_program_comes_again(void)
{
    evolve_settings settings = stepping_settings();
    score_result whole = evaluate(tiny_source(64, ""), &settings, 0);
    const struct {
        double bound; /* of the score */
        score_status status;
        bool reused;
    } turns[] = {{0.8, SCORE_STOPPED, false}, {0.8, SCORE_STOPPED, true},
                 {0.3, SCORE_STOPPED, true},  {0.95, SCORE_STOPPED, false},
                 {0.9, SCORE_STOPPED, true},  {1.1, SCORE_OK, false},
                 {0.5, SCORE_OK, true},       {0, SCORE_OK, true}};
    enum { TURNS = sizeof turns / sizeof *turns };
    loop_options options = options_for(scratch, 2);
    base_error error = {""};
    for (int replay = 0; replay < 2; replay++) {
        loop_journal *journal = loop_journal_open(scratch, &error);
        loop_scorer *scorer = loop_scorer_new(journal, &options, &settings);
        for (int i = 0; i < TURNS; i++) {
            loop_candidate c[2] = {{.kind = LOOP_EVALUATED,
                                    .text = tiny_source(64, ""),
                                    .length = strlen(tiny_source(64, "")),
                                    .share = 1,
                                    .bound = turns[i].bound * whole.score}};
            c[1] = c[0];
            CHECK(loop_scorer_score(scorer, "test", c, 2, &error), "%s", error.text);
            CHECK(c[0].score.status == turns[i].status && c[0].reused == turns[i].reused &&
                      c[1].reused && c[1].score.score == c[0].score.score,
                  "%d: %s: %s%s", i, score_status_name(c[0].score.status), c[0].score.reason,
                  c[0].reused ? ", reused" : "");
            CHECK(c[0].score.score >= c[0].bound || c[0].score.status == SCORE_OK,
                  "%d: at least %g", i, c[0].score.score);
            score_free(&c[0].score);
            score_free(&c[1].score);
        }
        loop_scorer_free(scorer);
        loop_journal_close(journal);
    }
    size_t size;
    char *journal = slurp(at("journal.jsonl"), &size);
    CHECK(count_of(journal, "\n") == 2 * TURNS && count_of(journal, "\"reused\":false") == 3, "%s",
          journal);
    free(journal);
    unlink(at("journal.jsonl"));
    score_free(&whole);
}

/* ---- runs ---- */

static void run_on(const char *folder, const evolve_settings *settings, bool resume, int jobs)
{
    base_error error = {""};
    loop_options options = options_for(folder, jobs);
    options.resume = resume;
    CHECK(loop_run(settings, &options, &error) == LOOP_DONE, "%s: %s", folder, error.text);
}

static char *journal_of(const char *folder)
{
    size_t size;
    char *path = base_file_path(folder, "journal.jsonl"), *bytes = slurp(path, &size);
    free(path);
    return bytes;
}

/* Leaves the first `count` events. */
static void cut(const char *folder, int count)
{
    char *bytes = journal_of(folder), *end = bytes, *path = base_file_path(folder, "journal.jsonl");
    for (int i = 0; i < count && end; i++)
        end = strchr(end, '\n') ? strchr(end, '\n') + 1 : NULL;
    CHECK(end && spill(path, bytes, (size_t)(end - bytes)), "%s: no %d events", folder, count);
    free(path);
    free(bytes);
}

/* Goes on after the first `count` events as if the model had then written these. */
static void propose(const char *folder, const evolve_settings *settings, int count, int episode,
                    int batch, const char *const texts[4], int jobs)
{
    base_error error = {""};
    loop_event event;
    bool replayed;
    cut(folder, count);
    base_text members = texts_of(texts, 4);
    loop_journal *journal = loop_journal_open(folder, &error);
    for (int i = 0; i < count; i++)
        CHECK(loop_journal_event(journal, i, &event, &error) &&
                  loop_journal_next(journal, event.kind, &event, &replayed, &error),
              "%s", error.text);
    event = (loop_event){
        .kind = LOOP_PROPOSED, .episode = episode, .batch = batch, .texts.text = members.data};
    CHECK(loop_journal_append(journal, &event, &error), "%s", error.text);
    loop_journal_close(journal);
    base_text_free(&members);
    run_on(folder, settings, true, jobs);
}

static void verified(const char *folder)
{
    base_error error = {""};
    loop_options how = options_for(folder, 2);
    report_verify verify = {.how = &how, .execute = true};
    report_verified result;
    CHECK(report_verify_run(&verify, &result, &error) && result.mismatches == 0 && result.finished,
          "%s: %d mismatches: %s", folder, result.mismatches, error.text);
    verify.candidates = "0.1.3,0.2.0"; /* both are equal to others, which were stopped */
    CHECK(report_verify_run(&verify, &result, &error) && result.mismatches == 0 &&
              result.candidates == 2,
          "%s: %d mismatches: %s", folder, result.mismatches, error.text);
}

/* The lines of "selected" events, without their seals and numbers of line. */
static void selections(const char *folder, base_text *text)
{
    base_error error;
    loop_journal *journal = loop_journal_read(folder, &error);
    for (int i = 0; i < loop_journal_recorded(journal); i++) {
        loop_event event;
        CHECK(loop_journal_event(journal, i, &event, &error), "%s", error.text);
        if (event.kind == LOOP_SELECTED)
            base_text_print(text, "%d %.17g\n%s", event.accepted, event.score, event.source);
    }
    loop_journal_close(journal);
}

/* Three batches. With and without early stop the same programs are accepted at each step. */
static void selection_is_the_same(void)
{
    evolve_settings settings = stepping_settings();
    settings.episodes = 1;
    settings.batches = 3;
    /* Weights that are too large are hard to get rid of: a loss of hundreds. */
    const char *large = "    config.initializer_factor = 20.0;\n", *again = "/* again */\n";
    const struct {
        int d_ff;
        const char *line, *comment;
    } sources[3][4] = {{{64, large, ""}, {2048, "", ""}, {48, "", ""}, {64, large, again}},
                       {{64, "", ""}, {64, large, ""}, {4096, "", ""}, {64, "", again}},
                       {{48, "", again}, {2048, "", again}, {96, "", ""}, {96, large, ""}}};
    char text[3][4][1024];
    for (int i = 0; i < 12; i++)
        snprintf(text[i / 4][i % 4], sizeof text[0][0], "%s%s", sources[i / 4][i % 4].comment,
                 tiny_source(sources[i / 4][i % 4].d_ff, sources[i / 4][i % 4].line));
    base_text chosen[2] = {{0}};
    for (int stop = 0; stop < 2; stop++) {
        const char *folder = at(stop ? "stops" : "whole");
        settings.early_stop = stop;
        run_on(folder, &settings, false, 1);
        for (int b = 0; b < 3; b++)
            propose(folder, &settings, 3 + 6 * b, 0, b,
                    (const char *const[]){text[b][0], text[b][1], text[b][2], text[b][3]}, 1);
        selections(folder, &chosen[stop]);
    }
    CHECK(strcmp(chosen[0].data, chosen[1].data) == 0, "%s\nwith early stop\n%s", chosen[0].data,
          chosen[1].data);
    CHECK(same_files(at("whole/source.c"), at("stops/source.c")), "other sources at the end");
    char *whole = journal_of(at("whole")), *stops = journal_of(at("stops"));
    CHECK(count_of(whole, "\"stopped\"") == 0 && count_of(whole, "\"accepted\":true") == 2, "%s",
          whole);
    CHECK(count_of(stops, "\"status\":\"stopped\"") >= 5, "%s", stops);
    size_t size;
    char *summary = slurp(at("stops/summary.txt"), &size);
    const char *line = strstr(summary, "pairs measured to score candidates: ");
    long long measured, reused, stopped;
    int reuses, stoppages;
    CHECK(line &&
              sscanf(line,
                     "%*[^:]: %lld saved by %d scores reused: %lld saved by %d candidates stopped: "
                     "%lld",
                     &measured, &reuses, &reused, &stoppages, &stopped) == 5 &&
              stopped > 0 && measured + stopped == 124 * (12 - reuses) &&
              reuses == count_of(stops, "\"reused\":true") && reused < 124 * reuses,
          "%s", summary);
    free(summary);
    verified(at("stops"));
    int lines = count_of(stops, "\n");
    const char *slow =
        getenv("PHOENIX_SLOW"); /* every cut; before the 16th the model would go on otherwise */
    for (int count = 16; count < lines; count += slow && *slow ? 1 : 3) {
        cut(at("stops"), count);
        run_on(at("stops"), &settings, true, 2);
        char *after = journal_of(at("stops"));
        CHECK(strcmp(after, stops) == 0, "cut after %d events: another journal", count);
        free(after);
    }
    free(whole);
    free(stops);
    base_text_free(&chosen[0]);
    base_text_free(&chosen[1]);
}

/* The bound may rise, where no stage could train the source: the one before takes its place. */
static void a_run_steps_back(void)
{
    evolve_settings settings = stepping_settings();
    tiny_scope(&settings, EVOLVE_LEARNING);
    settings.rate = 1e-4; /* the first source's */
    settings.early_stop = 1;
    char good[2048], middling[2048];
    static const char train[] = "%s\nvoid train(t5 *model, dataset *data)\n{\n"
                                "    optimizer *o = adamw(model, 0.9, 0.999, 1e-8, 0.0);\n"
                                "%s"
                                "    objective loss = cross_entropy();\n"
                                "    for (int i = 0; i < size(data) / 8; i++) {\n"
                                "        batch *b = next(data, 8);\n"
                                "        learn(model, b, loss);\n"
                                "        update(o, %g);\n    }\n}\n";
    base_print(good, sizeof good, train, tiny_source(64, ""),
               "    if (size(data) < 124)\n        update(o, -1.0);\n", 5e-3);
    base_print(middling, sizeof middling, train, tiny_source(64, ""), "", 2e-3);
    const char *first[4] = {"", good, "", ""}, *second[4] = {middling, "", middling, ""};
    const char *folder = at("back");
    settings.batches = 2;
    run_on(folder, &settings, false, 1);
    propose(folder, &settings, 3, 0, 0, first, 1);
    propose(folder, &settings, 9, 0, 1, second, 1);
    propose(folder, &settings, 17, 1, 0, second, 1);
    char *journal = journal_of(folder);
    CHECK(count_of(journal, "\"untrainable\":") == 1 &&
              count_of(journal, "\"status\":\"stopped\"") == 2 &&
              count_of(journal, "\"accepted\":true") == 2,
          "%s", journal);
    free(journal);
    base_error error = {""};
    loop_options how = options_for(folder, 2);
    report_verify verify = {.how = &how, .execute = true};
    report_verified result;
    CHECK(report_verify_run(&verify, &result, &error) && result.mismatches == 0, "%s", error.text);
    report_lineage *run = report_lineage_read(folder, &error);
    CHECK(run && run->candidates.list[11].reused && run->candidates.list[11].original == 9 &&
              run->candidates.list[7].reused && run->candidates.list[7].original == 5,
          "%s", error.text);
    report_lineage_free(run);
}

int main(void)
{
    no_loss_is_negative();
    it_is_stopped_when_it_cannot_win();
    the_last_quarter();
    held_out_pairs();
    if (!scratch_for_command())
        return test_end();
    whoever_trains_it();
    a_stopped_program_comes_again();
    selection_is_the_same();
    a_run_steps_back();
    remove_all(scratch);
    return test_end();
}
