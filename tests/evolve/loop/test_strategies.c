/* SPDX-License-Identifier: MIT */
/* test_strategies.c -- whole runs by every strategy and every proposer: the same journal for
 * any number of jobs, wherever the run is cut and resumed; what a strategy promises holds in the
 * journal; phoenix verify, report, why, diff and compare take the run for what it is. */
#include "evolve/report/lineage.h"
#include "evolve/search/search.h"
#include "tests/evolve/test_evolve_command.h"
#include <math.h>

static bool slow; /* PHOENIX_SLOW: every cut */

enum { POPULATION = 3, MOST = 24 };

/* What is run: a strategy, a proposer, and one more setting. */
typedef struct kind {
    const char *strategy, *proposer, *name, *value, *name_2, *value_2;
} kind;

static void run(const char *folder, bool resume, const char *jobs, kind k)
{
    const char *more[MOST] = {
        "--strategy",    k.strategy, "--proposer", k.proposer, "--population", "3",
        "--sample",      "2",        "--batches",  "2",        "--candidates", "3",
        "--fresh-seeds", "1",        k.name,       k.value,    k.name_2,       k.value_2};
    ends_well(folder, start_evolve(folder, resume, jobs, "1", more));
}

/* Runs a command on a run; its output. */
static char *command(int want, const char *name, const char *const *arguments)
{
    const char *argv[16] = {TEST_PHOENIX, name};
    size_t size;
    for (int i = 0; arguments[i]; i++)
        argv[i + 2] = arguments[i];
    int code = wait_for(start_command(argv));
    char *out = slurp(at("stdout"), &size), *errors = slurp(at("stderr"), &size);
    CHECK(code == want && (want != 0 || size == 0), "%s %s: exit code %d: %s%s", name, arguments[0],
          code, out, errors);
    free(errors);
    return out;
}

static void says(const char *name, const char *const *arguments, const char *piece)
{
    char *out = command(0, name, arguments);
    CHECK(strstr(out, piece), "%s %s: no \"%s\": %s", name, arguments[0], piece, out);
    free(out);
}

/* What looks at runs looks at this one. */
static void is_looked_at(const char *folder)
{
    says("verify", (const char *[]){folder, "--quiet", "--jobs", "2", NULL}, ": 0 differ");
    says("why", (const char *[]){folder, "default", NULL}, "the first source");
    free(command(0, "why", (const char *[]){folder, "last", NULL}));
    says("why", (const char *[]){folder, "0.0.0", NULL}, "verdict");
    free(command(0, "diff", (const char *[]){folder, "default", "0.0.0", NULL}));
    says("compare", (const char *[]){folder, "--against", folder, NULL}, "spent, GFLOP");
    free(command(0, "report", (const char *[]){folder, "--out", at("page.html"), NULL}));
}

/* Cut after so many events, it ends as it ended. */
static void is_resumed(const char *folder, kind k, int step)
{
    size_t size;
    char *path = base_file_path(folder, "journal.jsonl"), *bytes = slurp(path, &size);
    int lines = count_events(bytes, "\n");
    for (int i = 1; i < lines; i += slow ? 1 : step) {
        copy_all(folder, at("cut"));
        cut_journal(at("cut"), i);
        unlink(at("cut/source.c"));
        run(at("cut"), true, "2", k);
        same_run(folder, at("cut"), true);
        remove_all(at("cut"));
    }
    free(bytes);
    free(path);
}

static report_lineage *read_run(const char *folder)
{
    base_error error = {""};
    report_lineage *lineage = report_lineage_read(folder, &error);
    CHECK(lineage, "%s", error.text);
    return lineage;
}

/* ---- what a strategy promises ---- */

/* Each is one legal edit of what it was made from, but for those that are scored again. */
static void edits_are_legal(const report_lineage *l)
{
    const mutation_rules rules = mutation_paper_rules();
    mutation_mutator m = mutation_mutator_of_rules(&rules);
    for (int i = 1; i < l->candidates.count; i++) {
        mutation_form from, to;
        const char *text = l->candidates.list[i].text;
        const char *source = report_lineage_text(l, l->candidates.list[i].parent);
        int changed = 0;
        if (l->candidates.list[l->candidates.list[i].parent].share < 1)
            continue;
        CHECK(m.kind->read(&m, source, strlen(source), &from) &&
                  m.kind->read(&m, text, strlen(text), &to) &&
                  m.kind->probability(&m, &from, &to) > 0 &&
                  mutation_mutator_outcome(&m, &from, &to, &changed) >= 0 && changed == 1,
              "%s: candidate %d: %d changes: %s", l->name, i, changed, text);
    }
}

/* The source of now is never worse than the one before, and its batch's best. */
static void never_worse(const report_lineage *l)
{
    for (int b = 0; b < l->batch_count; b++) {
        const report_batch *batch = &l->batch[b];
        double before = report_lineage_score(l, batch->before)->score;
        double after = report_lineage_score(l, batch->after)->score;
        CHECK(batch->after == batch->before || after < before, "%s: batch %d: %g after %g", l->name,
              b, after, before);
        for (int i = batch->first; i < batch->first + batch->count; i++)
            CHECK(l->candidates.list[i].score.status != SCORE_OK ||
                      l->candidates.list[i].share < 1 || l->candidates.list[i].score.score >= after,
                  "%s: batch %d: candidate %d is better than the source", l->name, b, i);
    }
}

/* A parent is one of the last POPULATION that were scored, the first source before them. */
static void the_oldest_dies(const report_lineage *l)
{
    for (int b = 0; b < l->batch_count; b++) {
        int young = 0, oldest = l->batch[b].first;
        while (oldest > 1 && young < POPULATION)
            young += l->candidates.list[--oldest].score.status == SCORE_OK;
        oldest = young < POPULATION ? 0 : oldest;
        for (int i = l->batch[b].first; i < l->batch[b].first + l->batch[b].count; i++)
            CHECK(l->candidates.list[i].parent >= oldest,
                  "%s: candidate %d has a parent of %d, who died", l->name, i,
                  l->candidates.list[i].parent);
    }
}

/* Each candidate is a step larger than the one before. */
static void always_larger(const report_lineage *l)
{
    for (int i = 1; i < l->candidates.count; i++) {
        CHECK(l->candidates.list[i].parent == i - 1, "%s: candidate %d is of %d", l->name, i,
              l->candidates.list[i].parent);
        CHECK(l->candidates.list[i].score.parameters >
                  report_lineage_score(l, l->candidates.list[i].parent)->parameters,
              "%s: candidate %d is not larger", l->name, i);
    }
}

/* Those that go on are of the better half of the rung before. */
static void the_better_half(const report_lineage *l)
{
    int again = 0;
    for (int i = 1; i < l->candidates.count; i++) {
        const loop_candidate *r = &l->candidates.list[i];
        int better = 0, rung = 0;
        if (r->parent == LOOP_NOBODY || l->candidates.list[r->parent].share == 1) {
            CHECK(r->share == 0.25, "%s: a new one on a share of %g", l->name, r->share);
            continue;
        }
        again++;
        CHECK(r->share == 2 * l->candidates.list[r->parent].share &&
                  strcmp(r->text, l->candidates.list[r->parent].text) == 0,
              "%s: candidate %d", l->name, i);
        for (int k = 1; k < i; k++) {
            bool same_rung = l->candidates.list[k].share == l->candidates.list[r->parent].share;
            rung += same_rung;
            better += same_rung &&
                      l->candidates.list[k].score.score < l->candidates.list[r->parent].score.score;
        }
        CHECK(2 * better < rung, "%s: candidate %d was number %d of %d", l->name, i, better, rung);
    }
    CHECK(again > 0, "%s: no second rung", l->name);
}

static void promises(const char *folder, evolve_strategy strategy)
{
    report_lineage *l = read_run(folder);
    if (!l)
        return;
    CHECK(l->finished && l->trained_count == 0 && !l->trains, "%s: %d models", folder,
          l->trained_count);
    CHECK(l->compute.training == 0 && l->compute.generation == 0 && l->compute.evaluation > 0,
          "%s: spent %g and %g without a model", folder, l->compute.training,
          l->compute.generation);
    never_worse(l);
    if (evolve_strategy_refines(strategy))
        edits_are_legal(l);
    if (strategy == EVOLVE_AGEING)
        the_oldest_dies(l);
    if (strategy == EVOLVE_LARGER)
        always_larger(l);
    if (strategy == EVOLVE_HALVING || strategy == EVOLVE_REFINED_HALVING)
        the_better_half(l);
    report_lineage_free(l);
    char *episode = base_file_path(folder, "episode-0");
    CHECK(!base_file_exists(episode), "%s is there, and nothing was trained", episode);
    free(episode);
}

static void every_strategy_without_a_model(void)
{
    for (int s = 0; s < EVOLVE_STRATEGIES; s++) {
        const kind k = {.strategy = evolve_strategy_names[s], .proposer = "rules"};
        run(at("one"), false, "1", k);
        run(at("two"), false, "2", k);
        same_run(at("one"), at("two"), false);
        promises(at("one"), (evolve_strategy)s);
        is_looked_at(at("one"));
        is_resumed(at("one"), k, s == EVOLVE_GENETIC || s == EVOLVE_HALVING ? 9 : 17);
        remove_all(at("one"));
        remove_all(at("two"));
    }
}

/* A program as good as the source, the source itself here, is taken. */
static void climbing_takes_what_is_as_good(void)
{
    const kind k = {.strategy = "climb", .proposer = "rules"};
    base_error error = {""};
    bool replayed;
    run(at("climb"), false, "1", k);
    report_lineage *l = read_run(at("climb"));
    const char *text = report_lineage_text(l, 0);
    base_text members = texts_of(&text, 1);
    report_lineage_free(l);
    cut_journal(at("climb"), 3);
    loop_journal *journal = loop_journal_open(at("climb"), &error);
    loop_event event;
    CHECK(journal && loop_journal_next(journal, LOOP_STARTED, &event, &replayed, &error) &&
              loop_journal_next(journal, LOOP_DEFAULT, &event, &replayed, &error) &&
              loop_journal_next(journal, LOOP_ASKED, &event, &replayed, &error),
          "%s", error.text);
    event = (loop_event){.kind = LOOP_PROPOSED, .texts.text = members.data};
    CHECK(loop_journal_append(journal, &event, &error), "%s", error.text);
    loop_journal_close(journal);
    run(at("climb"), true, "1", k);
    l = read_run(at("climb"));
    CHECK(l->candidates.list[1].accepted && l->candidates.list[1].reused &&
              l->batch[0].after == 1 && l->candidates.list[2].parent == 1,
          "not taken");
    report_lineage_free(l);
    says("why", (const char *[]){at("climb"), "0.0.0", NULL}, "as good as the source");
    base_text_free(&members);
    remove_all(at("climb"));
}

/* ---- with a model ---- */

static void a_model_in_a_population(void)
{
    const kind k = {.strategy = "genetic", .proposer = "t5"};
    run(at("t5"), false, "2", k);
    report_lineage *l = read_run(at("t5"));
    CHECK(l->trained_count == 2 && l->compute.training > 0 && l->compute.generation > 0,
          "%d models, %g, %g", l->trained_count, l->compute.training, l->compute.generation);
    report_lineage_free(l);
    is_looked_at(at("t5"));
    says("verify", (const char *[]){at("t5"), "--quiet", "--models", NULL}, "2 models");
    is_resumed(at("t5"), k, 13);
    remove_all(at("t5"));
}

static void a_model_with_its_first_weights(void)
{
    const kind k = {.strategy = "greedy", .proposer = "untrained"};
    run(at("raw"), false, "2", k);
    report_lineage *l = read_run(at("raw"));
    CHECK(l->trained_count == 0 && l->writes && l->compute.training == 0 &&
              l->compute.generation > 0,
          "%d models, %g", l->trained_count, l->compute.generation);
    report_lineage_free(l);
    is_looked_at(at("raw"));
    is_resumed(at("raw"), k, 11);
    remove_all(at("raw"));
}

/* The constraint alone makes programs of what it writes; free, it writes none. */
static void a_model_that_may_only_write_programs(void)
{
    static const char *const answers[] = {"no", "yes"};
    for (int i = 0; i < 2; i++) {
        const kind k = {"greedy", "untrained", "--constrained", answers[i], "--max-tokens", "512"};
        run(at("bound"), false, "2", k);
        report_lineage *l = read_run(at("bound"));
        int programs = 0;
        for (int c = 1; c < l->candidates.count; c++)
            programs += l->candidates.list[c].score.status == SCORE_OK;
        CHECK(programs == (i ? l->candidates.count - 1 : 0), "%s: %d programs of %d", answers[i],
              programs, l->candidates.count - 1);
        report_lineage_free(l);
        if (i)
            is_looked_at(at("bound"));
        remove_all(at("bound"));
    }
}

/* Strategies that draw have no use for one. */
static void a_model_without_use_is_not_trained(void)
{
    run(at("drawn"), false, "2", (kind){.strategy = "random", .proposer = "t5"});
    report_lineage *l = read_run(at("drawn"));
    CHECK(l->trained_count == 0 && l->compute.training == 0 &&
              l->candidates.list[1].parent == LOOP_NOBODY,
          "%d models", l->trained_count);
    report_lineage_free(l);
    is_looked_at(at("drawn"));
    remove_all(at("drawn"));
}

/* ---- other spaces ---- */

static void networks_and_whole_programs(void)
{
    const kind kinds[] = {
        {"halving", "rules", "--task", "digits", NULL, NULL},
        {"refined-halving", "counts", "--task", "digits", "--scope", "deploy-all"},
        {"refined-halving", "critic", "--task", "digits", NULL, NULL},
        {"refined-halving", "tilted", "--task", "digits", NULL, NULL},
        {"refined-halving", "t5", "--task", "digits", "--scope", "deploy"},
        {"genetic", "rules", "--task", "digits", NULL, NULL},
        {"greedy", "rules", "--scope", "all", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        run(at("other"), false, "2", kinds[i]);
        is_looked_at(at("other"));
        is_resumed(at("other"), kinds[i], 19);
        remove_all(at("other"));
    }
}

static void what_has_no_meaning_is_refused(void)
{
    static const char *const spaces[][2] = {{"--task", "digits"}, {"--scope", "all"}};
    for (int i = 0; i < 2; i++) {
        char *out = command(1, "evolve",
                            (const char *[]){"--run", at("none"), "--strategy", "larger",
                                             spaces[i][0], spaces[i][1], NULL});
        size_t size;
        char *errors = slurp(at("stderr"), &size);
        CHECK(strstr(errors, "--strategy larger: ") && strchr(errors, '\n') == errors + size - 1,
              "%s", errors);
        CHECK(!base_file_exists(at("none")), "the folder was made");
        free(errors);
        free(out);
    }
}

int main(void)
{
    slow = getenv("PHOENIX_SLOW") && *getenv("PHOENIX_SLOW");
    if (!scratch_for_command())
        return test_end();
    every_strategy_without_a_model();
    climbing_takes_what_is_as_good();
    a_model_in_a_population();
    a_model_with_its_first_weights();
    a_model_that_may_only_write_programs();
    a_model_without_use_is_not_trained();
    networks_and_whole_programs();
    what_has_no_meaning_is_refused();
    remove_all(scratch);
    return test_end();
}
