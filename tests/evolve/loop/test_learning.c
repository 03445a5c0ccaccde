/* SPDX-License-Identifier: MIT */
/* test_learning.c -- runs that learn from outcomes: the same journal for any number of jobs and wherever
 * they are cut, nothing proposed twice, and no other experience than the one they began with. */
#include "evolve/loop/learnt.h"
#include "evolve/report/lineage.h"
#include "evolve/search/experience.h"
#include "evolve/task.h"
#include "tests/evolve/test_evolve_command.h"

static void run(const char *folder, bool resume, const char *jobs, const char *proposer,
                const char *experience)
{
    /* A T5 that has learnt little writes programs all the same, where it may write nothing else. */
    const bool writes = strcmp(proposer, "tilted") == 0 || strcmp(proposer, "taught") == 0 ||
                        strcmp(proposer, "actor") == 0;
    const char *more[] = {"--proposer",
                          proposer,
                          "--batches",
                          "2",
                          "--candidates",
                          "3",
                          "--fresh-seeds",
                          "0",
                          writes ? "--constrained" : "--reuse",
                          "yes",
                          experience ? "--experience" : NULL,
                          experience,
                          NULL};
    ends_well(folder, start_evolve(folder, resume, jobs, "1", more));
}

/* experience.csv, of a run by rules with one or more edits a child. */
static void gather(void)
{
    int code;
    base_error error = {""};
    run(at("past"), false, "2", "edits", "none");
    char *errors = errors_of((const char *[]){TEST_PHOENIX, "experience", at("past"), at("past"),
                                              "--out", at("e.csv"), NULL},
                             &code);
    CHECK(code == 0, "%s", errors);
    free(errors);
    search_experience *e = search_experience_open(at("e.csv"), &error);
    report_lineage *l = report_lineage_read(at("past"), &error);
    CHECK(e && l && e->count == l->candidates.count - 1, "%s: %d rows", error.text,
          e ? e->count : 0);
    for (int i = 0; e && l && i < e->count; i++) {
        const search_outcome_row *row = &e->row[i];
        CHECK(strcmp(row->task, "self") == 0 && row->flops > 0 && *row->edits &&
                  row->outcome == search_outcome_of(row->before, row->after, row->noise, false),
              "row %d: %s %s", i, row->task, row->edits);
    }
    report_lineage_free(l);
    search_experience_free(e);
}

static void nothing_is_proposed_twice(const char *folder)
{
    base_error error = {""};
    report_lineage *l = report_lineage_read(folder, &error);
    CHECK(l && l->candidates.count > 6, "%s", error.text);
    for (int i = 0; l && i < l->candidates.count; i++)
        for (int k = 0; k < i; k++)
            CHECK(strcmp(l->candidates.list[i].text, l->candidates.list[k].text) != 0,
                  "%s: %d and %d are the same", folder, i, k);
    report_lineage_free(l);
}

static void runs_that_learn_keep_their_promises(const char *proposer, const char *experience)
{
    run(at("one"), false, "1", proposer, experience);
    run(at("two"), false, "2", proposer, experience);
    same_run(at("one"), at("two"), false);
    nothing_is_proposed_twice(at("one"));
    for (int events = 2; events < 12; events += 3) {
        copy_all(at("one"), at("cut"));
        cut_journal(at("cut"), events);
        run(at("cut"), true, "2", proposer, "none"); /* its own copy is there */
        same_run(at("one"), at("cut"), true);
        remove_all(at("cut"));
    }
    ends_well("verify", start_command((const char *[]){TEST_PHOENIX, "verify", at("one"), "--quiet",
                                                       "--models", NULL}));
    remove_all(at("two"));
}

/* Whoever goes on with the run in "one", or verifies it, says that its experience is another. */
static void is_refused(const char *experience)
{
    const char *const resume[] = {TEST_PHOENIX, "evolve",       "--run",    at("one"),
                                  "--resume",   "--experience", experience, NULL};
    const char *const verify[] = {TEST_PHOENIX, "verify", at("one"), "--quiet", NULL};
    const bool given = strcmp(experience, "none") != 0;
    for (int i = given; i < 2; i++) {
        int code;
        char *errors = errors_of(i ? resume : verify, &code);
        CHECK(code == 1 && strstr(errors, "is not that which the run began with"), "%d: %s", code,
              errors);
        free(errors);
    }
}

/* With no word of it a run begins with the program's own, the file of the tree, and says what that knows of its scope. */
static void the_programs_own_is_the_default(void)
{
    size_t sizes[2], size;
    run(at("own"), false, "1", "counts", NULL);
    char *kept = slurp(at("own/experience.csv"), &sizes[0]);
    char *ours = slurp("evolve/search/experience.csv", &sizes[1]);
    CHECK(sizes[0] == sizes[1] && memcmp(kept, ours, sizes[0]) == 0, "another experience");
    char *summary = slurp(at("own/summary.txt"), &size), *line = strstr(summary, "experience: ");
    int rows = 0;
    for (const char *p = ours; (p = strstr(p, ",architecture,")) != NULL; p++)
        rows++;
    CHECK(line && atoi(line + strlen("experience: ")) == rows && strstr(line, "num_layers- (") &&
              strstr(line, " of 12 candidates were better than"),
          "%s", summary);
    free(summary);
    free(kept);
    free(ours);
    remove_all(at("own"));
    run(at("none"), false, "1", "counts", "none");
    CHECK(!base_file_exists(at("none/experience.csv")), "none was asked for");
    summary = slurp(at("none/summary.txt"), &size);
    CHECK(strstr(summary, "experience: 0 outcomes of earlier runs\n"), "%s", summary);
    free(summary);
    remove_all(at("none"));
}

static void another_experience_is_refused(void)
{
    size_t size;
    char *bytes = slurp(at("e.csv"), &size), *own = base_file_path(at("one"), "experience.csv");
    base_error error = {""};
    cut_journal(at("one"), 4);
    const char *last = strrchr(bytes, ',');
    CHECK(last && base_file_write(at("other.csv"),
                                  (base_bytes[]){{bytes, (size_t)(last - bytes)}, {",1\n", 3}}, 2,
                                  NULL, &error),
          "%s", error.text);
    is_refused(at("other.csv"));
    CHECK(rename(at("other.csv"), own) == 0, "%s", own);
    is_refused("none");
    unlink(own);
    is_refused("none");
    free(own);
    free(bytes);
    remove_all(at("one"));
}

static void no_run_begins_with_what_it_cannot_read(void)
{
    int code;
    base_error error = {""};
    CHECK(base_file_write(at("torn.csv"), &(base_bytes){"task,scope\n", 11}, 1, NULL, &error), "%s",
          error.text);
    const char *argv[] = {TEST_PHOENIX, "evolve",       "--run",        at("none"), "--proposer",
                          "counts",     "--experience", at("torn.csv"), NULL};
    char *errors = errors_of(argv, &code);
    CHECK(code == 1 && strstr(errors, "torn.csv:1: expected the heading"), "%s", errors);
    free(errors);
    argv[5] = "rules";
    argv[7] = at("e.csv");
    errors = errors_of(argv, &code);
    CHECK(code == 1 && strstr(errors, "only --proposer counts"), "%s", errors);
    free(errors);
    CHECK(!base_file_exists(at("none")), "the folder was made");
}

/* The operations of its training grow with what it has seen; they are some thousandth of those of a score. */
static void a_critic_is_charged(const char *folder)
{
    base_error error = {""};
    report_lineage *l = report_lineage_read(folder, &error);
    CHECK(l && l->compute.generation > 1e5 && l->compute.generation < 0.01 * l->compute.evaluation,
          "%s: %g of %g operations", error.text, l ? l->compute.generation : 0,
          l ? l->compute.evaluation : 0);
    report_lineage_free(l);
}

/* Halving of refinements: of three children one comes to all pairs, by two steps, and is better than the source; two
 * are left behind. A fourth, of it, has only begun. */
static void what_halving_teaches(void)
{
    enum { SOURCE, UP, DOWN, OTHER, AGAIN, IN_FULL, YOUNG, COUNT };
    static const int parents[] = {LOOP_NOBODY, SOURCE, SOURCE, SOURCE, UP, AGAIN, IN_FULL};
    static const int texts[] = {SOURCE, UP, DOWN, OTHER, UP, UP, YOUNG};
    static const double shares[] = {1, 0.25, 0.25, 0.25, 0.5, 1, 0.25};
    static const double scores[] = {3, 9, 10, 11, 6, 2, 8};
    evolve_settings settings;
    base_error error = {""};
    CHECK(evolve_settings_preset(&settings, "quick", &error), "%s", error.text);
    settings.strategy = EVOLVE_REFINED_HALVING;
    settings.proposer = EVOLVE_COUNTS;
    mutation_mutator m = evolve_mutator(&settings);
    mutation_form forms[COUNT];
    base_text printed[COUNT] = {{0}};
    loop_candidate list[COUNT];
    base_random random = {1, 2, 0};
    forms[SOURCE] = m.kind->pair(&m, 1, 0).source;
    for (int i = 0; i < COUNT; i++) {
        const int from = i == YOUNG ? UP : SOURCE;
        int changed = i == SOURCE;
        while (changed == 0) {
            CHECK(m.kind->refine(&m, &forms[from], &random, &forms[i]), "no refinement");
            mutation_mutator_outcome(&m, &forms[from], &forms[i], &changed);
        }
        m.kind->print(&m, &forms[i], &printed[i]);
    }
    for (int i = 0; i < COUNT; i++)
        list[i] = (loop_candidate){.number = i,
                                   .text = printed[texts[i]].data,
                                   .length = printed[texts[i]].length,
                                   .parent = parents[i],
                                   .share = shares[i],
                                   .scored = true,
                                   .score = {.status = SCORE_OK, .score = scores[i]}};
    for (int known = 1; known <= COUNT; known++) {
        loop_learnt learnt = {0};
        double tried = 0, paid = 0;
        CHECK(loop_learn(&settings, &m, NULL, list, known, &learnt, &error), "%s", error.text);
        for (int i = 0; i < MUTATION_MAX_OUTCOMES; i++) {
            tried += learnt.counts.tried[i];
            paid += learnt.counts.paid[i];
        }
        const bool over = known > IN_FULL; /* before that nobody is left behind for good */
        CHECK(tried == (over ? 3 : 0) && paid == over, "of %d: %g of %g", known, paid, tried);
        search_counts want = {{0}, {0}};
        search_counts_note(&want, &m, &forms[SOURCE], &forms[UP], over);
        for (int i = 0; over && i < MUTATION_MAX_OUTCOMES; i++)
            CHECK(learnt.counts.paid[i] == want.paid[i], "outcome %d has paid", i);
    }
    for (int i = 0; i < COUNT; i++)
        base_text_free(&printed[i]);
}

int main(void)
{
    what_halving_teaches();
    if (!scratch_for_command())
        return test_end();
    gather();
    runs_that_learn_keep_their_promises("counts", "none");
    remove_all(at("one"));
    runs_that_learn_keep_their_promises("tilted", at("e.csv"));
    remove_all(at("one"));
    runs_that_learn_keep_their_promises("taught", at("e.csv"));
    remove_all(at("one"));
    runs_that_learn_keep_their_promises("actor", at("e.csv"));
    remove_all(at("one"));
    runs_that_learn_keep_their_promises("critic", at("e.csv"));
    a_critic_is_charged(at("one"));
    remove_all(at("one"));
    runs_that_learn_keep_their_promises("counts", at("e.csv"));
    another_experience_is_refused();
    the_programs_own_is_the_default();
    no_run_begins_with_what_it_cannot_read();
    remove_all(scratch);
    return test_end();
}
