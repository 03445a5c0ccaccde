/* SPDX-License-Identifier: MIT */
/* fuzz_model.c -- libFuzzer target: any bytes as the network.json of a model's folder. Its digest can be
 * right only of weights that are there: of none. What is refused is refused with a line that names the
 * file.
 *
 *   make && clang -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/fuzz_model.c vision/model.c
 *   vision/shape.c base/[a-z]*.c build/libphoenix.a -lm -pthread */
#include "vision/model.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const origin[2] = {"json", "weights"};
    base_error error = {""};
    vision_model_files files = {{0}, {0}};
    base_text_add(&files.json, (const char *)bytes, size);
    base_text_add(&files.weights, "", 0);
    bool good = vision_model_check(&files, origin, &error);
    if (!good && strncmp(error.text, "json:", 5) != 0 && strncmp(error.text, "weights:", 8) != 0)
        abort();
    vision_model_files_free(&files);
    return 0;
}
