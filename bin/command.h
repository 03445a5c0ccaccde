/* SPDX-License-Identifier: MIT */
/* command.h -- what the subcommands of phoenix share: exit codes, options, messages. */
#ifndef BIN_COMMAND_H
#define BIN_COMMAND_H

#include "evolve/options.h"
#include "evolve/settings.h"

/* INTERRUPTED is no exit code: main() ends by the signal that came, as whoever started this expects
 * (a shell leaves its loop). */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_SOURCE = 3, EXIT_INTERRUPTED = 4 };

/* One subcommand each, in the file of its name. argv[0] is the subcommand's name. */
int command_evolve(int argc, char **argv);
int command_refine(int argc, char **argv);
int command_train(int argc, char **argv);
int command_generate(int argc, char **argv);
int command_trace(int argc, char **argv);
int command_predict(int argc, char **argv);
int command_export(int argc, char **argv);
int command_evaluate(int argc, char **argv);
int command_table(int argc, char **argv);
int command_compare(int argc, char **argv);
int command_bench(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_sandbox(int argc, char **argv);
int command_report(int argc, char **argv);
int command_experience(int argc, char **argv);
int command_why(int argc, char **argv);
int command_diff(int argc, char **argv);

/* This program as a command for workers, from main()'s argv[0]: a path where that is one. */
extern const char *command_program;
extern const char *command_called; /* argv[0] itself, to say what to type next */

/* Rows of a command's own options (evolve/field.h), where AT(field) is a field's place in the
 * command's struct of them. */
#define FLAG(field)             EVOLVE_FLAG, AT(field), 0, 0, NULL, 0
#define TEXT(field)             EVOLVE_TEXT, AT(field), 0, 0, NULL, 0
#define WHOLE(field, low, high) EVOLVE_WHOLE, AT(field), low, high, NULL, 0
#define REAL(field, low, high)  EVOLVE_REAL, AT(field), low, high, NULL, 0

/* What a folder holds that this program makes: a set of bits. */
enum { FOLDER_RUN = 1, FOLDER_NETWORK = 2, FOLDER_T5 = 4 };

/* What a command line is made of, as its --help shows it. */
typedef struct command_line {
    const char *usage;       /* "phoenix train [SOURCE] --out FOLDER [options]" */
    const char *about;       /* a paragraph */
    const evolve_field *own; /* the command's own options; NULL: none */
    unsigned run; /* the run options that it takes: those with one of these marks (options.h) */
    const char *preset; /* the default of --preset; NULL: settings are not taken */
    unsigned uses;      /* what it does with settings: EVOLVE_USES_... (evolve/uses.h) */
    int least_operands, most_operands;
    unsigned takes;  /* the first is a folder of one of these: FOLDER_... */
    bool takes_more; /* so are those behind it */
} command_line;

/* Where the values go. Each of them holds its defaults beforehand, except for the settings, which
 * begin with the preset's, and the operands, which begin with NULL. */
typedef struct command_values {
    void *own;
    evolve_options *run;
    evolve_settings *settings;
    const char **operands;
    const bool *unchecked; /* where it is there and has become true, settings and options are taken
                            * that would change nothing */
} command_values;

/* Reads the command line: "--seed 3" or "--seed=3", in any order; what follows "--" are operands.
 * Returns -1 to go on; otherwise the command ends with that exit code: help was printed, or one line
 * about what is wrong. */
int command_read(const command_line *line, const command_values *values, int argc, char **argv);

/* Whether the settings on a command line that command_read() took are those, where it has any. The
 * error names the first that is not. */
bool command_agrees(const command_line *line, int argc, char **argv,
                    const evolve_settings *settings, base_error *error);

/* Prints what --help does: settings that are for few where `all`. */
void command_help(const command_line *line, const command_values *values, bool all);

/* Whether an option of that name is on a command line that command_read() took. */
bool command_has(const command_line *line, int argc, char **argv, const char *name);

/* How often it is there; values (argc places, or NULL): of each time, in order. */
int command_values_of(const command_line *line, int argc, char **argv, const char *name,
                      const char **values);

/* Appends a command that can be pasted into a shell: this program, as it was called, with a path among its words. */
void command_hint(base_text *to, const char *before, const char *path, const char *behind);

/* "phoenix: " and the error, on standard error, and of USAGE where to read more; returns code. */
int complain(int code, const char *format, ...) BASE_PRINTF(2, 3);

/* The same of what stopped half-way, and behind it the command that goes on, as command_hint() has it. */
int complain_go_on(int code, const char *what, const char *before, const char *path,
                   const char *behind);
bool has_complained(void); /* with another code than EXIT_DONE */

/* On standard output, as a terminal can show it: files and folders are named by whoever made them. */
void tell(const char *format, ...) BASE_PRINTF(1, 2);

/* Reads a source file, or standard input for "-". The caller frees it. */
char *read_source(const char *path, size_t *length, base_error *error);

/* False where the path is a file, or a folder that holds other things of this program's than those wanted: the error
 * says what it is, and what takes it. A folder of nobody knows what suits: whoever reads it says what is missing. */
bool folder_suits(const char *path, unsigned wanted, base_error *error);

/* False where what is written to a path, or to where it leads as a symbolic link, would take the place of a run's folder,
 * of a file that the run has there, or of a part of a model. */
bool output_suits(const char *path, base_error *error);

/* Whether the folder itself or model/ in it is a trained network's. */
bool has_network(const char *path);

/* The folder of the T5 that a run trained last; malloc'ed, NULL: it has none, or no memory. */
char *last_model(const char *run);

/* The folder itself or model/ in it, whichever is a T5's, or else that of a run's last T5; malloc'ed, NULL: it has none,
 * or no memory. */
char *t5_folder(const char *path);

/* The same, or the path itself; malloc'ed, NULL: no memory. */
char *model_folder(const char *path);

/* One job a processor of this machine, and as many threads where threads are built in. */
evolve_options default_options(void);

#endif
