/* SPDX-License-Identifier: MIT */
/* test_dataset.c -- the dataset as a file of JSON lines. */
#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "refine/mutation/dataset.h"
#include "tests/test.h"

#include <unistd.h>

static char folder[256], path[300];

static void a_line_is_what_the_header_says(void)
{
    base_text text = {0};
    mutation_dataset_print("a\n\"b\"\\", "\tc", &text);
    CHECK(strcmp(text.data, "{\"source\": \"a\\n\\\"b\\\"\\\\\", \"refined\": \"\\tc\"}\n") == 0,
          "%s", text.data);
    base_text_free(&text);
}

/* Whether a line says what the mutator prints. */
static bool has_pair(const char *line, size_t length, const mutation_mutator *m,
                     const mutation_drawn *pair)
{
    base_text source = {0}, refined = {0};
    base_json *object = base_json_parse(line, length, "line", NULL);
    const char *a = "", *b = "";
    m->kind->print(m, &pair->source, &source);
    m->kind->print(m, &pair->refined, &refined);
    bool same = object && base_json_get_string(object, "source", &a, "line", NULL) &&
                base_json_get_string(object, "refined", &b, "line", NULL) &&
                strcmp(a, source.data) == 0 && strcmp(b, refined.data) == 0;
    base_json_free(object);
    base_text_free(&source);
    base_text_free(&refined);
    return same;
}

static void lines_are_the_pairs_of_their_numbers(void)
{
    enum { FIRST = 1000, COUNT = 500 };
    mutation_rules rules = mutation_paper_rules();
    mutation_grammar grammar = mutation_grammar_of(MUTATION_ARCHITECTURE | MUTATION_LEARNING);
    const mutation_mutator mutators[] = {mutation_mutator_of_rules(&rules),
                                         mutation_mutator_of_grammar(&grammar, "t5 *model(void)")};
    for (int i = 0; i < 2; i++) {
        base_error error = {""};
        size_t size = 0;
        CHECK(mutation_dataset_write(&mutators[i], 9, FIRST, COUNT, path, &error), "%s",
              error.text);
        char *bytes = base_file_read(path, 1 << 24, &size, &error);
        CHECK(bytes, "%s", error.text);
        int lines = 0, wrong = 0;
        for (char *at = bytes, *end; bytes && (end = memchr(at, '\n', size - (size_t)(at - bytes)));
             at = end + 1, lines++) {
            mutation_drawn pair = mutators[i].kind->pair(&mutators[i], 9, FIRST + (uint64_t)lines);
            wrong += !has_pair(at, (size_t)(end - at), &mutators[i], &pair);
        }
        CHECK(lines == COUNT && wrong == 0, "%d lines, %d wrong", lines, wrong);
        CHECK(i > 0 || (size / COUNT >= 590 && size / COUNT <= 600), "%zu bytes a pair",
              size / COUNT); /* dataset.h says about 596 */
        free(bytes);
    }
}

static void writing_fails_cleanly(void)
{
    char missing[300], nowhere[400];
    mutation_rules rules = mutation_paper_rules();
    mutation_mutator mutator = mutation_mutator_of_rules(&rules);
    base_error error = {""};
    size_t size = 1;
    snprintf(missing, sizeof missing, "%s/none", folder);
    snprintf(nowhere, sizeof nowhere, "%s/pairs.jsonl", missing);
    CHECK(!mutation_dataset_write(&mutator, 1, 0, 1, nowhere, &error), "written to no folder");
    CHECK(strstr(error.text, missing), "%s", error.text);
    CHECK(mutation_dataset_write(&mutator, 1, 0, 0, path, &error), "%s", error.text);
    free(base_file_read(path, 100, &size, &error));
    CHECK(size == 0, "no pairs are %zu bytes", size);
}

int main(void)
{
    base_error error = {""};
    if (!base_temporary_folder("test_dataset", folder, sizeof folder, &error)) {
        CHECK(false, "%s", error.text);
        return test_end();
    }
    snprintf(path, sizeof path, "%s/pairs.jsonl", folder);
    a_line_is_what_the_header_says();
    lines_are_the_pairs_of_their_numbers();
    writing_fails_cleanly();
    unlink(path);
    CHECK(rmdir(folder) == 0, "something was left in %s", folder);
    return test_end();
}
