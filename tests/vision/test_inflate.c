/* SPDX-License-Identifier: MIT */
/* test_inflate.c -- gzip files made by gzip, and gzip files made by hand to be wrong in one
 * place each. */
#include "vision/inflate.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/random.h"
#include "tests/test.h"

#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

/* ---- A writer of bits, as deflate has them ---- */

typedef struct stream {
    unsigned char bytes[8192];
    size_t bits;
} stream;

static void number(stream *s, unsigned value, int count) /* lowest bit first */
{
    for (int i = 0; i < count; i++, s->bits++)
        s->bytes[s->bits / 8] |= (unsigned char)((value >> i & 1) << s->bits % 8);
}

static void code(stream *s, unsigned value, int count) /* highest bit first */
{
    for (int i = count - 1; i >= 0; i--)
        number(s, value >> i & 1, 1);
}

static void whole_byte(stream *s) { s->bits = (s->bits + 7) / 8 * 8; }

static void bytes(stream *s, const void *data, size_t count)
{
    const unsigned char *at = data;
    for (size_t i = 0; i < count; i++)
        number(s, at[i], 8);
}

static void header(stream *s, unsigned flags)
{
    const unsigned char plain[10] = {0x1f, 0x8b, 8, (unsigned char)flags, 0, 0, 0, 0, 0, 3};
    bytes(s, plain, sizeof plain);
}

/* A CRC-32 bit by bit, by its definition. */
static uint32_t crc(const void *data, size_t count)
{
    const unsigned char *at = data;
    uint32_t c = 0xffffffff;
    for (size_t i = 0; i < count; i++) {
        c ^= at[i];
        for (int bit = 0; bit < 8; bit++)
            c = c >> 1 ^ (c & 1 ? 0xedb88320 : 0);
    }
    return ~c;
}

static void trailer(stream *s, const void *data, size_t count)
{
    whole_byte(s);
    number(s, crc(data, count) & 0xffff, 16);
    number(s, crc(data, count) >> 16, 16);
    number(s, (unsigned)count & 0xffff, 16);
    number(s, (unsigned)count >> 16, 16);
}

static void block(stream *s, bool last, unsigned kind)
{
    number(s, last, 1);
    number(s, kind, 2);
}

static void fixed(stream *s, unsigned symbol)
{
    if (symbol < 144)
        code(s, 0x30 + symbol, 8);
    else if (symbol < 256)
        code(s, 0x190 + symbol - 144, 9);
    else if (symbol < 280)
        code(s, symbol - 256, 7);
    else
        code(s, 0xc0 + symbol - 280, 8);
}

static void stored(stream *s, bool last, const char *text)
{
    unsigned length = (unsigned)strlen(text);
    block(s, last, 0);
    whole_byte(s);
    number(s, length, 16);
    number(s, length ^ 0xffff, 16);
    bytes(s, text, length);
}

/* Unpacks exactly the stream's bytes, in a block of their own, so that a sanitizer sees each byte
 * read behind the end. */
static unsigned char *unpack(const void *data, size_t size, size_t most, size_t *length,
                             base_error *error)
{
    unsigned char *copy = malloc(size > 0 ? size : 1);
    memcpy(copy, data, size);
    error->text[0] = '\0';
    unsigned char *out = vision_inflate(copy, size, most, "x.gz", length, error);
    free(copy);
    return out;
}

static void require(const stream *s, const char *want, const char *what)
{
    base_error error;
    size_t length = 0;
    unsigned char *out = unpack(s->bytes, s->bits / 8, 1 << 20, &length, &error);
    CHECK(out && length == strlen(want) && memcmp(out, want, length) == 0, "%s: %zu bytes, %s",
          what, length, error.text);
    free(out);
}

static void refuse(const stream *s, const char *want, const char *what)
{
    base_error error;
    size_t length;
    unsigned char *out = unpack(s->bytes, (s->bits + 7) / 8, 1 << 20, &length, &error);
    CHECK(!out && strncmp(error.text, "x.gz: ", 6) == 0 && strstr(error.text, want),
          "%s: %s, want %s", what, out ? "unpacked" : error.text, want);
    free(out);
}

/* ---- What is right ---- */

static void blocks_of_each_kind(void)
{
    stream s = {0};
    header(&s, 0);
    stored(&s, false, "one, ");
    stored(&s, false, "");
    block(&s, false, 1);
    fixed(&s, 't'), fixed(&s, 'w'), fixed(&s, 'o'), fixed(&s, ','), fixed(&s, ' ');
    fixed(&s, 256);
    block(&s, false, 1); /* length 5, distance 10 */
    fixed(&s, 259);
    code(&s, 6, 5), number(&s, 1, 2);
    fixed(&s, 256);
    stored(&s, true, "end");
    trailer(&s, "one, two, one, end", 18);
    require(&s, "one, two, one, end", "stored, fixed, a match, stored");
}

/* The code of the comment in inflate.c: A 10, B 0, and the end. No distances at all. */
static void a_dynamic_block(void)
{
    stream s = {0};
    header(&s, 0);
    block(&s, false, 1);
    fixed(&s, '<'), fixed(&s, 256);
    block(&s, false, 2);
    number(&s, 0, 5), number(&s, 0, 5), number(&s, 14, 4);
    /* 16 17 18 0 8 7 9 6 10 5 11 4 12 3 13 2 14 1: 0 -> 0, 1 -> 10, 2 -> 110, 18 -> 111 */
    static const unsigned lengths[18] = {[2] = 3, [3] = 1, [15] = 3, [17] = 2};
    for (int i = 0; i < 18; i++)
        number(&s, lengths[i], 3);
    code(&s, 7, 3), number(&s, 65 - 11, 7); /* 65 zeros, up to A */
    code(&s, 6, 3), code(&s, 2, 2);         /* A 2, B 1 */
    code(&s, 7, 3), number(&s, 127, 7);     /* 138 zeros */
    code(&s, 7, 3), number(&s, 51 - 11, 7); /* 51 more, up to the end */
    code(&s, 6, 3);                         /* the end 2 */
    code(&s, 0, 1);                         /* no distance */
    code(&s, 2, 2), code(&s, 0, 1), code(&s, 0, 1), code(&s, 2, 2);
    code(&s, 3, 2);
    block(&s, true, 1);
    fixed(&s, '>'), fixed(&s, 256);
    trailer(&s, "<ABBA>", 6);
    require(&s, "<ABBA>", "dynamic, between fixed ones");
}

static void headers_with_everything(void)
{
    for (unsigned flags = 0; flags < 32; flags++) {
        stream s = {0};
        header(&s, flags);
        if (flags & 4)
            bytes(&s, "\3\0abc", 5);
        if (flags & 8)
            bytes(&s, "name", 5);
        if (flags & 16)
            bytes(&s, "", 1);
        if (flags & 2)
            number(&s, crc(s.bytes, s.bits / 8) & 0xffff, 16);
        stored(&s, true, "x");
        trailer(&s, "x", 1);
        require(&s, "x", "a header");
        if (flags & 2) {
            s.bytes[5] ^= 1;
            refuse(&s, "the header's checksum", "a header's checksum");
        }
    }
}

static void members_behind_each_other(void)
{
    stream s = {0};
    for (int i = 0; i < 3; i++) {
        header(&s, 0);
        stored(&s, true, i == 1 ? "" : "abc");
        trailer(&s, "abc", i == 1 ? 0 : 3);
    }
    require(&s, "abcabc", "three members, one of them empty");
    static const char zero[512];
    bytes(&s, zero, sizeof zero);
    require(&s, "abcabc", "zeros behind the last member");
    header(&s, 0);
    stored(&s, true, "abc");
    trailer(&s, "abc", 3);
    bytes(&s, zero, 1);
    require(&s, "abcabcabc", "zeros between members");
    bytes(&s, "garbage", 7);
    refuse(&s, "byte 614: expected the end, or 1f 8b", "garbage behind a member");
}

/* ---- What is wrong ---- */

static void wrong_headers(void)
{
    static const struct {
        size_t at;
        unsigned char value;
        const char *want;
    } rows[] = {
        {0, 'P', "byte 0: expected 1f 8b"},
        {1, 0, "byte 0: expected 1f 8b"},
        {2, 7, "byte 2: expected 8"},
        {3, 0x20, "byte 3: expected flags"},
        {3, 0x80, "byte 3: expected flags"},
        {10, 7, "a block that is stored, fixed or dynamic"},
        {11, 9, "length and its complement"},
        {16, 'z', "byte 18: the checksum is"},
        {18, 0, "byte 18: the checksum is"},
        {22, 9, "byte 22: the length is 9, expected 3"},
        {25, 255, "byte 22: the length is 4278190083, expected 3"},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        stream s = {0};
        header(&s, 0);
        stored(&s, true, "abc");
        trailer(&s, "abc", 3);
        s.bytes[rows[r].at] = rows[r].value;
        refuse(&s, rows[r].want, "one byte of a header");
    }
}

static void wrong_symbols(void)
{
    static const struct {
        unsigned symbol, distance;
        const char *want;
    } rows[] = {
        {286, 0, "a length's symbol"},       {287, 0, "a length's symbol"},
        {257, 30, "a distance's code"},      {257, 31, "a distance's code"},
        {257, 3, "does not go back beyond"}, /* 4 bytes back, of 3 */
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        stream s = {0};
        header(&s, 0);
        stored(&s, true, "before"); /* a member's matches do not reach into another */
        trailer(&s, "before", 6);
        header(&s, 0);
        block(&s, true, 1);
        fixed(&s, 'a'), fixed(&s, 'b'), fixed(&s, 'c');
        fixed(&s, rows[r].symbol);
        code(&s, rows[r].distance, 5);
        fixed(&s, 256);
        trailer(&s, "", 0);
        refuse(&s, rows[r].want, "a symbol");
    }
}

/* The beginning of a dynamic block, whose code of lengths has 0, 1, 16 and 18, two bits each. */
static void begin_dynamic(stream *s, unsigned literals, unsigned distances)
{
    static const unsigned lengths[18] = {[0] = 2, [2] = 2, [3] = 2, [17] = 2};
    header(s, 0);
    block(s, true, 2);
    number(s, literals - 257, 5), number(s, distances - 1, 5), number(s, 14, 4);
    for (int i = 0; i < 18; i++)
        number(s, lengths[i], 3);
}

enum { ZERO, ONE, SIXTEEN, EIGHTEEN };

/* Lengths: so many zeros. */
static void zeros(stream *s, unsigned count)
{
    while (count > 0) {
        unsigned take = count > 138 ? 138 : count;
        if (take >= 11)
            code(s, EIGHTEEN, 2), number(s, take - 11, 7);
        else
            for (unsigned i = 0; i < take; i++)
                code(s, ZERO, 2);
        count -= take;
    }
}

static void wrong_codes(void)
{
    stream s = {0};
    begin_dynamic(&s, 287, 1);
    refuse(&s, "at most 286 literals", "287 literals");

    s = (stream){0};
    begin_dynamic(&s, 257, 31);
    refuse(&s, "at most 286 literals and 30", "31 distances");

    s = (stream){0};
    header(&s, 0);
    block(&s, true, 2);
    number(&s, 0, 14);
    for (int i = 0; i < 4; i++)
        number(&s, 1, 3);
    refuse(&s, "a code of lengths", "four codes of one bit");

    s = (stream){0};
    header(&s, 0);
    block(&s, true, 2);
    number(&s, 0, 14);
    number(&s, 2, 3), number(&s, 0, 9);
    refuse(&s, "a code of lengths", "one code of two bits, and three that no symbol has");

    s = (stream){0};
    begin_dynamic(&s, 257, 1);
    code(&s, SIXTEEN, 2), number(&s, 0, 2);
    refuse(&s, "before the first that is repeated", "a repeated length at the beginning");

    s = (stream){0};
    begin_dynamic(&s, 257, 1);
    zeros(&s, 250);
    code(&s, EIGHTEEN, 2), number(&s, 127, 7);
    refuse(&s, "no more lengths than", "138 zeros where 8 are left");

    s = (stream){0};
    begin_dynamic(&s, 257, 1);
    zeros(&s, 255);
    code(&s, ONE, 2), code(&s, ZERO, 2), code(&s, ZERO, 2);
    refuse(&s, "an end of the block", "no code for the end");

    s = (stream){0};
    begin_dynamic(&s, 257, 1);
    code(&s, ONE, 2), code(&s, ONE, 2);
    zeros(&s, 254);
    code(&s, ONE, 2), code(&s, ZERO, 2);
    refuse(&s, "an end of the block", "three codes of one bit");

    s = (stream){0};
    begin_dynamic(&s, 257, 3);
    zeros(&s, 256);
    for (int i = 0; i < 4; i++)
        code(&s, ONE, 2);
    refuse(&s, "a code of distances", "three distances of one bit");

    s = (stream){0};
    begin_dynamic(&s, 257, 1);
    zeros(&s, 256);
    code(&s, ONE, 2), code(&s, ZERO, 2);
    code(&s, 1, 1);
    number(&s, 0, 16);
    refuse(&s, "a literal's or a length's code", "bits that no code begins with");

    s = (stream){0};
    begin_dynamic(&s, 258, 1);
    zeros(&s, 256);
    code(&s, ONE, 2), code(&s, ONE, 2), code(&s, ZERO, 2);
    code(&s, 1, 1);
    number(&s, 0, 16);
    refuse(&s, "a distance's code", "a match without distances");

    s = (stream){0}; /* one distance, of one bit: right */
    begin_dynamic(&s, 258, 1);
    zeros(&s, 256);
    code(&s, ONE, 2), code(&s, ONE, 2), code(&s, ONE, 2);
    code(&s, 0, 1);
    trailer(&s, "", 0);
    require(&s, "", "one distance");
}

/* ---- A small file in all ways to damage it ---- */

static const char text[] =
    "It is a truth universally acknowledged, that a single man in possession of "
    "a good fortune, must be in want of a wife, a fortune, or a single wife.";

/* `text` as gzip -9n packs it, in a block of its own codes. */
static const unsigned char packed[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x45, 0xcc, 0xd1, 0x0d, 0xc3,
    0x20, 0x0c, 0x45, 0xd1, 0x55, 0xde, 0x00, 0x51, 0xf7, 0xc8, 0x18, 0x6e, 0x31, 0xc4, 0x2a,
    0xd8, 0x11, 0x36, 0x45, 0xdd, 0xbe, 0x44, 0xfd, 0xc8, 0xf7, 0x3d, 0xba, 0x7b, 0x40, 0x1c,
    0x84, 0xe8, 0x23, 0x0e, 0x0c, 0x95, 0x0f, 0x77, 0xa7, 0x5a, 0xbf, 0xa0, 0xd7, 0x5b, 0x6d,
    0x56, 0x4e, 0x85, 0xd3, 0x86, 0x38, 0x28, 0x16, 0x73, 0xd1, 0x52, 0x19, 0x8d, 0x14, 0xa2,
    0x38, 0xcd, 0x9d, 0xdd, 0xc5, 0x14, 0x96, 0x57, 0x2d, 0x66, 0x09, 0xd9, 0x7a, 0x0c, 0xe5,
    0x0d, 0x6d, 0x78, 0xe0, 0xc9, 0x17, 0x9c, 0xa4, 0xf1, 0x27, 0x53, 0xf2, 0x4a, 0x74, 0x2b,
    0xeb, 0xf7, 0xf6, 0x8a, 0x8f, 0x1f, 0x0d, 0xf9, 0x90, 0xca, 0x92, 0x00, 0x00, 0x00};

static void damage(const unsigned char *file, size_t size)
{
    base_error error;
    size_t length = 0;
    for (size_t cut = 0; cut < size; cut++) {
        unsigned char *out = unpack(file, cut, 1 << 20, &length, &error);
        CHECK(!out && error.text[0], "cut to %zu bytes, it unpacks", cut);
        free(out);
    }
    unsigned char *copy = malloc(size);
    for (size_t at = 0; at < size; at++)
        for (int flip = 1; flip < 256; flip++) {
            memcpy(copy, file, size);
            copy[at] ^= (unsigned char)flip;
            unsigned char *out = unpack(copy, size, 1 << 20, &length, &error);
            bool same = out && length == strlen(text) && memcmp(out, text, length) == 0;
            if (out ? !same : !error.text[0])
                CHECK(false, "byte %zu ^ %d: unpacks to something else", at, flip);
            free(out);
        }
    free(copy);
    CHECK(true, "no damage went unseen");
}

static void a_damaged_file(void)
{
    base_error error;
    size_t length = 0;
    unsigned char *out = unpack(packed, sizeof packed, strlen(text), &length, &error);
    CHECK(out && length == strlen(text) && memcmp(out, text, length) == 0, "%s", error.text);
    free(out);
    damage(packed, sizeof packed);
    stream s = {0};
    header(&s, 0);
    stored(&s, true, text);
    trailer(&s, text, strlen(text));
    damage(s.bytes, s.bits / 8);
}

static void a_limit(void)
{
    base_error error;
    size_t length;
    for (size_t most = 0; most < strlen(text); most++) {
        unsigned char *out = unpack(packed, sizeof packed, most, &length, &error);
        CHECK(!out && strstr(error.text, "unpacks to more than"), "limit %zu: %s", most,
              error.text);
        free(out);
    }
    unsigned char *out = unpack(packed, sizeof packed, SIZE_MAX, &length, &error);
    CHECK(out, "no limit: %s", error.text);
    free(out);
    stream s = {0};
    header(&s, 0);
    stored(&s, true, text);
    trailer(&s, text, strlen(text));
    out = unpack(s.bytes, s.bits / 8, strlen(text) - 1, &length, &error);
    CHECK(!out && strstr(error.text, "unpacks to more than"), "stored: %s", error.text);
    free(out);
}

/* The end of a file says how much its last member alone unpacks to: memory has to grow. */
static void many_members(void)
{
    enum { MEMBERS = 1000 };
    static unsigned char file[MEMBERS * sizeof packed];
    size_t each = strlen(text), length = 0;
    base_error error;
    for (size_t i = 0; i < MEMBERS; i++)
        memcpy(file + i * sizeof packed, packed, sizeof packed);
    unsigned char *out = unpack(file, sizeof file, MEMBERS * each, &length, &error);
    CHECK(out && length == MEMBERS * each, "%zu bytes, %s", length, error.text);
    for (size_t i = 0; out && i < MEMBERS; i++)
        CHECK(memcmp(out + i * each, text, each) == 0, "member %zu is another", i);
    free(out);
    out = unpack(file, sizeof file, MEMBERS * each - 1, &length, &error);
    CHECK(!out && strstr(error.text, "unpacks to more than"), "%s", error.text);
    free(out);
}

/* ---- What gzip makes ---- */

static char folder[] = "/tmp/test_vision_inflate.XXXXXX";

static void fill(unsigned char *data, size_t size, int kind)
{
    base_random random = {7, base_random_stream("inflate", (uint64_t)kind, 0, 0), 0};
    for (size_t i = 0; i < size; i++) {
        uint32_t r = base_random_next(&random);
        if (kind == 0)
            data[i] = (unsigned char)r; /* does not pack: stored */
        else if (kind == 1)
            data[i] = 0; /* the longest matches */
        else if (kind == 2)
            data[i] = (unsigned char)(r % 7 * (r >> 8 & 1)); /* few symbols */
        else                                                 /* far matches */
            data[i] = i < 32000 || i % 100 == 0 ? (unsigned char)r : data[i - 32000];
    }
}

static void what_gzip_packs(void)
{
    static const size_t sizes[] = {0, 1, 2, 300, 65535, 65536, 1000000};
    static const char *const ways[] = {"gzip -1", "gzip -6", "gzip -9"};
    char path[512], command[1200];
    unsigned char *data = malloc(1000000);
    for (int kind = 0; kind < 4; kind++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            for (int way = 0; way < 3; way++) {
                base_error error = {""};
                fill(data, sizes[s], kind);
                const base_bytes part = {data, sizes[s]};
                snprintf(path, sizeof path, "%s/data", folder);
                CHECK(base_file_write(path, &part, 1, NULL, &error), "%s", error.text);
                snprintf(command, sizeof command, "%s <%s >%s.gz", ways[way], path, path);
                if (system(command) != 0) {
                    SKIP("gzip is not here");
                    free(data);
                    return;
                }
                snprintf(path, sizeof path, "%s/data.gz", folder);
                size_t size = 0, length = 0;
                char *file = base_file_read(path, 1 << 24, &size, &error);
                unsigned char *out = unpack(file, size, sizes[s], &length, &error);
                CHECK(out && length == sizes[s] && memcmp(out, data, length) == 0,
                      "%s, kind %d, %zu bytes: %s", ways[way], kind, sizes[s], error.text);
                free(out);
                free(file);
            }
    free(data);
}

/* The sums that the shared data's README.md gives. */
static void real_files(void)
{
    static const struct {
        const char *name, *hash;
    } rows[] = {
        {"data/mnist/train-images-idx3-ubyte.gz",
         "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
        {"data/mnist/t10k-labels-idx1-ubyte.gz",
         "39449c6d396fed0387452a285a136e5faf62f8feb18085ba6640559aa263409b"},
        {"data/cifar-10/test_batch.bin.gz",
         "d6f0580827f461c5af80275abac1345878c4e474ce89e2d46210253fb8f519ef"},
        {"data/emnist/emnist-byclass-vowels-train-images-idx3-ubyte.gz",
         "43655ab945b4bd7fbcf9b40096b6a247887ace0776be8378c88e05a98819c310"},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        const char *path = test_shared(rows[r].name);
        if (!path) {
            SKIP("%s is not here", rows[r].name);
            continue;
        }
        base_error error = {""};
        char hash[BASE_HASH_TEXT] = "";
        size_t size = 0, length = 0;
        char *file = base_file_read(path, 1 << 28, &size, &error);
        unsigned char *out =
            vision_inflate((unsigned char *)file, size, 1 << 28, path, &length, &error);
        if (out)
            base_hash_text(out, length, hash);
        CHECK(strcmp(hash, rows[r].hash) == 0, "%s: %s %s", path, hash, error.text);
        free(out);
        free(file);
    }
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    blocks_of_each_kind();
    a_dynamic_block();
    headers_with_everything();
    members_behind_each_other();
    wrong_headers();
    wrong_symbols();
    wrong_codes();
    a_damaged_file();
    a_limit();
    many_members();
    what_gzip_packs();
    real_files();
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0)
        SKIP("%s stays", folder);
    return test_end();
}
