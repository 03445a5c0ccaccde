/* SPDX-License-Identifier: MIT */
/* fuzz_safetensors.c -- libFuzzer target: any bytes as a safetensors file.
 *
 * What is taken must be consistent: every name found, every element readable, and what is a whole
 * number other than 0 is no 0 as a float.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/fuzz_safetensors.c nn/safetensors.c
 *   base/[a-z]*.c -lm */
#include "nn/safetensors.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    base_error error = {""};
    nn_safetensors *file = nn_safetensors_parse(bytes, size, "fuzz", &error);
    if (!file) {
        if (!error.text[0])
            abort();
        return 0;
    }
    for (int i = 0; i < nn_safetensors_count(file); i++) {
        const nn_safetensors_entry *entry = nn_safetensors_at(file, i);
        if (nn_safetensors_find(file, entry->name) != entry || entry->count > size)
            abort();
        for (size_t j = 0; j < entry->count; j++)
            if (nn_safetensors_int(entry, j) != 0 && nn_safetensors_float(entry, j) == 0)
                abort();
    }
    nn_safetensors_free(file);
    return 0;
}
