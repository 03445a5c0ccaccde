/* SPDX-License-Identifier: MIT */
/* walk.c -- chapter 3 of the book: a figure of its table, drawn by the library from the table's numbers.
 *
 *     cc -I. docs/book/walk.c build/libphoenix.a -lm -pthread -o walk && ./walk <bench/walk.csv >walk.svg */
#include "evolve/report/svg.h"
#include <stdio.h>
#include <string.h>

enum { STEPS = 8, SETS = 2 };

int main(void)
{
    static const char *const names[] = {"three loops", "fma",    "rows",   "tile",
                                        "vectors",     "panels", "blocks", "gemm"};
    static const char *const sets[SETS] = {"AVX-512", "AVX2"}, *const colours[SETS] = {"c0", "c1"};
    static const double peak = 100;
    double step[STEPS], share[SETS][STEPS];
    char line[256];
    int n = 0;
    while (n < STEPS && fgets(line, sizeof line, stdin))
        if (sscanf(line, "walk/%*d-%*[^,],%*f,%lf,%lf", &share[0][n], &share[1][n]) == SETS) {
            step[n] = n;
            n++;
        }
    if (n < STEPS) {
        fprintf(stderr, "walk: %d steps, expected %d\n", n, STEPS);
        return 1;
    }
    base_text text = {0}, file = {0};
    report_ending endings[SETS];
    report_svg plot = {.text = &text, .width = 720, .height = 340, .right = 84};
    plot.x = (report_axis){
        .label = "step", .low = -0.3, .high = STEPS - 0.7, .names = names, .name_count = STEPS};
    plot.y = report_axis_of("percent of the peak", REPORT_LOG10, 0.1, peak);
    report_svg_begin(
        &plot, "walk", "From three loops to the last step",
        "The share of the core's peak that each of the eight steps reaches, for AVX-512 "
        "and for AVX2, on a logarithmic axis.");
    report_svg_level(&plot, "soft dash", peak);
    for (int k = 0; k < SETS; k++) {
        report_svg_line(&plot, colours[k], step, share[k], STEPS);
        report_svg_marks(&plot, colours[k], REPORT_DOT, step, share[k], STEPS);
        endings[k] = (report_ending){share[k][STEPS - 1], colours[k], ""};
        strcpy(endings[k].words, sets[k]);
    }
    report_svg_endings(&plot, endings, SETS);
    report_svg_finish(&plot);
    report_svg_alone(&text, &file);
    bool whole =
        !text.failed && !file.failed && fwrite(file.data, 1, file.length, stdout) == file.length;
    base_text_free(&text);
    base_text_free(&file);
    return whole && fflush(stdout) == 0 ? 0 : 1;
}
