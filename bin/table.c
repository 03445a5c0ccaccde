/* SPDX-License-Identifier: MIT */
/* table.c -- phoenix table: trains every design of the benchmark's grid.
 *
 * Each row is a process of this same program, `phoenix table --row N`, which prints one line; the
 * file is replaced as each comes in, so it is whole at any moment, and the same command goes on
 * from it. What a second one has written there meanwhile is kept. */
#include "evolve/search/table.h"
#include "base/file.h"
#include "base/memory.h"
#include "bin/command.h"
#include "bin/progress.h"
#include "evolve/sandbox/pool.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ROW_SECONDS = 3600, DIGITS = 12 };

typedef struct builder {
    search_table table;
    const char *path;
    char *program; /* argv[0] of every row's process */
    sandbox_job jobs[SEARCH_TABLE_ROWS];
    int row_of_job[SEARCH_TABLE_ROWS];
    char *argv[SEARCH_TABLE_ROWS][5];
    char digits[SEARCH_TABLE_ROWS][DIGITS];
    int jobs_in_all, jobs_done;
    loop_watch watch;
    base_error error;
    bool failed;
} builder;

/* A row has come in. A process that failed ends the table: its rows are all needed. */
static void done(void *user, int job)
{
    builder *b = user;
    sandbox_job *j = &b->jobs[job];
    char name[32];
    snprintf(name, sizeof name, "row %d", b->row_of_job[job]);
    if (b->failed) {
    } else if (j->end != SANDBOX_EXITED || j->code != 0 || !j->output) {
        b->failed = true;
        base_fail(&b->error, "%s: its process failed: %.200s", name, j->errors);
    } else {
        b->failed = !search_table_read_row(&b->table, j->output, j->output_size, name, &b->error) ||
                    !search_table_add(&b->table, b->path, &b->error) ||
                    !search_table_write(&b->table, b->path, &b->error);
    }
    base_free(j->output);
    j->output = NULL;
    b->watch.progress(b->watch.user, "table", ++b->jobs_done, b->jobs_in_all, "");
}

static int train(builder *b, const evolve_options *options)
{
    struct stat status;
    if (stat(b->path, &status) == 0 && !S_ISREG(status.st_mode))
        return complain(EXIT_FAILED, "%s: is no regular file", b->path);
    if (base_file_exists(b->path) && !search_table_read(&b->table, b->path, &b->error))
        return complain(EXIT_FAILED, "%s", b->error.text);
    static char table[] = "table", option_row[] = "--row";
    for (int n = 0; n < SEARCH_TABLE_ROWS; n++) { /* seed after seed: half of it is a grid too */
        int row = n % SEARCH_TABLE_CELLS * SEARCH_TABLE_SEEDS + n / SEARCH_TABLE_CELLS;
        if (b->table.row[row].parameters)
            continue;
        int job = b->jobs_in_all++;
        char **argv = b->argv[job];
        snprintf(b->digits[job], DIGITS, "%d", row);
        argv[0] = b->program;
        argv[1] = table;
        argv[2] = option_row;
        argv[3] = b->digits[job];
        b->row_of_job[job] = row;
        b->jobs[job] = (sandbox_job){.argv = argv, .deadline = ROW_SECONDS};
    }
    /* A name that cannot be written to is told of before hours of training, and not behind them. */
    if (b->jobs_in_all > 0 && !search_table_write(&b->table, b->path, &b->error))
        return complain(EXIT_FAILED, "%s", b->error.text);
    bool ok = sandbox_pool_run(b->jobs, b->jobs_in_all, (int)options->jobs, stop_on_signals(), done,
                               b, &b->error);
    for (int job = 0; job < b->jobs_in_all; job++)
        base_free(b->jobs[job].output);
    if (b->failed || (!ok && *b->error.text))
        return complain(EXIT_FAILED, "%s", b->error.text);
    return ok ? EXIT_DONE
              : complain(EXIT_INTERRUPTED, "interrupted; the same command goes on from here");
}

/* Trains what the file lacks. What it takes to do so is megabytes, which no other command is to have. */
static int build(const char *path, const evolve_options *options)
{
    builder *b = base_calloc(1, sizeof *b);
    char *program = base_copy(command_program, strlen(command_program));
    int code;
    if (b && program) {
        b->path = path;
        b->program = program;
        b->watch = progress_watch(options->quiet);
        code = train(b, options);
    } else {
        code = complain(EXIT_FAILED, "no memory");
    }
    base_free(program);
    base_free(b);
    return code;
}

/* One row, here and now: what build() starts processes for. */
static int print_row(int row)
{
    evolve_settings settings;
    search_row values;
    base_error error;
    search_table_settings(&settings);
    if (!search_table_measure(&settings, row, &values, &error))
        return complain(EXIT_FAILED, "%s", error.text);
    base_text text = {0};
    search_table_print_row(row, &values, &text);
    if (!text.failed)
        fputs(text.data, stdout);
    bool ok = !text.failed;
    base_text_free(&text);
    return ok ? EXIT_DONE : complain(EXIT_FAILED, "no memory");
}

typedef struct request {
    const char *out;
    int64_t row; /* -1: all */
} request;

#define AT(field) offsetof(request, field)
static const evolve_field own[] = {
    {"out", TEXT(out), "the table: a CSV file; rows it has are not trained again"},
    {"row", WHOLE(row, 0, SEARCH_TABLE_ROWS - 1),
     "train one row and print its line: cell * 3 + seed - 1"},
    {0},
};

static const command_line command = {
    .usage = "phoenix table --out FILE.csv | --row N [options]",
    .about = "Trains every design of a grid of 256, with three seeds: a table in which searches "
             "are compared\nwithout training anything (phoenix compare --table).",
    .own = own,
    .run = EVOLVE_OF_JOBS | EVOLVE_OF_PROGRESS,
};

int command_table(int argc, char **argv)
{
    request r = {.row = -1};
    evolve_options options = default_options();
    const command_values values = {.own = &r, .run = &options};
    int code = command_read(&command, &values, argc, argv);
    if (code >= 0)
        return code;
    if (!r.out && r.row < 0)
        return complain(EXIT_USAGE, "--out FILE or --row N was expected");
    return r.out ? build(r.out, &options) : print_row((int)r.row);
}
