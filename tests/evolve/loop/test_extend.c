/* SPDX-License-Identifier: MIT */
/* test_extend.c -- more episodes for a run: the bytes are those of a run that was asked for them at once. */
#include "evolve/loop/extend.h"
#include "evolve/report/lineage.h"
#include "tests/evolve/test_evolve_command.h"

static void run(const char *folder, const char *episodes, const char *task, const char *proposer)
{
    const char *more[] = {
        "--episodes",   episodes, "--task",    task, "--proposer", proposer, "--fresh-seeds", "1",
        "--candidates", "2",      "--batches", "1",  NULL};
    ends_well(folder, start_evolve(folder, false, "1", "1", more));
}

/* What it says on standard error; the caller frees it. */
static char *extend(const char *folder, const char *episodes, int want)
{
    const char *const argv[] = {TEST_PHOENIX, "evolve",     "--run",  folder, "--quiet",
                                "--resume",   "--episodes", episodes, NULL};
    int code;
    char *errors = errors_of(argv, &code);
    CHECK(code == want, "%s: exit code %d: %s", folder, code, errors);
    return errors;
}

/* An ended run, one that was cut before it ended, and one that a crash left between the journal and the
 * manifest. */
static void as_if_asked_for_at_once(const char *task, const char *proposer)
{
    run(at("one"), "1", task, proposer);
    run(at("three"), "3", task, proposer);
    copy_all(at("one"), at("ended"));
    copy_all(at("one"), at("cut"));
    cut_journal(at("cut"), 4);
    copy_all(at("one"), at("torn"));
    char *old = base_file_path(at("torn"), "manifest.json");
    size_t size;
    char *manifest = slurp(old, &size);
    base_error error = {""};
    CHECK(loop_extend(at("torn"), 3, &error), "%s", error.text);
    spill(old, manifest, size);
    free(manifest);
    free(old);
    static const char *const states[] = {"ended", "cut", "torn"};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        free(extend(at(states[i]), "3", 0));
        same_run(at("three"), at(states[i]), true);
        remove_all(at(states[i]));
    }
    remove_all(at("one"));
}

/* Fewer than there are, and a journal of other settings. */
static void what_cannot_be_is_refused(void)
{
    copy_all(at("three"), at("copy"));
    char *errors = extend(at("three"), "2", 1);
    CHECK(strstr(errors, "expected at least the 3 episodes"), "%s", errors);
    free(errors);
    free(extend(at("three"), "3", 0)); /* it has them */
    char *path = base_file_path(at("three"), "manifest.json");
    run(at("other"), "1", "digits", "rules");
    char *of_other = base_file_path(at("other"), "manifest.json");
    size_t size;
    char *manifest = slurp(of_other, &size), *own = slurp(path, &(size_t){0});
    spill(path, manifest, size);
    errors = extend(at("three"), "4", 1);
    CHECK(strstr(errors, "journal.jsonl: the settings of this run were expected in it"), "%s",
          errors);
    spill(path, own, strlen(own));
    same_run(at("copy"), at("three"), true);
    free(errors);
    free(manifest);
    free(own);
    free(of_other);
    free(path);
}

/* It ends with the second batch in a row that changes nothing, and not before. */
static void a_run_that_stalls_ends(void)
{
    const char *more[] = {"--episodes", "9", "--proposer",   "rules", "--fresh-seeds", "0",
                          "--batches",  "3", "--stop-after", "2",     "--candidates",  "1",
                          NULL};
    base_error error = {""};
    int code = wait_for(start_evolve(at("stalled"), false, "1", "1", more)), idle = 0;
    report_lineage *l = code == 0 ? report_lineage_read(at("stalled"), &error) : NULL;
    CHECK(l && l->finished, "exit code %d: %s", code, error.text);
    for (int b = 0; l && b < l->batch_count; b++) {
        CHECK(idle < 2, "batch %d comes after two without a gain", b);
        idle = l->batch[b].after == l->batch[b].before ? idle + 1 : 0;
    }
    CHECK(idle == 2 && l && l->batch_count < 9 * 3, "%d idle batches", idle);
    report_lineage_free(l);
    ends_well("verify", start_command((const char *[]){TEST_PHOENIX, "verify", at("stalled"),
                                                       "--quiet", NULL}));
}

int main(void)
{
    if (!scratch_for_command())
        return test_end();
    as_if_asked_for_at_once("digits", "rules");
    remove_all(at("three"));
    as_if_asked_for_at_once("self", "t5");
    what_cannot_be_is_refused();
    a_run_that_stalls_ends();
    remove_all(scratch);
    return test_end();
}
