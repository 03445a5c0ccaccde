/* SPDX-License-Identifier: MIT */
/* report.c -- phoenix report: a page of one run or of several. All that is on it comes from the
 * run's folder, so it can be written at any time and by any version that reads the journal. */
#include "evolve/report/report.h"
#include "base/file.h"
#include "base/memory.h"
#include "bin/command.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RUNS = 64 };

/* "figures" beside that file. */
static char *figures_beside(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? base_copy(path, (size_t)(slash - path) + (slash == path)) : NULL;
    char *figures = slash && !folder ? NULL : base_file_path(folder ? folder : ".", "figures");
    base_free(folder);
    return figures;
}

typedef struct request {
    const char *runs[MOST_RUNS], *out;
    bool figures;
} request;

#define AT(field) offsetof(request, field)
static const evolve_field own[] = {
    {"out", TEXT(out), "the page's file (default: report.html in the run's folder)"},
    {"figures", FLAG(figures), "each figure also as .svg and .csv, in figures/ beside the page"},
    {0},
};

static const command_line command = {
    .usage = "phoenix report RUN [RUN ...] [--out FILE] [--figures]",
    .about = "Writes a page about a run of phoenix evolve: one HTML file that opens from disk, "
             "also while\nthe run goes on. Several runs are put side by side; then --out is "
             "needed.",
    .own = own,
    .least_operands = 1,
    .most_operands = MOST_RUNS,
    .takes = FOLDER_RUN,
    .takes_more = true,
};

/* One run is a page of its own, several are one page that compares them. */
int command_report(int argc, char **argv)
{
    request r = {.out = NULL};
    int code = command_read(&command, &(command_values){.own = &r, .operands = r.runs}, argc, argv);
    if (code >= 0)
        return code;
    int count = 1;
    while (count < MOST_RUNS && r.runs[count])
        count++;
    if (count > 1 && !r.out)
        return complain(EXIT_USAGE, "--out FILE was expected with several runs");
    base_error error;
    char *path = r.out ? base_copy(r.out, strlen(r.out)) : base_file_path(r.runs[0], "report.html");
    char *figures = path && r.figures ? figures_beside(path) : NULL;
    bool ok = (path && (figures || !r.figures)) || base_fail(&error, "report: no memory");
    ok = ok && report_write(r.runs, count, r.out, figures, command_called, &error);
    if (ok)
        printf("%s\n", path);
    base_free(figures);
    base_free(path);
    return ok ? EXIT_DONE : complain(EXIT_FAILED, "%s", error.text);
}
