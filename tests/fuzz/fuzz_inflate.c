/* SPDX-License-Identifier: MIT */
/* fuzz_inflate.c -- libFuzzer target: any bytes as a gzip file, and as what follows a gzip header.
 *
 * What unpacks does so within the limit, and with a limit that is one byte too small it does not.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/fuzz_inflate.c vision/inflate.c
 *   base/[a-z]*.c -lm */
#include "vision/inflate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { MOST = 1 << 20, HEADER = 10 };

static void try(const uint8_t *bytes, size_t size)
{
    base_error error = {""};
    size_t length, again;
    unsigned char *out = vision_inflate(bytes, size, MOST, "fuzz", &length, &error);
    if (!out) {
        if (strncmp(error.text, "fuzz: gzip, byte ", 17) != 0)
            abort();
        return;
    }
    if (length > MOST ||
        (length > 0 && vision_inflate(bytes, size, length - 1, "fuzz", &again, NULL)))
        abort();
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const uint8_t header[HEADER] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
    try(bytes, size);
    uint8_t *file = malloc(HEADER + size);
    if (!file)
        return 0;
    memcpy(file, header, HEADER);
    memcpy(file + HEADER, bytes, size);
    try(file, HEADER + size);
    free(file);
    return 0;
}
