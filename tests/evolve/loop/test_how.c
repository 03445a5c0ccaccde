/* SPDX-License-Identifier: MIT */
/* test_how.c -- the loop inside another program: options that were left zero, and scores that are that
 * program's own. */
#include "evolve/loop/how.h"
#include "evolve/loop/run.h"
#include "evolve/report/verify.h"
#include "evolve/score/evaluate.h"
#include "tests/evolve/test_evolve.h"
#include <math.h>

static evolve_settings tiny(void)
{
    evolve_settings settings;
    base_error error = {""};
    const char *const rows[][2] = {
        {"proposer", "rules"}, {"d-model", "16"},   {"vocabulary", "259"}, {"episodes", "1"},
        {"batches", "2"},      {"candidates", "3"}, {"few-shot", "16"},    {"held-out", "8"},
        {"samples", "64"},     {"fidelity", "0"},   {"fresh-seeds", "1"},  {"final-times", "1"}};
    CHECK(evolve_settings_preset(&settings, "quick", &error), "%s", error.text);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK(evolve_settings_set(&settings, rows[i][0], rows[i][1], &error), "%s", error.text);
    return settings;
}

static char *journal_of(const char *folder)
{
    size_t size;
    char *path = base_file_path(folder, "journal.jsonl"), *bytes = slurp(path, &size);
    free(path);
    return bytes;
}

/* What the command does. */
static bool as_ever(void *user, const score_request *request, score_result *score,
                    base_error *error)
{
    (void)error;
    ++*(int *)user;
    score_of_source(request, score);
    return true;
}

/* The same run in this process, and by workers: every byte of the journal. */
static void test_same_journal(void)
{
    const evolve_settings settings = tiny();
    base_error error = {""};
    int calls = 0;
    loop_options here = {.folder = at("here"), .evaluate = as_ever, .user = &calls};
    loop_options apart = {.folder = at("apart"), .program = TEST_PHOENIX};
    CHECK(loop_run(&settings, &here, &error) == LOOP_DONE, "%s", error.text);
    CHECK(loop_run(&settings, &apart, &error) == LOOP_DONE, "%s", error.text);
    char *a = journal_of(here.folder), *b = journal_of(apart.folder);
    CHECK(calls > 2 && strlen(a) > 1000 && strcmp(a, b) == 0, "%d calls, %zu and %zu bytes", calls,
          strlen(a), strlen(b));

    report_verify verify = {.how = &here, .execute = true};
    report_verified verified;
    CHECK(report_verify_run(&verify, &verified, &error) && verified.mismatches == 0 &&
              verified.candidates > 2,
          "%d candidates, %d mismatches: %s", verified.candidates, verified.mismatches, error.text);
    free(a);
    free(b);
}

/* The program's own measure: the fewer lines with a 1 in them, the better. */
typedef struct own_measure {
    int calls, fail_at; /* 0: never */
    double value;       /* > 0 or NaN: all that it says */
    bool odd;           /* a status that there is not */
} own_measure;

static bool ones(void *user, const score_request *request, score_result *score, base_error *error)
{
    own_measure *own = user;
    if (++own->calls == own->fail_at)
        return base_fail(error, "the balance is out of reach");
    for (size_t i = 0; i < request->length; i++)
        score->score += request->text[i] == '1';
    score->score += 1;
    if (own->value != 0)
        score->score = own->value;
    score->score_pair = score->score;
    score->status = own->odd ? (score_status)99 : SCORE_OK;
    return true;
}

static void test_own_measure(void)
{
    const evolve_settings settings = tiny();
    base_error error = {""};
    own_measure own = {0};
    loop_options options = {.folder = at("own"), .evaluate = ones, .user = &own};
    CHECK(loop_run(&settings, &options, &error) == LOOP_DONE, "%s", error.text);
    int whole = own.calls;
    char *journal = journal_of(options.folder);

    /* It fails in the middle, and the run goes on from there. */
    own = (own_measure){.fail_at = 4};
    options.folder = at("broken");
    CHECK(loop_run(&settings, &options, &error) == LOOP_FAILED &&
              strstr(error.text, "the balance is out of reach"),
          "%s", error.text);
    own = (own_measure){0};
    options.resume = true;
    CHECK(loop_run(&settings, &options, &error) == LOOP_DONE, "%s", error.text);
    char *resumed = journal_of(options.folder);
    CHECK(strcmp(journal, resumed) == 0 && own.calls == whole - 3, "%d calls, then %d", whole,
          own.calls);
    CHECK(strstr(journal, "\"score\":") != NULL, "%s", journal);
    free(journal);
    free(resumed);

    /* What is no score is refused, and not written down. */
    const own_measure wrong[] = {
        {.value = (double)NAN}, {.value = (double)INFINITY}, {.value = -1}, {.odd = true}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char name[16];
        snprintf(name, sizeof name, "wrong%zu", i);
        own = wrong[i];
        options = (loop_options){.folder = at(name), .evaluate = ones, .user = &own};
        CHECK(loop_run(&settings, &options, &error) == LOOP_FAILED &&
                  strstr(error.text, "gave no score"),
              "%s", error.text);
    }
}

static void test_stop(void)
{
    static volatile sig_atomic_t stop = 1;
    const evolve_settings settings = tiny();
    base_error error = {""};
    own_measure own = {0};
    loop_options options = {.folder = at("stopped"), .evaluate = ones, .user = &own, .stop = &stop};
    CHECK(loop_run(&settings, &options, &error) == LOOP_INTERRUPTED && own.calls == 0,
          "%d calls: %s", own.calls, error.text);
    options.evaluate = NULL;
    CHECK(loop_run(&settings, &options, &error) == LOOP_FAILED && strstr(error.text, "nobody"),
          "%s", error.text);
}

int main(void)
{
    if (!scratch_for_command())
        return test_end();
    test_same_journal();
    test_own_measure();
    test_stop();
    remove_all(scratch);
    return test_end();
}
