/* SPDX-License-Identifier: MIT */
/* test_options.c -- what a run passes on to its workers, and what its manifest notes. */
#include "evolve/options.h"
#include "evolve/sandbox/sandbox.h"
#include "tests/test.h"
#include <stdlib.h>

static const evolve_options options = {.jobs = 3,
                                       .threads = 2,
                                       .launcher = "srun \"-n1\"",
                                       .executor = EVOLVE_NATIVE,
                                       .sandbox = SANDBOX_LIMITS,
                                       .data = "a folder",
                                       .split = "letters",
                                       .size = 28,
                                       .colours = 2,
                                       .quiet = true};

/* A worker that reads its arguments has what the run was given; what is NULL is not passed. */
static void what_is_passed_reads_back(void)
{
    char *argv[16] = {NULL};
    int count = 0;
    evolve_options worker = {.threads = 1};
    base_error error = {""};
    evolve_fields_arguments(evolve_option_fields, EVOLVE_PASSED, &options, argv, &count, 16);
    CHECK(count == 12, "%d arguments", count);
    for (int i = 0; i + 1 < count; i += 2) {
        const evolve_field *field = evolve_field_find(evolve_option_fields, argv[i] + 2);
        CHECK(field && field->marks & EVOLVE_OF_EVALUATIONS, "%s: evaluate has no such option",
              argv[i]);
        CHECK(field && evolve_field_set(field, &worker, argv[i + 1], &error), "%s", error.text);
    }
    CHECK(worker.executor == EVOLVE_NATIVE && worker.sandbox == SANDBOX_LIMITS, "%d, %d",
          (int)worker.executor, (int)worker.sandbox);
    CHECK(worker.data && strcmp(worker.data, "a folder") == 0 && !worker.cc, "%s", worker.data);
    CHECK(worker.split && strcmp(worker.split, "letters") == 0 && worker.size == 28 &&
              worker.colours == 2,
          "%s, %d, %d", worker.split, (int)worker.size, (int)worker.colours);
    CHECK(worker.threads == 1 && !worker.quiet && !worker.launcher, "more was passed");
    for (int i = 0; i < count; i++)
        free(argv[i]);
}

static void what_is_noted_is_json(void)
{
    base_text text = {0};
    evolve_fields_print(evolve_option_fields, EVOLVE_NOTED, &options, &text);
    const char *expected = "\"jobs\":3,\"threads\":2,\"launcher\":\"srun \\\"-n1\\\"\","
                           "\"executor\":\"native\",\"sandbox\":\"limits\",\"data\":\"a folder\"";
    CHECK(text.data && strcmp(text.data, expected) == 0, "%s", text.data);
    base_text_free(&text);
}

static void refusals_say_what_was_expected(void)
{
    static const char *const cases[][3] = {
        {"jobs", "0", "--jobs 0: expected a whole number from 1 to 1024"},
        {"jobs", "2x", "--jobs 2x: expected a whole number from 1 to 1024"},
        {"executor", "gpu", "--executor gpu: expected one of interpret, native"},
        {"sandbox", "", "--sandbox : expected one of best, none, limits, strict"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        evolve_options to = {.launcher = ""};
        base_error error = {""};
        const evolve_field *field = evolve_field_find(evolve_option_fields, cases[i][0]);
        CHECK(field && !evolve_field_set(field, &to, cases[i][1], &error), "%s %s is taken",
              cases[i][0], cases[i][1]);
        CHECK(strcmp(error.text, cases[i][2]) == 0, "%s", error.text);
    }
    CHECK(!evolve_field_find(evolve_option_fields, "") &&
              !evolve_field_find(evolve_option_fields, "job"),
          "a name that is none is found");
}

int main(void)
{
    what_is_passed_reads_back();
    what_is_noted_is_json();
    refusals_say_what_was_expected();
    return test_end();
}
