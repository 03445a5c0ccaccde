/* SPDX-License-Identifier: MIT */
/* test_compare.c -- phoenix compare of runs whose journals are made up, and what it refuses. */
#include "bin/compare.h"
#include "base/number.h"
#include "bin/command.h"
#include "tests/test.h"
#include "tests/evolve/test_evolve_folder.h"

const char *command_program = "phoenix", *command_called = "phoenix"; /* main.c's */

/* The first source's score and the last's in the search, and the gain with two fresh seeds.
 * last < 0: no better source was found, and nothing is compared. */
static const char *made_run(const char *name, int seed, double first, double last, double fresh)
{
    const char *folder = at(name), *text = "no program";
    const bool found = last >= 0;
    evolve_settings settings = tiny_settings();
    const loop_options options = {
        .folder = folder, .run = {.jobs = 1, .threads = 1, .launcher = ""}, .program = "phoenix"};
    base_error error = {""};
    settings.seed = seed;
    settings.candidates = 1;
    CHECK(evolve_settings_set(&settings, "proposer", "rules", &error) &&
              base_file_make_folder(folder, &error) &&
              loop_manifest_write(folder, &settings, &options, &error),
          "%s", error.text);
    loop_journal *journal = loop_journal_open(folder, &error);
    append(journal, (loop_event){.kind = LOOP_STARTED,
                                 .version = EVOLVE_VERSION,
                                 .settings.text = settings_text(&settings)});
    append_default(journal, (score_result){.score = first});
    append_proposed(journal, 0, 0, &text, 1);
    append_evaluated(journal, 0, 0, 1, "", false,
                     found ? (score_result){.score = last} : no_program);
    append(journal, (loop_event){.kind = LOOP_SELECTED,
                                 .candidate = found,
                                 .accepted = found,
                                 .score = found ? last : first,
                                 .source = text});
    for (int i = 0; found && i < 4; i++) /* the two seeds differ by what both sources share */
        append_compared(journal, i / 2, i % 2,
                        (score_result){.score = (i % 2 ? first - fresh : first) + (i < 2 ? 1 : 0)});
    append(
        journal,
        (loop_event){.kind = LOOP_FINISHED, .source = TEST_HASH("5"), .summary = TEST_HASH("7")});
    loop_journal_close(journal);
    return folder;
}

static const char *csv_of(const compare_how *how)
{
    static char kept[4096];
    base_error error;
    size_t size;
    char *bytes = base_file_read(how->csv, sizeof kept - 1, &size, &error);
    snprintf(kept, sizeof kept, "%s", bytes ? bytes : error.text);
    free(bytes);
    return kept;
}

static void gains(void)
{
    const compare_how how = {.margin = 0.1, .csv = at("runs.csv")};
    const char *const runs[] = {made_run("two", 2, 5, 4, 0.5), made_run("one", 1, 5, 4.5, 0.25),
                                made_run("three", 3, 5, -1, 0)};
    CHECK(compare_runs(&how, runs, 3, NULL, 0) == EXIT_DONE, "one group");
    char want[2048];
    snprintf(want, sizeof want,
             "group,run,seed,gain_seen,gain_fresh,evaluations,evaluation_flop,training_flop,"
             "generation_flop\nruns,%s,1,0.5,0.25,0,0,0,0\nruns,%s,2,1,0.5,0,0,0,0\n"
             "runs,%s,3,0,0,0,0,0,0\n",
             runs[1], runs[0], runs[2]);
    CHECK(strcmp(csv_of(&how), want) == 0, "%s", csv_of(&how));
    CHECK(compare_runs(&how, runs, 3, runs, 3) == EXIT_DONE, "a group against itself");
    CHECK(compare_runs(&how, runs, 3, runs, 2) == EXIT_FAILED, "a seed has no partner");
    const char *const twice[] = {runs[0], runs[0]};
    CHECK(compare_runs(&how, twice, 2, NULL, 0) == EXIT_FAILED, "a run is given twice in a group");
}

static void refused(void)
{
    const compare_how how = {.margin = 0.1};
    const char *good = made_run("good", 1, 5, 4, 0.5), *missing = at("missing");
    base_error error;
    size_t size;
    CHECK(compare_runs(&how, &missing, 1, NULL, 0) == EXIT_FAILED, "no such run");
    char *path = base_file_path(good, "journal.jsonl");
    char *bytes = base_file_read(path, 1 << 16, &size, &error);
    CHECK(bytes && compare_runs(&how, &good, 1, NULL, 0) == EXIT_DONE, "a whole one");
    int accepted = 0;
    for (size_t cut = 0; cut < size; cut += 7) { /* every run that lacks its end is refused */
        const base_bytes part = {bytes, cut};
        CHECK(base_file_write(path, &part, 1, NULL, &error), "%s", error.text);
        accepted += compare_runs(&how, &good, 1, NULL, 0) == EXIT_DONE;
    }
    CHECK(accepted == 0, "%d unfinished runs were taken", accepted);
    bytes[size / 2] ^= 1;
    const base_bytes changed = {bytes, size};
    CHECK(base_file_write(path, &changed, 1, NULL, &error), "%s", error.text);
    CHECK(compare_runs(&how, &good, 1, NULL, 0) == EXIT_FAILED, "a changed byte");
    free(bytes);
    free(path);
}

static int command(const char *line)
{
    char words[640], *argv[32];
    int argc = 0;
    snprintf(words, sizeof words, "%s", line);
    for (char *word = strtok(words, " "); word && argc < 32; word = strtok(NULL, " "))
        argv[argc++] = word;
    return command_compare(argc, argv);
}

static void command_lines(void)
{
    char line[600];
    const char *one = made_run("run-1", 1, 5, 4, 0.5), *two = made_run("run-2", 2, 5, 4, 0.25);
    CHECK(command("compare") == EXIT_USAGE, "nothing to compare");
    snprintf(line, sizeof line, "compare %s --table x.csv", one);
    CHECK(command(line) == EXIT_USAGE, "runs and a table");
    snprintf(line, sizeof line, "compare --table x.csv --against %s", one);
    CHECK(command(line) == EXIT_USAGE, "a table against a run");
    CHECK(command("compare --table x.csv --invalid 0.9 --copies 0.2") == EXIT_USAGE, "shares");
    snprintf(line, sizeof line, "compare %s --against=%s --margin 0.5 --figures %s", one, one,
             at("drawn"));
    CHECK(command(line) == EXIT_DONE, "an option after the runs");
    CHECK(!base_file_exists(at("drawn/runs.svg")), "one pair has no figure");
    snprintf(line, sizeof line, "compare %s %s --against %s %s --figures %s", one, two, one, two,
             at("drawn"));
    CHECK(command(line) == EXIT_DONE && base_file_exists(at("drawn/runs.svg")), "a figure");
    snprintf(line, sizeof line, "compare %s %s --against %s %s --figures=%s/journal.jsonl/x", one,
             two, one, two, one);
    CHECK(command(line) == EXIT_FAILED, "no folder can be there");
    snprintf(line, sizeof line, "compare --against %s --margin 0.5", one);
    CHECK(command(line) == EXIT_USAGE, "nothing to hold against");
    snprintf(line, sizeof line, "compare --table %s", at("no-table.csv"));
    CHECK(command(line) == EXIT_FAILED, "no such table");
}

int main(void)
{
    if (!scratch_make()) {
        CHECK(false, "no folder for the test");
        return test_end();
    }
    gains();
    refused();
    command_lines();
    remove_all(scratch);
    return test_end();
}
