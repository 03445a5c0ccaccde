/* SPDX-License-Identifier: MIT */
/* test_export.h -- the compilers that are here, and files for them: what the tests of export/ share. */
#ifndef TEST_EXPORT_H
#define TEST_EXPORT_H

#include "base/file.h"
#include "base/process.h"
#include "base/random.h"
#include "export/export.h"
#include "tests/test.h"

static char scratch[512];

static const char *below(const char *name) { return test_path(scratch, name); }

static void store(const char *name, const base_text *text)
{
    base_error error = {""};
    const base_bytes part = {text->data, text->length};
    CHECK(base_file_write(below(name), &part, 1, NULL, &error), "%s", error.text);
}

static const struct {
    const char *command, *flags;
    const char *runner; /* of what was built */
    bool swapped;       /* its bytes lie the other way round */
} compilers[] = {
    {"gcc", "-std=c99 -O2 -Wall -Wextra -pedantic -Wconversion -Wshadow -Werror", "", false},
    {"gcc", "-std=gnu17 -O3 -march=native -Wall -Wextra -Werror", "", false},
    {"gcc", "-std=c99 -O0 -fsanitize=address,undefined -fno-sanitize-recover", "", false},
    {"clang", "-std=c99 -O2 -Wall -Wextra -pedantic -Wconversion -Wshadow -Werror", "", false},
    {"clang", "-O3 -march=native -Wall -Wextra -Werror", "", false},
    {"tcc", "-Wall -Werror", "", false},
    {"g++", "-x c++ -Os -Wall -Wextra -pedantic -Wconversion -Werror", "", false},
    {"gcc", "-m32 -msse2 -mfpmath=sse -std=c99 -O2 -Wall -Wextra -pedantic -Wconversion -Werror",
     "", false},
    {"i686-linux-gnu-gcc",
     "-static -msse2 -mfpmath=sse -std=c99 -O2 -Wall -Wextra -pedantic -Wconversion -Werror",
     "qemu-i386-static ", false},
    {"aarch64-linux-gnu-gcc", "-static -std=gnu17 -O2 -Wall -Wextra -Werror",
     "qemu-aarch64-static ", false},
    {"s390x-linux-gnu-gcc", "-static -std=gnu99 -O2 -Wall -Wextra -Werror", "qemu-s390x-static ",
     true},
};
enum { COMPILERS = sizeof compilers / sizeof *compilers };

static bool shell(const char *format, ...)
{
    char line[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    return system(line) == 0;
}

/* Every case is compiled by the first, and by a third of the others, so that each of them has its third of
 * the cases; PHOENIX_SLOW: every case by all. */
static bool compiles(const bool *there, int compiler, int number)
{
    const char *slow = getenv("PHOENIX_SLOW");
    return there[compiler] && (compiler == 0 || (compiler + number) % 3 == 0 || (slow && *slow));
}

static bool works(int i)
{
    return shell("cd '%s' && echo 'int main(void) { return 0; }' >try.c && %s %s try.c -o try "
                 ">try.log 2>&1 && %s./try 2>try.log",
                 scratch, compilers[i].command, compilers[i].flags, compilers[i].runner);
}

/* Numbers of 4 bytes, as compiler i's machine has them. */
static void swap(char *bytes, size_t size, int i)
{
    for (size_t at = 0; compilers[i].swapped && at + 4 <= size; at += 4)
        for (size_t k = 0; k < 2; k++) {
            char byte = bytes[at + k];
            bytes[at + k] = bytes[at + 3 - k];
            bytes[at + 3 - k] = byte;
        }
}

/* A folder, and which compilers are here. */
static tensor_context *begin(bool there[COMPILERS])
{
    base_error error = {""};
    CHECK(base_temporary_folder("phoenix-export", scratch, sizeof scratch, &error), "%s",
          error.text);
    for (int i = 0; i < COMPILERS; i++)
        if (!(there[i] = works(i)))
            SKIP("%s %s cannot build a program here", compilers[i].command, compilers[i].flags);
    return tensor_context_open(1, &error);
}

#endif
