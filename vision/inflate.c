/* SPDX-License-Identifier: MIT */
/* inflate.c -- gzip, zlib and deflate, read as RFC 1952, 1950 and 1951 write them.
 *
 * A deflate stream is a sequence of blocks. A block is stored as it is, or written in two prefix
 * codes: one for bytes, the block's end and the lengths of matches, one for the distances of
 * matches. A match means: copy `length` bytes from `distance` bytes back in the output. So
 * "abcabcabc" may be sent as the bytes a, b, c and a match of length 6 and distance 3, which reads
 * the bytes that it writes itself.
 *
 * Canonical Huffman codes. A prefix code is sent as nothing but the length of each symbol's code;
 * the codes follow from two rules: shorter codes come first, and among codes of one length the
 * symbols are in order. So the codes of a length are consecutive numbers, and the first of them is
 * twice what comes after the last of the length before. With lengths 2, 1, 3, 3 for A, B, C, D:
 *
 *     length 1, from   0:  B = 0
 *     length 2, from  10:  A = 10
 *     length 3, from 110:  C = 110, D = 111
 *
 * A code can therefore be read bit by bit with only the number of codes of each length in hand
 * (read_long). Because most codes that occur are short, the next FAST_BITS bits look up a table
 * first, where each short code stands at all the places that begin with it.
 *
 * Bits. Bytes give their lowest bit first; the first bit of a code is its highest, but numbers
 * (extra bits) come lowest bit first. Bits wait in a 64-bit word. At the end of the input zeros
 * follow, and `held` falls below zero as soon as one of them is used: so one test for each symbol,
 * before the symbol has any effect, replaces a test for each bit. */
#include "vision/inflate.h"
#include "base/memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_BITS = 15,  /* the longest code */
    FAST_BITS = 10, /* codes up to here are in the table */
    LITERALS = 288, /* symbols: 256 bytes, the end, 29 lengths, two that must not occur */
    DISTANCES = 32, /* of which two must not occur */
    END_OF_BLOCK = 256,
    MAX_MATCH = 258,
    MAX_RATIO = 1032,  /* bytes out of one byte: two bits (length, distance) make at most 258 */
    HEADER_BYTES = 10, /* of a member, before the optional fields */
    TRAILER_BYTES = 8,
};

typedef struct prefix_code {
    uint16_t fast[1 << FAST_BITS]; /* symbol << 4 | length; 0: a longer code, or none */
    uint16_t count[MAX_BITS + 1];  /* codes of each length */
    uint16_t symbol[LITERALS];     /* in order of their codes */
} prefix_code;

typedef struct unpacking {
    const unsigned char *bytes; /* the file */
    size_t size, next;          /* next: the first byte that is not yet in bits */
    uint64_t bits;              /* the lowest comes next */
    int held;                   /* how many of them count */

    unsigned char *out;
    size_t length, capacity, most;
    size_t start; /* where the output of this member begins */

    prefix_code literals, distances; /* of this block */
    bool fixed;                      /* they are the fixed ones */
    uint32_t crc_table[256];
    const char *name, *form; /* for messages: the file, and what is around the deflate stream */
    base_error *error;
} unpacking;

/* The byte that the next bit is in. */
static size_t place(const unpacking *u)
{
    return u->held > 0 ? u->next - (size_t)((u->held + 7) / 8) : u->next;
}

static bool wrong(unpacking *u, const char *expected)
{
    return base_fail(u->error, "%s: %s, byte %zu: expected %s", u->name, u->form, place(u),
                     expected);
}

static bool ended(unpacking *u)
{
    return base_fail(u->error, "%s: %s, byte %zu: the file ends here, expected more", u->name,
                     u->form, u->size);
}

/* ---- Output ---- */

/* Makes room for `count` more bytes. The capacity stays within most + MAX_MATCH: so whoever asks
 * for room for a match before each step comes here at the first step after `most` was passed, and
 * need not compare with it each time. */
static bool grow(unpacking *u, size_t count)
{
    size_t limit = u->most + MAX_MATCH;
    if (u->length > u->most || count > limit - u->length)
        return base_fail(u->error,
                         "%s: %s, byte %zu: unpacks to more than the %zu bytes expected at most",
                         u->name, u->form, place(u), u->most);
    size_t capacity = u->capacity < limit / 2 ? 2 * u->capacity : limit;
    if (capacity < u->length + count)
        capacity = u->length + count;
    unsigned char *larger = base_realloc(u->out, capacity);
    if (!larger)
        return base_fail(u->error, "%s: no memory for the %zu bytes it unpacks to", u->name,
                         capacity);
    u->out = larger;
    u->capacity = capacity;
    return true;
}

/* Copies a match to the end of the output. Where its length exceeds its distance, the ranges
 * overlap, and the bytes just written are read again: byte by byte, or for the usual case of a run
 * by memset. */
static void copy_match(unsigned char *to, size_t distance, size_t length)
{
    const unsigned char *from = to - distance;
    if (distance >= length)
        memcpy(to, from, length);
    else if (distance == 1)
        memset(to, *from, length);
    else
        while (length-- > 0)
            *to++ = *from++;
}

/* ---- Bits ---- */

/* Afterwards at least 56 bits are held, or all that are left: enough for a symbol with all that
 * belongs to it (48 bits, read_match). Away from the end, eight bytes are read at once: (63 - held)
 * / 8 of them fit whole and are counted. Bits of the byte after them may be above `held` then; the
 * next fill writes the same bits there once more, by |=, which changes nothing. */
static inline void fill(unpacking *u)
{
    if (u->size - u->next >= 8) {
        uint64_t eight = 0;
        for (int i = 0; i < 8; i++)
            eight |= (uint64_t)u->bytes[u->next + (size_t)i] << (8 * i);
        u->bits |= eight << u->held;
        u->next += (size_t)((63 - u->held) >> 3);
        u->held |= 56;
        return;
    }
    for (; u->held < 56 && u->next < u->size; u->held += 8)
        u->bits |= (uint64_t)u->bytes[u->next++] << u->held;
}

/* The next `count` <= 32 bits as a number. */
static inline uint32_t take(unpacking *u, int count)
{
    uint32_t value = (uint32_t)(u->bits & (((uint64_t)1 << count) - 1));
    u->bits >>= count;
    u->held -= count;
    return value;
}

/* Goes on at the next whole byte: drops the rest of the current one, and returns the bytes that
 * were read ahead to the input. */
static void align(unpacking *u)
{
    u->next -= (size_t)(u->held / 8);
    u->bits = 0;
    u->held = 0;
}

/* ---- Prefix codes ---- */

/* The lowest `length` bits of a code in reverse: as they stand in the word of bits. */
static unsigned reversed(unsigned code, int length)
{
    unsigned result = 0;
    for (int i = 0; i < length; i++)
        result |= (code >> i & 1) << (length - 1 - i);
    return result;
}

/* Makes a code of its lengths (0: the symbol does not occur). False: there are more codes than bits
 * can tell apart, or bits that no code uses. Of the latter two are allowed: no code at all, and one
 * code of one bit, which is how the distances of a block with none or one of them are sent. */
static bool make_code(prefix_code *code, const uint8_t *lengths, int symbols)
{
    unsigned next_code[MAX_BITS + 1] = {0};
    unsigned next_index[MAX_BITS + 1] = {0};
    memset(code, 0, sizeof *code);
    for (int i = 0; i < symbols; i++)
        code->count[lengths[i]]++;
    code->count[0] = 0;

    int left = 1; /* codes of this length that are no longer code's beginning */
    int used = 0;
    for (int bits = 1; bits <= MAX_BITS; bits++) {
        next_code[bits] = (next_code[bits - 1] + code->count[bits - 1]) << 1;
        next_index[bits] = next_index[bits - 1] + code->count[bits - 1];
        used += code->count[bits];
        left = 2 * left - code->count[bits];
        if (left < 0)
            return false;
    }
    if (left > 0 && used > 0 && !(used == 1 && code->count[1] == 1))
        return false;

    for (int i = 0; i < symbols; i++) {
        int bits = lengths[i];
        if (bits == 0)
            continue;
        code->symbol[next_index[bits]++] = (uint16_t)i;
        unsigned first = reversed(next_code[bits]++, bits);
        if (bits <= FAST_BITS)
            for (unsigned j = first; j < 1 << FAST_BITS; j += 1u << bits)
                code->fast[j] = (uint16_t)(i << 4 | bits);
    }
    return true;
}

/* A symbol whose code is longer than FAST_BITS; -1: no code begins like this. Bit by bit, `value`
 * grows into the code; `first` is the first code of the length so far, and `index` the place of its
 * symbol. The code is complete when it is among the count[bits] codes of its length. */
static int read_long(unpacking *u, const prefix_code *code)
{
    unsigned value = 0, first = 0, index = 0;
    for (int bits = 1; bits <= MAX_BITS; bits++) {
        value = value << 1 | (unsigned)(u->bits >> (bits - 1) & 1);
        first <<= 1;
        if (value < first + code->count[bits]) {
            take(u, bits);
            return code->symbol[index + (value - first)];
        }
        first += code->count[bits];
        index += code->count[bits];
    }
    return -1;
}

/* The next symbol, or -1. An entry of the table holds both symbol and length. */
static inline int read_symbol(unpacking *u, const prefix_code *code)
{
    unsigned entry = code->fast[u->bits & ((1 << FAST_BITS) - 1)];
    if (entry == 0)
        return read_long(u, code);
    take(u, entry & 15);
    return (int)(entry >> 4);
}

/* ---- Blocks (RFC 1951, 3.2) ---- */

/* stored = (rest of a byte) length (its complement) bytes */
static bool read_stored(unpacking *u)
{
    align(u);
    if (u->size - u->next < 4)
        return ended(u);
    const unsigned char *at = u->bytes + u->next;
    size_t length = (size_t)at[0] | (size_t)at[1] << 8;
    if ((length ^ 0xffff) != ((size_t)at[2] | (size_t)at[3] << 8))
        return wrong(u, "a stored block's length and its complement");
    u->next += 4;
    if (u->size - u->next < length)
        return ended(u);
    if (u->capacity - u->length < length && !grow(u, length))
        return false;
    memcpy(u->out + u->length, u->bytes + u->next, length);
    u->length += length;
    u->next += length;
    return true;
}

/* The range of lengths or distances that a symbol stands for: the smallest, and the number of extra
 * bits that follow the symbol and are added (RFC 1951, 3.2.5). */
static const uint16_t length_base[29] = {3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                         15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                         67, 83, 99, 115, 131, 163, 195, 227, 258};
static const uint8_t length_extra[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                         2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
static const uint16_t distance_base[30] = {
    1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
    193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
static const uint8_t distance_extra[30] = {0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
                                           6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};

/* The rest of a match whose length symbol (at most 15 bits) has been read: at most 5 extra bits, 15
 * bits of the distance's symbol and 13 extra bits. A distance beyond the start of this member is an
 * error, so that nothing outside of the output is ever copied. */
static bool read_match(unpacking *u, int symbol)
{
    int row = symbol - END_OF_BLOCK - 1;
    if (row >= 29)
        return wrong(u, "a length's symbol, 257 to 285");
    size_t length = length_base[row] + take(u, length_extra[row]);
    int column = read_symbol(u, &u->distances);
    if (u->held < 0)
        return ended(u);
    if (column < 0 || column >= 30)
        return wrong(u, "a distance's code");
    size_t distance = distance_base[column] + take(u, distance_extra[column]);
    if (u->held < 0)
        return ended(u);
    if (distance > u->length - u->start)
        return wrong(u, "a distance that does not go back beyond the beginning");
    copy_match(u->out + u->length, distance, length);
    u->length += length;
    return true;
}

/* { byte | length distance } end */
static bool read_coded(unpacking *u)
{
    for (;;) {
        if (u->capacity - u->length < MAX_MATCH && !grow(u, MAX_MATCH))
            return false;
        fill(u);
        int symbol = read_symbol(u, &u->literals);
        if (u->held < 0)
            return ended(u);
        if (symbol < 0)
            return wrong(u, "a literal's or a length's code");
        if (symbol < END_OF_BLOCK)
            u->out[u->length++] = (unsigned char)symbol;
        else if (symbol == END_OF_BLOCK)
            return true;
        else if (!read_match(u, symbol))
            return false;
    }
}

/* The codes of fixed blocks (3.2.6), made when the first such block comes. */
static void make_fixed_codes(unpacking *u)
{
    uint8_t lengths[LITERALS];
    if (u->fixed)
        return;
    u->fixed = true;
    for (int i = 0; i < LITERALS; i++)
        lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    make_code(&u->literals, lengths, LITERALS);
    memset(lengths, 5, DISTANCES);
    make_code(&u->distances, lengths, DISTANCES);
}

/* The lengths of both codes in one row, themselves written in a code: 0 to 15 is a length, 16
 * repeats the last one, 17 and 18 are runs of zeros. */
static bool read_lengths(unpacking *u, uint8_t *lengths, int count)
{
    static const struct {
        int least, bits;
    } repeats[] = {{3, 2}, {3, 3}, {11, 7}};
    for (int i = 0; i < count;) {
        fill(u);
        int symbol = read_symbol(u, &u->literals);
        if (u->held < 0)
            return ended(u);
        if (symbol < 0)
            return wrong(u, "a code's length");
        if (symbol < 16) {
            lengths[i++] = (uint8_t)symbol;
            continue;
        }
        if (symbol == 16 && i == 0)
            return wrong(u, "a length before the first that is repeated");
        uint8_t value = symbol == 16 ? lengths[i - 1] : 0;
        int times = repeats[symbol - 16].least + (int)take(u, repeats[symbol - 16].bits);
        if (u->held < 0)
            return ended(u);
        if (times > count - i)
            return wrong(u, "no more lengths than there are symbols");
        memset(lengths + i, value, (size_t)times);
        i += times;
    }
    return true;
}

/* dynamic = HLIT HDIST HCLEN (lengths of the lengths' code) (lengths of the two codes). The code in
 * which the lengths are written comes first itself, as three bits for each of its 19 symbols, in an
 * order that puts the rare ones last, where they can be left out (3.2.7). */
static bool read_codes(unpacking *u)
{
    static const uint8_t order[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                      11, 4,  12, 3, 13, 2, 14, 1, 15};
    uint8_t lengths[LITERALS + DISTANCES] = {0};
    u->fixed = false;
    fill(u);
    int literals = 257 + (int)take(u, 5), distances = 1 + (int)take(u, 5);
    int count = 4 + (int)take(u, 4);
    for (int i = 0; i < count; i++) {
        fill(u);
        lengths[order[i]] = (uint8_t)take(u, 3);
    }
    if (u->held < 0)
        return ended(u);
    if (literals > 286 || distances > 30)
        return wrong(u, "at most 286 literals and 30 distances");
    if (!make_code(&u->literals, lengths, 19))
        return wrong(u, "lengths that make a code of lengths");
    if (!read_lengths(u, lengths, literals + distances))
        return false;
    if (lengths[END_OF_BLOCK] == 0 || !make_code(&u->literals, lengths, literals))
        return wrong(u, "lengths that make a code of literals with an end of the block");
    if (!make_code(&u->distances, lengths + literals, distances))
        return wrong(u, "lengths that make a code of distances");
    return true;
}

/* block = last? kind (stored | codes), until the last */
static bool read_blocks(unpacking *u)
{
    bool last = false;
    while (!last) {
        fill(u);
        last = take(u, 1);
        unsigned kind = take(u, 2);
        if (u->held < 0)
            return ended(u);
        if (kind == 3)
            return wrong(u, "a block that is stored, fixed or dynamic");
        if (kind == 1)
            make_fixed_codes(u);
        if (kind == 2 && !read_codes(u))
            return false;
        if (!(kind == 0 ? read_stored(u) : read_coded(u)))
            return false;
    }
    align(u);
    return true;
}

/* ---- Members (RFC 1952, 2.3) ---- */

/* CRC-32 of RFC 1952, section 8: the remainder of the bytes as a polynomial over GF(2), a table
 * entry for each value of the byte that is shifted out. */
static void make_crc_table(uint32_t table[256])
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
        table[i] = c;
    }
}

static uint32_t crc(const uint32_t table[256], const unsigned char *bytes, size_t count)
{
    uint32_t c = 0xffffffff;
    for (size_t i = 0; i < count; i++)
        c = table[(c ^ bytes[i]) & 255] ^ c >> 8;
    return ~c;
}

uint32_t vision_crc(const unsigned char *bytes, size_t count)
{
    uint32_t table[256];
    make_crc_table(table);
    return crc(table, bytes, count);
}

static uint32_t read_four(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* A name or a comment: up to a zero. */
static bool skip_text(unpacking *u)
{
    const unsigned char *zero = memchr(u->bytes + u->next, 0, u->size - u->next);
    if (!zero)
        return ended(u);
    u->next = (size_t)(zero - u->bytes) + 1;
    return true;
}

/* header = 1f 8b, method, flags, time (4), flags, system, [extra], [name], [comment], [checksum] */
static bool read_header(unpacking *u)
{
    enum { CHECKSUM = 2, EXTRA = 4, NAME = 8, COMMENT = 16, RESERVED = 0xe0 };
    size_t begin = u->next;
    const unsigned char *at = u->bytes + begin;
    size_t left = u->size - begin;
    if ((left > 0 && at[0] != 0x1f) || (left > 1 && at[1] != 0x8b))
        return wrong(u, begin == 0 ? "1f 8b, with which a gzip file begins"
                                   : "the end, or 1f 8b, with which a member begins");
    if (left < HEADER_BYTES)
        return ended(u);
    u->next += 2;
    if (at[2] != 8)
        return wrong(u, "8, the method called deflate");
    u->next++;
    unsigned flags = at[3];
    if (flags & RESERVED)
        return wrong(u, "flags whose highest three bits are 0");
    u->next = begin + HEADER_BYTES;
    if (flags & EXTRA) {
        left = u->size - u->next;
        at = u->bytes + u->next;
        if (left < 2 || left - 2 < ((size_t)at[0] | (size_t)at[1] << 8))
            return ended(u);
        u->next += 2 + ((size_t)at[0] | (size_t)at[1] << 8);
    }
    if (flags & NAME && !skip_text(u))
        return false;
    if (flags & COMMENT && !skip_text(u))
        return false;
    if (flags & CHECKSUM) {
        if (u->size - u->next < 2)
            return ended(u);
        at = u->bytes + u->next;
        if (((unsigned)at[0] | (unsigned)at[1] << 8) !=
            (crc(u->crc_table, u->bytes + begin, u->next - begin) & 0xffff))
            return wrong(u, "the header's checksum");
        u->next += 2;
    }
    return true;
}

/* trailer = CRC-32 and length of what the member unpacks to */
static bool read_trailer(unpacking *u)
{
    if (u->size - u->next < TRAILER_BYTES)
        return ended(u);
    size_t length = u->length - u->start;
    uint32_t sum = crc(u->crc_table, u->out + u->start, length);
    if (read_four(u->bytes + u->next) != sum)
        return base_fail(u->error, "%s: gzip, byte %zu: the checksum is %08lx, expected %08lx",
                         u->name, place(u), (unsigned long)read_four(u->bytes + u->next),
                         (unsigned long)sum);
    u->next += 4;
    if (read_four(u->bytes + u->next) != (uint32_t)length)
        return base_fail(u->error, "%s: gzip, byte %zu: the length is %lu, expected %zu", u->name,
                         place(u), (unsigned long)read_four(u->bytes + u->next), length);
    u->next += 4;
    return true;
}

/* Memory is taken once for as much as a file is said to unpack to. That may be a lie, but not beyond what
 * so many bytes can unpack to. */
static size_t first_capacity(const unpacking *u, uint64_t said)
{
    uint64_t possible = (uint64_t)u->size * MAX_RATIO;
    said = said < possible ? said : possible;
    return (said < u->most ? (size_t)said : u->most) + MAX_MATCH;
}

/* ---- zlib (RFC 1950, 2.2) ---- */

/* Adler-32: the sum of the bytes, plus 1, and the sum of those sums, each modulo the largest prime below
 * 2^16. Neither can overflow in 5552 bytes, so the remainder is taken once for as many. */
static uint32_t adler(const unsigned char *bytes, size_t count)
{
    enum { PRIME = 65521, MOST = 5552 };
    uint32_t sum = 1, sums = 0;
    while (count > 0) {
        size_t some = count < MOST ? count : MOST;
        count -= some;
        for (; some > 0; some--)
            sums += sum += *bytes++;
        sum %= PRIME;
        sums %= PRIME;
    }
    return sums << 16 | sum;
}

/* stream = method and window (1), flags (1), deflate, Adler-32 (4, the highest first). The two bytes in
 * front are, as a number, a multiple of 31; bit 5 of the second asks for a dictionary. */
static bool read_zlib(unpacking *u)
{
    if (u->size < 2)
        return ended(u);
    const unsigned char *at = u->bytes;
    if ((at[0] & 15) != 8 || at[0] >> 4 > 7 || (at[0] << 8 | at[1]) % 31 != 0 || at[1] & 32)
        return wrong(u, "the two bytes with which a stream without a dictionary begins");
    u->next = 2;
    if (!read_blocks(u))
        return false;
    if (u->size - u->next < 4)
        return ended(u);
    at = u->bytes + u->next;
    uint32_t said =
        (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | (uint32_t)at[3];
    return said == adler(u->out, u->length) || wrong(u, "the checksum of what it unpacks to");
}

/* ---- Both ---- */

static bool read_gzip(unpacking *u)
{
    do {
        u->start = u->length;
        if (!read_header(u) || !read_blocks(u) || !read_trailer(u))
            return false;
        while (u->next < u->size && u->bytes[u->next] == 0) /* of a tape or a disk block */
            u->next++;
    } while (u->next < u->size);
    return true;
}

static unsigned char *unpack(unpacking *u, bool (*read)(unpacking *u), size_t *length)
{
    make_crc_table(u->crc_table);
    u->out = base_malloc(u->capacity);
    bool good = u->out ? read(u)
                       : base_fail(u->error, "%s: no memory for the %zu bytes it unpacks to",
                                   u->name, u->capacity);
    if (good && u->length > u->most)
        good = grow(u, 0);
    unsigned char *out = u->out;
    *length = u->length;
    base_free(u);
    if (good)
        return out;
    base_free(out);
    return NULL;
}

static unpacking *begin(const unsigned char *bytes, size_t size, size_t most, uint64_t said,
                        const char *name, const char *form, base_error *error)
{
    unpacking *u = base_calloc(1, sizeof *u);
    if (!u) {
        base_fail(error, "%s: no memory to unpack it", name);
        return NULL;
    }
    u->bytes = bytes, u->size = size;
    u->most = most < SIZE_MAX - MAX_MATCH ? most : SIZE_MAX - MAX_MATCH;
    u->name = name, u->form = form, u->error = error;
    u->capacity = first_capacity(u, said);
    return u;
}

unsigned char *vision_inflate(const unsigned char *bytes, size_t size, size_t most,
                              const char *name, size_t *length, base_error *error)
{
    /* the last four bytes of a file of one member are its length */
    uint64_t said = size < 4 ? 0 : read_four(bytes + size - 4);
    unpacking *u = begin(bytes, size, most, said, name, "gzip", error);
    return u ? unpack(u, read_gzip, length) : NULL;
}

size_t vision_inflate_start(const unsigned char *bytes, size_t size, unsigned char *to, size_t most)
{
    enum { STORED = 65535 }; /* bytes of a block as they are, which comes as a whole */
    base_error error;
    unpacking *u = begin(bytes, size, most + STORED, most + STORED, "", "gzip", &error);
    size_t length = 0;
    if (u && (u->out = base_malloc(u->capacity))) {
        make_crc_table(u->crc_table);
        read_gzip(u);
        length = u->length < most ? u->length : most;
        memcpy(to, u->out, length);
    }
    base_free(u ? u->out : NULL);
    base_free(u);
    return length;
}

unsigned char *vision_inflate_zlib(const unsigned char *bytes, size_t size, size_t most,
                                   const char *name, size_t *length, base_error *error)
{
    unpacking *u = begin(bytes, size, most, most, name, "zlib", error);
    return u ? unpack(u, read_zlib, length) : NULL;
}
