/* SPDX-License-Identifier: MIT */
/* test_first.c -- runs that start from a source of somebody's own: it is candidate 0, the run keeps it, and
 * goes on, is verified and read with what it began with alone. */
#include "evolve/report/lineage.h"
#include "tests/evolve/test_evolve_command.h"

static char *own; /* the source's text */

static void run(const char *folder, bool resume, const char *jobs, const char *source)
{
    const char *more[] = {"--proposer",
                          "rules",
                          "--batches",
                          "2",
                          "--candidates",
                          "3",
                          "--fresh-seeds",
                          "1",
                          source ? "--source" : NULL,
                          source,
                          NULL};
    ends_well(folder, start_evolve(folder, resume, jobs, "1", more));
}

static void store(const char *path, const char *text)
{
    base_error error = {""};
    CHECK(base_file_write(path, &(base_bytes){text, strlen(text)}, 1, NULL, &error), "%s",
          error.text);
}

/* What a first run found is what a second one starts from: its default source, with one line changed by
 * hand, which no preset writes. */
static void make_own(void)
{
    base_error error = {""};
    run(at("before"), false, "2", NULL);
    report_lineage *l = report_lineage_read(at("before"), &error);
    CHECK(l, "%s", error.text);
    const char *text = l ? report_lineage_text(l, 0) : "";
    const char *line = strstr(text, "    config.num_layers = ");
    const char *end = line ? strchr(line, '\n') : NULL;
    CHECK(end, "no number of layers: %s", text);
    base_text changed = {0};
    if (end) {
        base_text_add(&changed, text, (size_t)(line - text));
        base_text_print(&changed, "    config.num_layers = 5;%s", end);
    }
    own = base_copy(changed.data, changed.length);
    base_text_free(&changed);
    report_lineage_free(l);
    store(at("own.c"), own);
    remove_all(at("before"));
}

static void it_is_the_first(void)
{
    base_error error = {""};
    size_t size;
    base_text mine = {0}; /* of the same tokens */
    base_text_print(&mine, "/* mine */ %s// the end\n", own);
    for (size_t i = 0; i < mine.length; i++)
        if (mine.data[i] == ' ' && mine.data[i - 1] == ' ')
            mine.data[i] = '\t';
    store(at("mine.c"), mine.data);
    base_text_free(&mine);
    run(at("one"), false, "1", at("mine.c"));
    run(at("two"), false, "2", at("own.c"));
    same_run(at("one"), at("two"), false);
    report_lineage *l = report_lineage_read(at("one"), &error);
    CHECK(l && strcmp(report_lineage_text(l, 0), own) == 0, "%s: candidate 0 is another",
          error.text);
    for (int i = 1; l && i < l->candidates.count; i++)
        CHECK(l->candidates.list[i].parent != 0 || !strstr(l->candidates.list[i].text, "#error"),
              "candidate %d is no edit of it: %s", i, l->candidates.list[i].text);
    report_lineage_free(l);
    char *summary = slurp(at("one/summary.txt"), &size);
    CHECK(strstr(summary, "first source ") && !strstr(summary, "default"), "%s", summary);
    free(summary);
    for (int events = 2; events < 10; events += 3) {
        copy_all(at("one"), at("cut"));
        cut_journal(at("cut"), events);
        unlink(at("cut/source.c"));
        run(at("cut"), true, "2", NULL); /* its own copy is there */
        same_run(at("one"), at("cut"), true);
        remove_all(at("cut"));
    }
    ends_well("verify",
              start_command((const char *[]){TEST_PHOENIX, "verify", at("one"), "--quiet", NULL}));
    remove_all(at("two"));
}

/* By whoever goes on, and by all who read the run's own copy: verify, the page, why. */
static void another_is_refused(void)
{
    const char *const verify[] = {TEST_PHOENIX, "verify", at("one"), "--quiet", NULL};
    const char *const resume[] = {TEST_PHOENIX, "evolve",   "--run",       at("one"),
                                  "--resume",   "--source", at("other.c"), NULL};
    const char *const report[] = {TEST_PHOENIX, "report", at("one"), NULL};
    const char *const why[] = {TEST_PHOENIX, "why", at("one"), "last", NULL};
    const char *const *const all[] = {resume, verify, report, why};
    base_text other = {0}, commented = {0};
    const char *number = strstr(own, "5;");
    base_text_print(&other, "%.*s6%s", (int)(number - own), own, number + 1);
    base_text_print(&commented, "/* another */\n%s", own);
    store(at("other.c"), other.data);
    cut_journal(at("one"), 4);
    for (int i = 0; i < 4; i++) {
        int code;
        if (i == 1)
            store(at("one/first.c"), commented.data);
        char *errors = errors_of(all[i], &code);
        CHECK(code == 1 && strstr(errors, "is not that which the run began with"), "%d: %d: %s", i,
              code, errors);
        free(errors);
    }
    unlink(at("one/first.c"));
    int code;
    char *errors = errors_of(report, &code);
    CHECK(code == 1 && strstr(errors, "is not that which the run began with"), "gone: %d: %s", code,
          errors);
    free(errors);
    base_text_free(&other);
    base_text_free(&commented);
}

/* A run that starts from three programs: own.c is candidate 0, the other two are the first candidates. One of them is what an
 * earlier run found, named by its folder. */
static void several_are_the_first_candidates(void)
{
    base_error error = {""};
    const char *more[] = {"--proposer", "edits",         "--batches", "2",          "--candidates",
                          "3",          "--fresh-seeds", "0",         "--source",   at("own.c"),
                          "--source",   at("found"),     "--source",  at("own2.c"), NULL};
    remove_all(at("one"));
    run(at("found"), false, "2", NULL);
    base_text second = {0};
    const char *number = strstr(own, "5;");
    base_text_print(&second, "%.*s6%s", (int)(number - own), own, number + 1);
    store(at("own2.c"), second.data);
    ends_well(at("one"), start_evolve(at("one"), false, "1", "1", more));
    ends_well(at("two"), start_evolve(at("two"), false, "2", "1", more));
    same_run(at("one"), at("two"), false);
    report_lineage *l = report_lineage_read(at("one"), &error),
                   *found = report_lineage_read(at("found"), &error);
    CHECK(l && found && strcmp(report_lineage_text(l, 0), own) == 0 &&
              strcmp(report_lineage_text(l, 1), report_lineage_text(found, found->last)) == 0 &&
              strcmp(report_lineage_text(l, 2), second.data) == 0 &&
              strcmp(report_lineage_text(l, 3), own) != 0,
          "%s", error.text);
    report_lineage_free(l);
    report_lineage_free(found);
    more[8] = NULL;
    for (int events = 1; events < 6; events += 2) {
        copy_all(at("one"), at("cut"));
        cut_journal(at("cut"), events);
        ends_well(at("cut"), start_evolve(at("cut"), true, "2", "1", more));
        same_run(at("one"), at("cut"), true);
        remove_all(at("cut"));
    }
    ends_well("verify",
              start_command((const char *[]){TEST_PHOENIX, "verify", at("one"), "--quiet", NULL}));
    int code;
    store(at("one/first-3.c"), own);
    char *errors = errors_of((const char *[]){TEST_PHOENIX, "verify", at("one"), NULL}, &code);
    CHECK(code == 1 && strstr(errors, "the sources after the first are not those"), "%d: %s", code,
          errors);
    free(errors);
    base_text_free(&second);
    remove_all(at("one"));
    remove_all(at("two"));
}

#define INCLUDE "#include \"phoenix.h\"\n"

static void what_is_no_source_is_refused(void)
{
    static const struct {
        const char *text, *why, *proposer;
        int code;
    } cases[] = {
        {INCLUDE "t5 *model(void)\n{\n    return 1 +;\n}\n", "/bad.c:4:", "rules", 3},
        {"", "/bad.c:1:1: expected #include", "rules", 3},
        {NULL, "--proposer t5 refines any program", "rules", 1},
        {INCLUDE "int model(void)\n{\n    return 1;\n}\n", "first source: evaluating", "t5", 1}};
    /* A program, but none that the rules write: they know a number there. */
    base_text computed = {0};
    const char *number = strstr(own, "5;");
    if (number)
        base_text_print(&computed, "%.*s1 + 4%s", (int)(number - own), own, number + 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const argv[] = {TEST_PHOENIX, "evolve",     "--run",
                                    at("none"),   "--proposer", cases[i].proposer,
                                    "--source",   at("bad.c"),  NULL};
        int code;
        store(at("bad.c"), cases[i].text ? cases[i].text : computed.data);
        char *errors = errors_of(argv, &code);
        CHECK(code == cases[i].code && strstr(errors, cases[i].why), "%d: %d: %s", (int)i, code,
              errors);
        CHECK(!base_file_exists(at("none")), "%d: the folder is there", (int)i);
        free(errors);
    }
    static const char *const why[] = {"/bad.c:4:", "the first batch has room for 1 more",
                                      "edit rules cannot refine the source 2: they know no "};
    store(at("bad.c"), cases[0].text);
    store(at("own1.c"), own);
    store(at("computed.c"), computed.data);
    for (int i = 0; i < 3; i++) {
        const char *second = i == 0 ? at("bad.c") : i == 1 ? at("own1.c") : at("computed.c");
        const char *const argv[] = {TEST_PHOENIX,
                                    "evolve",
                                    "--run",
                                    at("nowhere"),
                                    "--proposer",
                                    "rules",
                                    "--source",
                                    at("own.c"),
                                    "--source",
                                    second,
                                    i == 1 ? "--source" : NULL,
                                    second,
                                    "--candidates",
                                    "1",
                                    NULL};
        int code;
        char *errors = errors_of(argv, &code);
        CHECK(code == (i == 0 ? 3 : 1) && strstr(errors, why[i]) &&
                  !base_file_exists(at("nowhere")),
              "%d: %d: %s", i, code, errors);
        free(errors);
    }
    base_text_free(&computed);
}

/* A first source beyond a budget ends the run, and the line says how another is given. */
static void what_is_too_large_is_refused(void)
{
    const char *const argv[] = {TEST_PHOENIX,    "evolve",  "--run",  at("large"),    "--task",
                                "digits",        "--scope", "deploy", "--proposer",   "rules",
                                "--quiet",       "--jobs",  "1",      "--budget-ram", "4703",
                                "--budget-int8", "yes",     NULL};
    int code;
    char *errors = errors_of(argv, &code);
    CHECK(code == 1 && strstr(errors, "take 4704 bytes: --budget-ram is 4703 (--source FILE "),
          "%d: %s", code, errors);
    free(errors);
}

int main(void)
{
    if (!scratch_for_command())
        return test_end();
    make_own();
    it_is_the_first();
    another_is_refused();
    several_are_the_first_candidates();
    what_is_no_source_is_refused();
    what_is_too_large_is_refused();
    free(own);
    remove_all(scratch);
    return test_end();
}
