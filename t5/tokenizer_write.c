/* SPDX-License-Identifier: MIT */
/* tokenizer_write.c -- a tokenizer that was trained here as Hugging Face's tokenizer.json (tokenizer_json.c says
 * what is in one), and the alphabet that its bytes are written in.
 *
 * ByteLevel is GPT-2's trick (Radford et al. 2019) to write bytes in JSON: each byte has a
 * visible character. The bytes that are visible in Latin-1 stand for themselves; the other 68, in
 * their order, are U+0100 and the characters after it. So a space is U+0120, and a line feed is
 * U+010A. */
#include "t5/tokenizer_internal.h"

#include "base/file.h"
#include "base/json.h"
#include <string.h>

enum { FIRST_HIDDEN = 0x100 /* the character of the first byte that has no visible one */ };

/* ---- The alphabet ---- */

/* GPT-2's choice: what Latin-1 prints, but neither the space nor the soft hyphen. */
static bool is_visible(unsigned byte)
{
    return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xFF && byte != 0xAD);
}

/* Not visible are 0x00-0x20 (33 of them), 0x7F-0xA0 (34) and 0xAD. */
static unsigned character_of_byte(unsigned byte)
{
    if (is_visible(byte))
        return byte;
    return FIRST_HIDDEN + (byte <= 0x20 ? byte : byte <= 0xA0 ? byte - 0x7F + 33 : 67);
}

/* -1: the character stands for no byte. */
static int byte_of_character(unsigned character)
{
    if (character < FIRST_HIDDEN)
        return is_visible(character) ? (int)character : -1;
    int hidden = (int)(character - FIRST_HIDDEN);
    return hidden < 33 ? hidden : hidden < 67 ? hidden - 33 + 0x7F : hidden == 67 ? 0xAD : -1;
}

/* Appends bytes in the alphabet, as UTF-8. All its characters are below U+0144: one byte or two. */
void t5_alphabet_put(base_text *text, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned character = character_of_byte((unsigned char)bytes[i]);
        char utf8[2] = {(char)(0xC0 | character >> 6), (char)(0x80 | (character & 63))};
        if (character < 0x80)
            utf8[0] = (char)character;
        base_text_add(text, utf8, character < 0x80 ? 1 : 2);
    }
}

/* Appends the bytes that a name in the alphabet (well-formed UTF-8) stands for. False: a character
 * is not of the alphabet. */
bool t5_alphabet_get(base_text *bytes, const char *name)
{
    while (*name) {
        unsigned lead = (unsigned char)*name++, character = lead;
        if (lead >= 0xE0)
            return false;
        if (lead >= 0x80)
            character = (lead & 31) << 6 | ((unsigned char)*name++ & 63);
        int byte = byte_of_character(character);
        if (byte < 0)
            return false;
        char c = (char)byte;
        base_text_add(bytes, &c, 1);
    }
    return true;
}

/* ---- Writing ---- */

/* A token's name as a JSON string: of a special token as it is, of others in the alphabet. */
static void put_token(base_text *json, const t5_tokenizer *t, int id)
{
    const char *bytes = t5_token_bytes(t, id);
    base_text name = {0};
    if (t->tokens[id].special)
        base_text_add(&name, bytes, t->tokens[id].length);
    else
        t5_alphabet_put(&name, bytes, t->tokens[id].length);
    base_json_put_string(json, name.data ? name.data : "", name.length);
    json->failed |= name.failed;
    base_text_free(&name);
}

/* HF finds its special tokens here; the rest of its options have their defaults. */
static void put_added_tokens(base_text *json, const t5_tokenizer *t)
{
    const char *separator = "\n";
    base_text_print(json, "  \"added_tokens\": [");
    for (int id = 0; id < t->size; id++) {
        if (!t->tokens[id].special)
            continue;
        base_text_print(json, "%s    {\"id\": %d, \"content\": ", separator, id);
        put_token(json, t, id);
        base_text_print(json, ", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, "
                              "\"normalized\": false, \"special\": true}");
        separator = ",\n";
    }
    base_text_print(json, "\n  ],\n");
}

static void put_pre_tokenizer(base_text *json)
{
    base_text_print(json, "  \"pre_tokenizer\": {\"type\": \"Sequence\", \"pretokenizers\": [\n"
                          "    {\"type\": \"Split\", \"pattern\": {\"Regex\": ");
    base_json_put_string(json, T5_PIECES_REGEX, strlen(T5_PIECES_REGEX));
    base_text_print(json, "}, \"behavior\": \"Isolated\", \"invert\": false},\n"
                          "    {\"type\": \"ByteLevel\", \"add_prefix_space\": false, "
                          "\"trim_offsets\": true, \"use_regex\": false}\n  ]},\n");
}

/* A text and the end token after it, in a template. */
static void put_ended(base_text *json, const t5_tokenizer *t, char text)
{
    base_text_print(json, "{\"Sequence\": {\"id\": \"%c\", \"type_id\": 0}}, ", text);
    base_text_print(json, "{\"SpecialToken\": {\"id\": ");
    put_token(json, t, T5_EOS);
    base_text_print(json, ", \"type_id\": 0}}");
}

/* What is added to the ids of a text (single), and of two texts (pair): an end token after each. */
static void put_post_processor(base_text *json, const t5_tokenizer *t)
{
    base_text_print(json, "  \"post_processor\": {\"type\": \"TemplateProcessing\",\n"
                          "    \"single\": [");
    put_ended(json, t, 'A');
    base_text_print(json, "],\n    \"pair\": [");
    put_ended(json, t, 'A');
    base_text_print(json, ", ");
    put_ended(json, t, 'B');
    base_text_print(json, "],\n    \"special_tokens\": {");
    put_token(json, t, T5_EOS);
    base_text_print(json, ": {\"id\": ");
    put_token(json, t, T5_EOS);
    base_text_print(json, ", \"ids\": [%d], \"tokens\": [", T5_EOS);
    put_token(json, t, T5_EOS);
    base_text_print(json, "]}}},\n");
}

/* The vocabulary by id, and the merges by rank, each as two names with a space between. */
static void put_model(base_text *json, const t5_tokenizer *t)
{
    base_text_print(json,
                    "  \"model\": {\"type\": \"BPE\", \"dropout\": null, \"unk_token\": null, "
                    "\"continuing_subword_prefix\": null, \"end_of_word_suffix\": null, "
                    "\"fuse_unk\": false, \"byte_fallback\": false,\n    \"vocab\": {");
    for (int id = 0; id < t->size; id++) {
        base_text_print(json, "%s\n      ", id > 0 ? "," : "");
        put_token(json, t, id);
        base_text_print(json, ": %d", id);
    }
    base_text_print(json, "\n    },\n    \"merges\": [");
    base_text name = {0};
    for (int rank = 0; rank < t->merge_count; rank++) {
        const t5_merge *m = &t->merges[rank];
        base_text_clear(&name);
        t5_alphabet_put(&name, t5_token_bytes(t, m->left), t->tokens[m->left].length);
        base_text_add(&name, " ", 1);
        t5_alphabet_put(&name, t5_token_bytes(t, m->right), t->tokens[m->right].length);
        base_text_print(json, "%s\n      ", rank > 0 ? "," : "");
        base_json_put_string(json, name.data ? name.data : "", name.length);
        json->failed |= name.failed;
    }
    base_text_free(&name);
    base_text_print(json, "\n    ]\n  }\n");
}

void t5_tokenizer_print(const t5_tokenizer *tokenizer, base_text *json)
{
    base_text_print(json, "{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n"
                          "  \"padding\": null,\n");
    put_added_tokens(json, tokenizer);
    base_text_print(json, "  \"normalizer\": null,\n");
    put_pre_tokenizer(json);
    put_post_processor(json, tokenizer);
    base_text_print(json, "  \"decoder\": {\"type\": \"ByteLevel\", \"add_prefix_space\": false, "
                          "\"trim_offsets\": true, \"use_regex\": false},\n");
    put_model(json, tokenizer);
    base_text_print(json, "}\n");
}

bool t5_tokenizer_write(const t5_tokenizer *tokenizer, const char *path, char hash[BASE_HASH_TEXT],
                        base_error *error)
{
    base_text json = {0};
    if (tokenizer->kind != T5_LINES)
        return base_fail(error, "%s: only a tokenizer that was trained here is written", path);
    t5_tokenizer_print(tokenizer, &json);
    base_bytes part = {json.data, json.length};
    bool good = json.failed ? base_fail(error, "%s: no memory to write it", path)
                            : base_file_write(path, &part, 1, hash, error);
    base_text_free(&json);
    return good;
}
