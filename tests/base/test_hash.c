/* SPDX-License-Identifier: MIT */
/* test_hash.c -- SHA-256 against the examples of FIPS 180 and NIST's SHAVS. */
#include "base/hash.h"
#include "tests/test.h"

static void check_text(const void *bytes, size_t count, const char *want, const char *name)
{
    char text[BASE_HASH_TEXT];
    base_hash_text(bytes, count, text);
    CHECK(strcmp(text, want) == 0, "%s: got %s, want %s", name, text, want);
}

static void known_answers(void)
{
    check_text("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "empty");
    check_text(NULL, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "NULL");
    check_text("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "abc");
    const char *two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    check_text(two, strlen(two), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
               "two blocks");
    const char *four = "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                       "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
    check_text(four, strlen(four),
               "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1", "four blocks");
    check_text("\xbd", 1, "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b",
               "one byte");
}

static void a_million_times_a(void)
{
    static const char *want = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    static char bytes[1000000];
    memset(bytes, 'a', sizeof bytes);
    check_text(bytes, sizeof bytes, want, "10^6 a");
}

/* Every length around three blocks, in two pieces cut at every place, is the same as in one. */
static void pieces_make_no_difference(void)
{
    uint8_t bytes[200];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + 1);
    for (size_t length = 0; length <= sizeof bytes; length++) {
        char want[BASE_HASH_TEXT];
        size_t different = 0;
        base_hash_text(bytes, length, want);
        for (size_t cut = 0; cut <= length; cut++) {
            base_hash hash;
            char text[BASE_HASH_TEXT];
            base_hash_start(&hash);
            base_hash_add(&hash, bytes, cut);
            base_hash_add(&hash, bytes + cut, length - cut);
            base_hash_end_text(&hash, text);
            different += strcmp(text, want) != 0;
        }
        CHECK(different == 0, "length %zu: %zu cuts differ", length, different);
    }
}

static void what_is_one(void)
{
    char text[BASE_HASH_TEXT];
    base_hash_text("abc", 3, text);
    CHECK(base_hash_is_text(text), "%s", text);
    for (int i = 0; i < BASE_HASH_TEXT - 1; i++) {
        const char was = text[i];
        for (const char *other = "gA/. "; *other; other++) {
            text[i] = *other;
            CHECK(!base_hash_is_text(text), "%s", text);
        }
        text[i] = '\0';
        CHECK(!base_hash_is_text(text), "%d digits", i);
        text[i] = was;
    }
    char more[BASE_HASH_TEXT + 1];
    snprintf(more, sizeof more, "%s0", text);
    CHECK(!base_hash_is_text(more), "65 digits");
}

int main(void)
{
    known_answers();
    a_million_times_a();
    pieces_make_no_difference();
    what_is_one();
    return test_end();
}
