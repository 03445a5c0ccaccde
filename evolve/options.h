/* SPDX-License-Identifier: MIT */
/* options.h -- how work is carried out: what changes no result.
 *
 * How much is done at once, who runs a candidate, what holds it, where its images are. Whoever
 * runs the same settings with other options gets the same journal, scores and models, to the bit.
 * One table (options.c) serves the command line of every subcommand, the manifest of a run and the
 * arguments of a worker, so a new option is a field here, a row there, and the code that acts on
 * it. */
#ifndef EVOLVE_OPTIONS_H
#define EVOLVE_OPTIONS_H

#include "evolve/field.h"
#include <stdint.h>

/* Who runs a source. */
typedef enum evolve_executor {
    EVOLVE_INTERPRET,
    EVOLVE_NATIVE /* the system's C compiler makes a program of it */
} evolve_executor;

typedef struct evolve_options {
    int64_t jobs;         /* candidates at once, each in a process of one thread */
    int64_t threads;      /* of a training */
    const char *launcher; /* put in front of a worker's command, split at blanks; "": nothing */
    int64_t executor;     /* evolve_executor */
    int64_t sandbox;      /* sandbox_level */
    const char *cc;       /* of the native executor; NULL: the first there is */
    const char *data;     /* folder of the task's images, or its table; NULL: data/TASK */
    const char
        *split;   /* of EMNIST's sets; NULL: the one there is. This and the next: vision_wanted */
    int64_t size; /* of pictures; 0: their own */
    int64_t colours;                     /* of pictures: as they are, grey, colour */
    const char *pairs;                   /* file of the task's pairs of text; NULL: there is none */
    const char *source_key, *target_key; /* of its texts */
    const char *pairs_digest;            /* SHA-256 that it is to have; NULL: any */
    const char *corpus;  /* file or folder that T5s are pre-trained on; NULL: none is */
    const char *label;   /* of tables: the column to answer for */
    const char *without; /* of tables: columns to leave out, "a,b" */
    bool guessed;     /* --task table was not said: it follows from --label, or from a CSV file */
    int64_t patience; /* seconds until a worker that says nothing is lost */
    bool quiet;       /* no progress */
} evolve_options;

/* Marks of a row: which commands take the option, and where it goes from there. */
enum {
    EVOLVE_OF_RUNS = 1,        /* evolve; verify of a run */
    EVOLVE_OF_EVALUATIONS = 2, /* evaluate */
    EVOLVE_OF_THREADS = 4,     /* train, generate, bench */
    EVOLVE_OF_JOBS = 8,        /* table */
    EVOLVE_PASSED = 16,        /* to the workers of a run */
    EVOLVE_NOTED = 32,         /* in a run's manifest */
    EVOLVE_OF_IMAGES = 64,     /* train, predict: what is read */
    EVOLVE_OF_EXPORT = 128,    /* export */
    EVOLVE_OF_PAIRS = 256,     /* train; a run that is resumed has these of its manifest */
    EVOLVE_OF_PROGRESS = 512,  /* train, table */
    EVOLVE_OF_TABLES =
        1024, /* what a table is read by: a run that is resumed has these of its manifest */
    EVOLVE_OF_CORPUS = 2048, /* train; likewise */
    EVOLVE_RARE = 4096       /* of use to few: not in the short list of --help */
};

extern const evolve_field evolve_option_fields[];

/* The options of pairs and of tables that a run's manifest has, where the command line has none. They point into
 * the manifest. */
struct base_json;
void evolve_options_of_run(evolve_options *options, const struct base_json *manifest);

#endif
