/* SPDX-License-Identifier: MIT */
/* random.h -- counter-based random numbers: a pure function of (seed, stream, index).
 *
 * Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", SC'11) is a
 * block cipher over a counter. There is no state to save, to lock or to advance: any thread may
 * compute any number, in any order, and a resumed run draws the numbers of an uninterrupted one.
 *
 *   seed     one for a run
 *   stream   what the numbers are for: base_random_stream("dropout", episode, step, layer)
 *   index    the number's position in its stream, from 0 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Numbers 4 * block .. 4 * block + 3 of a stream: Philox with the key `seed` and the counter
 * (block, stream). */
void base_random_block(uint64_t seed, uint64_t stream, uint64_t block, uint32_t words[4]);

/* The number at `index`. */
uint32_t base_random_word(uint64_t seed, uint64_t stream, uint64_t index);

/* A stream named by its purpose and by up to three numbers that distinguish its uses. */
uint64_t base_random_stream(const char *purpose, uint64_t a, uint64_t b, uint64_t c);

/* A reader of one stream, for code that takes numbers one after another. */
typedef struct base_random {
    uint64_t seed, stream, index; /* index: the next number's */
} base_random;

uint32_t base_random_next(base_random *r);
double base_random_uniform(base_random *r); /* [0, 1), multiples of 2^-32 */

/* 0 .. bound - 1, each exactly as likely (Lemire 2019, arXiv:1805.10941); bound >= 1. */
uint32_t base_random_below(base_random *r, uint32_t bound);

/* Puts `count` < 2^32 items of `size` bytes in random order, by Fisher and Yates's shuffle. */
void base_random_shuffle(base_random *r, void *items, size_t count, size_t size);

#endif
