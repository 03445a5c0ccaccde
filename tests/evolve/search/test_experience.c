/* SPDX-License-Identifier: MIT */
/* test_experience.c -- a file of outcomes: what is written is read back, and nothing else is. */
#include "evolve/search/experience.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

static const search_outcome_row rows[] = {
    {"self", "all", "held-out", 64, 1024, 0, 0, 0, 0, "00aa", "11bb", "rate+ d_ff-",
     SEARCH_IS_BETTER, 2.5, 2.25, 0.125, 1000},
    {"digits", "network", "held-out", 0, 1600, 1, 14, 14, 10, "22cc", "-", "?", SEARCH_FAILS, 0.5,
     NAN, NAN, 0},
};

static const char heading[] =
    "task,scope,score,d_model,examples,channels,height,width,classes,parent,child,edits,outcome,"
    "before,after,noise,flops\n";
static const char digits_line[] =
    "digits,network,held-out,0,1600,1,14,14,10,22cc,-,?,fails,0.5,,,0\n";
static const char self_line[] =
    "self,all,held-out,64,1024,0,0,0,0,00aa,11bb,rate+ d_ff-,better,2.5,2.25,0.125,1000\n";

static void print(base_text *file)
{
    base_text lines = {0};
    for (int i = 0; i < 4; i++)
        search_experience_print(&rows[i % 2], &lines);
    CHECK(search_experience_file(&lines, file) == 2, "not two lines");
    base_text_free(&lines);
}

/* Sorted, and each once. */
static void a_file_is_a_heading_and_a_line_an_outcome(void)
{
    base_text file = {0}, want = {0};
    print(&file);
    base_text_print(&want, "%s%s%s", heading, digits_line, self_line);
    CHECK(strcmp(file.data, want.data) == 0, "%s", file.data);
    base_text_free(&file);
    base_text_free(&want);
}

static void what_is_written_is_read_back(void)
{
    base_text file = {0};
    base_error error;
    print(&file);
    search_experience *e = search_experience_read(file.data, file.length, "e.csv", &error);
    CHECK(e && e->count == 2, "%s", e ? "other outcomes" : error.text);
    if (e && e->count == 2) {
        const search_outcome_row *digits = &e->row[0], *self = &e->row[1];
        CHECK(strcmp(digits->task, "digits") == 0 && digits->outcome == SEARCH_FAILS,
              "%s, outcome %d", digits->task, (int)digits->outcome);
        CHECK(digits->width == 14 && isnan(digits->after) && isnan(digits->noise), "width %lld",
              (long long)digits->width);
        CHECK(strcmp(self->edits, "rate+ d_ff-") == 0 && self->outcome == SEARCH_IS_BETTER,
              "%s, outcome %d", self->edits, (int)self->outcome);
        CHECK(self->before == 2.5 && self->after == 2.25 && self->noise == 0.125, "%g, %g, %g",
              self->before, self->after, self->noise);
        CHECK(self->d_model == 64 && self->examples == 1024 && self->flops == 1000, "%lld, %lld",
              (long long)self->d_model, (long long)self->flops);
        CHECK(strcmp(self->parent, "00aa") == 0 && strcmp(self->child, "11bb") == 0, "%s, %s",
              self->parent, self->child);
    }
    search_experience_free(e);
    base_text_free(&file);
}

/* A spreadsheet may end its lines with a carriage return; a file may have no outcome yet. */
static void files_that_others_saved_are_read(void)
{
    base_text text = {0};
    base_error error;
    base_text_print(&text, "%.*s\r\n%.*s\r\n", (int)strlen(heading) - 1, heading,
                    (int)strlen(self_line) - 1, self_line);
    search_experience *e = search_experience_read(text.data, text.length, "e.csv", &error);
    CHECK(e && e->count == 1 && e->row->flops == 1000, "%s", e ? "other outcomes" : error.text);
    search_experience_free(e);
    e = search_experience_read(heading, strlen(heading), "e.csv", &error);
    CHECK(e && e->count == 0, "%s", e ? "other outcomes" : error.text);
    search_experience_free(e);
    base_text_free(&text);
}

/* What the scope's own outcomes say of an edit is not mixed with what those of others say of one of the same name. */
static void a_scope_has_its_own_rows_where_there_are_any(void)
{
    static const struct {
        const char *scope;
        bool of_t5s;
        const char *task;
    } cases[] = {{"all", true, "self"},
                 {"network", false, "digits"},
                 {"learning", true, "self"},
                 {"deploy", false, "digits"}};
    for (int i = 0; i < 4; i++) {
        base_text file = {0};
        base_error error;
        print(&file);
        search_experience *e = search_experience_read(file.data, file.length, "e.csv", &error);
        search_experience_narrow(e, cases[i].scope, cases[i].of_t5s);
        CHECK(e->count == 1 && strcmp(e->row->task, cases[i].task) == 0,
              "%s: %d rows, the first of %s", cases[i].scope, e->count, e->row->task);
        CHECK(strcmp(e->file, file.data) == 0, "the file is another");
        search_experience_free(e);
        base_text_free(&file);
    }
}

/* Reads the heading and that line, expecting the complaint about it. */
static bool refuses(const char *line, const char *complaint)
{
    base_text text = {0};
    base_error error = {0};
    base_text_print(&text, "%s%s%s", heading, self_line, line);
    search_experience *e = search_experience_read(text.data, text.length, "e.csv", &error);
    bool ok = !e && strstr(error.text, complaint) == error.text;
    if (!ok)
        printf("%s: %s\n", line, e ? "was read" : error.text);
    search_experience_free(e);
    base_text_free(&text);
    return ok;
}

static void a_line_that_is_wrong_is_refused_with_its_number(void)
{
    CHECK(refuses("self,all", "e.csv:3: ends within a line"), "it was not refused so");
    CHECK(refuses("self,all\n", "e.csv:3: expected 17 cells"), "it was not refused so");
    CHECK(refuses("\n", "e.csv:3: expected 17 cells"), "it was not refused so");
    CHECK(refuses("a,a,a,1,1,0,0,0,0,p,c,d_ff+,worse,1,2,0,1,\n", "e.csv:3: expected 17 cells"),
          "it was not refused so");
    CHECK(refuses("a,a,a,x,1,0,0,0,0,p,c,d_ff+,worse,1,2,0,1\n", "e.csv:3: \"d_model\""),
          "it was not refused so");
    CHECK(refuses("a,a,a,-1,1,0,0,0,0,p,c,d_ff+,worse,1,2,0,1\n", "e.csv:3: \"d_model\""),
          "it was not refused so");
    CHECK(refuses("a,a,a,9999999999999999999,1,0,0,0,0,p,c,d_ff+,worse,1,2,0,1\n",
                  "e.csv:3: \"d_model\""),
          "it was not refused so");
    CHECK(refuses("a,a,a,1,1,0,0,0,0,p,c,d_ff+,good,1,2,0,1\n", "e.csv:3: \"outcome\""),
          "it was not refused so");
    CHECK(refuses("a,a,a,1,1,0,0,0,0,p,c,d_ff+,worse,inf,2,0,1\n", "e.csv:3: \"before\""),
          "it was not refused so");
    CHECK(refuses("a,a,a,1,1,0,0,0,0,p,c,d_ff+,worse,1,1e999,0,1\n", "e.csv:3: \"after\""),
          "it was not refused so");
    CHECK(refuses("a,a,a,1,1,0,0,0,0,p,c,d_ff+,worse,1,nan,0,1\n", "e.csv:3: \"after\""),
          "it was not refused so");
    CHECK(refuses("a,a,a,1,1,0,0,0,0,p,c,d_ff+,worse,1,,0,1\n", "e.csv:3: expected scores"),
          "it was not refused so");
    CHECK(refuses("a,a,a,1,1,0,0,0,0,p,c,d_ff+,fails,1,2,0,1\n", "e.csv:3: expected scores"),
          "it was not refused so");
    CHECK(refuses("a,a,a,1,1,0,0,0,0,p,c,<b>,worse,1,2,0,1\n", "e.csv:3: \"edits\""),
          "it was not refused so");
}

static void what_is_no_such_file_is_refused(void)
{
    static const char nul[] = "task,scope\n\0x\n";
    base_error error;
    CHECK(!search_experience_read("", 0, "e.csv", &error), "%s", error.text);
    CHECK(strstr(error.text, "e.csv:1: expected the heading"), "%s", error.text);
    CHECK(!search_experience_read("task\n", 5, "e.csv", &error), "%s", error.text);
    CHECK(strstr(error.text, "e.csv:1: expected the heading"), "%s", error.text);
    CHECK(!search_experience_read(nul, sizeof nul - 1, "e.csv", &error), "%s", error.text);
    CHECK(strstr(error.text, "e.csv:2: expected text"), "%s", error.text);
}

/* Every prefix of a file is a file of fewer outcomes, or is refused; none of them reads too far. */
static void a_torn_file_is_refused_wherever_it_is_torn(void)
{
    base_text file = {0};
    base_error error;
    print(&file);
    for (size_t n = 0; n < file.length; n++) {
        char *torn = malloc(n + 1); /* without a NUL after it, for the sanitizer */
        if (!torn)
            break;
        memcpy(torn, file.data, n);
        search_experience *e = search_experience_read(torn, n, "e.csv", &error);
        CHECK((e != NULL) == (n > 0 && file.data[n - 1] == '\n'), "%s",
              e ? "other outcomes" : error.text);
        search_experience_free(e);
        free(torn);
    }
    base_text_free(&file);
}

static void outcomes_are_held_against_the_noise(void)
{
    CHECK(search_outcome_of(2, NAN, 0, false) == SEARCH_FAILS, "outcome %d",
          (int)search_outcome_of(2, NAN, 0, false));
    CHECK(search_outcome_of(2, 2.5, 0.1, false) == SEARCH_IS_WORSE, "outcome %d",
          (int)search_outcome_of(2, 2.5, 0.1, false));
    CHECK(search_outcome_of(2, 2.05, 0.1, false) == SEARCH_IS_SAME, "outcome %d",
          (int)search_outcome_of(2, 2.05, 0.1, false));
    CHECK(search_outcome_of(2, 1.95, 0.1, false) == SEARCH_IS_SAME, "outcome %d",
          (int)search_outcome_of(2, 1.95, 0.1, false));
    CHECK(search_outcome_of(2, 1.5, 0.1, false) == SEARCH_IS_BETTER, "outcome %d",
          (int)search_outcome_of(2, 1.5, 0.1, false));
    CHECK(search_outcome_of(2, 2, 0, false) == SEARCH_IS_SAME, "outcome %d",
          (int)search_outcome_of(2, 2, 0, false));
    CHECK(search_outcome_of(2, 2, 0.1, true) == SEARCH_IS_WORSE, "outcome %d",
          (int)search_outcome_of(2, 2, 0.1, true));
}

static void edits_are_taken_one_by_one(void)
{
    const char *edits = "rate+ d_ff-", *name;
    size_t length;
    bool up;
    CHECK(search_next_edit(&edits, &name, &length, &up) && up && strncmp(name, "rate", length) == 0,
          "at \"%s\"", edits);
    CHECK(search_next_edit(&edits, &name, &length, &up) && !up && length == 4, "at \"%s\"", edits);
    CHECK(!search_next_edit(&edits, &name, &length, &up), "at \"%s\"", edits);
    edits = "?";
    CHECK(!search_next_edit(&edits, &name, &length, &up), "at \"%s\"", edits);
    edits = "";
    CHECK(!search_next_edit(&edits, &name, &length, &up), "at \"%s\"", edits);
}

int main(void)
{
    a_file_is_a_heading_and_a_line_an_outcome();
    what_is_written_is_read_back();
    files_that_others_saved_are_read();
    a_scope_has_its_own_rows_where_there_are_any();
    a_line_that_is_wrong_is_refused_with_its_number();
    what_is_no_such_file_is_refused();
    a_torn_file_is_refused_wherever_it_is_torn();
    outcomes_are_held_against_the_noise();
    edits_are_taken_one_by_one();
    return test_end();
}
