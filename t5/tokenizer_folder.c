/* SPDX-License-Identifier: MIT */
/* tokenizer_folder.c -- which files of a model's folder are its tokenizer.
 *
 * tokenizer.json says it all. Older folders have what the tokenizer was made of, and leave the rest to the class
 * that tokenizer_config.json names: spiece.model with T5's hundred extra tokens; vocab.json and merges.txt,
 * RoBERTa's; or nothing, ByT5's. */
#include "base/file.h"
#include "base/memory.h"
#include <stdio.h>
#include "t5/tokenizer_internal.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 64 << 20, T5_EXTRA = 100, BYT5_EXTRA = 125 };

/* A file of the folder, to be freed; NULL, and *there false: it is not there. */
static char *read_in(const char *folder, const char *name, char **path, size_t *size, bool *there,
                     base_error *error)
{
    *path = base_file_path(folder, name);
    *there = *path && base_file_exists(*path);
    if (!*path)
        base_fail(error, "%s: no memory", folder);
    return *there ? base_file_read_text(*path, MOST_BYTES, size, error) : NULL;
}

/* tokenizer_config.json as a tree; NULL where there is none, or it is no JSON: it only adds. */
static base_json *read_config(const char *folder)
{
    char *path;
    size_t size;
    bool there;
    char *text = read_in(folder, "tokenizer_config.json", &path, &size, &there, NULL);
    base_json *json = text ? base_json_parse(text, size, path, NULL) : NULL;
    base_free(text);
    base_free(path);
    return json;
}

/* How many <extra_id_N> there are: what marks the places of a text that T5 was trained to fill in. */
static int extra_of(const base_json *config, int otherwise)
{
    int64_t extra;
    return base_json_get_int(config, "extra_ids", 0, 10000, &extra, "", NULL) ? (int)extra
                                                                              : otherwise;
}

/* ---- ByT5: Xue et al. 2021, arXiv:2105.13626 ---- */

/* Byte b is token 3 + b; behind them <extra_id_0>, ... */
static t5_tokenizer *bytes_tokenizer(int extra, base_error *error)
{
    static const char *const first[] = {"<pad>", "</s>", "<unk>"};
    t5_tokenizer *t = t5_tokenizer_new(3 + 256 + extra, 0);
    bool ok = t != NULL;
    for (int id = 0; ok && id < 3 + 256 + extra; id++) {
        char name[32], byte = (char)(id - 3);
        bool special = id < 3 || id >= 3 + 256;
        snprintf(name, sizeof name, "<extra_id_%d>", id - 3 - 256);
        const char *text = id < 3 ? first[id] : special ? name : &byte;
        ok = t5_tokenizer_add(t, text, special ? strlen(text) : 1, special) &&
             (!special || t5_tokenizer_cut(t, (t5_cut){id, false, false}));
    }
    base_error why = {"no memory"};
    if (ok && t5_tokenizer_index(t, &why)) {
        t->kind = T5_BYTES;
        return t;
    }
    base_fail(error, "tokenizer of bytes: %s", why.text);
    t5_tokenizer_free(t);
    return NULL;
}

/* ---- vocab.json and merges.txt ---- */

/* The names that RoBERTa's special tokens have, with RoBERTa's mask, which takes the space before it. */
static void put_added(base_text *json, const base_json *vocabulary, const base_json *more)
{
    static const char *const names[] = {"<s>", "</s>", "<pad>", "<unk>", "<mask>"};
    const char *comma = "";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const base_json *id = base_json_get(vocabulary, names[i]);
        if (!id || base_json_get(more, names[i]))
            continue;
        base_text_print(json, "%s{\"id\":%lld,\"content\":\"%s\",\"special\":true,\"lstrip\":%s}",
                        comma, (long long)id->integer, names[i], i == 4 ? "true" : "false");
        comma = ",";
    }
    for (const base_json *token = more ? more->child : NULL; token; token = token->next) {
        base_text_print(json, "%s{\"id\":%lld,\"content\":", comma, (long long)token->integer);
        base_json_put_string(json, token->name, strlen(token->name));
        base_text_print(json, ",\"special\":true}");
        comma = ",";
    }
}

/* merges.txt has a merge a line, "a b", the first to apply first; its first line may be a comment. */
static void put_merges(base_text *json, const char *text, size_t size)
{
    const char *comma = "", *at = text, *line;
    size_t length;
    while (base_next_line(&at, text + size, &line, &length)) {
        if (length == 0 || (line == text && *line == '#'))
            continue;
        base_text_print(json, "%s", comma);
        base_json_put_string(json, line, length);
        comma = ",";
    }
}

/* The same as a tokenizer.json, which is then read as such: there is one parser of vocabularies, and what
 * it refuses is refused here. */
static t5_tokenizer *gpt2_tokenizer(const char *folder, const char *vocabulary, size_t size,
                                    const char *path, const base_json *config, base_error *error)
{
    char *merges_path, *added_path;
    size_t merges_size = 0, added_size = 0;
    bool there;
    base_text json = {0};
    t5_tokenizer *t = NULL;
    base_json *words = base_json_parse(vocabulary, size, path, error), *more = NULL;
    char *merges = read_in(folder, "merges.txt", &merges_path, &merges_size, &there, error);
    if (words && !there)
        base_fail(error, "%s: expected merges.txt beside it", path);
    char *added = read_in(folder, "added_tokens.json", &added_path, &added_size, &there, error);
    if (added)
        more = base_json_parse(added, added_size, added_path, NULL);
    const base_json *begin = base_json_get(words, "<s>"), *end = base_json_get(words, "</s>");
    if (words && merges && (!begin || !end))
        base_fail(error, "%s: expected tokens \"<s>\" and \"</s>\", as RoBERTa has them", path);
    if (words && merges && begin && end) {
        base_text_print(&json, "{\"version\":\"1.0\",\"added_tokens\":[");
        put_added(&json, words, more);
        base_text_print(
            &json,
            "],\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":%s},"
            "\"post_processor\":{\"type\":\"RobertaProcessing\",\"sep\":[\"</s>\",%lld],"
            "\"cls\":[\"<s>\",%lld]},\"decoder\":{\"type\":\"ByteLevel\"},"
            "\"model\":{\"type\":\"BPE\",\"vocab\":",
            base_json_is_true(config, "add_prefix_space") ? "true" : "false",
            (long long)end->integer, (long long)begin->integer);
        base_text_add(&json, vocabulary, size);
        base_text_print(&json, ",\"merges\":[");
        put_merges(&json, merges, merges_size);
        base_text_print(&json, "]}}");
        if (json.failed)
            base_fail(error, "%s: no memory", path);
        else
            t = t5_tokenizer_parse(json.data, json.length, path, error);
    }
    base_text_free(&json);
    base_json_free(words);
    base_json_free(more);
    base_free(merges);
    base_free(merges_path);
    base_free(added);
    base_free(added_path);
    return t;
}

/* ---- the folder ---- */

/* The first that is there decides, in the order of the file's head, and the others are not looked at. */
t5_tokenizer *t5_tokenizer_read_folder(const char *folder, base_error *error)
{
    char *path = base_file_path(folder, "tokenizer.json");
    size_t size;
    if (!path) {
        base_fail(error, "%s: no memory", folder);
        return NULL;
    }
    bool there = base_file_exists(path);
    t5_tokenizer *t = there ? t5_tokenizer_read(path, error) : NULL;
    base_json *config = there ? NULL : read_config(folder);
    if (!there && base_json_has(config, "tokenizer_class", "ByT5Tokenizer")) {
        t = bytes_tokenizer(extra_of(config, BYT5_EXTRA), error);
        there = true;
    }
    static const char *const names[] = {"spiece.model", "vocab.json"};
    for (int i = 0; i < 2 && !there; i++) {
        base_free(path);
        char *bytes = read_in(folder, names[i], &path, &size, &there, error);
        if (bytes)
            t = i == 0 ? t5_spiece_parse(bytes, size, extra_of(config, T5_EXTRA), path, error)
                       : gpt2_tokenizer(folder, bytes, size, path, config, error);
        base_free(bytes);
    }
    if (!there)
        base_fail(error,
                  "%s: has no tokenizer: expected tokenizer.json, spiece.model, vocab.json with "
                  "merges.txt, or a "
                  "tokenizer_config.json that says ByT5Tokenizer",
                  folder);
    base_json_free(config);
    base_free(path);
    return t;
}
