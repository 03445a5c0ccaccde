/* SPDX-License-Identifier: MIT */
/* experience.h -- what candidates of earlier runs came to: a row each, in one CSV file.
 *
 *   task,scope,score,d_model,examples,channels,height,width,classes,
 *       parent,child,edits,outcome,before,after,noise,flops
 *
 * The first nine cells are the features of a task: what is programmed, what a source may change, what
 * is climbed on, the width of the T5s, the pairs or images of a score, and what the images are. They
 * describe a task rather than name it, so that one that was never seen has some. The others are what one
 * candidate did:
 *
 *   parent, child  the first digits of their keys (loop/events.h): equal programs under equal settings
 *                  have one; "-": it is no program
 *   edits          "num_layers+ d_ff-": each decision that both make and make differently, and whether
 *                  to a later alternative or an earlier one; "?": the edit rules do not know one of the two
 *   outcome        fails, worse, same or better
 *   before, after  scores of the parent and of the child, lower is better; `after` is empty if it fails
 *   noise          how far before - after may be from 0 by chance: its standard error
 *   flops          operations of the child's training
 *
 * Lines are sorted and none is twice there, so that the same candidates make the same file whatever order
 * their runs are read in. Other programs may have written the file, so reading it trusts nothing. */
#ifndef SEARCH_EXPERIENCE_H
#define SEARCH_EXPERIENCE_H

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

typedef enum search_outcome {
    SEARCH_FAILS,
    SEARCH_IS_WORSE,
    SEARCH_IS_SAME, /* within the noise */
    SEARCH_IS_BETTER,
    SEARCH_OUTCOMES
} search_outcome;

/* Texts are the caller's, or the file's: letters, digits and " +-_?" alone. */
typedef struct search_outcome_row {
    const char *task, *scope, *score;
    int64_t d_model, examples, channels, height, width, classes; /* 0: the task has none */
    const char *parent, *child, *edits;
    search_outcome outcome;
    double before, after, noise; /* NAN: there is none */
    int64_t flops;
} search_outcome_row;

/* after: NAN if it failed. stopped: before the end, as it could not get better than its parent. */
search_outcome search_outcome_of(double before, double after, double noise, bool stopped);

typedef struct search_experience {
    search_outcome_row *row;
    int count;
    char *file, *text;         /* its bytes; a copy that the rows' texts are in */
    char hash[BASE_HASH_TEXT]; /* SHA-256 of the file's bytes */
} search_experience;

/* experience.csv: what `sh bench/experience.sh learn` left, which is in the program itself. */
search_experience *search_experience_own(base_error *error);

enum { SEARCH_MOST_EXPERIENCE = 1 << 24 }; /* bytes of a file */

/* Reads a file's bytes; origin is its name, for errors, which name the line as well. Checks everything:
 * the heading, the number of cells, characters, ranges, and that the last line is whole. NULL: error.
 * search_experience_free() it. */
search_experience *search_experience_read(const char *bytes, size_t size, const char *origin,
                                          base_error *error);
search_experience *search_experience_open(const char *path, base_error *error); /* a file */

/* Leaves the rows of a scope, where there are any: an edit's name is its grammar's, and a scope has a grammar of its
 * own. Where there are none, those of T5s (d_model is not 0) or of networks: what other scopes say of edits with the same
 * names is all that is known, but a T5's batch is not a network's. `file` stays whole. */
void search_experience_narrow(search_experience *experience, const char *scope, bool of_t5s);

void search_experience_free(search_experience *experience);

/* Appends a row's line. */
void search_experience_print(const search_outcome_row *row, base_text *lines);

/* Appends the file: the heading, then the lines, sorted and each once. Returns how many. */
int search_experience_file(base_text *lines, base_text *file);

/* Takes the next of a row's edits: the name of a rule and the direction. False: none is left, or the
 * rules do not know one of its sources. */
bool search_next_edit(const char **edits, const char **name, size_t *length, bool *up);

#endif
