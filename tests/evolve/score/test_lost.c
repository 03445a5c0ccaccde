/* SPDX-License-Identifier: MIT */
/* test_lost.c -- what a machine does is never a source's outcome: memory that is refused below the
 * budgets, a process of the source's own that is killed. What a budget refuses is. */
#include "base/memory.h"
#include "evolve/score/evaluate.h"
#include "evolve/score/native.h"
#include "tests/evolve/test_evolve.h"
#include "tests/test_malloc.h"
#include "tests/evolve/test_score.h"
#include <signal.h>

static evolve_settings settings;

static void evaluate(const char *source, score_native *native, score_result *score)
{
    *score = score_text(source, (score_request){.settings = &settings, .native = native});
}

/* Each of the first allocations fails, and then some of the others, up to the last. */
static void refused_memory_is_no_outcome(const char *source, score_status want)
{
    score_result score;
    int lost = 0;
    evaluate(source, NULL, &score);
    CHECK(score.status == want, "%s: %s", score_status_name(score.status), score.reason);
    const double right = score.score;
    score_free(&score);
    long step = 1;
    bool fires = true;
    for (long n = 0; can_count && fires; n += step) {
        size_t refusals = base_memory_refusals();
        fail_at = allocations + n;
        evaluate(source, NULL, &score);
        fires = allocations > fail_at;
        fail_at = -1;
        bool heard = base_memory_refusals() > refusals;
        lost += score.status == SCORE_LOST;
        CHECK(score.status == (heard ? SCORE_LOST : want) && (heard || score.score == right),
              "allocation %ld: %s: %s", n, score_status_name(score.status), score.reason);
        score_free(&score);
        step = n < 40 ? 1 : 1 + n / 8;
    }
    CHECK(!can_count || lost > 20, "%d refusals were heard", lost);
}

/* More than the run gives, and less than there is on any machine: the budget's word, and the same one
 * where the machine could not give it either. */
static void budgets_are_counted(void)
{
    score_result score;
    evolve_settings before = settings;
    settings.memory = 16;
    settings.max_parameters = INT64_C(1000000000000);
    static const int d_ff[] = {100000, 16000000};
    for (int i = 0; i < 2; i++) {
        size_t refusals = base_memory_refusals();
        evaluate(tiny_source(d_ff[i], ""), NULL, &score);
        CHECK(score.status == SCORE_LIMIT && base_memory_refusals() == refusals &&
                  strstr(score.reason, "MiB: at most 16 in this run"),
              "%s: %s", score_status_name(score.status), score.reason);
        score_free(&score);
    }
    settings = before;
}

static void a_killed_process_is_no_outcome(void)
{
    const char *source = tiny_source(64, "");
    const score_native_how how = {.level = SANDBOX_BEST, .seconds = 60, .deadline = 60};
    base_error error = {""};
    score_result score;
    score_native *native = score_native_open("test.c", source, strlen(source), &how, &error);
    if (!native) {
        SKIP("%s", error.text);
        return;
    }
    kill(native->process, SIGKILL);
    evaluate(source, native, &score);
    CHECK(score.status == SCORE_LOST, "%s: %s", score_status_name(score.status), score.reason);
    score_free(&score);
    score_native_free(native);
}

int main(void)
{
    settings = tiny_settings();
    see_whether_malloc_counts();
    refused_memory_is_no_outcome(tiny_source(64, ""), SCORE_OK);
    refused_memory_is_no_outcome("hello\n", SCORE_PARSE);
    budgets_are_counted();
    a_killed_process_is_no_outcome();
    return test_end();
}
