/* SPDX-License-Identifier: MIT */
/* fuzz_texts.c -- any bytes as a file of pairs: it is refused with its name and a line, or every part has a
 * pair, and each pair's texts are what JSON says that they are, in the line that it names.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/fuzz_texts.c base/[a-z]*.c
 *       build/libphoenix.a -lm */
#include "base/json.h"
#include "evolve/source/texts.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* The line that a pair names, read once more; a byte order mark is not of the first one. */
static void require_line(const char *text, size_t size, const source_text_pair *pair)
{
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3, size -= 3;
    const char *end = text + size, *line = text;
    for (int i = 1; i < pair->line; i++) {
        const char *feed = memchr(line, '\n', (size_t)(end - line));
        require(feed != NULL);
        line = feed + 1;
    }
    const char *feed = memchr(line, '\n', (size_t)(end - line));
    base_json *object = base_json_parse(line, (size_t)((feed ? feed : end) - line), "line", NULL);
    const base_json *source = base_json_get(object, "source"),
                    *target = base_json_get(object, "target");
    require(source && target && strcmp(source->string, pair->source) == 0 &&
            strcmp(target->string, pair->target) == 0);
    base_json_free(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static const evolve_options options = {.pairs = "fuzz"};
    const evolve_settings settings = {
        .held_out = 2, .vocabulary = T5_LEAST_TOKENS + 8, .data_seed = 1};
    base_error error = {""};
    const char *text = (const char *)bytes;
    source_texts *texts = source_texts_parse(text, count, &options, &settings, &error);
    if (!texts) {
        require(strncmp(error.text, "fuzz:", 5) == 0);
        return 0;
    }
    int64_t all = 0;
    for (int part = 0; part < SOURCE_PARTS; part++) {
        int64_t pairs = source_texts_count(texts, (source_part)part);
        require(pairs > 0);
        all += pairs;
        for (int64_t i = 0; i < pairs && i < 8; i++)
            require_line(text, count, source_texts_pair(texts, (source_part)part, (uint64_t)i));
    }
    require(all == texts->start[SOURCE_PARTS]);
    t5_tokenizer *tokenizer = source_texts_tokenizer(texts, &settings, &error);
    require(tokenizer != NULL);
    t5_tokenizer_free(tokenizer);
    source_texts_free(texts);
    return 0;
}
