/* SPDX-License-Identifier: MIT */
/* unigram.c -- the best way to read a word is the best way to read its beginning and one piece more (Viterbi
 * 1967): best[i] is the largest sum of scores of pieces that make up the first i bytes, and what ends there.
 *
 * Pieces that begin at a place are found in the sorted vocabulary: each further byte narrows the range of those
 * that begin alike, and the first of a range is the piece itself if it is no longer. */
#include "t5/unigram.h"
#include "base/memory.h"
#include "t5/unicode.h"
#include <stdlib.h>
#include <string.h>

static const double unknown_penalty = 10;
static const char space_mark[] = "\xe2\x96\x81"; /* U+2581 */
enum { MARK = sizeof space_mark - 1 };

typedef struct piece {
    const char *text;
    size_t length;
    double score;
    int id;
} piece;

struct t5_unigram {
    piece *pieces; /* sorted by their bytes */
    char *bytes;   /* of all of them */
    int count;
    int unknown;
    bool splits;
    double unknown_score;
    uint32_t *trie; /* double array; NULL: nothing is normalized */
    size_t trie_count;
    char *
        replacements; /* strings that the trie's values point to, NUL-ended, and a NUL behind the last */
    size_t replacements_size;
};

/* ---- making one ---- */

static int compare_pieces(const void *a, const void *b)
{
    const piece *x = a, *y = b;
    size_t shorter = x->length < y->length ? x->length : y->length;
    int order = memcmp(x->text, y->text, shorter);
    if (order != 0)
        return order;
    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* The least score is taken over all ids, as Hugging Face does it; pieces are the ids that have a text. */
static bool take_pieces(t5_unigram *u, const char *const *texts, const double *scores, int count,
                        base_error *error)
{
    size_t size = 1;
    double least = 0;
    for (int i = 0; i < count; i++) {
        size += texts[i] ? strlen(texts[i]) + 1 : 0;
        least = i == 0 || scores[i] < least ? scores[i] : least;
    }
    u->pieces = base_calloc((size_t)count + 1, sizeof *u->pieces);
    u->bytes = base_malloc(size);
    if (!u->pieces || !u->bytes)
        return base_fail(error, "no memory for %d pieces", count);
    char *at = u->bytes;
    for (int i = 0; i < count; i++) {
        if (!texts[i] || !*texts[i])
            continue;
        size_t length = strlen(texts[i]);
        memcpy(at, texts[i], length + 1);
        u->pieces[u->count++] = (piece){at, length, scores[i], i};
        at += length + 1;
    }
    u->unknown_score = least - unknown_penalty;
    if (u->count > 0)
        qsort(u->pieces, (size_t)u->count, sizeof *u->pieces, compare_pieces);
    return true;
}

/* charsmap = size of the trie in bytes (4, little-endian), the trie's units, the replacements. A size of 0, or
 * no map at all, normalizes nothing. */
static bool take_charsmap(t5_unigram *u, const unsigned char *map, size_t size, base_error *error)
{
    size_t bytes = 0;
    for (size_t i = 0; i < 4 && i < size; i++)
        bytes |= (size_t)map[i] << 8 * i;
    if (bytes == 0)
        return true;
    if (size < 4 || bytes > size - 4 || bytes % 4 != 0)
        return base_fail(error, "charsmap: %zu bytes, expected a trie of %zu in them", size, bytes);
    u->trie_count = bytes / 4;
    u->replacements_size = size - 4 - bytes;
    u->trie = base_malloc(bytes);
    u->replacements = base_malloc(u->replacements_size + 1);
    if (!u->trie || !u->replacements)
        return base_fail(error, "no memory for a charsmap of %zu bytes", size);
    for (size_t i = 0; i < u->trie_count; i++) {
        const unsigned char *unit = map + 4 + 4 * i;
        u->trie[i] = (uint32_t)unit[0] | (uint32_t)unit[1] << 8 | (uint32_t)unit[2] << 16 |
                     (uint32_t)unit[3] << 24;
    }
    if (u->replacements_size > 0)
        memcpy(u->replacements, map + 4 + bytes, u->replacements_size);
    u->replacements[u->replacements_size] = '\0';
    return true;
}

t5_unigram *t5_unigram_new(const char *const *texts, const double *scores, int count,
                           const t5_unigram_how *how, base_error *error)
{
    t5_unigram *u = base_calloc(1, sizeof *u);
    if (!u) {
        base_fail(error, "no memory for %d pieces", count);
        return NULL;
    }
    u->unknown = how->unknown;
    u->splits = how->splits;
    if (take_pieces(u, texts, scores, count, error) &&
        take_charsmap(u, how->charsmap, how->charsmap_size, error))
        return u;
    t5_unigram_free(u);
    return NULL;
}

void t5_unigram_free(t5_unigram *u)
{
    if (!u)
        return;
    base_free(u->pieces);
    base_free(u->bytes);
    base_free(u->trie);
    base_free(u->replacements);
    base_free(u);
}

/* ---- normalizing ---- */

/* A unit of Darts-clone's double array, from its highest bit to its lowest:
 *
 *     31       1: not a node but a value, in the other 31 bits
 *     30..10   the offset of its children    9   1: that offset times 256
 *     8        1: a key ends here            7..0   the byte that leads here
 *
 * The child of the node at place p by byte b is at p ^ offset ^ b, if that unit's label is b; the value of a key
 * that ends at p is the child by byte 0. A value's bit 31 is kept in its label, so that it is never a byte's. */
static uint32_t label_of(uint32_t unit) { return unit & (UINT32_C(1) << 31 | 0xFF); }
static bool is_end(uint32_t unit) { return unit >> 8 & 1; }
static size_t offset_of(uint32_t unit) { return (size_t)(unit >> 10) << (unit >> 9 & 1 ? 8 : 0); }

/* The length of the longest key at the beginning of the text; 0: none. *value: where its replacement is. */
static size_t longest_key(const t5_unigram *u, const char *text, size_t length, size_t *value)
{
    size_t at = offset_of(u->trie[0]), found = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        at ^= byte;
        if (byte == 0 || at >= u->trie_count || label_of(u->trie[at]) != byte)
            break;
        uint32_t unit = u->trie[at];
        at ^= offset_of(unit);
        if (is_end(unit) && at < u->trie_count) {
            found = i + 1;
            *value = u->trie[at] & ~(UINT32_C(1) << 31);
        }
    }
    return found;
}

/* Appends the text with replacements; what is not UTF-8 becomes U+FFFD. */
static void normalize(const t5_unigram *u, const char *text, size_t length, base_text *out)
{
    while (length > 0) {
        uint32_t character;
        size_t value = 0, key = u->trie ? longest_key(u, text, length, &value) : 0;
        size_t next = t5_unicode_next(text, length, &character);
        if (key > 0 && value < u->replacements_size) {
            const char *replacement = u->replacements + value;
            base_text_add(out, replacement, strlen(replacement));
            next = key;
        } else if (character == T5_NO_CHARACTER) {
            base_text_add(out, "\xef\xbf\xbd", 3);
        } else {
            base_text_add(out, text, next);
        }
        text += next;
        length -= next;
    }
}

/* ---- words ---- */

/* Where a word of `length` bytes can be read up to byte i, best. */
typedef struct place {
    double score;
    size_t from;
    int id; /* of the piece that ends here; -1: nothing does */
} place;

/* A tie stays with the offer that came first. Offers come from left to right, so that is the longest piece. */
static void offer(place *p, double score, size_t from, int id)
{
    if (p->id < 0 || score > p->score)
        *p = (place){score, from, id};
}

/* Offers every piece that begins at byte `from`; whether one is of `single` bytes. After n bytes, pieces low ..
 * high - 1 are those that begin with them: two bisections by byte n narrow the range, which is soon empty. */
static bool offer_pieces(const t5_unigram *u, const char *word, size_t length, size_t from,
                         size_t single, place *best)
{
    int low = 0, high = u->count;
    bool found = false;
    for (size_t n = 0; from + n < length && low < high; n++) {
        unsigned char byte = (unsigned char)word[from + n];
        int first = low,
            last = high; /* the first piece whose byte n is not below, and the first above */
        while (first < last) {
            int middle = first + (last - first) / 2;
            const piece *p = &u->pieces[middle];
            if (p->length <= n || (unsigned char)p->text[n] < byte)
                first = middle + 1;
            else
                last = middle;
        }
        low = first;
        last = high;
        while (first < last) {
            int middle = first + (last - first) / 2;
            if ((unsigned char)u->pieces[middle].text[n] <= byte)
                first = middle + 1;
            else
                last = middle;
        }
        high = first;
        if (low < high && u->pieces[low].length == n + 1) {
            offer(&best[from + n + 1], best[from].score + u->pieces[low].score, from,
                  u->pieces[low].id);
            found = found || n + 1 == single;
        }
    }
    return found;
}

/* Viterbi's recursion over bytes, from left to right: best[to] = max over pieces of best[from] + score. Every
 * character is offered at least as itself, be it a piece or unknown, so that there is always a way to the end. */
static bool encode_word(const t5_unigram *u, const char *word, size_t length, int *ids, int most,
                        int *count)
{
    place few[64], *best = few;
    if (length >= sizeof few / sizeof *few)
        best = base_malloc((length + 1) * sizeof *best);
    if (!best)
        return false;
    for (size_t i = 0; i <= length; i++)
        best[i] = (place){0, 0, -1};
    uint32_t character;
    for (size_t from = 0, single; from < length; from += single) {
        single = t5_unicode_next(word + from, length - from, &character);
        if (!offer_pieces(u, word, length, from, single, best))
            offer(&best[from + single], best[from].score + u->unknown_score, from, u->unknown);
    }
    /* The way back gives the tokens in reverse: once to count them, once to write them. */
    int total = *count;
    for (int pass = 0; pass < 2; pass++) {
        int at_token = total;
        bool unknown = false;
        for (size_t at = length; at > 0; at = best[at].from) {
            bool fused = unknown && best[at].id == u->unknown;
            unknown = best[at].id == u->unknown;
            total += pass == 0 && !fused;
            at_token -= pass == 1 && !fused;
            if (pass == 1 && !fused && at_token < most)
                ids[at_token] = best[at].id;
        }
    }
    *count = total;
    if (best != few)
        base_free(best);
    return true;
}

/* Words by white space, each with its mark in front. */
static bool encode_split(const t5_unigram *u, const char *text, size_t length, int *ids, int most,
                         int *count)
{
    base_text word = {0};
    bool ok = true;
    uint32_t character;
    for (size_t at = 0, end; ok && at < length; at = end) {
        size_t next = t5_unicode_next(text + at, length - at, &character);
        end = at + next;
        if (t5_unicode_is_space(character))
            continue;
        while (end < length) {
            next = t5_unicode_next(text + end, length - end, &character);
            if (t5_unicode_is_space(character))
                break;
            end += next;
        }
        base_text_clear(&word);
        base_text_add(&word, space_mark, MARK);
        base_text_add(&word, text + at, end - at);
        ok = !word.failed && encode_word(u, word.data, word.length, ids, most, count);
    }
    base_text_free(&word);
    return ok;
}

/* Each space is a mark, and a word begins at each. */
static bool encode_marked(const t5_unigram *u, const char *text, size_t length, int *ids, int most,
                          int *count)
{
    base_text marked = {0};
    if (length == 0)
        return true;
    if (text[0] != ' ')
        base_text_add(&marked, space_mark, MARK);
    for (size_t i = 0; i < length; i++)
        base_text_add(&marked, text[i] == ' ' ? space_mark : text + i, text[i] == ' ' ? MARK : 1);
    bool ok = !marked.failed;
    for (size_t at = 0, end; ok && at < marked.length; at = end) {
        end = at + 1;
        while (end < marked.length && strncmp(marked.data + end, space_mark, MARK) != 0)
            end++;
        ok = encode_word(u, marked.data + at, end - at, ids, most, count);
    }
    base_text_free(&marked);
    return ok;
}

bool t5_unigram_encode(const t5_unigram *u, const char *text, size_t length, int *ids, int most,
                       int *count)
{
    base_text normal = {0};
    base_text_add(&normal, "", 0);
    normalize(u, text, length, &normal);
    bool ok = !normal.failed && (u->splits ? encode_split : encode_marked)(
                                    u, normal.data, normal.length, ids, most, count);
    base_text_free(&normal);
    return ok;
}
