/* SPDX-License-Identifier: MIT */
/* bpe.c -- learning merges from texts (Sennrich et al. 2016, arXiv:1508.07909, algorithm 1).
 *
 * The algorithm: count all pairs of neighbours, join the most frequent one everywhere, count again.
 * With the pieces "low" (twice) and "lot", and of equals the pair with the smaller ids:
 *
 *     pieces             counts                 merge
 *     2 l-o-w, l-o-t     lo 3, ow 2, ot 1       l + o    = lo
 *     2 lo-w,  lo-t      low 2, lot 1           lo + w   = low
 *     2 low,   lo-t      lot 1                  none: no pair occurs twice
 *
 * What makes it fast is that nothing is counted twice:
 *
 *   - Equal pieces are kept once, with the number of times they occur. Sources of programs repeat
 *     their lines, so thousands of texts come down to some hundred pieces.
 *   - Each pair knows the pieces it occurs in, and a merge visits only these: it takes their pairs
 *     out of the counts before, and puts the new ones in after.
 *   - The most frequent pair is on top of a heap. Counts of pairs that are already there only ever
 *     fall (what a merge adds are pairs with its new token in them), so an entry of the heap is an
 *     upper bound: one on top whose count has fallen is put back with the true count.
 *
 * So a merge costs as much as the pieces that it changes, however large the corpus is. The result
 * depends on counts and ids alone, never on the order of the hash table. */
#include "t5/tokenizer_internal.h"

#include "base/list.h"
#include "base/memory.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t none = UINT32_MAX;

/* A distinct piece of the corpus. */
typedef struct piece {
    const char *text;
    size_t length;   /* bytes */
    int64_t count;   /* times that it occurs */
    uint32_t next;   /* piece with the same hash, or none */
    uint32_t tokens; /* that it consists of at present */
    int *token;      /* their ids */
} piece;

typedef struct pair {
    int left, right;
    int64_t count; /* times that it occurs, overlapping: "aaa" has "aa" twice */
    uint32_t uses; /* the last use, or none */
} pair;

/* A piece in which a pair occurs, or did before merges: an entry of the pair's list. */
typedef struct use {
    uint32_t piece, next;
} use;

/* An entry of the heap: a pair, and its count when the entry was made, which is an upper bound. */
typedef struct candidate {
    int64_t count;
    uint32_t pair;
} candidate;

/* Open addressing from 64-bit keys to numbers below 2^32 - 1. */
typedef struct slot {
    uint64_t key;
    uint32_t value; /* none: the slot is free */
} slot;

typedef struct table {
    slot *slots;
    size_t capacity, used; /* capacity: a power of two */
} table;

typedef struct trainer {
    t5_tokenizer *tokenizer;
    piece *pieces;
    pair *pairs;
    use *uses;
    candidate *heap;
    int *tokens; /* all pieces' */
    uint32_t piece_count, pair_count, use_count, heap_count;
    table by_text, by_pair;
} trainer;

/* ---- Memory ---- */

/* The array, with room for one more after `count`. NULL: no memory, or more than 32 bits count; the
 * array is as it was. */
static void *grow(void *array, uint32_t count, size_t size)
{
    return count + 1 < none ? base_list_grow(array, count, 1, size) : NULL;
}

/* A bijection that spreads keys (the finalizer of Steele et al. 2014, "Fast splittable pseudorandom
 * number generators"). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* The slot of a key, or the free one where it belongs: linear probing. */
static slot *probe(const table *t, uint64_t key)
{
    size_t at = (size_t)mix(key) & (t->capacity - 1);
    while (t->slots[at].value != none && t->slots[at].key != key)
        at = (at + 1) & (t->capacity - 1);
    return &t->slots[at];
}

static bool enlarge(table *t)
{
    table larger = {NULL, t->capacity ? t->capacity * 2 : 1024, t->used};
    if (larger.capacity > SIZE_MAX / sizeof *larger.slots)
        return false;
    larger.slots = base_malloc(larger.capacity * sizeof *larger.slots);
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < larger.capacity; i++)
        larger.slots[i].value = none;
    for (size_t i = 0; i < t->capacity; i++)
        if (t->slots[i].value != none)
            *probe(&larger, t->slots[i].key) = t->slots[i];
    base_free(t->slots);
    *t = larger;
    return true;
}

/* The place of a key's value, which is none if the key is new and must be set then. NULL: no
 * memory. */
static uint32_t *find(table *t, uint64_t key)
{
    if (2 * t->used >= t->capacity && !enlarge(t))
        return NULL;
    slot *s = probe(t, key);
    if (s->value == none) {
        s->key = key;
        t->used++;
    }
    return &s->value;
}

/* ---- Pieces ---- */

/* Eight bytes at a time. The value depends on the machine's byte order, the result of the training
 * does not. */
static uint64_t hash_bytes(const char *bytes, size_t length)
{
    uint64_t hash = length, word;
    for (; length >= sizeof word; bytes += sizeof word, length -= sizeof word) {
        memcpy(&word, bytes, sizeof word);
        hash = mix(hash ^ word);
    }
    word = 0;
    memcpy(&word, bytes, length);
    return mix(hash ^ word);
}

/* Counts one occurrence of a piece. Pieces whose hashes are equal are linked and compared. */
static bool count_piece(trainer *t, const char *text, size_t length)
{
    uint32_t *first = find(&t->by_text, hash_bytes(text, length));
    if (!first)
        return false;
    for (uint32_t i = *first; i != none; i = t->pieces[i].next) {
        piece *p = &t->pieces[i];
        if (p->length == length && memcmp(p->text, text, length) == 0) {
            p->count++;
            return true;
        }
    }
    piece *pieces = grow(t->pieces, t->piece_count, sizeof *t->pieces);
    if (!pieces)
        return false;
    t->pieces = pieces;
    t->pieces[t->piece_count] = (piece){text, length, 1, *first, 0, NULL};
    *first = t->piece_count++;
    return true;
}

/* A piece of one byte has no pairs and is left out. */
static bool count_pieces(trainer *t, const char *text)
{
    for (size_t rest = strlen(text); rest > 0;) {
        size_t length = t5_piece_length(text, rest);
        if (length > 1 && !count_piece(t, text, length))
            return false;
        text += length;
        rest -= length;
    }
    return true;
}

/* All pieces start as their bytes. */
static bool start_pieces(trainer *t)
{
    size_t total = 0;
    for (uint32_t i = 0; i < t->piece_count; i++)
        total += t->pieces[i].length;
    if (total >= none || total > SIZE_MAX / sizeof *t->tokens)
        return false;
    t->tokens = base_malloc((total + 1) * sizeof *t->tokens);
    if (!t->tokens)
        return false;
    int *next = t->tokens;
    for (uint32_t i = 0; i < t->piece_count; i++) {
        piece *p = &t->pieces[i];
        p->token = next;
        p->tokens = (uint32_t)p->length;
        for (size_t j = 0; j < p->length; j++)
            *next++ = t->tokenizer->byte_id[(unsigned char)p->text[j]];
    }
    return true;
}

/* ---- Pairs ---- */

/* The pair, new with count 0 if it has not occurred before. The pointer is valid until the next
 * call. */
static pair *find_pair(trainer *t, int left, int right)
{
    uint32_t *number = find(&t->by_pair, t5_pair(left, right));
    if (!number)
        return NULL;
    if (*number == none) {
        pair *pairs = grow(t->pairs, t->pair_count, sizeof *t->pairs);
        if (!pairs)
            return NULL;
        t->pairs = pairs;
        t->pairs[t->pair_count] = (pair){left, right, 0, none};
        *number = t->pair_count++;
    }
    return &t->pairs[*number];
}

/* Pieces are visited one after another, so a use that is known already is the pair's last. */
static bool add_use(trainer *t, pair *p, uint32_t number)
{
    if (p->uses != none && t->uses[p->uses].piece == number)
        return true;
    use *uses = grow(t->uses, t->use_count, sizeof *t->uses);
    if (!uses)
        return false;
    t->uses = uses;
    t->uses[t->use_count] = (use){number, p->uses};
    p->uses = t->use_count++;
    return true;
}

/* Adds sign times the piece's own count to the counts of all its pairs. The piece becomes a use of
 * the pairs that have `token` in them, which are the new ones after a merge; token -1: of all. */
static bool count_pairs(trainer *t, uint32_t number, int sign, int token)
{
    const piece *p = &t->pieces[number];
    for (uint32_t i = 0; i + 1 < p->tokens; i++) {
        int left = p->token[i], right = p->token[i + 1];
        pair *q = find_pair(t, left, right);
        if (!q)
            return false;
        q->count += sign * p->count;
        if ((token == -1 || token == left || token == right) && !add_use(t, q, number))
            return false;
    }
    return true;
}

/* Joins a pair wherever it occurs in a piece, from left to right. */
static void merge_in_piece(piece *p, int left, int right, int result)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < p->tokens; i++) {
        bool joined = i + 1 < p->tokens && p->token[i] == left && p->token[i + 1] == right;
        p->token[kept++] = joined ? result : p->token[i];
        i += joined;
    }
    p->tokens = kept;
}

/* ---- The most frequent pair ---- */

/* Whether a is to be merged before b: the more frequent, of equals the one with the smaller ids. */
static bool before(const trainer *t, candidate a, candidate b)
{
    if (a.count != b.count)
        return a.count > b.count;
    const pair *p = &t->pairs[a.pair], *q = &t->pairs[b.pair];
    return t5_pair(p->left, p->right) < t5_pair(q->left, q->right);
}

/* Pairs that occur once are never merged, and not kept. */
static bool push(trainer *t, uint32_t number)
{
    candidate new = {t->pairs[number].count, number};
    if (new.count < 2)
        return true;
    candidate *heap = grow(t->heap, t->heap_count, sizeof *t->heap);
    if (!heap)
        return false;
    t->heap = heap;
    uint32_t at = t->heap_count++;
    for (; at > 0 && before(t, new, heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = new;
    return true;
}

/* Takes the first candidate off the top. */
static candidate pop(trainer *t)
{
    candidate top = t->heap[0], last = t->heap[--t->heap_count];
    uint32_t at = 0, child;
    while ((child = 2 * at + 1) < t->heap_count) {
        if (child + 1 < t->heap_count && before(t, t->heap[child + 1], t->heap[child]))
            child++;
        if (!before(t, t->heap[child], last))
            break;
        t->heap[at] = t->heap[child];
        at = child;
    }
    t->heap[at] = last;
    return top;
}

/* ---- Training ---- */

/* Ids 0 to 258: the special tokens, then the bytes. */
static bool add_first_tokens(t5_tokenizer *t)
{
    bool good = t5_tokenizer_add(t, "<pad>", 5, true) && t5_tokenizer_add(t, "</s>", 4, true) &&
                t5_tokenizer_add(t, "<unk>", 5, true);
    assert(T5_PAD == 0 && T5_EOS == 1 && T5_UNK == 2);
    for (int byte = 0; good && byte < 256; byte++) {
        char c = (char)byte;
        t->byte_id[byte] = t->size;
        good = t5_tokenizer_add(t, &c, 1, false);
    }
    return good;
}

/* The new token's bytes, copied first: adding may move those they are copied from. */
static bool add_joined(t5_tokenizer *t, int left, int right)
{
    size_t a = t->tokens[left].length, b = t->tokens[right].length;
    char *bytes = base_malloc(a + b);
    if (!bytes)
        return false;
    memcpy(bytes, t5_token_bytes(t, left), a);
    memcpy(bytes + a, t5_token_bytes(t, right), b);
    bool good = t5_tokenizer_add(t, bytes, a + b, false);
    base_free(bytes);
    return good;
}

/* Makes a token of a pair and joins the pair wherever it occurs. Only the pairs of these pieces
 * change their counts: they are taken out before the merge and counted again after it. */
static bool merge(trainer *t, uint32_t number)
{
    int left = t->pairs[number].left, right = t->pairs[number].right, result = t->tokenizer->size;
    if (!add_joined(t->tokenizer, left, right))
        return false;
    t5_tokenizer_add_merge(t->tokenizer, left, right, result);

    uint32_t known = t->pair_count;
    for (uint32_t u = t->pairs[number].uses; u != none; u = t->uses[u].next) {
        uint32_t in = t->uses[u].piece;
        if (!count_pairs(t, in, -1, result))
            return false;
        merge_in_piece(&t->pieces[in], left, right, result);
        if (!count_pairs(t, in, +1, result))
            return false;
    }
    assert(t->pairs[number].count == 0);
    for (uint32_t i = known; i < t->pair_count; i++)
        if (!push(t, i))
            return false;
    return true;
}

/* The best candidate whose count is still true is merged; one whose count has fallen goes back into
 * the heap with what is left. False: no memory. */
static bool train(trainer *t, const char *const *texts, size_t count)
{
    if (!add_first_tokens(t->tokenizer))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!count_pieces(t, texts[i]))
            return false;
    if (!start_pieces(t))
        return false;
    for (uint32_t i = 0; i < t->piece_count; i++)
        if (!count_pairs(t, i, +1, -1))
            return false;
    for (uint32_t i = 0; i < t->pair_count; i++)
        if (!push(t, i))
            return false;

    while (t->tokenizer->size < t->tokenizer->most && t->heap_count > 0) {
        candidate best = pop(t);
        bool current = best.count == t->pairs[best.pair].count;
        if (current ? !merge(t, best.pair) : !push(t, best.pair))
            return false;
    }
    return true;
}

t5_tokenizer *t5_tokenizer_train(const char *const *texts, size_t count, int vocab_size,
                                 base_error *error)
{
    if (vocab_size < T5_LEAST_TOKENS || vocab_size > T5_MOST_TOKENS) {
        base_fail(error, "vocab_size: expected %d to %d, found %d", T5_LEAST_TOKENS, T5_MOST_TOKENS,
                  vocab_size);
        return NULL;
    }
    trainer t = {.tokenizer = t5_tokenizer_new(vocab_size, vocab_size - T5_LEAST_TOKENS)};
    bool good = t.tokenizer && train(&t, texts, count);
    if (!good)
        base_fail(error, "no memory to train a tokenizer on %lu texts", (unsigned long)count);
    good = good && t5_tokenizer_index(t.tokenizer, error);
    base_free(t.pieces);
    base_free(t.pairs);
    base_free(t.uses);
    base_free(t.heap);
    base_free(t.tokens);
    base_free(t.by_text.slots);
    base_free(t.by_pair.slots);
    if (good)
        return t.tokenizer;
    t5_tokenizer_free(t.tokenizer);
    return NULL;
}
