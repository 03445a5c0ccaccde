/* fuzz_script.c -- edits by lines: a source and a script, split at the first zero byte. What is applied
 * has a script of its own, which makes the same text. */
#include "refine/mutation/script.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *source = (const char *)data, *end = memchr(data, 0, size);
    size_t length = end ? (size_t)(end - source) : 0, rest = end ? size - length - 1 : 0;
    base_text numbered = {0}, refined = {0}, script = {0}, again = {0};
    base_error error;
    base_text_add(&refined, "", 0);
    base_text_add(&script, "", 0);
    bool numbers = mutation_script_number(source, length, &numbered, &error);
    if (end && mutation_script_apply(source, length, end + 1, rest, &refined, &error))
        if (!numbers ||
            !mutation_script_of(source, length, refined.data, refined.length, &script, &error) ||
            !mutation_script_apply(source, length, script.data, script.length, &again, &error) ||
            again.length != refined.length || memcmp(again.data, refined.data, again.length) != 0)
            abort();
    base_text_free(&numbered);
    base_text_free(&refined);
    base_text_free(&script);
    base_text_free(&again);
    return 0;
}
