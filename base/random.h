/* random.h -- counter-based random numbers: a pure function of (seed, stream, index).
 *
 * Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", SC'11): a
 * block cipher over a counter. There is no state to save, to lock or to advance, so any number can
 * be had in any order by any thread, and a run resumed in the middle draws what it would have.
 *
 *   seed     the run's
 *   stream   what the numbers are for: base_random_stream("dropout", episode, step, layer)
 *   index    the how-manieth number of that stream */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

/* Philox itself: four words that depend on the counter and the key. */
void base_random_block(const uint32_t counter[4], const uint32_t key[2], uint32_t words[4]);

/* The key is the seed, the counter is (index / 4, stream); one of the four words that come out. */
uint32_t base_random_word(uint64_t seed, uint64_t stream, uint64_t index);

/* A stream from what it is for and up to three numbers that tell its uses apart. */
uint64_t base_random_stream(const char *purpose, uint64_t a, uint64_t b, uint64_t c);

/* A reader of one stream, for code that takes numbers one after another. */
typedef struct base_random {
    uint64_t seed, stream, index; /* index: the next number's */
} base_random;

uint32_t base_random_next(base_random *r);
double base_random_uniform(base_random *r); /* [0, 1), multiples of 2^-32 */

/* 0 .. bound-1, each exactly as likely (Lemire 2019, arXiv:1805.10941, with its rejection). bound
 * >= 1 */
uint32_t base_random_below(base_random *r, uint32_t bound);

/* Standard normal, by Box and Muller's cosine branch; takes two numbers of the stream. */
double base_random_normal(base_random *r);

#endif
