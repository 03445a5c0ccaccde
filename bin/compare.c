/* SPDX-License-Identifier: MIT */
/* compare.c -- phoenix compare: the command line, and what both of its halves end with: a table, a
 * figure and a file of every search or run, so that what is claimed can be worked out again. */
#include "bin/compare.h"
#include "base/file.h"
#include "base/memory.h"
#include "bin/command.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool write_figure(const compare_how *how, const char *name, const base_text *svg,
                         base_error *error)
{
    base_text alone = {0};
    char file[80];
    snprintf(file, sizeof file, "%s.svg", name);
    report_svg_alone(svg, &alone);
    bool ok =
        base_file_make_folder(how->figures, error) &&
        base_file_write_text(how->figures, file, alone.failed ? NULL : alone.data, NULL, error);
    base_text_free(&alone);
    return ok;
}

bool compare_arms(const compare_how *how, const char *name, const char *title,
                  const report_arm *reference, const report_arm *arms, int count, int n,
                  base_text *text, base_error *error)
{
    report_comparison results[REPORT_MOST_ARMS];
    base_text drawn = {0};
    report_svg svg = {.text = &drawn};
    report_comparisons(reference, arms, count, n, how->margin, results);
    base_text_print(text, "\n%s: ", title);
    report_comparisons_print(reference, arms, count, n, how->margin, results, text);
    if (!how->figures)
        return true;
    report_comparisons_draw(reference, arms, count, n, how->margin, results, name, title, &svg);
    bool ok = write_figure(how, name, &drawn, error);
    base_text_free(&drawn);
    return ok;
}

int compare_finish(const compare_how *how, const base_text *text, const base_text *csv)
{
    base_error error;
    if (text->failed || csv->failed)
        return complain(EXIT_FAILED, "no memory");
    if (how->csv && !base_file_write_named(how->csv, csv->data, csv->length, &error))
        return complain(EXIT_FAILED, "%s", error.text);
    fputs(text->data, stdout);
    return EXIT_DONE;
}

/* Takes "--against RUN..." out of argv, up to the next option; returns how many runs. */
static int take_against(int *argc, char **argv, const char **against)
{
    static const char option[] = "--against", attached[] = "--against=";
    int count = 0, at = 1;
    while (at < *argc && strcmp(argv[at], option) != 0 &&
           strncmp(argv[at], attached, sizeof attached - 1) != 0)
        at++;
    int kept = at;
    if (at < *argc && argv[at][sizeof option - 1])
        against[count++] = argv[at] + sizeof attached - 1;
    for (at++; at < *argc && strncmp(argv[at], "--", 2) != 0; at++)
        against[count++] = argv[at];
    while (at < *argc)
        argv[kept++] = argv[at++];
    *argc = kept < *argc ? kept : *argc;
    return count;
}

/* 64 evaluations are a quarter of the 256 designs, and even random draws then find the best more
 * often than not: half as many. The T5's figures are those of the design that searches start from
 * (docs/evidence.md), by
 *
 *     phoenix train SOURCE --fidelity 64 --out FOLDER
 *
 * and its price is that of the presets, which train on as many pairs as a stage's candidates are
 * scored on: 16 of 1024. */
static const compare_how usual = {
    .seeds = 10,
    .evaluations = 32,
    .population = 8,
    .score = EVOLVE_LAST_QUARTER, /* as quick does */
    .t5 = {.copies = 0.002, .illegal = 0.025, .pairs = 16384, .stage = 16},
    .margin = 0.01,
};

static const char *const arms_of[] = {"strategies", "proposers", NULL};
static const char *const scores[] = {"mean", "last-quarter", NULL};

#define AT(field) offsetof(compare_how, field)
static const evolve_field own[] = {
    {"table", TEXT(table), "file that phoenix table made"},
    {"arms", EVOLVE_NAMED, AT(arms), 0, 0, arms_of, 0,
     "table: what is compared, ways to search or "
     "to propose"},
    {"score", EVOLVE_NAMED, AT(score), 0, 0, scores, 0, "table: what the searches climb on"},
    {"experience", TEXT(experience), "table: file of outcomes that an arm of the proposers knows"},
    {"seeds", WHOLE(seeds, 1, 1000), "table: searches of each kind"},
    {"evaluations", WHOLE(evaluations, 1, 4096), "table: evaluations per search"},
    {"population", WHOLE(population, 2, 256),
     "table: size of the population of genetic and ageing"},
    {"invalid", REAL(t5.invalid, 0, 1), "table: share of the T5's proposals that are no program"},
    {"copies", REAL(t5.copies, 0, 1), "table: share that are copies"},
    {"several", REAL(t5.several, 0, 1), "table: share with several edits at once"},
    {"illegal", REAL(t5.illegal, 0, 1), "table: share with an edit that no rule makes"},
    {"pairs", WHOLE(t5.pairs, 1, 1e9), "table: pairs that the T5 is trained on"},
    {"stage", WHOLE(t5.stage, 1, 1e9), "table: proposals per training of the T5"},
    {"margin", REAL(margin, 1e-9, 1e9), "a difference that would not matter, nats a token"},
    {"csv", TEXT(csv), "write every search or run to this file"},
    {"figures", TEXT(figures), "folder: the differences as .svg"},
    {0},
};

static int compare(compare_how *how, int argc, char **argv, const char **runs, const char **against)
{
    const command_line command = {
        .usage = "phoenix compare --table FILE [options]\n"
                 "phoenix compare RUN... [--against RUN...] [options]",
        .about = "With --table, every search strategy on the table of trained designs, against "
                 "greedy search with\nthe edit rules. Else what the runs gained, on pairs and with "
                 "seeds their searches never saw; with\n--against, whether they gained more or "
                 "less than those, seed by seed.",
        .own = own,
        .most_operands = argc,
        .takes = FOLDER_RUN,
        .takes_more = true,
    };
    int against_count = take_against(&argc, argv, against);
    int code = command_read(&command, &(command_values){.own = how, .operands = runs}, argc, argv);
    if (code >= 0)
        return code;
    int count = 0;
    while (runs[count])
        count++;
    double shares = how->t5.invalid + how->t5.copies + how->t5.several + how->t5.illegal;
    if ((how->table != NULL) == (count > 0) || (how->table && against_count))
        return complain(EXIT_USAGE, "--table FILE or runs were expected");
    if (shares > 1)
        return complain(EXIT_USAGE, "the T5's shares: expected a sum of at most 1");
    return how->table ? compare_table(how) : compare_runs(how, runs, count, against, against_count);
}

int command_compare(int argc, char **argv)
{
    compare_how how = usual;
    const char **names = base_calloc(2 * ((size_t)argc + 1), sizeof *names);
    if (!names)
        return complain(EXIT_FAILED, "no memory");
    int code = compare(&how, argc, argv, names, names + argc + 1);
    base_free(names);
    return code;
}
