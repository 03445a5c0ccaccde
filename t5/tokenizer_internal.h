/* tokenizer_internal.h -- the inside of a t5_tokenizer: for tokenizer.c, bpe.c,
 * tokenizer_json.c, and for export/t5.c. */
#ifndef T5_TOKENIZER_INTERNAL_H
#define T5_TOKENIZER_INTERNAL_H

#include "t5/tokenizer.h"
#include <stdint.h>

/* How texts are cut into pieces, as tokenizer.json says it. */
#define T5_PIECES_REGEX "(?:[^0-9\\n]|(?<=[A-Za-z_])[0-9])+\\n?|[0-9\\n]"

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

/* tokenizer.json from and to memory. */
t5_tokenizer *t5_tokenizer_parse(const char *json, size_t length, const char *origin,
                                 base_error *error);
void t5_tokenizer_print(const t5_tokenizer *tokenizer, base_text *json);

#endif
