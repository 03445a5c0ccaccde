/* SPDX-License-Identifier: MIT */
/* hash.h -- SHA-256 (FIPS 180-4): the name of a file's or a source's content.
 *
 * One hash serves everything here: files named in a journal, journal lines, sources, and the
 * streams of random numbers derived from words. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BASE_HASH_BYTES = 32, BASE_HASH_TEXT = 65 };

typedef struct base_hash {
    uint32_t state[8];
    uint64_t length;   /* bytes hashed so far */
    uint8_t block[64]; /* the last length % 64 of them */
} base_hash;

void base_hash_start(base_hash *hash);
void base_hash_add(base_hash *hash, const void *bytes, size_t count);
void base_hash_end(base_hash *hash, uint8_t digest[BASE_HASH_BYTES]);

/* As base_hash_end, and the digest as 64 lower-case hexadecimal digits. */
void base_hash_end_text(base_hash *hash, char text[BASE_HASH_TEXT]);

/* Whether a text is such a digest. What was read from a file may be anything, and a path into the bargain. */
bool base_hash_is_text(const char *text);

/* The digest of some bytes as text. */
void base_hash_text(const void *bytes, size_t count, char text[BASE_HASH_TEXT]);

#endif
