/* SPDX-License-Identifier: MIT */
/* test_form.c -- what a T5 is asked and what it answers, in each form: an answer means the refinement
 * that it was made from, different refinements have different answers, and what is no answer says so. */
#include "evolve/source/form.h"
#include "evolve/source/host.h"
#include "tests/evolve/test_evolve.h"

static bool equal(const base_text *a, const base_text *b)
{
    return !a->failed && !b->failed && a->length == b->length &&
           memcmp(a->data, b->data, a->length) == 0;
}

static void print_design(const mutation_design *design, base_text *text)
{
    base_text_clear(text);
    mutation_print(design, text);
}

/* The answer that refines the one to the other, and back. */
static void there_and_back(evolve_form form, const base_text *source, const base_text *refined,
                           base_text *label)
{
    base_error error = {""};
    base_text back = {0};
    base_text_clear(label);
    base_text_add(label, "", 0);
    base_text_add(&back, "", 0);
    CHECK(source_form_label(form, source, refined, label, &error), "%s", error.text);
    CHECK(source_form_answer(form, source->data, source->length, label, &back) &&
              equal(&back, refined),
          "%s became\n%s", refined->data, back.data);
    base_text_free(&back);
}

/* H(label | source) is H(refined | source): every refinement that the papers' rules make of a source has
 * its label, no two have the same, and their probabilities sum to 1. */
static void labels_have_the_entropy_of_refinements(evolve_form form)
{
    enum { MOST = 4 * MUTATION_MAX_DRAWS };
    static base_text label[MOST];
    mutation_rules rules = mutation_paper_rules();
    base_random random = {1, base_random_stream("test form", 0, 0, 0), 0};
    base_text source = {0}, refined = {0};
    for (int n = 0; n < 20; n++) {
        mutation_design design = mutation_design_sample(&rules, &random);
        double sum = 0;
        int count = 0;
        print_design(&design, &source);
        for (mutation_edit edit = 0; edit < MUTATION_EDITS; edit++) {
            int draws[MUTATION_MAX_DRAWS];
            int drawn = mutation_draws(&rules, edit, design.value[edit], draws);
            for (int i = 0; i < drawn; i++) {
                if (i > 0 && draws[i] == draws[i - 1])
                    continue;
                mutation_design one = design;
                one.value[edit] = draws[i];
                sum += mutation_probability(&rules, &design, &one);
                print_design(&one, &refined);
                there_and_back(form, &source, &refined, &label[count++]);
            }
        }
        int twice = 0;
        for (int i = 0; i < count; i++)
            for (int j = 0; j < i; j++)
                twice += equal(&label[i], &label[j]);
        CHECK(twice == 0, "%d of %d labels stand for two refinements", twice, count);
        CHECK(sum > 1 - 1e-12 && sum < 1 + 1e-12, "their probabilities sum to %.17g", sum);
    }
    for (int i = 0; i < MOST; i++)
        base_text_free(&label[i]);
    base_text_free(&source);
    base_text_free(&refined);
}

static void whole_programs_are_their_own_answers(void)
{
    base_text source = {0}, refined = {0}, label = {0}, asked = {0};
    base_error error = {""};
    mutation_design design = {{2, 2, 8, 1024}};
    print_design(&design, &source);
    design.value[0] = 3;
    print_design(&design, &refined);
    CHECK(source_form_ask(EVOLVE_PROGRAM, source.data, source.length, &asked, &error), "%s",
          error.text);
    CHECK(equal(&asked, &source), "asked for %s", asked.data);
    there_and_back(EVOLVE_PROGRAM, &source, &refined, &label);
    CHECK(equal(&label, &refined), "%s", label.data);
    there_and_back(EVOLVE_EDIT, &source, &refined, &label);
    CHECK(strcmp(label.data, "\x85    config.num_layers = 3;\n") == 0, "%s", label.data);
    there_and_back(EVOLVE_BY_NAME, &source, &refined, &label);
    CHECK(label.length == 12 + sizeof "=3\n" - 1 && strstr(label.data, "=3\n"), "%s", label.data);
    base_text_free(&source);
    base_text_free(&refined);
    base_text_free(&label);
    base_text_free(&asked);
}

/* Never by halves: one line says why, whatever part of the edit was good. */
static void what_does_not_apply_is_no_program(void)
{
    static const struct {
        const char *answer, *means;
    } cases[] = {
        {"\x81z\n\x80q\n", "#error the edit goes back\n"},
        {"\x80z\n\xaaq\n", "#error the edit names a line that is not there\n"},
        {"\x80z", "#error the edit has a line without a line feed\n"},
        {"z\n", "#error the edit begins without a line number\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_text answer = {0}, refined = {0};
        language_diagnostic diagnostic;
        base_text_print(&answer, "%s", cases[i].answer);
        CHECK(!source_form_answer(EVOLVE_EDIT, "one\ntwo\n", 8, &answer, &refined) &&
                  strcmp(refined.data, cases[i].means) == 0,
              "%s", refined.data);
        CHECK(!source_parse("candidate.c", refined.data, refined.length, &diagnostic) &&
                  diagnostic.failure == LANGUAGE_PARSE && strstr(diagnostic.text, "the edit "),
              "%s", diagnostic.text);
        base_text_free(&answer);
        base_text_free(&refined);
    }
}

static void a_folder_keeps_its_form(void)
{
    base_error error = {""};
    evolve_form form = EVOLVE_EDIT;
    CHECK(source_form_save(EVOLVE_PROGRAM, scratch, &error) &&
              source_form_load(&form, scratch, &error) && form == EVOLVE_PROGRAM,
          "%s", error.text);
    CHECK(!base_file_exists(at("form")), "a folder of whole programs has no file for it");
    for (evolve_form other = EVOLVE_EDIT; other <= EVOLVE_PLAIN; other++)
        CHECK(source_form_save(other, scratch, &error) &&
                  source_form_load(&form, scratch, &error) && form == other,
              "%s", error.text);
    CHECK(base_file_write_text(scratch, "form", "other\n", NULL, &error), "%s", error.text);
    CHECK(!source_form_load(&form, scratch, &error) && strstr(error.text, "expected \"edit\""),
          "%s", error.text);
}

/* Whoever reads a text of a file, asks for the same tokens. */
static void a_plain_text_has_no_line_feed_at_its_end(void)
{
    static const struct {
        const char *text;
        size_t plain;
    } ends[] = {{"", 0}, {"a", 1}, {"a\n", 1}, {"a\r\n", 1}, {"a\n\n", 2}, {"\n", 0}, {"a\r", 2}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t length = strlen(ends[i].text),
               plain = source_form_length(EVOLVE_PLAIN, ends[i].text, length);
        CHECK(plain == ends[i].plain, "text %zu: %zu bytes", i, plain);
        CHECK(source_form_length(EVOLVE_EDIT, ends[i].text, length) == length, "source %zu", i);
    }
}

int main(void)
{
    if (!scratch_make())
        return 1;
    labels_have_the_entropy_of_refinements(EVOLVE_EDIT);
    labels_have_the_entropy_of_refinements(EVOLVE_BY_NAME);
    whole_programs_are_their_own_answers();
    what_does_not_apply_is_no_program();
    a_folder_keeps_its_form();
    a_plain_text_has_no_line_feed_at_its_end();
    remove_all(scratch);
    return test_end();
}
