/* SPDX-License-Identifier: MIT */
/* test_inherit.c -- whole runs whose networks begin with their parents' weights: the same journal and networks for
 * any number of jobs and either executor, wherever the run is cut and resumed; phoenix verify makes them again, and
 * names a network that was changed. */
#include "evolve/report/lineage.h"
#include "tests/evolve/test_evolve_command.h"
#include "vision/model.h"

static void run(const char *folder, bool resume, const char *jobs, const char *executor)
{
    ends_well(
        folder,
        start_evolve(folder, resume, jobs, "1",
                     (const char *[]){
                         "--task",     "digits",        "--score",   "held-out",   "--scope",
                         "deploy",     "--inherit",     "yes",       "--seed",     "2",
                         "--proposer", "edits",         "--batches", "2",          "--candidates",
                         "4",          "--fresh-seeds", "1",         "--executor", executor,
                         NULL}));
}

static report_lineage *read_run(const char *folder)
{
    base_error error = {""};
    report_lineage *l = report_lineage_read(folder, &error);
    CHECK(l, "%s", error.text);
    return l;
}

/* The first of a batch is the source; each begins with the source's network and leaves one of its own. What the
 * run ends with is trained from nothing. */
static void promises(const char *folder)
{
    report_lineage *l = read_run(folder);
    int accepted = 0, sources = 0;
    CHECK(*l->candidates.list[0].score.model && !*l->candidates.list[0].begins, "of the first");
    for (int b = 0; b < l->batch_count; b++) {
        const report_batch *batch = &l->batch[b];
        const loop_candidate *source = &l->candidates.list[batch->before];
        for (int i = 0; i < batch->count; i++) {
            const loop_candidate *c = &l->candidates.list[batch->first + i];
            sources += strcmp(c->text, source->text) == 0;
            CHECK(i > 0 || strcmp(c->text, source->text) == 0, "batch %d begins with another", b);
            CHECK(strcmp(c->begins, source->score.model) == 0, "%d.%d begins with another", b, i);
            CHECK(c->score.status != SCORE_OK || (strlen(c->score.model) == BASE_HASH_TEXT - 1 &&
                                                  strcmp(c->score.model, c->begins) != 0),
                  "%d.%d left no network", b, i);
        }
        accepted += batch->after != batch->before;
    }
    CHECK(sources >= l->batch_count && accepted > 0, "%d sources, %d accepted", sources, accepted);
    CHECK(l->kept.count == 1 && !*l->kept.list[0].begins, "the network does not begin anew");
    CHECK(l->compared.count == 2, "%d compared: the source is the first one", l->compared.count);
    for (int i = 0; i < l->compared.count; i++)
        CHECK(!*l->compared.list[i].begins, "what is compared does not begin anew");
    int files = 0;
    char *path = base_file_path(folder, "networks");
    DIR *inside = opendir(path);
    for (struct dirent *entry; inside && (entry = readdir(inside));)
        files += entry->d_name[0] != '.';
    CHECK(files == accepted + 1, "%d networks, %d sources", files, accepted + 1);
    if (inside)
        closedir(inside);
    free(path);
    report_lineage_free(l);
}

static void is_resumed(const char *folder)
{
    size_t size;
    char *path = base_file_path(folder, "journal.jsonl"), *bytes = slurp(path, &size);
    const int lines = count_events(bytes, "\n");
    for (int i = 1; i < lines; i += getenv("PHOENIX_SLOW") ? 1 : 5) {
        copy_all(folder, at("cut"));
        cut_journal(at("cut"), i);
        run(at("cut"), true, "2", "interpret");
        same_run(folder, at("cut"), true);
        remove_all(at("cut"));
    }
    free(bytes);
    free(path);
}

/* phoenix verify, all candidates: the last line, and the code it ends with. */
static void verify(const char *folder, int want, const char *piece)
{
    size_t size;
    const int code = wait_for(start_command(
        (const char *[]){TEST_PHOENIX, "verify", folder, "--quiet", "--jobs", "2", NULL}));
    char *out = slurp(at("stdout"), &size), *errors = slurp(at("stderr"), &size);
    CHECK(code == want && (strstr(out, piece) || strstr(errors, piece)),
          "exit code %d, no \"%s\": %s%s", code, piece, out, errors);
    free(out);
    free(errors);
}

/* A bit of the first source's network. */
static void a_changed_network_is_named(const char *folder)
{
    report_lineage *l = read_run(folder);
    char name[100];
    snprintf(name, sizeof name, "networks/%s", l->candidates.list[0].score.model);
    char *path = base_file_path(folder, name);
    size_t size;
    char *bytes = slurp(path, &size);
    bytes[size - 2] ^= 1;
    spill(path, bytes, size);
    verify(folder, 1, name);
    /* nobody goes on with it either, though its score is known */
    cut_journal(folder, 3);
    int code = wait_for(start_command(
        (const char *[]){TEST_PHOENIX, "evolve", "--resume", "--quiet", "--run", folder, NULL}));
    char *errors = slurp(at("stderr"), &size);
    CHECK(code == 1 && strstr(errors, name), "exit code %d: %s", code, errors);
    free(errors);
    free(bytes);
    free(path);
    report_lineage_free(l);
}

/* Where scores could not be compared, and what a worker is not given. */
static void what_has_no_meaning_is_refused(void)
{
    static const char *const wrong[][8] = {
        {"evolve", "--inherit", "yes", "--task", "self"},
        {"evolve", "--inherit", "yes", "--task", "digits", "--strategy", "ageing"},
        {"evolve", "--inherit", "yes", "--task", "digits", "--score", "mean"},
        {"evolve", "--inherit", "yes", "--task", "digits", "--elitism", "no"},
        {"evolve", "--inherit", "yes", "--task", "digits", "--candidates", "1"},
        {"evaluate", "-", "--task", "self", "--parent", "0123"},
        {"evaluate", "docs/residual.c", "--task", "digits", "--parent", "0123"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *argv[10] = {TEST_PHOENIX};
        int code;
        memcpy(argv + 1, wrong[i], sizeof wrong[i]);
        char *errors = errors_of(argv, &code);
        CHECK(code == 2 && strstr(errors, i < 5 ? "--inherit yes: " : "--parent: "),
              "%zu: exit code %d: %s", i, code, errors);
        free(errors);
    }
}

int main(void)
{
    if (!scratch_for_command())
        return test_end();
    run(at("one"), false, "1", "interpret");
    run(at("two"), false, "2", "native");
    size_t size;
    char *one = slurp(at("one/journal.jsonl"), &size), *two = slurp(at("two/journal.jsonl"), &size);
    CHECK(strcmp(one, two) == 0, "two jobs, another executor: another journal");
    free(one);
    free(two);
    promises(at("one"));
    verify(at("one"), 0, ": 0 differ");
    is_resumed(at("one"));
    a_changed_network_is_named(at("two"));
    what_has_no_meaning_is_refused();
    remove_all(scratch);
    return test_end();
}
