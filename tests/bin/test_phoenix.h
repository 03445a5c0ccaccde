/* SPDX-License-Identifier: MIT */
/* test_phoenix.h -- the command, run in a folder: its exit code, and what it says. */
#ifndef TEST_PHOENIX_H
#define TEST_PHOENIX_H

#include "base/file.h"
#include "tests/test.h"
#include <stdlib.h>

typedef enum phoenix_outputs {
    BOTH,  /* standard output and standard error, as they come */
    RESULT /* standard output where it is to end well, else standard error */
} phoenix_outputs;

/* Runs `phoenix arguments` in the folder, which leaves "out" there; what it said, to be freed. */
static inline char *phoenix_says(const char *folder, phoenix_outputs outputs, int want,
                                 const char *arguments)
{
    char command[4096];
    base_error error = {""};
    size_t size = 0;
    snprintf(command, sizeof command, "p=$(realpath %s) && cd %s && $p %s >out 2>%s", TEST_PHOENIX,
             folder, arguments, outputs == BOTH ? "&1" : "errors");
    int code = system(command) >> 8 & 255;
    const char *file = outputs == BOTH || want == 0 ? "out" : "errors";
    char *text = base_file_read(test_path(folder, file), 1 << 24, &size, &error);
    CHECK(code == want && text, "phoenix %s: exit code %d: %s", arguments, code,
          text ? text : error.text);
    return text;
}

/* The same, for what is to be in it. */
static inline void phoenix_expect(const char *folder, phoenix_outputs outputs, int want,
                                  const char *arguments, const char *part)
{
    char *text = phoenix_says(folder, outputs, want, arguments);
    CHECK(text && strstr(text, part), "phoenix %s: %s: want %s", arguments, text ? text : "", part);
    free(text);
}

static inline void phoenix_put(const char *folder, const char *name, const void *bytes, size_t size)
{
    base_error error = {""};
    const base_bytes part = {bytes, size};
    CHECK(base_file_write(test_path(folder, name), &part, 1, NULL, &error), "%s", error.text);
}

#endif
