/* SPDX-License-Identifier: MIT */
/* error.h -- how a function reports that a file, a text or the machine is at fault.
 *
 * Failures are sorted by who can act on them:
 *   the caller's bug (wrong shapes)   the tensor library's failure handler, never an error value
 *   the world (files, text, disks)    a base_error: one line: what, where, what was expected
 *   the impossible                    assert
 *
 * A function that can fail takes a base_error as its last argument and returns false (or NULL);
 * the error is then set, and nothing that existed before the call is lost. A later failure writes
 * over an earlier one: a caller stops at the first. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

#if defined __GNUC__
#define BASE_PRINTF(string, first) __attribute__((format(printf, string, first)))
#define BASE_NORETURN              __attribute__((noreturn))
#else
#define BASE_PRINTF(string, first)
#define BASE_NORETURN _Noreturn
#endif

typedef struct base_error {
    char text[512]; /* one line, no newline at its end; cut to fit */
} base_error;

/* Sets the error's text and returns false, so that `return base_fail(...)` reads well.
 * error may be NULL: the caller does not want to know why. */
bool base_fail(base_error *error, const char *format, ...) BASE_PRINTF(2, 3);

#endif
