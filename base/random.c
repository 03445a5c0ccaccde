/* SPDX-License-Identifier: MIT */
/* random.c -- Philox4x32-10, and the streams, ranges and orders made of its words.
 *
 * Salmon, Moraes, Dror & Shaw 2011, section 3.3. Ten rounds of a multiplication whose high and low
 * halves are exchanged and mixed with the key; between rounds the key steps by two Weyl sequences.
 * tests/base/test_random.c holds it against the authors' known answers. */
#include "base/random.h"

#include "base/hash.h"
#include <assert.h>
#include <string.h>

enum { ROUNDS = 10 };

void base_random_block(uint64_t seed, uint64_t stream, uint64_t block, uint32_t words[4])
{
    uint32_t x0 = (uint32_t)block, x1 = (uint32_t)(block >> 32);
    uint32_t x2 = (uint32_t)stream, x3 = (uint32_t)(stream >> 32);
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t a = (uint64_t)0xD2511F53 * x0, b = (uint64_t)0xCD9E8D57 * x2;
        x0 = (uint32_t)(b >> 32) ^ x1 ^ k0;
        x1 = (uint32_t)b;
        x2 = (uint32_t)(a >> 32) ^ x3 ^ k1;
        x3 = (uint32_t)a;
        k0 += 0x9E3779B9; /* the golden ratio's */
        k1 += 0xBB67AE85; /* sqrt(3) - 1 */
    }
    words[0] = x0;
    words[1] = x1;
    words[2] = x2;
    words[3] = x3;
}

uint32_t base_random_word(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint32_t words[4];
    base_random_block(seed, stream, index / 4, words);
    return words[index % 4];
}

/* The first eight bytes of a hash of the words and numbers, each number's lowest byte first. */
uint64_t base_random_stream(const char *purpose, uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t numbers[3] = {a, b, c};
    base_hash hash;
    uint8_t digest[BASE_HASH_BYTES];
    base_hash_start(&hash);
    base_hash_add(&hash, purpose, strlen(purpose) + 1);
    for (int i = 0; i < 3; i++) {
        uint8_t bytes[8];
        for (int j = 0; j < 8; j++)
            bytes[j] = (uint8_t)(numbers[i] >> 8 * j);
        base_hash_add(&hash, bytes, sizeof bytes);
    }
    base_hash_end(&hash, digest);
    uint64_t stream = 0;
    for (int j = 0; j < 8; j++)
        stream |= (uint64_t)digest[j] << 8 * j;
    return stream;
}

uint32_t base_random_next(base_random *r)
{
    return base_random_word(r->seed, r->stream, r->index++);
}

double base_random_uniform(base_random *r) { return base_random_next(r) * 0x1p-32; }

/* word * bound / 2^32 rounds down to each result for either floor or ceil of 2^32 / bound words.
 * Dropping the words whose product has a low half under 2^32 mod bound leaves the floor for all. */
uint32_t base_random_below(base_random *r, uint32_t bound)
{
    assert(bound >= 1);
    uint64_t product = (uint64_t)base_random_next(r) * bound;
    if ((uint32_t)product < bound) {           /* the division is seldom needed */
        uint32_t reject = (0 - bound) % bound; /* = 2^32 mod bound */
        while ((uint32_t)product < reject)
            product = (uint64_t)base_random_next(r) * bound;
    }
    return (uint32_t)(product >> 32);
}

/* Item i is drawn from those not yet placed, the first i + 1. */
void base_random_shuffle(base_random *r, void *items, size_t count, size_t size)
{
    unsigned char *first = items;
    for (size_t i = count; i-- > 1;) {
        unsigned char *a = first + i * size;
        unsigned char *b = first + base_random_below(r, (uint32_t)i + 1) * size;
        for (size_t byte = 0; byte < size; byte++) {
            unsigned char swap = a[byte];
            a[byte] = b[byte];
            b[byte] = swap;
        }
    }
}
