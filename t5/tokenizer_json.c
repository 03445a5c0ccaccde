/* SPDX-License-Identifier: MIT */
/* tokenizer_json.c -- Hugging Face's tokenizer.json.
 *
 * The file describes a pipeline: normalizer (none here), pre_tokenizer (a Split by a regular
 * expression into pieces, then ByteLevel), model (BPE: a vocabulary and merges), post_processor
 * (adds the end token), decoder (ByteLevel). What is read must mean exactly what tokenizer.c does:
 * a part that would give other ids is an error that names it. Only "truncation" and "padding" are
 * ignored, which concern how batches are cut and not the ids of a text.
 *
 * Read as well are the tokenizers of other T5s, whose parts mean something else: byte-level BPE with GPT-2's
 * pieces (CodeT5) here, the unigram model (T5, Flan) in tokenizer_unigram.c. In texts for these, unlike in
 * ours, an added token that is spelt stands for itself, as it does in transformers.
 *
 * Every byte of a file may be hostile. Names are looked up by bisection, all sizes are bounded by
 * the file's, and an id is below the number of tokens or refused. */
#include "t5/tokenizer_internal.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 64 << 20 /* of a file; GPT-2's has 2 MB, mT5's 16 */ };

/* ---- Reading: kinds and values ---- */

typedef struct reader {
    const char *origin;
    base_error *error;
    const base_json **vocabulary; /* the members of model.vocab, sorted by name */
    size_t vocabulary_count;
    bool gpt2; /* GPT-2's pieces, not ours */
    bool space_first;
    t5_tokenizer *tokenizer;
} reader;

static bool is_kind(const base_json *value, base_json_kind kind)
{
    return value && value->kind == kind;
}

/* A member that is missing or null. */
static bool is_absent(const base_json *value) { return !value || value->kind == BASE_JSON_NULL; }

static bool is_type(const base_json *object, const char *type)
{
    return base_json_has(object, "type", type);
}

static bool is_member_false(const base_json *object, const char *name)
{
    return is_kind(base_json_get(object, name), BASE_JSON_FALSE);
}

static const char *type_name(const base_json *object)
{
    const base_json *type = base_json_get(object, "type");
    return is_kind(type, BASE_JSON_STRING) ? type->string : "of no type";
}

/* ---- Reading: the parts of the pipeline ---- */

static bool is_split(const base_json *step)
{
    return is_type(step, "Split") && base_json_has(step, "behavior", "Isolated") &&
           is_member_false(step, "invert") &&
           base_json_has(base_json_get(step, "pattern"), "Regex", T5_PIECES_REGEX);
}

static bool is_byte_level(const base_json *step)
{
    return is_type(step, "ByteLevel") && is_member_false(step, "add_prefix_space") &&
           is_member_false(step, "use_regex");
}

/* ByteLevel alone has GPT-2's pieces; what is missing there has its default. */
static bool check_pre_tokenizer(reader *r, const base_json *root)
{
    const base_json *sequence = base_json_get(root, "pre_tokenizer");
    const base_json *steps = base_json_get(sequence, "pretokenizers");
    r->gpt2 = is_type(sequence, "ByteLevel") && !is_member_false(sequence, "use_regex");
    r->space_first = r->gpt2 && !is_member_false(sequence, "add_prefix_space");
    if (r->gpt2)
        return true;
    if (is_type(sequence, "Sequence") && is_kind(steps, BASE_JSON_ARRAY) && steps->length == 2 &&
        is_split(steps->child) && is_byte_level(steps->child->next))
        return true;
    return base_fail(r->error,
                     "%s: pre_tokenizer %.50s is not supported: expected a Sequence of Split, "
                     "Isolated, by the Regex %s and ByteLevel with add_prefix_space and use_regex "
                     "false",
                     r->origin, type_name(sequence), T5_PIECES_REGEX);
}

/* Options of the model that would make other tokens with the same merges. Options for unknown
 * characters have no effect, as every byte has a token, and are ignored. */
static bool check_model_options(const reader *r, const base_json *model)
{
    static const char *const affixes[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    const base_json *dropout = base_json_get(model, "dropout");
    if (!is_absent(dropout) && !(is_kind(dropout, BASE_JSON_NUMBER) && dropout->number == 0))
        return base_fail(r->error, "%s: model: dropout is not supported", r->origin);
    for (int i = 0; i < 2; i++) {
        const base_json *affix = base_json_get(model, affixes[i]);
        if (!is_absent(affix) && !base_json_has(model, affixes[i], ""))
            return base_fail(r->error, "%s: model: %s is not supported", r->origin, affixes[i]);
    }
    if (base_json_is_true(model, "ignore_merges"))
        return base_fail(r->error, "%s: model: ignore_merges is not supported", r->origin);
    return true;
}

static bool check_pipeline(reader *r, const base_json *root)
{
    if (!is_kind(root, BASE_JSON_OBJECT) || !base_json_has(root, "version", "1.0"))
        return base_fail(r->error, "%s: expected an object with \"version\": \"1.0\"", r->origin);
    const base_json *model = base_json_get(root, "model");
    if (!is_type(model, "BPE"))
        return base_fail(r->error, "%s: model %.50s is not supported: expected BPE", r->origin,
                         type_name(model));
    if (!is_absent(base_json_get(root, "normalizer")))
        return base_fail(r->error, "%s: normalizer %.50s is not supported: expected none",
                         r->origin, type_name(base_json_get(root, "normalizer")));
    const base_json *decoder = base_json_get(root, "decoder");
    if (!is_type(decoder, "ByteLevel"))
        return base_fail(r->error, "%s: decoder %.50s is not supported: expected ByteLevel",
                         r->origin, type_name(decoder));
    return check_model_options(r, model) && check_pre_tokenizer(r, root);
}

/* The id of a special token in a template; -1: it has none, or several. */
static int template_id(const base_json *processor, const base_json *item)
{
    const base_json *name = base_json_get(base_json_get(item, "SpecialToken"), "id");
    if (!is_kind(name, BASE_JSON_STRING))
        return -1;
    const base_json *tokens = base_json_get(processor, "special_tokens");
    const base_json *ids = base_json_get(base_json_get(tokens, name->string), "ids");
    bool one = is_kind(ids, BASE_JSON_ARRAY) && ids->length == 1 &&
               is_kind(ids->child, BASE_JSON_NUMBER) && ids->child->is_integer &&
               ids->child->integer >= 0 && ids->child->integer < T5_MOST_TOKENS;
    return one ? (int)ids->child->integer : -1;
}

/* "single" is the sequence A between two special tokens, of which the first may be missing. */
static bool read_template(const base_json *processor, int *begin, int *end)
{
    const base_json *single = base_json_get(processor, "single");
    if (!is_kind(single, BASE_JSON_ARRAY) || single->length < 2 || single->length > 3)
        return false;
    const base_json *text = single->length == 3 ? single->child->next : single->child;
    *begin = single->length == 3 ? template_id(processor, single->child) : -1;
    *end = template_id(processor, text->next);
    return base_json_has(base_json_get(text, "Sequence"), "id", "A") && *end >= 0 &&
           (single->length == 2 || *begin >= 0);
}

/* ["</s>", 2] */
static bool read_end(const base_json *pair, int *id)
{
    const base_json *number =
        is_kind(pair, BASE_JSON_ARRAY) && pair->length == 2 ? pair->child->next : NULL;
    bool ok = is_kind(number, BASE_JSON_NUMBER) && number->is_integer && number->integer >= 0 &&
              number->integer < T5_MOST_TOKENS;
    *id = ok ? (int)number->integer : -1;
    return ok;
}

bool t5_ends_read(int *begin, int *end, const base_json *root, const char *origin,
                  base_error *error)
{
    const base_json *processor = base_json_get(root, "post_processor");
    if (is_type(processor, "TemplateProcessing") && read_template(processor, begin, end))
        return true;
    if (is_type(processor, "RobertaProcessing") &&
        read_end(base_json_get(processor, "cls"), begin) &&
        read_end(base_json_get(processor, "sep"), end))
        return true;
    return base_fail(error,
                     "%s: post_processor %.50s is not supported: expected a TemplateProcessing or "
                     "RobertaProcessing with one token behind a text, and at most one before it",
                     origin, type_name(processor));
}

/* With our pieces a text ends with T5_EOS and begins with nothing. */
static bool check_post_processor(const reader *r, const base_json *root)
{
    const base_json *processor = base_json_get(root, "post_processor");
    t5_tokenizer *t = r->tokenizer;
    if (r->gpt2)
        return t5_ends_read(&t->begin, &t->end, root, r->origin, r->error) &&
               ((t->begin < t->size && t->end < t->size) ||
                base_fail(r->error, "%s: post_processor: there are only %d tokens", r->origin,
                          t->size));
    if (is_type(processor, "TemplateProcessing") && read_template(processor, &t->begin, &t->end) &&
        t->begin < 0 && t->end == T5_EOS)
        return true;
    return base_fail(
        r->error,
        "%s: post_processor %.50s is not supported: expected a TemplateProcessing that "
        "ends a text with token %d, as T5 does, and adds nothing else",
        r->origin, type_name(processor), T5_EOS);
}

/* ---- Reading: tokens ---- */

static int compare_members(const void *a, const void *b)
{
    return strcmp((*(const base_json *const *)a)->name, (*(const base_json *const *)b)->name);
}

/* The id of a name of the vocabulary; -1: it is not in there. */
static int find_id(const reader *r, const char *name)
{
    size_t low = 0, high = r->vocabulary_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(r->vocabulary[middle]->name, name);
        if (order == 0)
            return (int)r->vocabulary[middle]->integer;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

/* The vocabulary sorted by name, for find_id. Ids are checked for their range here; read_tokens
 * checks that none is missing. */
static bool sort_vocabulary(reader *r, const base_json *model)
{
    const base_json *vocabulary = base_json_get(model, "vocab");
    if (!is_kind(vocabulary, BASE_JSON_OBJECT) || vocabulary->length > T5_MOST_TOKENS)
        return base_fail(r->error, "%s: model.vocab: expected an object of at most %d tokens",
                         r->origin, T5_MOST_TOKENS);
    r->vocabulary = base_malloc((vocabulary->length + 1) * sizeof *r->vocabulary);
    if (!r->vocabulary)
        return base_fail(r->error, "%s: no memory for its tokens", r->origin);
    for (const base_json *member = vocabulary->child; member; member = member->next) {
        if (!member->is_integer || member->integer < 0 || member->integer >= T5_MOST_TOKENS)
            return base_fail(r->error, "%s: model.vocab: \"%.50s\": expected an id, 0 to %d",
                             r->origin, member->name, T5_MOST_TOKENS - 1);
        r->vocabulary[r->vocabulary_count++] = member;
    }
    qsort(r->vocabulary, r->vocabulary_count, sizeof *r->vocabulary, compare_members);
    return true;
}

/* What the file has under an id. */
typedef struct entry {
    const char *name;    /* NULL: nothing so far */
    bool added, special; /* added: the name is the text itself, not in the alphabet */
} entry;

/* Sets the entry of an id. The same name may come twice: in the vocabulary and among the added
 * ones. */
static bool set_entry(const reader *r, entry *entries, size_t count, const char *name, int64_t id,
                      bool added, bool special)
{
    if (id < 0 || (uint64_t)id >= count)
        return base_fail(r->error, "%s: \"%.50s\": expected an id below %lu, the number of tokens",
                         r->origin, name, (unsigned long)count);
    if (entries[id].name && strcmp(entries[id].name, name) != 0)
        return base_fail(r->error, "%s: \"%.50s\" and \"%.50s\" have the same id", r->origin,
                         entries[id].name, name);
    entries[id] = (entry){name, added, special};
    return true;
}

bool t5_added_read(t5_added *token, const base_json *json, const char *origin, base_error *error)
{
    const base_json *name = base_json_get(json, "content"), *id = base_json_get(json, "id");
    if (!is_kind(name, BASE_JSON_STRING) || strlen(name->string) != name->length ||
        !is_kind(id, BASE_JSON_NUMBER) || !id->is_integer)
        return base_fail(error, "%s: added_tokens: expected a \"content\" and an \"id\" for each",
                         origin);
    *token = (t5_added){.content = name->string,
                        .id = id->integer,
                        .special = base_json_is_true(json, "special"),
                        .left = base_json_is_true(json, "lstrip"),
                        .right = base_json_is_true(json, "rstrip")};
    return !base_json_is_true(json, "single_word") ||
           base_fail(error, "%s: added_tokens: \"%.50s\": single_word is not supported", origin,
                     token->content);
}

/* HF cuts added tokens out of a text before it looks for pieces. With our pieces a special one is no
 * concern, where a text never stands for special tokens; any other would change the ids of texts and is
 * refused. */
static bool check_added(const reader *r, const base_json *added)
{
    t5_added token;
    if (!t5_added_read(&token, added, r->origin, r->error))
        return false;
    if (!token.special && !r->gpt2)
        return base_fail(r->error,
                         "%s: added_tokens: \"%.50s\" is not special, which is not supported",
                         r->origin, token.content);
    int known = find_id(r, token.content);
    if (known >= 0 && known != token.id)
        return base_fail(r->error, "%s: \"%.50s\" has two ids", r->origin, token.content);
    return true;
}

/* The number of added tokens that are not in the vocabulary as well; -1: one of them is wrong. */
static int64_t count_added(const reader *r, const base_json *added)
{
    int64_t count = 0;
    for (const base_json *token = added ? added->child : NULL; token; token = token->next) {
        if (!check_added(r, token))
            return -1;
        count += find_id(r, base_json_get(token, "content")->string) < 0;
    }
    return count;
}

/* The vocabulary's tokens, then the added ones. */
static bool fill_entries(const reader *r, entry *entries, size_t count, const base_json *added)
{
    for (size_t i = 0; i < r->vocabulary_count; i++) {
        const base_json *member = r->vocabulary[i];
        if (!set_entry(r, entries, count, member->name, member->integer, false, false))
            return false;
    }
    for (const base_json *json = added ? added->child : NULL; json; json = json->next) {
        t5_added token;
        if (!t5_added_read(&token, json, r->origin, r->error) ||
            !set_entry(r, entries, count, token.content, token.id, true, token.special))
            return false;
        if (r->gpt2 &&
            !t5_tokenizer_cut(r->tokenizer, (t5_cut){(int)token.id, token.left, token.right}))
            return base_fail(r->error, "%s: no memory for its tokens", r->origin);
    }
    return true;
}

/* Adds the tokens to the tokenizer in order of their ids, with their bytes. */
static bool add_entries(const reader *r, const entry *entries, size_t count)
{
    base_text bytes = {0};
    bool good = true;
    for (size_t id = 0; good && id < count; id++) {
        const entry *e = &entries[id];
        base_text_clear(&bytes);
        if (!e->name)
            good = base_fail(r->error, "%s: no token has the id %lu", r->origin, (unsigned long)id);
        else if (!r->gpt2 && id <= T5_UNK && !e->special)
            good = base_fail(r->error,
                             "%s: expected special tokens at the ids 0, 1 and 2, as in "
                             "T5; %lu is \"%.50s\"",
                             r->origin, (unsigned long)id, e->name);
        else if (e->added)
            base_text_add(&bytes, e->name, strlen(e->name));
        else if (!*e->name || !t5_alphabet_get(&bytes, e->name))
            good = base_fail(r->error,
                             "%s: model.vocab: \"%.50s\": expected bytes in the ByteLevel "
                             "alphabet",
                             r->origin, e->name);
        if (good &&
            (bytes.failed || !t5_tokenizer_add(r->tokenizer, bytes.data, bytes.length, e->special)))
            good = base_fail(r->error, "%s: no memory for its tokens", r->origin);
    }
    base_text_free(&bytes);
    return good;
}

/* All tokens of model.vocab and of added_tokens, which may be in both. Their ids must be 0, 1, 2
 * ... */
static bool read_tokens(reader *r, const base_json *root, size_t merges)
{
    const base_json *added = base_json_get(root, "added_tokens");
    if (!is_absent(added) && added->kind != BASE_JSON_ARRAY)
        return base_fail(r->error, "%s: added_tokens: expected an array", r->origin);
    int64_t more = count_added(r, added);
    if (more < 0)
        return false;
    size_t count = r->vocabulary_count + (size_t)more;
    if (count > T5_MOST_TOKENS || count <= T5_UNK)
        return base_fail(r->error, "%s: expected %d to %d tokens, found %lu", r->origin,
                         T5_LEAST_TOKENS, T5_MOST_TOKENS, (unsigned long)count);
    entry *entries = base_calloc(count, sizeof *entries);
    r->tokenizer = t5_tokenizer_new((int)count, (int)merges);
    bool good = entries && r->tokenizer;
    if (!good)
        base_fail(r->error, "%s: no memory for its tokens", r->origin);
    good = good && fill_entries(r, entries, count, added) && add_entries(r, entries, count);
    base_free(entries);
    return good;
}

/* ---- Reading: merges ---- */

/* Files have merges as "a b" or as ["a", "b"]. Writes a, NUL, b to `name`. False: it is neither. */
static bool split_merge(const base_json *merge, base_text *name)
{
    base_text_clear(name);
    if (merge->kind == BASE_JSON_STRING) {
        base_text_add(name, merge->string, merge->length);
        char *space = name->failed ? NULL : memchr(name->data, ' ', name->length);
        if (!space || memchr(merge->string, '\0', merge->length))
            return false;
        *space = '\0';
        return true;
    }
    if (merge->kind != BASE_JSON_ARRAY || merge->length != 2)
        return false;
    const base_json *a = merge->child, *b = a->next;
    if (a->kind != BASE_JSON_STRING || b->kind != BASE_JSON_STRING ||
        strlen(a->string) != a->length || strlen(b->string) != b->length)
        return false;
    base_text_add(name, a->string, a->length + 1);
    base_text_add(name, b->string, b->length);
    return !name->failed;
}

/* A byte is one character of the alphabet, so the name of the result is the two names joined. */
static bool read_merge(reader *r, const base_json *merge, size_t rank, base_text *name)
{
    bool good = split_merge(merge, name);
    if (name->failed)
        return base_fail(r->error, "%s: no memory for its merges", r->origin);
    if (!good)
        return base_fail(r->error, "%s: model.merges: expected two tokens at %lu", r->origin,
                         (unsigned long)rank);
    size_t left_length = strlen(name->data);
    char *right_name = name->data + left_length + 1;
    int left = find_id(r, name->data), right = find_id(r, right_name);
    memmove(right_name - 1, right_name, strlen(right_name) + 1);
    int result = find_id(r, name->data);
    const t5_token *tokens = r->tokenizer->tokens;
    if (left < 0 || right < 0 || result < 0 || tokens[left].special || tokens[right].special ||
        tokens[result].special)
        return base_fail(r->error,
                         "%s: model.merges: expected two tokens of model.vocab that make a third "
                         "at %lu",
                         r->origin, (unsigned long)rank);
    t5_tokenizer_add_merge(r->tokenizer, left, right, result);
    return true;
}

static bool read_merges(reader *r, const base_json *merges)
{
    base_text name = {0};
    bool good = true;
    size_t rank = 0;
    for (const base_json *merge = merges->child; good && merge; merge = merge->next)
        good = read_merge(r, merge, rank++, &name);
    base_text_free(&name);
    return good;
}

/* ---- Reading ---- */

/* From the whole to its parts: the pipeline, the vocabulary, the end token, the merges. */
static bool read_root(reader *r, const base_json *root)
{
    const base_json *model = base_json_get(root, "model");
    if (!check_pipeline(r, root))
        return false;
    const base_json *merges = base_json_get(model, "merges");
    if (!is_kind(merges, BASE_JSON_ARRAY) || merges->length > T5_MOST_TOKENS)
        return base_fail(r->error, "%s: model.merges: expected an array of at most %d merges",
                         r->origin, T5_MOST_TOKENS);
    if (!sort_vocabulary(r, model) || !read_tokens(r, root, merges->length) ||
        !check_post_processor(r, root) || !read_merges(r, merges))
        return false;
    base_error why;
    r->tokenizer->kind = r->gpt2 ? T5_GPT2 : T5_LINES;
    r->tokenizer->space_first = r->space_first;
    if (!t5_tokenizer_index(r->tokenizer, &why))
        return base_fail(r->error, "%s: model: %s", r->origin, why.text);
    return true;
}

t5_tokenizer *t5_tokenizer_parse(const char *json, size_t length, const char *origin,
                                 base_error *error)
{
    base_json *root = base_json_parse(json, length, origin, error);
    if (!root)
        return NULL;
    reader r = {.origin = origin, .error = error};
    bool unigram = is_type(base_json_get(root, "model"), "Unigram");
    bool good = unigram ? (r.tokenizer = t5_unigram_read(root, origin, error)) != NULL
                        : read_root(&r, root);
    base_free(r.vocabulary);
    base_json_free(root);
    if (good)
        return r.tokenizer;
    t5_tokenizer_free(r.tokenizer);
    return NULL;
}

t5_tokenizer *t5_tokenizer_read(const char *path, base_error *error)
{
    size_t length;
    char *json = base_file_read_text(path, MOST_BYTES, &length, error);
    if (!json)
        return NULL;
    t5_tokenizer *tokenizer = t5_tokenizer_parse(json, length, path, error);
    base_free(json);
    return tokenizer;
}
