/* SPDX-License-Identifier: MIT */
/* fuzz_tokenizer.c -- any bytes as a tokenizer.json; where they are one, they are also a text, which
 * must come back, and the tokenizer is written and must be read back as the same.
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

/* The tokenizer that a JSON is, if it is one, with a text. */
static void try(const char *json, size_t length, const char *text, size_t text_length)
{
    base_error error = {""};
    t5_tokenizer *t = t5_tokenizer_parse(json, length, "fuzz", &error);
    if (!t) {
        require(strncmp(error.text, "fuzz:", 5) == 0);
        return;
    }
    if (t->kind != T5_LINES) { /* another's, which is read alone, and may lose white space */
        require_ids(t, text, text_length);
        t5_tokenizer_free(t);
        return;
    }
    require_round_trip(t, text, text_length);
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

/* Three that are good, and the tokenizer of the first: made once, since training one takes longer than
 * all that is asked here. */
enum { LINES, UNIGRAM, GPT2, GOOD };
enum { SHOWN = 200 }; /* bytes */
static base_text good[GOOD];
static t5_tokenizer *trained;

static void make_good(void)
{
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
    trained = t5_tokenizer_train(texts, 4, T5_LEAST_TOKENS + 20, NULL);
    require(trained);
    t5_tokenizer_print(trained, &good[LINES]);
    base_text_add(&good[UNIGRAM], unigram, sizeof unigram - 1);
    base_text_add(&good[GPT2], good[LINES].data, good[LINES].length);
    const char *sequence = strstr(good[GPT2].data, "{\"type\": \"Sequence\"");
    require(sequence);
    edit(&good[GPT2], (size_t)(sequence - good[GPT2].data), sizeof "{\"type\": \"Sequence\"," - 1,
         gpt2, sizeof gpt2 - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    const char *at = (const char *)bytes, *end = at + count;
    if (count > 0 && *at == '{') {
        try(at, count, at, count);
        return 0;
    }
    if (!trained)
        make_good();
    require_round_trip(trained, at, count);
    base_text text = {0};
    base_text_add(&text, at, count);
    const base_text *from = &good[count > 0 ? (uint8_t)*at % GOOD : LINES];
    base_text json = {0};
    base_text_add(&json, from->data, from->length);
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
    /* Some of its own lines go behind the bytes, from a place that they choose: most of an execution went
     * into turning all 8,000 bytes of it into tokens, twice, though few of them ever change. */
    uint32_t place = 0;
    for (size_t i = 0; i < count; i++)
        place = place * 31 + bytes[i];
    place %= (uint32_t)json.length + 1;
    base_text_add(&text, json.data + place,
                  json.length - place < SHOWN ? json.length - place : SHOWN);
    try(json.data, json.length, text.data, text.length);
    base_text_free(&text);
    base_text_free(&json);
    return 0;
}
