/* SPDX-License-Identifier: MIT */
/* test.h -- what every test program shares.
 *
 * A test program is a list of functions that CHECK things, and ends with `return test_end();`. A
 * check that fails prints file:line, what was checked, and what was got; the program goes on and
 * exits with 1. What a machine lacks is SKIPped by name and counted, never passed over silently. */
#ifndef TEST_H
#define TEST_H

#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef TEST_PHOENIX /* the command; tests/run.sh says where it is */
#define TEST_PHOENIX "build/phoenix"
#endif

static int test_passed, test_failed, test_skipped;

/* A test takes its locale from the environment, as a program around the library may:
 * tests/suite_sanitizers.sh runs all of them where half is written "0,5". */
__attribute__((constructor)) static void test_begin(void) { setlocale(LC_ALL, ""); }

static void test_note(const char *file, int line, const char *what, const char *format, ...)
{
    va_list arguments;
    printf("%s:%d: %s: ", file, line, what);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

/* CHECK(condition, format, ...): the format says what was got, where it was wrong. */
#define CHECK(condition, ...)                                                 \
    do {                                                                      \
        if (condition)                                                        \
            test_passed++;                                                    \
        else {                                                                \
            test_failed++;                                                    \
            test_note(__FILE__, __LINE__, "FAILED " #condition, __VA_ARGS__); \
        }                                                                     \
    } while (0)

#define SKIP(...)                                              \
    do {                                                       \
        test_skipped++;                                        \
        test_note(__FILE__, __LINE__, "SKIPPED", __VA_ARGS__); \
    } while (0)

/* 1 where the build has a sanitizer, which has a malloc of its own, takes memory as it likes, and
 * makes everything tens of times slower: a test that repeats one thing for its statistics may
 * repeat it less there, since the code it goes through stays the same. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define TEST_SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
    __has_feature(thread_sanitizer)
#define TEST_SANITIZED 1
#endif
#endif
#if !defined TEST_SANITIZED
#define TEST_SANITIZED 0
#endif

/* folder/name, in static memory, 32 at a time. */
static inline const char *test_path(const char *folder, const char *name)
{
    static char paths[32][1024];
    static int next;
    char *path = paths[next++ % 32];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/* The path of a file under the folder of shared test data, which is $PHOENIX_SHARED or, where that
 * is not set, ../shared. NULL if it is not there (the caller SKIPs). In test_path's memory. */
static inline const char *test_shared(const char *name)
{
    const char *folder = getenv("PHOENIX_SHARED");
    const char *path = test_path(folder ? folder : "../shared", name);
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    fclose(file);
    return path;
}

static int test_end(void)
{
    printf("%d passed, %d failed, %d skipped\n", test_passed, test_failed, test_skipped);
    return test_failed != 0;
}

#endif
