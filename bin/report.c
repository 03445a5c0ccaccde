/* report.c -- phoenix report: a page of one run or of several. */
#include "evolve/report/report.h"
#include "base/file.h"
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
    free(folder);
    return figures;
}

int command_report(int argc, char **argv)
{
    const char *runs[MOST_RUNS] = {NULL}, *out = NULL;
    bool with_figures = false;
    const option own[] = {
        {"out", OPTION_TEXT, &out, 0, 0,
         "the page's file (default: report.html in the run's folder)"},
        {"figures", OPTION_FLAG, &with_figures, 0, 0,
         "each figure also as .svg and .csv, in figures/ beside the page"},
        {0},
    };
    const options spec = {
        .usage = "phoenix report RUN [RUN ...] [--out FILE] [--figures]",
        .about = "Writes a page about a run of phoenix evolve: one HTML file that opens from disk, "
                 "also while\nthe run goes on. Several runs are put side by side; then --out is "
                 "needed.",
        .own = own,
        .operands = runs,
        .least_operands = 1,
        .most_operands = MOST_RUNS,
    };
    int code = options_read(&spec, argc, argv);
    if (code >= 0)
        return code;
    int count = 1;
    while (count < MOST_RUNS && runs[count])
        count++;
    if (count > 1 && !out)
        return complain(EXIT_USAGE, "report: --out FILE was expected with several runs");
    base_error error;
    char *path = out ? base_copy(out, strlen(out)) : base_file_path(runs[0], "report.html");
    char *figures = path && with_figures ? figures_beside(path) : NULL;
    bool ok = (path && (figures || !with_figures)) || base_fail(&error, "report: no memory");
    ok = ok && report_write(runs, count, path, figures, &error);
    if (ok)
        printf("%s\n", path);
    free(figures);
    free(path);
    return ok ? EXIT_DONE : complain(EXIT_FAILED, "%s", error.text);
}
