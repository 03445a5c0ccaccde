/* SPDX-License-Identifier: MIT */
/* details.c -- what the journal does not say of a run: the loss of each step and the seconds, which stand in files
 * beside it, and what follows from a source's text, its layers and its numbers. Read when they are asked for: a page
 * or a command that does not show them does not pay for them. */
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "evolve/report/lineage.h"
#include "evolve/source/host.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- files ---- */

/* "step,loss", then a line a step. */
static int parse_losses(char *csv, double *losses)
{
    int count = 0;
    char *at = strchr(csv, '\n');
    while (at && at[1]) {
        char *end;
        long long step = strtoll(at + 1, &end, 10);
        if (step != count + 1 || *end != ',')
            return -1;
        losses[count] = base_read_number(end + 1, &at);
        if (at == end + 1 || *at != '\n')
            return -1;
        count++;
    }
    return at ? count : -1;
}

bool report_lineage_losses(const report_lineage *l, int episode, double **losses, int *count,
                           base_error *error)
{
    char name[64];
    size_t size;
    *losses = NULL;
    *count = 0;
    snprintf(name, sizeof name, "episode-%d/losses.csv", episode);
    char *path = base_file_path(l->folder, name);
    bool there = path && base_file_exists(path);
    char *csv = there ? base_file_read(path, REPORT_MOST_CSV, &size, error) : NULL;
    base_free(path);
    if (!csv)
        return !there;
    *losses = base_malloc((size / 4 + 1) * sizeof **losses); /* "1,2\n" is the shortest line */
    *count = *losses ? parse_losses(csv, *losses) : -1;
    base_free(csv);
    if (*count >= 0)
        return true;
    bool memory = *losses != NULL;
    base_free(*losses);
    *losses = NULL;
    *count = 0;
    return memory ? base_fail(error, "%s/%s: expected lines of step,loss", l->folder, name)
                  : base_fail(error, "%s: no memory", l->folder);
}

/* By kind, in the order in which kinds appear. A kind without room is left out. */
static void add_seconds(report_seconds list[REPORT_KINDS], int *count, const char *kind,
                        double seconds)
{
    int i = 0;
    while (i < *count && strncmp(list[i].kind, kind, sizeof list[i].kind - 1) != 0)
        i++;
    if (i == REPORT_KINDS)
        return;
    if (i == *count) {
        list[i] = (report_seconds){.times = 0};
        snprintf(list[i].kind, sizeof list[i].kind, "%s", kind);
        ++*count;
    }
    list[i].times++;
    list[i].seconds += seconds;
}

/* A line that cannot be read is passed over: times are for information, and no result depends on them. */
int report_lineage_seconds(const report_lineage *l, report_seconds list[REPORT_KINDS])
{
    int count = 0;
    const char *at = l->timing ? l->timing : "", *end = at + strlen(at), *line;
    for (size_t length; base_next_line(&at, end, &line, &length);) {
        base_json *json = base_json_parse(line, length, "timing.jsonl", NULL);
        const char *kind;
        double seconds;
        if (base_json_get_string(json, "what", &kind, "timing.jsonl", NULL) &&
            base_json_get_number(json, "seconds", &seconds, "timing.jsonl", NULL) && seconds >= 0)
            add_seconds(list, &count, kind, seconds);
        base_json_free(json);
    }
    return count;
}

/* ---- chance ---- */

/* Both trainings had the same pairs in the same order: the standard error of the mean difference of
 * their steps' losses, over the steps that the score is the mean of. A held-out score has no steps of
 * its own; those of the last quarter are as far learnt. */
static double noise_of_losses(const score_result *a, const score_result *b, bool all)
{
    int64_t steps = a->steps < b->steps ? a->steps : b->steps, first = all ? 0 : steps - steps / 4;
    double sum = 0, squares = 0, n = (double)(steps - first);
    if (n < 2)
        return (double)NAN;
    for (int64_t i = first; i < steps; i++)
        sum += ((double)a->losses[i] - (double)b->losses[i]) / n;
    for (int64_t i = first; i < steps; i++) {
        double rest = (double)a->losses[i] - (double)b->losses[i] - sum;
        squares += rest * rest;
    }
    return sqrt(squares / (n - 1) / n);
}

/* A share p of n images has the variance p (1 - p) / n; that both networks are measured on the same
 * images makes their difference less noisy than this says. */
static double noise_of_shares(double p, double q, double n)
{
    return sqrt((p * (1 - p) + q * (1 - q)) / n);
}

/* With its losses; of a program that was scored before, those of that time. */
static const score_result *training(const report_lineage *l, int number, base_error *error)
{
    const int original = l->candidates.list[number].original;
    return report_lineage_training(l, original == LOOP_NOBODY ? number : original, error);
}

bool report_lineage_noise(const report_lineage *l, int from, int to, double *noise,
                          base_error *error)
{
    const evolve_settings *s = &l->settings;
    const score_result *parent = report_lineage_score(l, from),
                       *child = report_lineage_score(l, to);
    if (l->subject == EVOLVE_NETWORKS && s->score == EVOLVE_BY_HELD_OUT &&
        evolve_words_of(s) != EVOLVE_WORDS_NUMBERS) {
        *noise = noise_of_shares(parent->score, child->score, (double)s->held_images);
        return true;
    }
    const score_result *a = training(l, from, error);
    const score_result *b = a ? training(l, to, error) : NULL;
    if (b)
        *noise = noise_of_losses(a, b, s->score == EVOLVE_MEAN);
    return b != NULL;
}

/* ---- what a source says ---- */

/* Builds the layers of a candidate's source again. The images themselves are not needed, only what they
 * are. */
bool report_lineage_network(const report_lineage *l, int number, vision_architecture *net)
{
    const char *text = report_lineage_text(l, number);
    vision_set set = {.train = {.channels = l->image.channels,
                                .height = l->image.height,
                                .width = l->image.width,
                                .classes = l->classes}};
    language_diagnostic diagnostic;
    vision_plan plan;
    if (l->subject == EVOLVE_T5S || l->classes == 0)
        return false;
    language_program *program = source_parse("source.c", text, strlen(text), &diagnostic);
    source_host *host = program ? source_host_new(&l->settings, 0) : NULL;
    source_executor executor = source_interpreter(program);
    bool ok = host && source_host_network(host, &executor, "source.c", &set, net, &plan,
                                          &diagnostic) == LANGUAGE_OK;
    source_host_free(host);
    language_program_free(program);
    return ok;
}

static bool is_number(const char *token)
{
    return *token && strspn(token, "0123456789.") == strlen(token);
}

/* The last assignment counts, as it does when the program runs. */
static void set_design(report_design designs[REPORT_DESIGNS], int *count, const char *name,
                       double value)
{
    int i = 0;
    while (i < *count && strcmp(designs[i].name, name) != 0)
        i++;
    if (i == REPORT_DESIGNS || strlen(name) >= sizeof designs[i].name)
        return;
    if (i == *count)
        memcpy(designs[(*count)++].name, name, strlen(name) + 1);
    designs[i].value = value;
}

/* In the normal form a blank is between any two tokens, and a line is a statement. */
int report_source_design(const char *text, report_design designs[REPORT_DESIGNS])
{
    int count = 0;
    language_diagnostic diagnostic;
    language_program *program = source_parse("source.c", text, strlen(text), &diagnostic);
    base_text form = {0};
    if (program)
        language_normalise(program, &form);
    for (char *line = form.failed ? NULL : form.data; line && *line;) {
        char variable[64], field[64], value[64], rest[2];
        size_t length = strcspn(line, "\n");
        bool more = line[length] == '\n';
        line[length] = '\0';
        if (sscanf(line, "%63s . %63s = %63s ; %1s", variable, field, value, rest) == 3 &&
            is_number(value))
            set_design(designs, &count, field, base_read_number(value, NULL));
        line += length + more;
    }
    language_program_free(program);
    base_text_free(&form);
    return count;
}
