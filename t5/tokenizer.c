/* SPDX-License-Identifier: MIT */
/* tokenizer.c -- text to token ids and back.
 *
 * Pieces. The rule of tokenizer.h in one regular expression, of which all matches, found from left
 * to right, are the pieces of a text; nothing of the text is left over (Oniguruma's syntax, and
 * JavaScript's, Python's and Perl's alike):
 *
 *     (?:[^0-9\n]|(?<=[A-Za-z_])[0-9])+\n?|[0-9\n]
 *
 * that is: as many characters as there are that are neither a line feed nor a digit which stands
 * alone, with the line feed that may follow; or a digit that stands alone; or a line feed after
 * such a digit. A digit stands alone if no letter or underscore is before it. The characters that
 * matter are ASCII, so bytes may be looked at instead of characters.
 *
 * Merging. A piece starts as its bytes. Of all neighbours that some merge joins, those whose merge
 * was learnt first are joined, of equals the leftmost, until no merge applies (Sennrich et al.
 * 2016, algorithm 1, as applied). Done directly, this is quadratic in the length of the piece. Here
 * a tree of minima stands over the ranks of all pairs of neighbours. With the merges l + o (rank 0)
 * and lo + w (rank 1), "slow" goes like this, "-" for a pair that no merge joins:
 *
 *                       s   l   o   w       s   lo  .   w       s   low .   .
 *     ranks             -   0   -   -       -   1   -   -       -   -   -   -
 *     minima              0       -           1       -           -       -
 *     the best                0                   1                   -
 *
 * The best rank is at the root, and a change costs the way up to it: a piece of n bytes costs
 * O(n log n), whatever the bytes are. */
#include "t5/tokenizer_internal.h"
#include "base/list.h"
#include "base/memory.h"
#include "t5/unicode.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL_PIECE = 256 }; /* bytes; pieces up to this length need no malloc. A power of two */

static const uint32_t no_merge = UINT32_MAX;

/* ---- Making one ---- */

t5_tokenizer *t5_tokenizer_new(int tokens, int merges)
{
    t5_tokenizer *t = base_calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->most = tokens;
    t->begin = -1;
    t->end = T5_EOS;
    t->merge_most = merges;
    t->tokens = base_calloc((size_t)tokens + 1, sizeof *t->tokens);
    t->merges = base_calloc((size_t)merges + 1, sizeof *t->merges);
    t->keys = base_calloc((size_t)merges + 1, sizeof *t->keys);
    if (t->tokens && t->merges && t->keys)
        return t;
    t5_tokenizer_free(t);
    return NULL;
}

void t5_tokenizer_free(t5_tokenizer *tokenizer)
{
    if (!tokenizer)
        return;
    base_text_free(&tokenizer->bytes);
    base_free(tokenizer->tokens);
    base_free(tokenizer->merges);
    base_free(tokenizer->keys);
    base_free(tokenizer->cuts);
    t5_unigram_free(tokenizer->unigram);
    base_free(tokenizer);
}

bool t5_tokenizer_add(t5_tokenizer *t, const char *bytes, size_t length, bool special)
{
    if (t->size == t->most)
        return false;
    size_t start = t->bytes.length;
    base_text_add(&t->bytes, bytes, length);
    if (t->bytes.failed)
        return false;
    t->tokens[t->size++] = (t5_token){start, length, special};
    return true;
}

bool t5_tokenizer_add_sentinels(t5_tokenizer *t, int count, base_error *error)
{
    t5_token *more = base_realloc(t->tokens, ((size_t)t->most + (size_t)count + 1) * sizeof *more);
    if (more) {
        t->tokens = more;
        t->most += count;
    }
    for (int i = 0; i < count; i++) {
        char name[32];
        int length = snprintf(name, sizeof name, "<extra_id_%d>", i);
        if (!more || !t5_tokenizer_add(t, name, (size_t)length, true))
            return base_fail(error, "no memory for %d sentinels", count);
    }
    return true;
}

void t5_tokenizer_add_merge(t5_tokenizer *t, int left, int right, int result)
{
    assert(t->merge_count < t->merge_most);
    uint32_t rank = (uint32_t)t->merge_count++;
    t->merges[rank] = (t5_merge){left, right, result};
    t->keys[rank] = (t5_merge_key){t5_pair(left, right), rank};
}

bool t5_tokenizer_cut(t5_tokenizer *t, t5_cut cut)
{
    t5_cut *grown = base_list_grow(t->cuts, (size_t)t->cut_count, 1, sizeof *grown);
    if (!grown)
        return false;
    t->cuts = grown;
    grown[t->cut_count++] = cut;
    return true;
}

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = ((const t5_merge_key *)a)->pair, y = ((const t5_merge_key *)b)->pair;
    return (x > y) - (x < y);
}

bool t5_tokenizer_index(t5_tokenizer *t, base_error *error)
{
    for (int byte = 0; byte < 256; byte++)
        t->byte_id[byte] = -1;
    for (int id = 0; id < t->size; id++)
        if (!t->tokens[id].special && t->tokens[id].length == 1)
            t->byte_id[(unsigned char)*t5_token_bytes(t, id)] = id;
    for (int byte = 0; byte < 256; byte++)
        if (t->byte_id[byte] < 0)
            return base_fail(error, "expected a token for every byte, there is none for 0x%02x",
                             (unsigned)byte);

    qsort(t->keys, (size_t)t->merge_count, sizeof *t->keys, compare_keys);
    for (int i = 1; i < t->merge_count; i++)
        if (t->keys[i - 1].pair == t->keys[i].pair)
            return base_fail(error, "expected each merge once, merges %lu and %lu are the same",
                             (unsigned long)t->keys[i - 1].rank, (unsigned long)t->keys[i].rank);
    return true;
}

int t5_tokenizer_size(const t5_tokenizer *tokenizer) { return tokenizer->size; }

const char *t5_token_bytes(const t5_tokenizer *tokenizer, int id)
{
    return tokenizer->bytes.data + tokenizer->tokens[id].start;
}

/* ---- Pieces ---- */

static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* A piece never ends between a letter and its digit, so what precedes it does not matter. */
size_t t5_piece_length(const char *text, size_t length)
{
    bool after_name = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '\n')
            return i + 1;
        if (c >= '0' && c <= '9' && !after_name)
            return i > 0 ? i : 1;
        after_name = is_name_character(c);
    }
    return length;
}

/* ---- Merging ---- */

/* A piece on its way from bytes to tokens. A token covers as many bytes of the piece as it has, so
 * the one after the token at byte i begins at byte i + its length; `first` finds the one before.
 *
 * rank[] is the tree: rank[leaves + i] belongs to the token that begins at byte i and the one after
 * it, and every other place i holds the smaller of places 2i and 2i + 1. */
typedef struct piece {
    size_t length, leaves; /* leaves: the next power of two */
    uint32_t *id;          /* of the token that begins at this byte, where one does */
    uint32_t *first;       /* where the token begins that ends with this byte, where one does */
    uint32_t *rank;
} piece;

static size_t token_length(const t5_tokenizer *t, uint32_t id) { return t->tokens[id].length; }

/* The rank of the merge of two tokens, or no_merge: bisection. */
static uint32_t find_merge(const t5_tokenizer *t, uint32_t left, uint32_t right)
{
    uint64_t pair = t5_pair((int)left, (int)right);
    size_t low = 0, high = (size_t)t->merge_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->keys[middle].pair < pair)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == (size_t)t->merge_count || t->keys[low].pair != pair)
        return no_merge;
    return t->keys[low].rank;
}

static uint32_t smaller_child(const piece *p, size_t place)
{
    uint32_t left = p->rank[2 * place], right = p->rank[2 * place + 1];
    return left < right ? left : right;
}

/* Changes one leaf, and the minima above it. */
static void set_rank(piece *p, size_t byte, uint32_t rank)
{
    size_t place = p->leaves + byte;
    p->rank[place] = rank;
    for (place /= 2; place >= 1; place /= 2)
        p->rank[place] = smaller_child(p, place);
}

/* From the root down to the leftmost leaf that has the root's rank. */
static size_t leftmost_best(const piece *p)
{
    size_t place = 1;
    while (place < p->leaves)
        place = p->rank[2 * place] == p->rank[1] ? 2 * place : 2 * place + 1;
    return place - p->leaves;
}

/* Every byte is a token; the tree is built from the leaves up. */
static void start_piece(const t5_tokenizer *t, piece *p, const char *text)
{
    for (size_t i = 0; i < p->length; i++) {
        p->id[i] = (uint32_t)t->byte_id[(unsigned char)text[i]];
        p->first[i] = (uint32_t)i;
    }
    for (size_t i = 0; i < p->leaves; i++)
        p->rank[p->leaves + i] =
            i + 1 < p->length ? find_merge(t, p->id[i], p->id[i + 1]) : no_merge;
    for (size_t place = p->leaves - 1; place >= 1; place--)
        p->rank[place] = smaller_child(p, place);
}

/* Joins the best pair until none is left. The token at `begin` grows over its neighbour at
 * `middle`, which ends as a token of its own; so the ranks of both change, and that of the token
 * before. */
static void merge_piece(const t5_tokenizer *t, piece *p)
{
    while (p->rank[1] != no_merge) {
        uint32_t result = (uint32_t)t->merges[p->rank[1]].result;
        size_t begin = leftmost_best(p), middle = begin + token_length(t, p->id[begin]);
        size_t end = begin + token_length(t, result);
        p->id[begin] = result;
        p->first[end - 1] = (uint32_t)begin;

        set_rank(p, middle, no_merge);
        set_rank(p, begin, end < p->length ? find_merge(t, result, p->id[end]) : no_merge);
        if (begin > 0) {
            size_t before = p->first[begin - 1];
            set_rank(p, before, find_merge(t, p->id[before], result));
        }
    }
}

/* Appends the ids of a piece to ids[*count ..] and counts them; those beyond `most` are not
 * written. False: no memory. */
static bool add_piece(const t5_tokenizer *t, const char *text, size_t length, int *ids, int most,
                      int *count)
{
    uint32_t small[4 * SMALL_PIECE], *block = small;
    size_t leaves = 2;
    while (leaves < length)
        leaves *= 2;
    if (length > SMALL_PIECE) {
        if (length > SIZE_MAX / (6 * sizeof *block))
            return false;
        block = base_malloc((2 * length + 2 * leaves) * sizeof *block);
        if (!block)
            return false;
    }
    piece p = {length, leaves, block, block + length, block + 2 * length};
    start_piece(t, &p, text);
    merge_piece(t, &p);
    for (size_t i = 0; i < length; i += token_length(t, p.id[i])) {
        if (*count < most)
            ids[*count] = (int)p.id[i];
        ++*count;
    }
    if (block != small)
        base_free(block);
    return true;
}

/* ---- Encoding and decoding ---- */

static bool add_id(int id, int *ids, int most, int *count)
{
    if (*count < most)
        ids[*count] = id;
    ++*count;
    return true;
}

/* A text without tokens that stand for themselves. False: no memory. */
static bool add_text(const t5_tokenizer *t, const char *text, size_t length, int *ids, int most,
                     int *count)
{
    if (t->kind == T5_UNIGRAM)
        return t5_unigram_encode(t->unigram, text, length, ids, most, count);
    base_text spaced = {0};
    if (t->space_first && length > 0 && *text != ' ') {
        base_text_add(&spaced, " ", 1);
        base_text_add(&spaced, text, length);
        text = spaced.data;
        length = spaced.length;
    }
    bool ok = !spaced.failed;
    while (ok && length > 0) {
        size_t first = (t->kind == T5_GPT2 ? t5_gpt2_piece_length : t5_piece_length)(text, length);
        ok = add_piece(t, text, first, ids, most, count);
        text += first;
        length -= first;
    }
    base_text_free(&spaced);
    return ok;
}

/* The longest token that a text spells at its beginning; NULL: none. */
static const t5_cut *cut_at(const t5_tokenizer *t, const char *text, size_t length)
{
    const t5_cut *found = NULL;
    for (int i = 0; i < t->cut_count; i++) {
        const t5_token *token = &t->tokens[t->cuts[i].id];
        const char *spelt = t5_token_bytes(t, t->cuts[i].id);
        if (token->length <= length && token->length > 0 && *text == *spelt &&
            (!found || token->length > t->tokens[found->id].length) &&
            memcmp(text, spelt, token->length) == 0)
            found = &t->cuts[i];
    }
    return found;
}

/* The bytes of white space at the end or the beginning of a text. */
static size_t space_of(const char *text, size_t length, bool at_end)
{
    size_t spaces = 0;
    uint32_t character;
    for (size_t at = 0, next; at < length; at += next) {
        next = t5_unicode_next(text + at, length - at, &character);
        if (t5_unicode_is_space(character))
            spaces += next;
        else if (at_end)
            spaces = 0;
        else
            break;
    }
    return spaces;
}

/* What stands before, between and behind the tokens that a text spells. */
static bool add_cut_text(const t5_tokenizer *t, const char *text, size_t length, int *ids, int most,
                         int *count)
{
    size_t from = 0, at = 0;
    while (at < length) {
        const t5_cut *cut = cut_at(t, text + at, length - at);
        if (!cut) {
            at++;
            continue;
        }
        size_t end = at - (cut->left ? space_of(text + from, at - from, true) : 0);
        at += t->tokens[cut->id].length;
        if (!add_text(t, text + from, end - from, ids, most, count))
            return false;
        add_id(cut->id, ids, most, count);
        at += cut->right ? space_of(text + at, length - at, false) : 0;
        from = at;
    }
    return add_text(t, text + from, length - from, ids, most, count);
}

int t5_tokenize(const t5_tokenizer *tokenizer, const char *text, size_t length, int *ids, int most)
{
    int count = 0;
    if (length >= INT_MAX)
        return INT_MAX;
    if (tokenizer->begin >= 0)
        add_id(tokenizer->begin, ids, most, &count);
    if (!(tokenizer->cut_count ? add_cut_text : add_text)(tokenizer, text, length, ids, most,
                                                          &count))
        return INT_MAX;
    add_id(tokenizer->end, ids, most, &count);
    return count;
}

/* Of the unigram model's text: each mark is a space, but the first is none. */
static void unmark(base_text *text, size_t from)
{
    static const char mark[] = "\xe2\x96\x81";
    size_t to = from;
    if (text->failed)
        return;
    for (size_t at = from; at < text->length;) {
        bool marked = strncmp(text->data + at, mark, 3) == 0;
        if (!marked)
            text->data[to++] = text->data[at];
        else if (at > from)
            text->data[to++] = ' ';
        at += marked ? 3 : 1;
    }
    text->length = to;
    text->data[to] = '\0';
}

void t5_detokenize(const t5_tokenizer *tokenizer, const int *ids, int count, base_text *text)
{
    base_text_add(text, "", 0);
    size_t from = text->length;
    for (int i = 0; i < count && ids[i] != tokenizer->end; i++) {
        if (ids[i] < 0 || ids[i] >= tokenizer->size || tokenizer->tokens[ids[i]].special)
            continue;
        base_text_add(text, t5_token_bytes(tokenizer, ids[i]), tokenizer->tokens[ids[i]].length);
    }
    if (tokenizer->kind == T5_UNIGRAM)
        unmark(text, from);
}
