/* SPDX-License-Identifier: MIT */
/* test_random.c -- Philox against its authors' known answers, and the numbers made of it
 * against what their distributions allow.
 *
 * The numbers are the same in every run, so a bound of five standard deviations is no gamble: it
 * says that the numbers look the part (one honest statistic in two million would not). */
#include "base/random.h"

#include "base/hash.h"
#include "tests/test.h"

#include <math.h>

/* Random123's kat_vectors: counter, key, words. */
static void known_answers(void)
{
    static const struct {
        uint64_t block, stream, seed; /* counter words 0 and 1, 2 and 3; the key */
        uint32_t words[4];
    } cases[] = {
        {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {0x85a308d3243f6a88,
         0x0370734413198a2e,
         0x299f31d0a4093822,
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        uint32_t words[4];
        base_random_block(cases[c].seed, cases[c].stream, cases[c].block, words);
        for (int i = 0; i < 4; i++)
            CHECK(words[i] == cases[c].words[i], "case %zu word %d: %08x, want %08x", c, i,
                  (unsigned)words[i], (unsigned)cases[c].words[i]);
    }
}

static void a_word_is_a_word_of_its_block(void)
{
    const uint64_t seed = 0x1122334455667788, stream = 0x99aabbccddeeff01;
    const uint64_t block = 0x3fb72ea61d950c84;
    uint32_t words[4];
    base_random_block(seed, stream, block, words);
    for (uint64_t i = 0; i < 4; i++)
        CHECK(base_random_word(seed, stream, 4 * block + i) == words[i], "word %d", (int)i);
}

static void a_reader_reads_in_order(void)
{
    base_random r = {7, 9, 0};
    for (uint64_t i = 0; i < 100; i++) {
        uint32_t word = base_random_next(&r);
        CHECK(word == base_random_word(7, 9, i) && r.index == i + 1, "number %d", (int)i);
    }
    base_random a = {7, 9, 50}, b = {7, 9, 50};
    double u = base_random_uniform(&a);
    CHECK(u == base_random_next(&b) * 0x1p-32 && a.index == b.index, "uniform is a word: %a", u);
}

static void streams_differ_by_every_argument(void)
{
    const uint64_t streams[] = {
        base_random_stream("a", 0, 0, 0),          base_random_stream("b", 0, 0, 0),
        base_random_stream("", 0, 0, 0),           base_random_stream("aa", 0, 0, 0),
        base_random_stream("a", 1, 0, 0),          base_random_stream("a", 0, 1, 0),
        base_random_stream("a", 0, 0, 1),          base_random_stream("a", 256, 0, 0),
        base_random_stream("a", 1ull << 56, 0, 0),
    };
    size_t count = sizeof streams / sizeof *streams;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            CHECK(streams[i] != streams[j], "streams %zu and %zu are the same", i, j);
}

/* A stream's definition, spelt out: others rely on it to read old runs. */
static void a_stream_is_a_hash(void)
{
    static const uint8_t bytes[32] = {'d', 'r', 'o', 'p', 'o', 'u', 't', 0, /* with its NUL */
                                      1,   0,   0,   0,   0,   0,   0,   0, 2, 3, 0, 0,
                                      0,   0,   0,   0,   0,   0,   0,   0, 0, 0, 0, 0x80};
    base_hash hash;
    uint8_t digest[BASE_HASH_BYTES];
    base_hash_start(&hash);
    base_hash_add(&hash, bytes, sizeof bytes);
    base_hash_end(&hash, digest);
    uint64_t want = 0;
    for (int i = 7; i >= 0; i--)
        want = want << 8 | digest[i];
    uint64_t got = base_random_stream("dropout", 1, 0x302, 1ull << 63);
    CHECK(got == want, "%llx, want %llx", (unsigned long long)got, (unsigned long long)want);
}

/* Pearson's chi-square of counts that should be equal: mean k - 1, variance 2 (k - 1). */
static void check_even(const uint32_t *counts, uint32_t kinds, double total, const char *what)
{
    double expected = total / kinds, sum = 0;
    for (uint32_t i = 0; i < kinds; i++)
        sum += (counts[i] - expected) * (counts[i] - expected) / expected;
    double deviation = (sum - (kinds - 1)) / sqrt(2.0 * (kinds - 1));
    CHECK(fabs(deviation) < 5, "%s, %u kinds: chi-square is off by %.2f deviations", what,
          (unsigned)kinds, deviation);
}

static void below_is_even(void)
{
    static const uint32_t bounds[] = {2, 3, 5, 7, 10, 100, 255, 256, 1000};
    for (size_t b = 0; b < sizeof bounds / sizeof *bounds; b++) {
        uint32_t counts[1000] = {0}, bound = bounds[b], total = 200 * bound, outside = 0;
        base_random r = {3, base_random_stream("test below", bound, 0, 0), 0};
        for (uint32_t i = 0; i < total; i++) {
            uint32_t value = base_random_below(&r, bound);
            if (value < bound)
                counts[value]++;
            else
                outside++;
        }
        CHECK(outside == 0, "%u values are not below %u", (unsigned)outside, (unsigned)bound);
        check_even(counts, bound, total, "below");
    }
    base_random r = {3, 3, 0};
    for (int i = 0; i < 100; i++)
        CHECK(base_random_below(&r, 1) == 0, "below 1");
}

/* With the bound 3 * 2^30 a plain multiplication would give every third value twice as often, and
 * the fix is visible: a quarter of all words is rejected. */
static void below_rejects(void)
{
    enum { TOTAL = 60000 };
    const uint32_t bound = 3u << 30;
    uint32_t counts[3] = {0};
    base_random r = {3, base_random_stream("test below large", 0, 0, 0), 0};
    for (int i = 0; i < TOTAL; i++)
        counts[base_random_below(&r, bound) % 3]++;
    check_even(counts, 3, TOTAL, "below 3 * 2^30");
    /* The number of rejections before TOTAL successes of chance p: mean TOTAL (1 - p) / p,
     * variance TOTAL (1 - p) / p^2, p = 3/4. */
    double rejected = (double)(r.index - TOTAL), mean = TOTAL / 3.0, spread = sqrt(TOTAL * 4 / 9.0);
    CHECK(fabs(rejected - mean) < 5 * spread, "%.0f were rejected, %.0f +- %.0f expected", rejected,
          mean, spread);
}

static void bits_and_bytes_are_even(void)
{
    enum { TOTAL = 65536 };
    uint32_t bits[32] = {0}, bytes[256] = {0};
    for (uint32_t i = 0; i < TOTAL; i++) {
        uint32_t word = base_random_word(5, 5, i);
        for (int b = 0; b < 32; b++)
            bits[b] += word >> b & 1;
        bytes[word & 255]++;
    }
    for (int b = 0; b < 32; b++) /* binomial: mean TOTAL / 2, variance TOTAL / 4 */
        CHECK(fabs(bits[b] - TOTAL / 2.0) < 5 * sqrt(TOTAL / 4.0), "bit %d is set %u times", b,
              (unsigned)bits[b]);
    check_even(bytes, 256, TOTAL, "low byte");
}

/* Six orders of three items, each as likely; and the swaps of items of any size are the same. */
static void a_shuffle_is_even(void)
{
    enum { TOTAL = 6000 };
    uint32_t counts[27] = {0}, orders[6];
    base_random r = {3, base_random_stream("test shuffle", 0, 0, 0), 0};
    for (int i = 0; i < TOTAL; i++) {
        uint32_t small[3] = {0, 1, 2};
        struct {
            char pad[5];
            uint32_t number;
        } large[3] = {{"", 0}, {"", 1}, {"", 2}};
        base_random again = r;
        base_random_shuffle(&again, large, 3, sizeof *large);
        base_random_shuffle(&r, small, 3, sizeof *small);
        CHECK(large[0].number == small[0] && large[1].number == small[1], "size matters");
        counts[9 * small[0] + 3 * small[1] + small[2]]++;
    }
    const int places[6] = {5, 7, 11, 15, 19, 21}; /* 012, 021, 102, 120, 201, 210 in base 3 */
    for (int i = 0; i < 6; i++)
        orders[i] = counts[places[i]];
    check_even(orders, 6, TOTAL, "orders");
    uint64_t index = r.index;
    base_random_shuffle(&r, orders, 1, sizeof *orders);
    base_random_shuffle(&r, NULL, 0, sizeof *orders);
    CHECK(r.index == index, "nothing is drawn for fewer than two items");
}

int main(void)
{
    known_answers();
    a_word_is_a_word_of_its_block();
    a_reader_reads_in_order();
    streams_differ_by_every_argument();
    a_stream_is_a_hash();
    below_is_even();
    below_rejects();
    bits_and_bytes_are_even();
    a_shuffle_is_even();
    return test_end();
}
