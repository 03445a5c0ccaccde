/* SPDX-License-Identifier: MIT */
/* export_check.h -- an exported file held against what it was made from: between export.c and
 * export_check.c. */
#ifndef BIN_EXPORT_CHECK_H
#define BIN_EXPORT_CHECK_H

#include "base/text.h"
#include "evolve/options.h"
#include "vision/model.h"

/* What is to be held against what. */
typedef struct export_checked {
    const base_text *source, *header; /* the C file and its header */
    const char *prefix, *header_name; /* as in export_options */
    const vision_images *images;
    const void *rows; /* of a table: (images, columns) numbers as the file takes them; else NULL */
    int columns, classes;
    const void *expected; /* (images, classes) numbers of 4 bytes: logits as the file gives them */
    bool integers;        /* that they are int32_t, and not float */
} export_checked;

/* Of so many images; right: whose largest logit is that of the label; of a regression none. */
typedef struct export_checks {
    int differ, first; /* images with any other logit; the first of them */
    int right;         /* by the file */
} export_checks;

/* The place of the first of the largest logits of image i. */
int export_check_class(const export_checked *checked, const void *logits, int i);

/* Compiles the file with the machine's C compiler and runs it on the images, both behind the sandbox
 * that the options ask for. Logits are compared by their bits; a NaN only has to be one. False: there
 * is no compiler, it refuses the file, or the program does not end as it should. */
bool export_check(const export_checked *checked, const evolve_options *run, export_checks *result,
                  base_error *error);

/* One text of a header and of the file that includes it, to which a main() may be added. False: it does not
 * include it, and the text has failed. */
bool export_check_join(const base_text *header, const base_text *source, const char *header_name,
                       base_text *text);

/* Compiles such a text and runs it on an input, as above. malloc'ed: what it wrote, exactly `most` bytes.
 * NULL: as above, or it wrote more or less. */
char *export_check_run(const base_text *text, const base_text *input, size_t most,
                       const evolve_options *run, base_error *error);

#endif
