/* SPDX-License-Identifier: MIT */
/* test_tokenizer.c -- pieces, merges, ids and tokenizer.json, against slow forms of the same
 * rules written here, and against what Hugging Face's library made of a file written here. */
#include "t5/tokenizer.h"

#include "base/file.h"
#include "base/random.h"
#include "t5/tokenizer_internal.h"
#include "tests/test.h"

#include <limits.h>
#include <unistd.h>

/* ---- Texts ---- */

static void print_source(base_text *text, int layers, int decoder_layers, int heads, int d_ff)
{
    base_text_clear(text);
    base_text_print(text,
                    "#include \"phoenix.h\"\n"
                    "\n"
                    "t5 *model(void)\n"
                    "{\n"
                    "    t5_config config = t5_small();\n"
                    "    config.num_layers = %d;\n"
                    "    config.num_decoder_layers = %d;\n"
                    "    config.num_heads = %d;\n"
                    "    config.d_kv = config.d_model / config.num_heads;\n"
                    "    config.d_ff = %d;\n"
                    "    return t5_new(config);\n"
                    "}\n",
                    layers, decoder_layers, heads, d_ff);
}

enum { SOURCES = 20 };

static t5_tokenizer *train_on_sources(int vocab_size)
{
    base_text texts[SOURCES] = {{0}};
    const char *strings[SOURCES];
    for (int i = 0; i < SOURCES; i++) {
        print_source(&texts[i], 1 + i % 8, 8 - i % 7, 1 + i % 16, 64 + 211 * i);
        strings[i] = texts[i].data;
    }
    base_error error = {""};
    t5_tokenizer *t = t5_tokenizer_train(strings, SOURCES, vocab_size, &error);
    CHECK(t, "%s", error.text);
    for (int i = 0; i < SOURCES; i++)
        base_text_free(&texts[i]);
    if (!t)
        exit(test_end());
    return t;
}

/* Random bytes of one of three kinds: any bytes; few letters, digits and line feeds; one letter. */
static size_t random_text(base_random *r, char *text, size_t most)
{
    static const char few[] = "ab_19\n";
    size_t length = base_random_below(r, (uint32_t)most + 1);
    uint32_t kind = base_random_below(r, 4);
    for (size_t i = 0; i < length; i++)
        text[i] = kind == 0   ? (char)base_random_below(r, 256)
                  : kind == 1 ? few[base_random_below(r, 6)]
                  : kind == 2 ? few[base_random_below(r, 2)]
                              : 'a';
    return length;
}

/* ---- Pieces ---- */

/* The rule as stated: a digit is a piece of its own unless it follows a letter or underscore. */
static bool stands_alone(const char *text, size_t at)
{
    const char *names = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    bool digit = text[at] >= '0' && text[at] <= '9';
    return digit && (at == 0 || !text[at - 1] || !strchr(names, text[at - 1]));
}

static bool piece_begins(const char *text, size_t at)
{
    return at == 0 || text[at - 1] == '\n' || stands_alone(text, at) || stands_alone(text, at - 1);
}

static void pieces_are_lines_and_digits(void)
{
    static const struct {
        const char *text, *pieces;
    } cases[] = {
        {"config.d_ff = 1024;\n", "config.d_ff = |1|0|2|4|;\n"},
        {"t5 *model(void)\n{\n", "t5 *model(void)\n|{\n"},
        {"t5_1 x15 _7 7\n\n8\n", "t5_1 x1|5| _7 |7|\n|\n|8|\n"},
        {"no line feed", "no line feed"},
        {"\xC3\xA9"
         "5\xC3\xA9\r\n",
         "\xC3\xA9|5|\xC3\xA9\r\n"},
        {"@1[2`3{4", "@|1|[|2|`|3|{|4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_text got = {0};
        const char *at = cases[i].text;
        for (size_t rest = strlen(at), length; rest > 0; rest -= length, at += length) {
            length = t5_piece_length(at, rest);
            base_text_print(&got, "%s%.*s", got.length > 0 ? "|" : "", (int)length, at);
        }
        CHECK(strcmp(got.data, cases[i].pieces) == 0, "got %s, want %s", got.data, cases[i].pieces);
        base_text_free(&got);
    }

    base_random r = {1, 0, 0};
    char text[80];
    for (int round = 0; round < 2000; round++) {
        size_t length = random_text(&r, text, sizeof text), next = 0;
        for (size_t i = 0; i < length; i++) {
            CHECK(piece_begins(text, i) == (i == next), "round %d, byte %zu of %zu", round, i,
                  length);
            if (i == next)
                next += t5_piece_length(text + i, length - i);
        }
        CHECK(next == length, "round %d: pieces end at %zu of %zu", round, next, length);
    }
}

/* ---- Merges ---- */

/* Applies, in a piece, the merge of the smallest rank at its leftmost place, and looks again. */
static int merge_slowly(const t5_tokenizer *t, int *ids, int count)
{
    for (;;) {
        int best = t->merge_count, where = 0;
        for (int i = 0; i + 1 < count; i++)
            for (int rank = 0; rank < best; rank++)
                if (t->merges[rank].left == ids[i] && t->merges[rank].right == ids[i + 1]) {
                    best = rank;
                    where = i;
                }
        if (best == t->merge_count)
            return count;
        ids[where] = t->merges[best].result;
        count--;
        memmove(ids + where + 1, ids + where + 2, (size_t)(count - where - 1) * sizeof *ids);
    }
}

static int tokenize_slowly(const t5_tokenizer *t, const char *text, size_t length, int *ids)
{
    int count = 0;
    for (size_t begin = 0, end; begin < length; begin = end) {
        int *piece = ids + count, bytes = 0;
        for (end = begin; end == begin || (end < length && !piece_begins(text, end)); end++)
            piece[bytes++] = T5_LEAST_TOKENS - 256 + (unsigned char)text[end];
        count += merge_slowly(t, piece, bytes);
    }
    ids[count++] = T5_EOS;
    return count;
}

static void ids_are_those_of_the_slow_form(void)
{
    static const char *const letters[] = {"aaaaaaaa", "ababab", "aabbaabb",
                                          "bbab",     "a_1b_9", "aaab\nabab\n"};
    base_error error = {""};
    t5_tokenizer *all[] = {train_on_sources(400),
                           t5_tokenizer_train(letters, 6, T5_LEAST_TOKENS + 30, &error)};
    base_random r = {2, 0, 0};
    static char text[600];
    static int got[700], want[700];
    for (int round = 0; round < 2000; round++) {
        const t5_tokenizer *t = all[round % 2];
        size_t length = random_text(&r, text, round % 20 < 2 ? sizeof text : 60);
        int n = t5_tokenize(t, text, length, got, 700), m = tokenize_slowly(t, text, length, want);
        CHECK(n == m && memcmp(got, want, (size_t)m * sizeof *got) == 0,
              "round %d: %d ids for %zu bytes, want %d", round, n, length, m);
    }
    t5_tokenizer_free(all[0]);
    t5_tokenizer_free(all[1]);
}

/* No matter how long a line is, and that its bytes merge into one another all the time. Naively,
 * each of these lines takes some 10^10 steps. */
static void long_lines_are_no_trouble(void)
{
    enum { LENGTH = 1 << 20 };
    t5_tokenizer *t = train_on_sources(512);
    char *line = malloc(LENGTH);
    int *ids = malloc((LENGTH + 1) * sizeof *ids);
    for (int kind = 0; kind < 2; kind++) {
        for (size_t i = 0; i < LENGTH; i++)
            line[i] = kind ? "config.num_heads = "[i % 19] : ' ';
        int count = t5_tokenize(t, line, LENGTH, ids, LENGTH + 1);
        CHECK(count > 1 && count <= LENGTH / 4 + 1 && ids[count - 1] == T5_EOS, "%d tokens", count);
        base_text back = {0};
        t5_detokenize(t, ids, count, &back);
        CHECK(back.length == LENGTH && memcmp(back.data, line, LENGTH) == 0, "kind %d", kind);
        base_text_free(&back);
    }
    free(line);
    free(ids);
    t5_tokenizer_free(t);
}

/* ---- Training ---- */

/* The algorithm of Sennrich et al., word for word: count all, join the best everywhere, again. */
typedef struct slow_trainer {
    int ids[64][64], count[64], pieces; /* pieces as they stand in the texts, repeated */
    t5_merge merges[64];
    int merge_count;
} slow_trainer;

static void train_slowly(slow_trainer *s, int most)
{
    for (s->merge_count = 0; s->merge_count < most; s->merge_count++) {
        int tokens = T5_LEAST_TOKENS + s->merge_count, best = 1;
        static int64_t counts[512][512];
        t5_merge merge = {0, 0, tokens};
        memset(counts, 0, sizeof counts);
        for (int p = 0; p < s->pieces; p++)
            for (int i = 0; i + 1 < s->count[p]; i++)
                counts[s->ids[p][i]][s->ids[p][i + 1]]++;
        for (int left = 0; left < tokens; left++)
            for (int right = 0; right < tokens; right++)
                if (counts[left][right] > best) {
                    best = (int)counts[left][right];
                    merge.left = left;
                    merge.right = right;
                }
        if (best < 2)
            return;
        s->merges[s->merge_count] = merge;
        for (int p = 0; p < s->pieces; p++) {
            int kept = 0, *ids = s->ids[p];
            for (int i = 0; i < s->count[p]; i++) {
                bool joined =
                    i + 1 < s->count[p] && ids[i] == merge.left && ids[i + 1] == merge.right;
                ids[kept++] = joined ? tokens : ids[i];
                i += joined;
            }
            s->count[p] = kept;
        }
    }
}

static void training_learns_what_the_slow_form_does(void)
{
    base_random r = {3, 0, 0};
    for (int round = 0; round < 60; round++) {
        static slow_trainer slow;
        char texts[16][60];
        const char *strings[16];
        int count = 1 + (int)base_random_below(&r, 16), most = (int)base_random_below(&r, 40);
        slow.pieces = 0;
        for (int i = 0; i < count; i++) {
            /* no line feeds, no digits: each text is one piece */
            uint32_t letters = 1 + base_random_below(&r, 4), length = base_random_below(&r, 59);
            for (uint32_t j = 0; j < length; j++)
                texts[i][j] = (char)('a' + base_random_below(&r, letters));
            texts[i][length] = '\0';
            strings[i] = texts[i];
            for (uint32_t j = 0; j < length; j++)
                slow.ids[slow.pieces][j] = T5_LEAST_TOKENS - 256 + texts[i][j];
            slow.count[slow.pieces++] = (int)length;
        }
        train_slowly(&slow, most);
        base_error error = {""};
        t5_tokenizer *t =
            t5_tokenizer_train(strings, (size_t)count, T5_LEAST_TOKENS + most, &error);
        CHECK(t && t->merge_count == slow.merge_count, "round %d: %d merges, want %d", round,
              t ? t->merge_count : -1, slow.merge_count);
        for (int i = 0; t && i < t->merge_count && i < slow.merge_count; i++) {
            const t5_merge *got = &t->merges[i], *want = &slow.merges[i];
            CHECK(got->left == want->left && got->right == want->right &&
                      got->result == want->result,
                  "round %d, merge %d: %d + %d, want %d + %d", round, i, got->left, got->right,
                  want->left, want->right);
        }
        t5_tokenizer_free(t);
    }
}

static void check_token(const t5_tokenizer *t, int id, const char *bytes)
{
    const t5_token *token = &t->tokens[id];
    CHECK(
        token->length == strlen(bytes) && memcmp(t5_token_bytes(t, id), bytes, token->length) == 0,
        "token %d is \"%.*s\", want \"%s\"", id, (int)token->length, t5_token_bytes(t, id), bytes);
}

static void training_by_hand(void)
{
    /* "ab" occurs 4 times, so it is first. Then "xy" (ids 123 + 124) and "ab" + "c" (259 + 102), 3
     * times each. Then "xy" + "xy" (260 + 260) and "abc" + "\n" (261 + 13), 2 times each, since
     * "xyxyxy" has two places for it. What is left occurs once. */
    static const char *const texts[] = {"abc\nabc\n", "abc", "ab", "xyxyxy", "1212"};
    base_error error = {""};
    t5_tokenizer *t = t5_tokenizer_train(texts, 5, 1000, &error);
    CHECK(t5_tokenizer_size(t) == T5_LEAST_TOKENS + 5, "size %d", t5_tokenizer_size(t));
    check_token(t, 0, "<pad>");
    check_token(t, 1, "</s>");
    check_token(t, 2, "<unk>");
    check_token(t, 3 + 'a', "a");
    check_token(t, 259, "ab");
    check_token(t, 260, "xy");
    check_token(t, 261, "abc");
    check_token(t, 262, "xyxy");
    check_token(t, 263, "abc\n");
    CHECK(t->tokens[0].special && t->tokens[1].special && t->tokens[2].special &&
              !t->tokens[3].special,
          "which tokens are special");
    t5_tokenizer_free(t);

    t = t5_tokenizer_train(texts, 5, T5_LEAST_TOKENS + 2, &error);
    CHECK(t5_tokenizer_size(t) == T5_LEAST_TOKENS + 2, "size %d", t5_tokenizer_size(t));
    t5_tokenizer_free(t);
    t = t5_tokenizer_train(NULL, 0, T5_LEAST_TOKENS, &error);
    CHECK(t5_tokenizer_size(t) == T5_LEAST_TOKENS, "size %d", t5_tokenizer_size(t));
    t5_tokenizer_free(t);
    CHECK(!t5_tokenizer_train(texts, 5, T5_LEAST_TOKENS - 1, &error) &&
              strstr(error.text, "vocab_size"),
          "%s", error.text);
    CHECK(!t5_tokenizer_train(texts, 5, T5_MOST_TOKENS + 1, &error) &&
              strstr(error.text, "vocab_size"),
          "%s", error.text);
}

/* The paper's sources come down to a line a token, whose numbers are written digit by digit. */
static void a_source_is_few_tokens(void)
{
    t5_tokenizer *t = train_on_sources(512);
    base_text text = {0};
    print_source(&text, 6, 6, 8, 2048);
    int ids[64], count = t5_tokenize(t, text.data, text.length, ids, 64);
    CHECK(count == 12 + 4 + 3 + 4 + 1,
          "12 lines, of which 4 have a rest after their number, 3 "
          "digits, 4 digits, and the end: %d tokens",
          count);
    base_text_free(&text);
    t5_tokenizer_free(t);
}

/* ---- Encoding and decoding ---- */

static void every_text_comes_back(void)
{
    t5_tokenizer *t = train_on_sources(512);
    base_random r = {4, 0, 0};
    static char text[1000];
    static int ids[1001];
    base_text back = {0};
    for (int round = 0; round < 1000; round++) {
        size_t length = round == 0 ? 0 : random_text(&r, text, sizeof text);
        if (round == 1)
            for (length = 0; length < 256; length++)
                text[length] = (char)length;
        int count = t5_tokenize(t, text, length, ids, 1001);
        CHECK(count >= 1 && count <= (int)length + 1 && ids[count - 1] == T5_EOS, "%d ids", count);
        base_text_clear(&back);
        t5_detokenize(t, ids, count, &back);
        CHECK(back.length == length && memcmp(back.data, text, length) == 0, "round %d", round);
    }
    static const char *const texts[] = {"</s>", "<pad><unk></s>x", "\xE6\x97\xA5\xE6\x9C\xAC",
                                        "\xF0\x9F\x94\xA5 5\n", "\xFF\xC0\x80\xED\xA0\x80"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int count = t5_tokenize(t, texts[i], strlen(texts[i]), ids, 1001);
        base_text_clear(&back);
        t5_detokenize(t, ids, count, &back);
        CHECK(strcmp(back.data, texts[i]) == 0, "got %s, want %s", back.data, texts[i]);
    }
    base_text_free(&back);
    t5_tokenizer_free(t);
}

static void what_does_not_fit_is_counted(void)
{
    t5_tokenizer *t = train_on_sources(300);
    const char *text = "config.d_ff = 1024;\n";
    int all[40], some[40], count = t5_tokenize(t, text, strlen(text), all, 40);
    CHECK(count == t5_tokenize(t, text, strlen(text), NULL, 0), "nothing fits: %d ids", count);
    for (int most = 0; most <= count + 1; most++) {
        for (int i = 0; i < 40; i++)
            some[i] = -7;
        CHECK(t5_tokenize(t, text, strlen(text), some, most) == count, "most %d", most);
        for (int i = 0; i < 40; i++)
            CHECK(some[i] == (i < most && i < count ? all[i] : -7), "most %d: id %d is %d", most, i,
                  some[i]);
    }
    CHECK(t5_tokenize(t, "", 0, all, 40) == 1 && all[0] == T5_EOS, "an empty text is its end");
    t5_tokenizer_free(t);
}

static void decoding_ends_at_the_end_and_skips_what_is_no_text(void)
{
    t5_tokenizer *t = train_on_sources(300);
    const int a = 3 + 'a', b = 3 + 'b';
    const int ids[] = {T5_PAD, a, T5_UNK, -1, INT_MIN, t5_tokenizer_size(t), INT_MAX, b, T5_EOS, a};
    base_text text = {0};
    t5_detokenize(t, ids, 10, &text);
    CHECK(strcmp(text.data, "ab") == 0, "got \"%s\"", text.data);
    t5_detokenize(t, ids + 7, 1, &text);
    CHECK(strcmp(text.data, "abb") == 0, "it is appended: got \"%s\"", text.data);
    base_text_free(&text);
    t5_detokenize(t, ids + 8, 2, &text);
    CHECK(text.data && text.length == 0, "nothing is an empty string");
    base_text_free(&text);
    t5_tokenizer_free(t);
}

/* ---- tokenizer.json ---- */

static void require_equal(const t5_tokenizer *a, const t5_tokenizer *b, const char *what)
{
    CHECK(a->size == b->size && a->merge_count == b->merge_count, "%s: %d and %d tokens", what,
          a->size, b->size);
    CHECK(a->bytes.length == b->bytes.length &&
              memcmp(a->bytes.data, b->bytes.data, a->bytes.length) == 0,
          "%s: bytes of the tokens", what);
    for (int i = 0; i < a->size && i < b->size; i++)
        CHECK(a->tokens[i].start == b->tokens[i].start &&
                  a->tokens[i].length == b->tokens[i].length &&
                  a->tokens[i].special == b->tokens[i].special,
              "%s: token %d", what, i);
    for (int i = 0; i < a->merge_count && i < b->merge_count; i++)
        CHECK(a->merges[i].left == b->merges[i].left && a->merges[i].right == b->merges[i].right &&
                  a->merges[i].result == b->merges[i].result,
              "%s: merge %d", what, i);
}

static void a_written_file_is_read_as_the_same(void)
{
    t5_tokenizer *t = train_on_sources(400);
    char folder[] = "/tmp/test_t5_tokenizer_XXXXXX", hash[BASE_HASH_TEXT], again[BASE_HASH_TEXT];
    CHECK(mkdtemp(folder), "a folder in /tmp");
    char *path = base_file_path(folder, "tokenizer.json");
    base_error error = {""};
    CHECK(t5_tokenizer_write(t, path, hash, &error), "%s", error.text);
    CHECK(base_file_hash(path, again, &error) && strcmp(hash, again) == 0, "%s, file %s", hash,
          again);
    t5_tokenizer *read = t5_tokenizer_read(path, &error);
    CHECK(read, "%s", error.text);
    if (read)
        require_equal(t, read, "read");
    t5_tokenizer_free(read);
    unlink(path);
    CHECK(!t5_tokenizer_read(path, &error) && strstr(error.text, path), "%s", error.text);
    free(path);
    path = base_file_path(folder, "none/tokenizer.json");
    CHECK(!t5_tokenizer_write(t, path, NULL, &error) && strstr(error.text, folder), "%s",
          error.text);
    free(path);
    rmdir(folder);
    t5_tokenizer_free(t);
}

/* The file that train_on_sources(400) makes was given to Hugging Face's tokenizers 0.23.2 (Rust),
 * and these are its ids. The hash says that it is still that file. */
static void ids_are_those_of_hugging_face(void)
{
    static const char *const file_hash =
        "385145256a7ccaa349a715b86154e9f61f2a508b269d26f36c44716557162655";
    static const struct {
        const char *text;
        int count, ids[32];
    } cases[] = {
        {"    config.num_decoder_layers = 12;\n", 5, {368, 52, 53, 265, 1}},
        {"t5 *model(void)\n{\n    return t5_new(config);\n}\n", 5, {366, 331, 364, 332, 1}},
        {"config.d_ff = d_ff + 2048 * x15; /* t5_1 */",
         25,
         {337, 311, 269, 276, 311, 35,  46, 35,  53, 51,  55, 59, 294,
          35,  123, 52,  56,  62,  295, 45, 298, 52, 294, 50, 1}},
        {"\tcaf\xC3\xA9 \xE6\x97\xA5\xE6\x9C\xAC 5\xF0\x9F\x98\x80\r\n\n7\n",
         25,
         {12, 102, 100, 105, 198, 172, 35, 233, 154, 168, 233, 159, 175,
          35, 56,  243, 162, 155, 131, 16, 13,  13,  58,  13,  1}},
        {"num_num_numlayerslayers", 11, {275, 275, 273, 112, 287, 283, 118, 287, 283, 118, 1}},
        {"", 1, {1}},
        {"return  config.config_small(9)\n",
         13,
         {324, 120, 117, 113, 259, 267, 264, 98, 327, 286, 60, 302, 1}},
    };
    t5_tokenizer *t = train_on_sources(400);
    base_text json = {0};
    char hash[BASE_HASH_TEXT];
    t5_tokenizer_print(t, &json);
    base_hash_text(json.data, json.length, hash);
    CHECK(strcmp(hash, file_hash) == 0, "the file is another: %s", hash);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int ids[32], count = t5_tokenize(t, cases[i].text, strlen(cases[i].text), ids, 32);
        CHECK(count == cases[i].count &&
                  memcmp(ids, cases[i].ids, (size_t)count * sizeof *ids) == 0,
              "case %zu: %d ids, the first %d", i, count, ids[0]);
    }
    base_text_free(&json);
    t5_tokenizer_free(t);
}

/* A copy of the text with its first `old` replaced. */
static char *replaced(const char *text, const char *old, const char *new)
{
    const char *at = strstr(text, old);
    CHECK(at, "\"%s\" is in the file", old);
    if (!at)
        exit(test_end());
    base_text result = {0};
    base_text_add(&result, text, (size_t)(at - text));
    base_text_print(&result, "%s%s", new, at + strlen(old));
    return result.data;
}

/* "ab" 4 times, then "abc" 3 times: two merges, written in the file as "a b" and "ab c". */
static t5_tokenizer *two_merges(base_text *json)
{
    static const char *const texts[] = {"ab", "abc", "abc", "abc"};
    t5_tokenizer *t = t5_tokenizer_train(texts, 4, 1000, NULL);
    t5_tokenizer_print(t, json);
    CHECK(t5_tokenizer_size(t) == T5_LEAST_TOKENS + 2, "size %d", t5_tokenizer_size(t));
    return t;
}

static void other_ways_to_write_the_same_are_read(void)
{
    static const char *const edits[][2] = {
        {"\"a b\"", "[\"a\", \"b\"]"},
        {"\"ab c\"", "[ \"ab\" ,\"c\" ]"},
        {"\"dropout\": null", "\"dropout\": 0.0"},
        {"\"continuing_subword_prefix\": null", "\"continuing_subword_prefix\": \"\""},
        {"\"end_of_word_suffix\": null, ", ""},
        {"\"fuse_unk\": false", "\"ignore_merges\": false"},
        {"\"unk_token\": null", "\"unk_token\": \"<unk>\""},
        {"\"normalizer\": null,", ""},
        {"      \"<pad>\": 0,", ""}, /* still among the added tokens */
        {"\"a\": 100", "\"\\u0061\": 100"},
        {"\"padding\": null", "\"padding\": {\"strategy\": \"BatchLongest\"}"},
    };
    base_text json = {0};
    t5_tokenizer *t = two_merges(&json);
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        char *text = replaced(json.data, edits[i][0], edits[i][1]);
        base_error error = {""};
        t5_tokenizer *read = t5_tokenizer_parse(text, strlen(text), "file", &error);
        CHECK(read, "%s: %s", edits[i][1], error.text);
        if (read)
            require_equal(t, read, edits[i][1]);
        t5_tokenizer_free(read);
        free(text);
    }
    base_text_free(&json);
    t5_tokenizer_free(t);
}

/* T5's sentinels, outside of model.vocab, and other names for the special tokens. */
static void other_special_tokens_are_kept(void)
{
    base_text json = {0}, back = {0};
    t5_tokenizer *t = two_merges(&json);
    char *more = replaced(json.data, "\"added_tokens\": [",
                          "\"added_tokens\": [{\"id\": 261, \"content\": \"<extra \\u00e9>\", "
                          "\"special\": true},"),
         *first = replaced(more, "\"<unk>\"", "\"[UNK]\""),
         *second = replaced(first, "\"<unk>\"", "\"[UNK]\"");
    base_error error = {""};
    t5_tokenizer *read = t5_tokenizer_parse(second, strlen(second), "file", &error);
    CHECK(read && read->size == t->size + 1, "%s", error.text);
    if (read) {
        check_token(read, 2, "[UNK]");
        check_token(read, 261, "<extra \xC3\xA9>");
        base_text_clear(&json);
        t5_tokenizer_print(read, &json);
        t5_tokenizer *again = t5_tokenizer_parse(json.data, json.length, "file", &error);
        CHECK(again, "%s", error.text);
        if (again)
            require_equal(read, again, "written again");
        const int ids[] = {261, 260, 2};
        t5_detokenize(read, ids, 3, &back);
        CHECK(strcmp(back.data, "abc") == 0, "got \"%s\"", back.data);
        t5_tokenizer_free(again);
    }
    t5_tokenizer_free(read);
    t5_tokenizer_free(t);
    base_text_free(&json);
    base_text_free(&back);
    free(more);
    free(first);
    free(second);
}

static void what_would_mean_something_else_is_an_error(void)
{
    static const struct {
        const char *old, *new, *message;
    } cases[] = {
        {"{\n", "{{", "file:1:2"},
        {"\"1.0\"", "\"2.0\"", "version"},
        {"\"BPE\"", "\"Unigram\"", "Unigram"},
        {"\"normalizer\": null", "\"normalizer\": {\"type\": \"NFC\"}", "NFC"},
        {"\"decoder\": {\"type\": \"ByteLevel\"", "\"decoder\": {\"type\": \"Fuse\"", "Fuse"},
        {"\"Sequence\", \"pretok", "\"ByteLevel\", \"use_regex\": false, \"pretok",
         "pre_tokenizer ByteLevel"},
        {"{\"type\": \"Split\"", "{\"type\": \"Punctuation\"", "pre_tokenizer"},
        {"[0-9\\\\n]\"", "\\\\p{N}\"", "pre_tokenizer"},
        {"\"Isolated\"", "\"Removed\"", "pre_tokenizer"},
        {"\"invert\": false", "\"invert\": true", "pre_tokenizer"},
        {"\"add_prefix_space\": false", "\"add_prefix_space\": true", "add_prefix_space"},
        {"\"use_regex\": false", "\"use_regex\": true", "use_regex"},
        {"\"TemplateProcessing\"", "\"RobertaProcessing\"", "post_processor RobertaProcessing"},
        {"\"single\": [", "\"single\": [{\"SpecialToken\": {\"id\": \"<s>\"}},", "post_processor"},
        {"\"ids\": [1]", "\"ids\": [2]", "post_processor"},
        {"\"ids\": [1]", "\"ids\": [1, 1]", "post_processor"},
        {"\"ids\": [1]", "\"ids\": []", "post_processor"},
        {"{\"Sequence\": {\"id\": \"A\"", "{\"Sequence\": {\"id\": \"B\"", "post_processor"},
        {"\"dropout\": null", "\"dropout\": 0.1", "dropout"},
        {"\"end_of_word_suffix\": null", "\"end_of_word_suffix\": \"</w>\"", "end_of_word_suffix"},
        {"\"fuse_unk\"", "\"ignore_merges\": true, \"fuse_unk\"", "ignore_merges"},
        {"\"added_tokens\": [", "\"added_tokens\": 5, \"other\": [", "added_tokens"},
        {"\"added_tokens\": [", "\"added_tokens\": [{},", "added_tokens"},
        {"\"added_tokens\": [", "\"added_tokens\": [null,", "added_tokens"},
        {"\"special\": true", "\"special\": false", "\"<pad>\" is not special"},
        {"\"id\": 0, \"content\"", "\"id\": 7, \"content\"", "\"<pad>\" has two ids"},
        {"\"content\": \"<pad>\"", "\"content\": \"<pad\\u0000\"", "added_tokens"},
        {"\"vocab\": {", "\"vocab\": 1, \"other\": {", "model.vocab"},
        {"\"a\": 100", "\"a\": 100.5", "model.vocab"},
        {"\"a\": 100", "\"a\": -1", "model.vocab"},
        {"\"a\": 100", "\"a\": 99999999999", "model.vocab"},
        {"\"a\": 100", "\"a\": 261", "below 261"},
        {"\"a\": 100", "\"a\": 101", "the same id"},
        {"\"z\": 125", "\"zz\": 125", "byte, there is none for 0x7a"},
        {"\"a\": 100", "\" \": 100", "alphabet"},
        {"\"a\": 100", "\"\": 100", "alphabet"},
        {"\"a\": 100", "\"\\u0144\": 100", "alphabet"},
        {"\"a\": 100", "\"\\u65e5\": 100", "alphabet"},
        {"\"a\": 100,", "", "below 260"},
        {"\"<pad>\": 0", "\"zz\": 0", "the same id"},
        {"\"merges\": [", "\"merges\": 1, \"other\": [", "model.merges"},
        {"\"a b\"", "\"ab\"", "model.merges"},
        {"\"a b\"", "\"\"", "model.merges"},
        {"\"a b\"", "17", "model.merges"},
        {"\"a b\"", "[\"a\"]", "model.merges"},
        {"\"a b\"", "[\"a\", 1]", "model.merges"},
        {"\"a b\"", "[\"a\\u0000\", \"b\"]", "model.merges"},
        {"\"a b\"", "\"a \"", "model.merges"},
        {"\"a b\"", "\"a b c\"", "model.merges"},
        {"\"a b\"", "\"a <pad>\"", "model.merges"},
        {"\"a b\"", "\"b a\"", "model.merges"},
        {"\"ab c\"", "\"a b\"", "each merge once"},
    };
    base_text json = {0};
    t5_tokenizer_free(two_merges(&json));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = replaced(json.data, cases[i].old, cases[i].new);
        base_error error = {""};
        t5_tokenizer *read = t5_tokenizer_parse(text, strlen(text), "file", &error);
        CHECK(!read && strstr(error.text, cases[i].message) && strncmp(error.text, "file:", 5) == 0,
              "%s: got \"%s\", want \"%s\"", cases[i].new, error.text, cases[i].message);
        CHECK(!t5_tokenizer_parse(text, strlen(text), "file", NULL), "%s", cases[i].new);
        t5_tokenizer_free(read);
        free(text);
    }
    base_text_free(&json);
}

/* What is read from a damaged file is refused, or is a tokenizer that works. */
static void require_sound(const char *text, size_t length, const char *what, size_t where)
{
    base_error error = {""};
    t5_tokenizer *t = t5_tokenizer_parse(text, length, "file", &error);
    if (!t) {
        CHECK(strncmp(error.text, "file:", 5) == 0, "%s %zu: %s", what, where, error.text);
        return;
    }
    static const char sample[] = "abc ab\0c 10 \xFF</s>abcabc";
    int ids[sizeof sample + 1],
        count = t5_tokenize(t, sample, sizeof sample, ids, sizeof sample + 1);
    base_text back = {0};
    t5_detokenize(t, ids, count, &back);
    CHECK(back.length == sizeof sample && memcmp(back.data, sample, sizeof sample) == 0,
          "%s %zu: read, but a text does not come back", what, where);
    base_text_free(&back);
    t5_tokenizer_free(t);
}

static void damaged_files_do_no_harm(void)
{
    base_text json = {0};
    t5_tokenizer_free(two_merges(&json));
    for (size_t length = 0; length + 1 < json.length; length++) {
        base_error error = {""};
        char *cut = malloc(length + 1); /* so that a look beyond the end is seen by a sanitizer */
        memcpy(cut, json.data, length);
        t5_tokenizer *t = t5_tokenizer_parse(cut, length, "file", &error);
        CHECK(!t && strncmp(error.text, "file:", 5) == 0, "cut at %zu: %s", length, error.text);
        t5_tokenizer_free(t);
        free(cut);
    }
    for (size_t bit = 0; bit < 8 * json.length; bit++) {
        char *byte = &json.data[bit / 8], kept = *byte;
        *byte = (char)(*byte ^ 1 << bit % 8);
        require_sound(json.data, json.length, "bit", bit);
        *byte = kept;
    }
    base_random r = {5, 0, 0};
    for (size_t round = 0; round < 2000; round++) {
        size_t a = base_random_below(&r, (uint32_t)json.length),
               b = base_random_below(&r, (uint32_t)json.length), n = base_random_below(&r, 64);
        char *copy = malloc(json.length);
        memcpy(copy, json.data, json.length);
        if (a + n <= json.length && b + n <= json.length)
            memcpy(copy + a, json.data + b, n); /* one range of the file over another */
        require_sound(copy, json.length, "copy", round);
        free(copy);
    }
    base_text_free(&json);
}

int main(void)
{
    pieces_are_lines_and_digits();
    ids_are_those_of_the_slow_form();
    long_lines_are_no_trouble();
    training_learns_what_the_slow_form_does();
    training_by_hand();
    a_source_is_few_tokens();
    every_text_comes_back();
    what_does_not_fit_is_counted();
    decoding_ends_at_the_end_and_skips_what_is_no_text();
    a_written_file_is_read_as_the_same();
    ids_are_those_of_hugging_face();
    other_ways_to_write_the_same_are_read();
    other_special_tokens_are_kept();
    what_would_mean_something_else_is_an_error();
    damaged_files_do_no_harm();
    return test_end();
}
