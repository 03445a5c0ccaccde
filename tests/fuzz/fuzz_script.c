/* SPDX-License-Identifier: MIT */
/* fuzz_script.c -- libFuzzer target: any bytes as a source and a script of it, or a refinement by names of its
 * lines, and as a source and what it is to become; a zero byte is between the two.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/fuzz_script.c
 *       refine/mutation/lines.c refine/mutation/named.c refine/mutation/script.c base/[a-z]*.c -lm
 *
 * What applies has a script of its own, which makes the same refinement with as few lines at most. What
 * does not apply leaves the refinement as it was. */
#include "refine/mutation/named.h"
#include "refine/mutation/script.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static int line_feeds(const base_text *text)
{
    int count = 0;
    for (size_t i = 0; i < text->length; i++)
        count += text->data[i] == '\n';
    return count;
}

/* There and back. False: one of the two cannot be numbered. */
static bool try_texts(const char *source, size_t length, const char *refined, size_t size,
                      base_text *script)
{
    base_error error = {""};
    base_text back = {0};
    base_text_add(script, "", 0);
    bool made = mutation_script_of(source, length, refined, size, script, &error);
    if (made) {
        require(mutation_edit_apply(&mutation_script, source, length, script->data, script->length,
                                    &back, &error));
        require(back.length == size && (size == 0 || memcmp(back.data, refined, size) == 0));
    } else {
        require(strncmp(error.text, "an edit by lines: ", 18) == 0);
    }
    base_text_free(&back);
    return made;
}

static void try_script(const char *source, size_t length, const char *bytes, size_t size)
{
    base_error error = {""};
    base_text script = {0}, refined = {0}, own = {0};
    base_text_add(&script, bytes, size);
    base_text_add(&refined, "kept", 4);
    if (mutation_edit_apply(&mutation_script, source, length, bytes, size, &refined, &error)) {
        require(memcmp(refined.data, "kept", 4) == 0);
        require(try_texts(source, length, refined.data + 4, refined.length - 4, &own));
        require(line_feeds(&own) <= line_feeds(&script));
    } else {
        require(strncmp(error.text, "the edit ", 9) == 0 ||
                strncmp(error.text, "an edit by lines: ", 18) == 0);
        require(refined.length == 4 && strcmp(refined.data, "kept") == 0);
    }
    base_text_free(&script);
    base_text_free(&refined);
    base_text_free(&own);
}

/* By names: there and back, and what it means has a text of its own. */
static void try_names(const char *source, size_t length, const char *bytes, size_t size)
{
    base_error error = {""};
    base_text named = {0}, refined = {0}, back = {0};
    base_text_add(&named, "", 0);
    if (mutation_named_of(source, length, bytes, size, &named, &error)) {
        require(mutation_edit_apply(&mutation_named, source, length, named.data, named.length,
                                    &back, &error));
        require(back.length == size && (size == 0 || memcmp(back.data, bytes, size) == 0));
    }
    base_text_add(&refined, "kept", 4);
    bool applies =
        mutation_edit_apply(&mutation_named, source, length, bytes, size, &refined, &error);
    require(memcmp(refined.data, "kept", 4) == 0 && (applies || refined.length == 4));
    base_text_clear(&named);
    base_text_clear(&back);
    base_text_add(&named, "", 0);
    if (applies) {
        require(mutation_named_of(source, length, refined.data + 4, refined.length - 4, &named,
                                  &error));
        require(mutation_edit_apply(&mutation_named, source, length, named.data, named.length,
                                    &back, &error));
        require(back.length == refined.length - 4 &&
                (back.length == 0 || memcmp(back.data, refined.data + 4, back.length) == 0));
    }
    base_text_free(&named);
    base_text_free(&refined);
    base_text_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    const char *source = (const char *)bytes;
    const char *end = count > 0 ? memchr(source, '\0', count) : NULL;
    size_t length = end ? (size_t)(end - source) : count, skipped = length + (end != NULL);
    base_text script = {0};
    try_script(source, length, source + skipped, count - skipped);
    try_texts(source, length, source + skipped, count - skipped, &script);
    try_names(source, length, source + skipped, count - skipped);
    base_text_free(&script);
    return 0;
}
