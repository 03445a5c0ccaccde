/* command.h -- what the subcommands of phoenix share: exit codes, options, messages. */
#ifndef BIN_COMMAND_H
#define BIN_COMMAND_H

#include "base/error.h"
#include "evolve/settings.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_SOURCE = 3 };

/* One subcommand each, in the file of its name. argv[0] is the subcommand's name. */
int command_evolve(int argc, char **argv);
int command_refine(int argc, char **argv);
int command_train(int argc, char **argv);
int command_generate(int argc, char **argv);
int command_evaluate(int argc, char **argv);
int command_table(int argc, char **argv);
int command_compare(int argc, char **argv);
int command_bench(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_sandbox(int argc, char **argv);
int command_report(int argc, char **argv);
int command_why(int argc, char **argv);
int command_diff(int argc, char **argv);

/* This program as a command for workers, from main()'s argv[0]: a path where that is one. */
extern const char *command_program;

typedef enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_WHOLE, OPTION_REAL } option_kind;

typedef struct option {
    const char *name; /* "jobs": --jobs N; without N for a flag */
    option_kind kind;
    void *value;      /* bool, const char *, int64_t, double */
    double low, high; /* of numbers */
    const char *help;
} option;

typedef struct options {
    const char *usage;         /* "phoenix train [SOURCE] --out FOLDER [options]" */
    const char *about;         /* a paragraph */
    const option *own;         /* ends with a name of NULL */
    evolve_settings *settings; /* also takes --preset and every setting; NULL: none */
    const char *default_preset;
    const char **operands; /* at most most_operands are stored here; fewer: NULL */
    int least_operands, most_operands;
} options;

/* Reads the command line. Returns -1 to go on; otherwise the command ends with that exit code:
 * --help was printed, or one line about what is wrong. */
int options_read(const options *spec, int argc, char **argv);

/* Whether the settings on a command line that options_read() took are those, where it has any. The
 * error names the first that is not. */
bool options_agree(const options *spec, int argc, char **argv, const evolve_settings *settings,
                   base_error *error);

/* "phoenix: " and the error, on standard error; returns code. */
int complain(int code, const char *format, ...) BASE_PRINTF(2, 3);

/* Reads a source file, or standard input for "-". The caller frees it. */
char *read_source(const char *path, size_t *length, base_error *error);

/* Processors of this machine; 1 where the system does not say. */
int processors(void);

/* Threads that a training can use: processors, or 1 where threads are not built in. */
int default_threads(void);

#endif
