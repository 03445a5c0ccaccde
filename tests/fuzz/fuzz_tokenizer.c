/* fuzz_tokenizer.c -- any bytes as a tokenizer.json; where they are one, they are also a text,
 * which must come back, and the tokenizer is written and must be read back as the same.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/fuzz_tokenizer.c t5/tokenizer*.c
 *       t5/bpe.c base/[a-z]*.c -lm
 *
 * Few bytes are a tokenizer.json by chance. So bytes that do not begin with '{' are taken as edits
 * of one that is good, where the first says which of three: two bytes that say where, one that says how many bytes are taken out there,
 * one that says how many follow to be put in; and again. */
#include "t5/tokenizer.h"
#include "t5/tokenizer_internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void require_round_trip(const t5_tokenizer *t, const char *text, size_t length)
{
    int count = t5_tokenize(t, text, length, NULL, 0);
    int *ids = malloc((size_t)count * sizeof *ids);
    require(ids && t5_tokenize(t, text, length, ids, count) == count && ids[count - 1] == T5_EOS);
    base_text back = {0};
    t5_detokenize(t, ids, count, &back);
    require(back.length == length && (length == 0 || memcmp(back.data, text, length) == 0));
    base_text_free(&back);
    free(ids);
}

/* For any text: ids of the vocabulary, as many as are said. */
static void require_ids(const t5_tokenizer *t, const char *text, size_t length)
{
    int count = t5_tokenize(t, text, length, NULL, 0);
    int *ids = malloc((size_t)count * sizeof *ids);
    require(ids && count >= 1 && t5_tokenize(t, text, length, ids, count) == count);
    for (int i = 0; i < count; i++)
        require(ids[i] >= 0 && ids[i] < t5_tokenizer_size(t));
    base_text back = {0};
    t5_detokenize(t, ids, count, &back);
    base_text_free(&back);
    free(ids);
}

static void try(const char *json, size_t length)
{
    base_error error = {""};
    t5_tokenizer *t = t5_tokenizer_parse(json, length, "fuzz", &error);
    if (!t) {
        require(strncmp(error.text, "fuzz:", 5) == 0);
        return;
    }
    if (t->kind != T5_LINES) { /* another's, which is read alone, and may lose white space */
        require_ids(t, json, length);
        t5_tokenizer_free(t);
        return;
    }
    require_round_trip(t, json, length);
    base_text first = {0}, second = {0};
    t5_tokenizer_print(t, &first);
    t5_tokenizer *again = t5_tokenizer_parse(first.data, first.length, "again", &error);
    require(again);
    t5_tokenizer_print(again, &second);
    require(first.length == second.length && memcmp(first.data, second.data, first.length) == 0);
    base_text_free(&first);
    base_text_free(&second);
    t5_tokenizer_free(again);
    t5_tokenizer_free(t);
}

static void edit(base_text *json, size_t where, size_t out, const char *in, size_t length)
{
    base_text edited = {0};
    where %= json->length + 1;
    size_t after = where + out < json->length ? where + out : json->length;
    base_text_add(&edited, json->data, where);
    base_text_add(&edited, in, length);
    base_text_add(&edited, json->data + after, json->length - after);
    base_text_free(json);
    *json = edited;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    const char *at = (const char *)bytes, *end = at + count;
    if (count > 0 && *at == '{') {
        try(at, count);
        return 0;
    }
    static const char unigram[] =
        "{\"version\":\"1.0\",\"added_tokens\":[{\"id\":1,\"content\":\"</"
        "s>\",\"special\":true,\"lstrip\":true}],"
        "\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"CAAAAAAFAABhAAAAYgA="
        "\"},\"pre_tokenizer\":"
        "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"WhitespaceSplit\"},{\"type\":"
        "\"Metaspace\","
        "\"replacement\":\"\\u2581\",\"add_prefix_space\":true}]},\"post_processor\":{\"type\":"
        "\"TemplateProcessing\","
        "\"single\":[{\"Sequence\":{\"id\":\"A\"}},{\"SpecialToken\":{\"id\":\"</"
        "s>\"}}],\"special_tokens\":{\"</s>\":"
        "{\"ids\":[1]}}},\"decoder\":{\"type\":\"Metaspace\"},\"model\":{\"type\":\"Unigram\","
        "\"unk_id\":2,\"vocab\":"
        "[[\"<pad>\",0],[\"</s>\",0],[\"<unk>\",0],[\"\\u2581a\",-1.5],[\"b\",-2],[\"ab\",-3]]}}";
    static const char gpt2[] = "{\"type\": \"ByteLevel\", \"use_regex\": true,";
    static const char *const texts[] = {"aaaaaaaa", "abab", "config.d_ff = 64;\n",
                                        "config.d_ff = 96;\n"};
    base_text json = {0};
    t5_tokenizer *good = t5_tokenizer_train(texts, 4, T5_LEAST_TOKENS + 20, NULL);
    require(good);
    require_round_trip(good, at, count);
    t5_tokenizer_print(good, &json);
    t5_tokenizer_free(good);
    int which = count > 0 ? (uint8_t)*at % 3 : 0;
    const char *sequence = strstr(json.data, "{\"type\": \"Sequence\"");
    if (which == 1) {
        base_text_clear(&json);
        base_text_add(&json, unigram, sizeof unigram - 1);
    } else if (which == 2 && sequence) { /* the same with GPT-2's pieces */
        edit(&json, (size_t)(sequence - json.data), sizeof "{\"type\": \"Sequence\"," - 1, gpt2,
             sizeof gpt2 - 1);
    }
    at += count > 0;
    while (end - at >= 4) {
        size_t where = (size_t)(uint8_t)at[0] << 8 | (uint8_t)at[1];
        size_t out = (uint8_t)at[2], in = (uint8_t)at[3];
        at += 4;
        if (in > (size_t)(end - at))
            in = (size_t)(end - at);
        edit(&json, where, out, at, in);
        at += in;
    }
    try(json.data, json.length);
    base_text_free(&json);
    return 0;
}
