/* SPDX-License-Identifier: MIT */
/* tokenizer_internal.h -- the inside of a t5_tokenizer: for tokenizer.c, bpe.c, those that read and write
 * files, and for export/t5.c. */
#ifndef T5_TOKENIZER_INTERNAL_H
#define T5_TOKENIZER_INTERNAL_H

#include "base/json.h"
#include "t5/tokenizer.h"
#include "t5/unigram.h"
#include <stdint.h>

/* How texts are cut into pieces, as tokenizer.json says it. */
#define T5_PIECES_REGEX "(?:[^0-9\\n]|(?<=[A-Za-z_])[0-9])+\\n?|[0-9\\n]"

/* How a text becomes tokens: BPE in our pieces (tokenizer.h) or in GPT-2's, bytes, or the unigram model. */
typedef enum t5_tokenizer_kind { T5_LINES, T5_GPT2, T5_BYTES, T5_UNIGRAM } t5_tokenizer_kind;

/* A token that stands for itself where a text spells it, with the white space on either side of it. */
typedef struct t5_cut {
    int id;
    bool left, right; /* takes white space before, behind it */
} t5_cut;

typedef struct t5_token {
    size_t start, length; /* its bytes; of a special token, its name */
    bool special;         /* it stands for no text */
} t5_token;

typedef struct t5_merge {
    int left, right, result; /* ids */
} t5_merge;

typedef struct t5_merge_key {
    uint64_t pair; /* t5_pair(left, right) */
    uint32_t rank; /* its place in merges[] */
} t5_merge_key;

/* Made by t5_tokenizer_new, then tokens in the order of their ids, then merges in the order in
 * which they apply, then t5_tokenizer_index; never changed from there on. */
struct t5_tokenizer {
    base_text bytes;    /* of all tokens, one after another */
    t5_token *tokens;   /* by id */
    t5_merge *merges;   /* a merge's place is its rank: the smallest applies first */
    t5_merge_key *keys; /* the same, sorted by pair */
    int size, most;     /* tokens, and room for them */
    int merge_count, merge_most;
    int byte_id[256]; /* the token of each byte */

    t5_tokenizer_kind kind;
    int begin, end;   /* tokens before and behind a text; begin -1: none */
    bool space_first; /* T5_GPT2: a text that does not begin with a space gets one */
    t5_cut *cuts;     /* none where tokens were trained here: a text is a text */
    int cut_count;
    t5_unigram *unigram; /* T5_UNIGRAM; its tokens' bytes have a U+2581 for each space */
};

static inline uint64_t t5_pair(int left, int right)
{
    return (uint64_t)left << 32 | (uint32_t)right;
}

/* Empty, with room for so many tokens and merges. NULL: no memory. */
t5_tokenizer *t5_tokenizer_new(int tokens, int merges);

/* Adds a token, with the next id. False: no memory, or no room. */
bool t5_tokenizer_add(t5_tokenizer *tokenizer, const char *bytes, size_t length, bool special);
void t5_tokenizer_add_merge(t5_tokenizer *tokenizer, int left, int right, int result);

/* Makes it ready for use. False: a byte without a token, two merges of one pair. */
bool t5_tokenizer_index(t5_tokenizer *tokenizer, base_error *error);

const char *t5_token_bytes(const t5_tokenizer *tokenizer, int id);

/* The length of the first piece of length >= 1 bytes that begin a text or follow another piece. */
size_t t5_piece_length(const char *text, size_t length);

/* The same of GPT-2's pieces, of which the first may be longer where the text ends (pieces.c). */
size_t t5_gpt2_piece_length(const char *text, size_t length);

/* False: no memory. */
bool t5_tokenizer_cut(t5_tokenizer *tokenizer, t5_cut cut);

/* GPT-2's alphabet of bytes (tokenizer_write.c): appends bytes in it, as UTF-8; appends the bytes that a name
 * in it (well-formed UTF-8) stands for, where false means that a character is not of the alphabet. */
void t5_alphabet_put(base_text *text, const char *bytes, size_t length);
bool t5_alphabet_get(base_text *bytes, const char *name);

/* One of tokenizer.json's added_tokens. */
typedef struct t5_added {
    const char *content;
    int64_t id;
    bool special, left, right;
} t5_added;
bool t5_added_read(t5_added *token, const base_json *json, const char *origin, base_error *error);

/* What its post_processor puts before (-1: nothing) and behind a text. */
bool t5_ends_read(int *begin, int *end, const base_json *root, const char *origin,
                  base_error *error);

/* The unigram model of a tokenizer.json (tokenizer_unigram.c). */
t5_tokenizer *t5_unigram_read(const base_json *root, const char *origin, base_error *error);

/* spiece.model, with so many <extra_id_N> behind its pieces, the last first (spiece.c). */
t5_tokenizer *t5_spiece_parse(const char *bytes, size_t size, int extra, const char *origin,
                              base_error *error);

/* A tokenizer of that vocabulary. Of a piece: its text, its score, whether it is special. */
typedef struct t5_unigram_piece {
    const char *text;
    double score;
    bool special;
} t5_unigram_piece;
t5_tokenizer *t5_unigram_tokenizer(const t5_unigram_piece *pieces, int count,
                                   const t5_unigram_how *how, int begin, int end,
                                   base_error *error);

/* tokenizer.json to memory. */
void t5_tokenizer_print(const t5_tokenizer *tokenizer, base_text *json);

#endif
