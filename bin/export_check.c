/* SPDX-License-Identifier: MIT */
/* export_check.c -- an exported file, compiled and run as whoever gets it would, but behind the
 * sandbox that holds candidates: it reads images from standard input and writes logits. */
#include "bin/export_check.h"
#include "base/memory.h"
#include "evolve/sandbox/pool.h"
#include "evolve/score/native.h"
#include "export/export.h"
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMPILING = 600, RUNNING = 3600 }; /* seconds */

bool export_check_join(const base_text *header, const base_text *source, const char *header_name,
                       base_text *text)
{
    char line[1200];
    int length = snprintf(line, sizeof line, "#include \"%s\"\n", header_name);
    const char *place = strstr(source->data, line);
    size_t before = place ? (size_t)(place - source->data) : 0;
    base_text_add(text, header->data, header->length);
    base_text_add(text, source->data, before);
    if (place)
        base_text_print(text, "%s", place + length);
    text->failed = text->failed || !place;
    return place != NULL;
}

static bool conclude(const sandbox_job *job, base_error *error)
{
    if (job->end == SANDBOX_DEADLINE)
        return base_fail(error, "the exported program: took more than %d s", RUNNING);
    if (job->end == SANDBOX_KILLED)
        return base_fail(error, "the exported program: ended by signal %d", job->code);
    if (job->end != SANDBOX_EXITED || job->code != 0 || job->output_size != job->most)
        return base_fail(error,
                         "the exported program: exited with %d after %zu of %zu bytes of answers",
                         job->code, job->output_size, job->most);
    return true;
}

int export_check_class(const export_checked *c, const void *logits, int i)
{
    size_t start = (size_t)i * (size_t)c->classes;
    if (!c->integers)
        return vision_largest((const float *)logits + start, c->classes);
    const int32_t *value = (const int32_t *)logits + start;
    int best = 0;
    for (int k = 1; k < c->classes; k++)
        best = value[k] > value[best] ? k : best;
    return best;
}

static bool same(const export_checked *c, const char *a, const char *b)
{
    float x, y;
    if (memcmp(a, b, sizeof x) == 0)
        return true;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return !c->integers && isnan(x) && isnan(y);
}

/* got: the program's output, aligned as malloc's memory is. */
static void compare(const export_checked *c, const char *got, export_checks *result)
{
    size_t row = (size_t)c->classes * 4;
    *result = (export_checks){0};
    for (int i = 0; i < c->images->count; i++) {
        size_t at = (size_t)i * row, end = at + row;
        while (at < end && same(c, got + at, (const char *)c->expected + at))
            at += 4;
        if (at < end && result->differ++ == 0)
            result->first = i;
        result->right += c->images->labels && export_check_class(c, got, i) == c->images->labels[i];
    }
}

char *export_check_run(const base_text *text, const base_text *input, size_t most,
                       const evolve_options *run, base_error *error)
{
    const score_native_how how = {.cc = run->cc,
                                  .level = (sandbox_level)run->sandbox,
                                  .seconds = COMPILING,
                                  .deadline = RUNNING};
    score_executable program;
    char path[600];
    char *argv[] = {path, NULL};
    if (!score_native_compile(&program, text, 0, &how, error))
        return NULL;
    const sandbox_policy box = score_native_box(&program, &how);
    sandbox_job job = {.argv = argv,
                       .input = input->data,
                       .input_size = input->length,
                       .deadline = RUNNING,
                       .most = most,
                       .sandbox = &box,
                       .program = program.file};
    snprintf(path, sizeof path, "%s/candidate", program.folder);
    bool ok = sandbox_pool_run(&job, 1, 1, NULL, NULL, NULL, error) && conclude(&job, error);
    score_native_remove(&program);
    if (ok)
        return job.output;
    base_free(job.output);
    return NULL;
}

bool export_check(const export_checked *c, const evolve_options *run, export_checks *result,
                  base_error *error)
{
    const vision_images *x = c->images;
    size_t size = c->rows ? 4 * (size_t)c->columns
                          : (size_t)x->channels * (size_t)x->height * (size_t)x->width;
    const base_text input = {.data = c->rows ? (char *)(uintptr_t)c->rows : (char *)x->pixels,
                             .length = (size_t)x->count * size};
    base_text text = {0};
    export_check_join(c->header, c->source, c->header_name, &text);
    export_network_main(c->prefix, c->rows != NULL, c->integers, &text);
    char *got =
        export_check_run(&text, &input, (size_t)x->count * (size_t)c->classes * 4, run, error);
    base_text_free(&text);
    if (got)
        compare(c, got, result);
    base_free(got);
    return got != NULL;
}
