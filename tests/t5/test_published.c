/* SPDX-License-Identifier: MIT */
/* test_published.c -- the tokenizers of other T5s, by hand: GPT-2's pieces, the unigram model from both of its
 * files, RoBERTa's two files, bytes. tests/suite_tokenizers.sh holds them against Hugging Face's own. */
#include "base/file.h"
#include "t5/tokenizer_internal.h"
#include "t5/unicode.h"
#include "tests/test.h"
#include <sys/stat.h>
#include <unistd.h>

static char scratch[] = "/tmp/test_published.XXXXXX";

static void pieces_are_gpt2s(void)
{
    static const struct {
        const char *text, *pieces; /* with '|' between */
    } cases[] = {
        {"I'll  go 12\n\n x", "I|'ll| | go| 12|\n\n| x"},
        {"a b  ", "a| b|  "},
        {"don't'you", "don|'t|'|you"},
        {"x=3.14;", "x|=|3|.|14|;"},
        {" \xc3\xa9t\xc3\xa9\xe2\x82\xac\xd9\xa3", " \xc3\xa9t\xc3\xa9|\xe2\x82\xac|\xd9\xa3"},
        {"\xe4\xb8\xad\xe6\x96\x87\xe3\x80\x80\xe3\x80\x80x",
         "\xe4\xb8\xad\xe6\x96\x87|\xe3\x80\x80|\xe3\x80\x80|x"},
        {"a\xff\xfe b", "a|\xff\xfe| b"},
        {"\t\t", "\t\t"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        base_text got = {0};
        size_t length = strlen(cases[c].text);
        for (size_t at = 0; at < length;) {
            size_t piece = t5_gpt2_piece_length(cases[c].text + at, length - at);
            CHECK(piece > 0 && piece <= length - at, "case %zu: a piece of %zu", c, piece);
            base_text_print(&got, "%s", at ? "|" : "");
            base_text_add(&got, cases[c].text + at, piece);
            at += piece ? piece : length;
        }
        CHECK(strcmp(got.data, cases[c].pieces) == 0, "got %s, want %s", got.data, cases[c].pieces);
        base_text_free(&got);
    }
    static const char *const wrong[] = {"\x80\x80\x80\x80\x80\x80",
                                        "\xc0\x80",
                                        "\xed\xa0\x80",
                                        "\xf4\x90\x80\x80",
                                        "\xe2\x82",
                                        "\x80",
                                        "\xff"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint32_t character = 0;
        CHECK(t5_unicode_next(wrong[i], strlen(wrong[i]), &character) == 1 &&
                  character == T5_NO_CHARACTER,
              "%zu is taken for U+%x", i, (unsigned)character);
    }
}

/* ids: with the end token; back: what they are decoded to. */
static void holds(const t5_tokenizer *t, const char *text, const char *want, const char *back)
{
    int ids[128], count = t5_tokenize(t, text, strlen(text), ids, 128);
    base_text got = {0}, decoded = {0};
    for (int i = 0; i < count && i < 128; i++)
        base_text_print(&got, "%s%d", i ? " " : "", ids[i]);
    t5_detokenize(t, ids + (t->begin >= 0), count - (t->begin >= 0), &decoded);
    CHECK(strcmp(got.data, want) == 0, "\"%s\": got %s, want %s", text, got.data, want);
    CHECK(strcmp(decoded.data, back) == 0, "\"%s\" comes back as \"%s\", not \"%s\"", text,
          decoded.data, back);
    base_text_free(&got);
    base_text_free(&decoded);
}

/* 0 <pad> 1 </s> 2 <unk> 3 "_a" -1.5 4 "b" -2 5 "ab" -3; 6 <extra_id_1> 7 <extra_id_0>; "A" is written as "a". */
static void holds_unigram(const t5_tokenizer *t)
{
    if (!t)
        return;
    CHECK(t5_tokenizer_size(t) == 8, "%d tokens", t5_tokenizer_size(t));
    holds(t, "ab", "3 4 1", "ab");
    holds(t, "  ab\t Ab ", "3 4 3 4 1", "ab ab");
    holds(t, "bab", "2 4 5 1", "bab");
    holds(t, "xyz b", "2 2 4 1", "b");
    holds(t, "", "1", "");
    holds(t, "a<extra_id_0> b", "3 7 2 4 1", "ab");
    holds(t, "\xff", "2 1", "");
}

/* The trie: the root's children are at 1 ^ byte; 'A' is at 0x40, its end at 2. */
static size_t write_charsmap(unsigned char map[4 + 4 * 0x41 + 2])
{
    static const struct {
        size_t at;
        uint32_t unit;
    } units[] = {{0, 1u << 10}, {2, 1u << 31}, {0x40, 0x42u << 10 | 1u << 8 | 'A'}};
    memset(map, 0, 4 + 4 * 0x41 + 2);
    map[0] = (4 * 0x41) & 0xff;
    map[1] = (4 * 0x41) >> 8;
    for (size_t i = 0; i < 3; i++)
        for (int b = 0; b < 4; b++)
            map[4 + 4 * units[i].at + (size_t)b] = (unsigned char)(units[i].unit >> 8 * b);
    map[4 + 4 * 0x41] = 'a';
    return 4 + 4 * 0x41 + 2;
}

static void put_base64(base_text *text, const unsigned char *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        uint32_t bits = (uint32_t)bytes[i] << 16 |
                        (i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0) |
                        (i + 2 < size ? bytes[i + 2] : 0);
        for (size_t k = 0; k < 4; k++)
            base_text_add(text, i + k <= size ? &digits[bits >> (18 - 6 * k) & 63] : "=", 1);
    }
}

static void put_unigram(base_text *json)
{
    unsigned char map[4 + 4 * 0x41 + 2];
    size_t size = write_charsmap(map);
    base_text_print(json, "{\"version\":\"1.0\",\"added_tokens\":[{\"id\":7,\"content\":\"<extra_"
                          "id_0>\",\"special\":true},"
                          "{\"id\":0,\"content\":\"<pad>\",\"special\":true},{\"id\":1,\"content\":"
                          "\"</s>\",\"special\":true},"
                          "{\"id\":2,\"content\":\"<unk>\",\"special\":true},{\"id\":6,\"content\":"
                          "\"<extra_id_1>\",\"special\":true}],"
                          "\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"");
    put_base64(json, map, size);
    base_text_print(
        json,
        "\"},\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":"
        "\"WhitespaceSplit\"},"
        "{\"type\":\"Metaspace\",\"replacement\":\"\\u2581\",\"add_prefix_space\":true}]},"
        "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":"
        "\"A\"}},"
        "{\"SpecialToken\":{\"id\":\"</s>\"}}],\"special_tokens\":{\"</s>\":{\"ids\":[1]}}},"
        "\"decoder\":{\"type\":\"Metaspace\"},\"model\":{\"type\":\"Unigram\",\"unk_id\":2,"
        "\"vocab\":"
        "[[\"<pad>\",0],[\"</s>\",0],[\"<unk>\",0],[\"\\u2581a\",-1.5],[\"b\",-2],[\"ab\",-3]]}}");
}

static void unigram_of_tokenizer_json(void)
{
    static const struct {
        const char *old, *new, *message;
    } cases[] = {
        {"\"Precompiled\"", "\"Lowercase\"", "normalizer Lowercase"},
        {"charsmap\":\"", "charsmap\":\"*", "base 64"},
        {"charsmap\":\"B", "charsmap\":\"/", "charsmap"},
        {"\"WhitespaceSplit\"", "\"Digits\"", "pre_tokenizer"},
        {"\"add_prefix_space\":true", "\"add_prefix_space\":false", "pre_tokenizer"},
        {"{\"ids\":[1]}", "{\"ids\":[9]}", "post_processor"},
        {"\"unk_id\":2", "\"unk_id\":6", "unk_id"},
        {"\"unk_id\":2", "\"byte_fallback\":true,\"unk_id\":2", "byte_fallback"},
        {"\"id\":7", "\"id\":8", "no token has the id 7"},
        {"\"id\":6", "\"id\":5", "expected the id"},
        {"[\"b\",-2]", "[\"b\"]", "a text and a score at 4"},
        {"[\"b\",-2]", "[\"b\",\"-2\"]", "a text and a score at 4"},
        {"{\"type\":\"Metaspace\"}", "{\"type\":\"ByteLevel\"}", "Metaspace"},
        {"\"special\":true", "\"special\":true,\"single_word\":true", "single_word"},
    };
    base_text json = {0};
    base_error error = {""};
    put_unigram(&json);
    t5_tokenizer *t = t5_tokenizer_parse(json.data, json.length, "file", &error);
    CHECK(t, "%s", error.text);
    holds_unigram(t);
    CHECK(t && !t5_tokenizer_write(t, "/tmp/nowhere", NULL, &error) &&
              strstr(error.text, "trained here"),
          "%s", error.text);
    t5_tokenizer_free(t);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_text changed = {0};
        const char *place = strstr(json.data, cases[i].old);
        CHECK(place, "%s is not there", cases[i].old);
        if (!place)
            continue;
        base_text_add(&changed, json.data, (size_t)(place - json.data));
        base_text_print(&changed, "%s%s", cases[i].new, place + strlen(cases[i].old));
        t = t5_tokenizer_parse(changed.data, changed.length, "file", &error);
        CHECK(!t && strncmp(error.text, "file: ", 6) == 0 && strstr(error.text, cases[i].message),
              "%s: %s", cases[i].new, error.text);
        t5_tokenizer_free(t);
        base_text_free(&changed);
    }
    base_text_free(&json);
}

/* ---- SentencePiece's file ---- */

static void put_field(base_text *out, int name, const void *bytes, size_t size)
{
    char head[4] = {(char)(name << 3 | 2), (char)(size & 127), (char)(size >> 7), 0};
    if (size > 127)
        head[1] = (char)(head[1] | 128);
    base_text_add(out, head, size > 127 ? 3 : 2);
    base_text_add(out, bytes, size);
}

static void put_piece(base_text *out, const char *text, float score, char type)
{
    base_text piece = {0};
    uint32_t bits;
    put_field(&piece, 1, text, strlen(text));
    memcpy(&bits, &score, sizeof bits);
    char number[7] = {
        2 << 3 | 5, (char)bits, (char)(bits >> 8), (char)(bits >> 16), (char)(bits >> 24),
        3 << 3,     type};
    base_text_add(&piece, number, sizeof number);
    put_field(out, 1, piece.data, piece.length);
    base_text_free(&piece);
}

static base_text spiece(void)
{
    unsigned char map[4 + 4 * 0x41 + 2];
    base_text out = {0}, normalizer = {0};
    put_piece(&out, "<pad>", 0, 3);
    put_piece(&out, "</s>", 0, 3);
    put_piece(&out, "<unk>", 0, 2);
    put_piece(&out,
              "\xe2\x96\x81"
              "a",
              -1.5f, 1);
    put_piece(&out, "b", -2, 1);
    put_piece(&out, "ab", -3, 1);
    put_field(&out, 2, "\x18\x01", 2);
    put_field(&normalizer, 2, map, write_charsmap(map));
    put_field(&out, 3, normalizer.data, normalizer.length);
    base_text_free(&normalizer);
    return out;
}

static void unigram_of_sentencepiece(void)
{
    base_error error = {""};
    base_text file = spiece();
    t5_tokenizer *t = t5_spiece_parse(file.data, file.length, 2, "file", &error);
    CHECK(t, "%s", error.text);
    holds_unigram(t);
    t5_tokenizer_free(t);
    /* Cut anywhere it is refused, or lacks pieces at its end; no byte makes it do harm. */
    int refused = 0;
    for (size_t i = 0; i < file.length; i++) {
        t = t5_spiece_parse(file.data, i, 2, "file", &error);
        CHECK(t || strncmp(error.text, "file: ", 6) == 0, "cut at %zu: %s", i, error.text);
        refused += t == NULL;
        t5_tokenizer_free(t);
        char kept = file.data[i];
        file.data[i] ^= 0x55;
        t = t5_spiece_parse(file.data, file.length, 2, "file", &error);
        if (t) {
            int ids[64], count = t5_tokenize(t, "ab A xb", 7, ids, 64);
            for (int k = 0; k < count && k < 64; k++)
                CHECK(ids[k] >= 0 && ids[k] < t5_tokenizer_size(t), "byte %zu: id %d", i, ids[k]);
        }
        t5_tokenizer_free(t);
        file.data[i] = kept;
    }
    CHECK(refused > (int)file.length / 2, "only %d of %zu cut files are refused", refused,
          file.length);
    base_text_free(&file);
}

/* ---- folders ---- */

static void spill(const char *name, const char *bytes, size_t size)
{
    base_error error = {""};
    char path[256];
    const base_bytes part = {bytes, size};
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    CHECK(base_file_write(path, &part, 1, NULL, &error), "%s", error.text);
}

static t5_tokenizer *read_folder(const char *expected)
{
    base_error error = {""};
    t5_tokenizer *t = t5_tokenizer_read_folder(scratch, &error);
    CHECK(expected ? !t && strstr(error.text, expected) : t != NULL, "%s: want %s", error.text,
          expected ? expected : "none");
    return t;
}

/* From the files that count least to those that count most: each covers those before it. */
static void folders_of_others(void)
{
    t5_tokenizer *t = read_folder("has no tokenizer: expected tokenizer.json, spiece.model,");
    static const char config[] = "{\"tokenizer_class\": \"ByT5Tokenizer\"}";
    spill("tokenizer_config.json", config, sizeof config - 1);
    t = read_folder(NULL);
    if (t) {
        CHECK(t5_tokenizer_size(t) == 384, "%d tokens", t5_tokenizer_size(t));
        holds(t, "a\xc3\xa9", "100 198 172 1", "a\xc3\xa9");
        holds(t, "<extra_id_1>\n", "260 13 1", "\n");
    }
    t5_tokenizer_free(t);
    spill("tokenizer_config.json", "{}", 2);

    base_text vocab = {0};
    base_text_print(&vocab, "{\"<pad>\":0,\"<s>\":1,\"</s>\":2,\"<unk>\":3,\"<mask>\":4");
    for (int i = 0; i < 256; i++) {
        char byte = (char)i;
        base_text name = {0};
        t5_alphabet_put(&name, &byte, 1);
        base_text_print(&vocab, ",");
        base_json_put_string(&vocab, name.data, name.length);
        base_text_print(&vocab, ":%d", 5 + i);
        base_text_free(&name);
    }
    base_text_print(&vocab, ",\"ab\":261,\"\xc4\xa0"
                            "ab\":262}");
    spill("vocab.json", vocab.data, vocab.length);
    read_folder("expected merges.txt beside it");
    static const char merges[] = "#version: 0.2\na b\n\xc4\xa0 ab\n";
    spill("merges.txt", merges, sizeof merges - 1);
    static const char more[] = "{\"<extra_id_0>\": 263}";
    spill("added_tokens.json", more, sizeof more - 1);
    t = read_folder(NULL);
    if (t) {
        CHECK(t5_tokenizer_size(t) == 264, "%d tokens", t5_tokenizer_size(t));
        holds(t, "ab ab", "1 261 262 2", "ab ab");
        holds(t, "ab <mask><extra_id_0>b", "1 261 4 263 103 2", "abb");
    }
    t5_tokenizer_free(t);
    base_text_free(&vocab);

    base_text file = spiece();
    spill("spiece.model", file.data, file.length);
    static const char extra[] = "{\"extra_ids\": 2}";
    spill("tokenizer_config.json", extra, sizeof extra - 1);
    t = read_folder(NULL);
    holds_unigram(t);
    t5_tokenizer_free(t);
    base_text_free(&file);

    spill("tokenizer.json", "{}", 2);
    read_folder("tokenizer.json: expected an object with \"version\"");
    static const char *const names[] = {"tokenizer_config.json", "vocab.json",   "merges.txt",
                                        "added_tokens.json",     "spiece.model", "tokenizer.json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", scratch, names[i]);
        unlink(path);
    }
}

int main(void)
{
    if (!mkdtemp(scratch)) {
        perror(scratch);
        return 1;
    }
    pieces_are_gpt2s();
    unigram_of_tokenizer_json();
    unigram_of_sentencepiece();
    folders_of_others();
    rmdir(scratch);
    return test_end();
}
