/* SPDX-License-Identifier: MIT */
/* test_corpus.c -- span corruption puts each token where it belongs, and spans anywhere alike; sequences are those of the
 * texts; what is no text of C is named. */
#include "evolve/source/corpus.h"
#include "evolve/source/pairs.h"
#include "t5/t5.h"
#include "tests/evolve/test_evolve.h"
#include <limits.h>

/* ---- spans ---- */

enum { MOST = 600, SENTINEL = 5000 };

/* Fills the gaps of a source from its label; the number of tokens, -1: the two do not fit together. */
static int fill(const int *source, int sources, const int *label, int labels, int *ids)
{
    int count = 0, next = 0, span = 0;
    for (int i = 0; i < sources - 1; i++) {
        if (source[i] < SENTINEL) {
            ids[count++] = source[i];
            continue;
        }
        if (source[i] != SENTINEL + span || label[next++] != SENTINEL + span++ ||
            label[next] >= SENTINEL)
            return -1;
        while (next < labels && label[next] < SENTINEL)
            ids[count++] = label[next++];
    }
    bool ended = source[sources - 1] == T5_EOS && label[labels - 1] == T5_EOS;
    return ended && next == labels - 2 && label[next] == SENTINEL + span ? count : -1;
}

static void gaps_can_be_filled(void)
{
    int ids[MOST], source[MOST + 3], label[MOST + 3], again[MOST];
    for (int i = 0; i < MOST; i++)
        ids[i] = 3 + i;
    for (int count = 1; count < MOST; count++)
        for (uint64_t seed = 0; seed < 5; seed++) {
            base_random random = {seed, (uint64_t)count, 0};
            source_corrupted n = source_corrupt(&random, ids, count, SENTINEL, source, label);
            int noise = (15 * count + 50) / 100, spans = n.labels - 2;
            noise += noise == 0;
            spans -= noise;
            CHECK(fill(source, n.sources, label, n.labels, again) == count &&
                      memcmp(ids, again, (size_t)count * sizeof *ids) == 0,
                  "%d tokens: the gaps are others", count);
            CHECK(n.sources == count - noise + spans + 1, "%d tokens: %d in the source", count,
                  n.sources);
            bool apart = true;
            for (int i = 1; i < n.sources; i++)
                apart = apart && (source[i] < SENTINEL || source[i - 1] < SENTINEL);
            CHECK(apart, "%d tokens: two spans are one", count);
            CHECK(noise < 2 || (6 * spans >= 2 * noise - 3 && 6 * spans <= 2 * noise + 3),
                  "%d tokens in %d spans", noise, spans);
        }
}

/* Of 20 tokens, three are taken out as one span: each of its 18 places has its share of 18,000 draws, 1000 with a
 * deviation of 31. */
static void every_place_is_as_likely(void)
{
    int ids[20] = {0}, source[23], label[23], starts[18] = {0};
    for (uint64_t i = 0; i < 18000; i++) {
        base_random random = {7, i, 0};
        int at = 0;
        source_corrupt(&random, ids, 20, SENTINEL, source, label);
        while (source[at] != SENTINEL)
            at++;
        starts[at]++;
    }
    for (int i = 0; i < 18; i++)
        CHECK(starts[i] > 850 && starts[i] < 1150, "place %d: %d of 18000", i, starts[i]);
}

/* Five tokens in two spans among 33: ways to divide 5 into two are equally likely (4: 1+4, 2+3, 3+2, 4+1). */
static void every_division_is_as_likely(void)
{
    int ids[33] = {0}, source[36], label[36], first[5] = {0};
    for (uint64_t i = 0; i < 4000; i++) {
        base_random random = {8, i, 0};
        source_corrupted n = source_corrupt(&random, ids, 33, SENTINEL, source, label);
        int length = 0;
        CHECK(n.labels == 5 + 3 + 1, "%d labels", n.labels);
        while (label[1 + length] < SENTINEL)
            length++;
        first[length]++;
    }
    for (int i = 1; i < 5; i++)
        CHECK(first[i] > 850 && first[i] < 1150, "a first span of %d: %d of 4000", i, first[i]);
}

/* ---- texts ---- */

static void put(const char *name, const char *text, size_t size)
{
    CHECK(spill(at(name), text, size), "%s cannot be written", name);
}

static void put_text(const char *name, const char *text) { put(name, text, strlen(text)); }

static source_corpus *corpus_of(const char *name)
{
    base_error error = {""};
    source_corpus *corpus = source_corpus_read(at(name), &error);
    CHECK(corpus, "%s", error.text);
    return corpus;
}

static void a_folder_is_read_in_the_order_of_names(void)
{
    mkdir(at("f"), 0777);
    mkdir(at("f/a"), 0777);
    mkdir(at("f/.git"), 0777);
    put_text("f/b.c", "int b;\n\n  \n");
    put_text("f/a/z.h", "int z;\n");
    put_text("f/B.c", "int B;");
    put_text("f/empty.c", "");
    put_text("f/notes.txt", "no C\n");
    put_text("f/.git/x.c", "int x;\n");
    CHECK(symlink("b.c", at("f/link.c")) == 0 && symlink(".", at("f/loop")) == 0, "no links");
    source_corpus *c = corpus_of("f");
    static const char want[] = "int B;\0int z;\n\0int b;\n\n  \n\0";
    CHECK(c && c->files == 4 && c->line_count == 3 && c->text.length == sizeof want &&
              memcmp(c->text.data, want, sizeof want - 1) == 0,
          "%d files, %d lines", c ? c->files : 0, c ? (int)c->line_count : 0);

    /* The digest is of the texts: another name that leaves them in order is nothing, another division is. */
    rename(at("f/b.c"), at("f/c.c"));
    source_corpus *renamed = corpus_of("f");
    put_text("f/B.c", "int B;int z;\n");
    put_text("f/a/z.h", "");
    source_corpus *divided = corpus_of("f");
    CHECK(strcmp(c->hash, renamed->hash) == 0 && strcmp(c->hash, divided->hash) != 0,
          "digests: %.8s %.8s %.8s", c->hash, renamed->hash, divided->hash);
    source_corpus_free(divided);
    source_corpus_free(renamed);
    source_corpus_free(c);
}

static void what_is_no_text_is_named(void)
{
    base_error error;
    char deep[400];
    put("nul.c", "int a;\nint\0b;\n", 14);
    put_text("latin.c", "int a;\n/* \xe9t\xe9 */\n");
    put("gzip.c", "\x1f\x8b\x08\x00\x00", 5);
    put_text("blank.c", "\n \t\r\n");
    put_text("empty.c", "");
    mkdir(at("texts"), 0777);
    put_text("texts/a.txt", "int a;\n");
    mkdir(at("bad"), 0777);
    put_text("bad/a.c", "int a;\n");
    put_text("bad/b.h", "\xff\n");
    snprintf(deep, sizeof deep, "deep");
    for (int i = 0; i < 40; i++) {
        mkdir(at(deep), 0777);
        strcat(deep, "/d");
    }
    const struct {
        const char *name, *error;
    } cases[] = {
        {"nothing.c", "nothing.c: cannot open"},
        {"nul.c", "nul.c:2: a NUL byte, expected UTF-8 text"},
        {"latin.c", "latin.c:2: is not UTF-8, expected UTF-8 text"},
        {"gzip.c", "gzip.c: is gzip-compressed, expected text"},
        {"blank.c", "blank.c: expected a line of text"},
        {"empty.c", "empty.c: expected a line of text"},
        {"texts", "texts: expected a line of text in a file whose name ends in .c or .h"},
        {"bad", "bad/b.h:1: is not UTF-8"},
        {"deep", "expected at most 32 folders in one another"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        strcpy(error.text, "");
        CHECK(!source_corpus_read(at(cases[i].name), &error) && strstr(error.text, cases[i].error),
              "%s: want %s", error.text, cases[i].error);
    }
    CHECK(!source_corpus_read("/dev/zero", &error) && strstr(error.text, "is larger than"), "%s",
          error.text);
    if (geteuid() != 0) { /* who may read everything */
        mkdir(at("locked"), 0);
        CHECK(!source_corpus_read(at("locked"), &error) && strstr(error.text, "cannot read"), "%s",
              error.text);
    }
    /* Two files that are too large together; holes in a file are NULs, so these are spaces. */
    size_t size = ((size_t)1 << 25) + 1;
    char *spaces = malloc(size);
    memset(spaces, ' ', size);
    mkdir(at("large"), 0777);
    put("large/a.c", spaces, size);
    put("large/b.c", spaces, size);
    CHECK(!source_corpus_read(at("large"), &error) &&
              strstr(error.text, "large/b.c: the corpus is larger than 64 MiB with this file"),
          "%s", error.text);
    remove_all(at("large"));
    free(spaces);
}

static void options_and_settings_need_each_other(void)
{
    base_error error = {""};
    source_corpus *corpus;
    evolve_settings settings = tiny_settings();
    CHECK(source_corpus_of_run(&settings, &(evolve_options){0}, &corpus, &error) && !corpus,
          "a corpus that nobody named");
    settings.corpus_samples = 3;
    CHECK(!source_corpus_of_run(&settings, &(evolve_options){0}, &corpus, &error) &&
              strstr(error.text, "--corpus-samples 3: --corpus FILE|FOLDER was expected"),
          "%s", error.text);
    put_text("a.c", "int a;\n");
    const evolve_options named = {.corpus = at("a.c")};
    CHECK(source_corpus_of_run(&settings, &named, &corpus, &error) && settings.corpus_samples == 3,
          "%d sequences", (int)settings.corpus_samples);
    source_corpus_free(corpus);
    settings.corpus_samples = 0;
    settings.samples = 65;
    CHECK(source_corpus_of_run(&settings, &named, &corpus, &error) && settings.corpus_samples == 17,
          "%d sequences", (int)settings.corpus_samples);
    base_text text = {0};
    source_corpus_describe(corpus, &settings, &text);
    CHECK(strncmp(text.data, "corpus: 1 file, 7 bytes, SHA-256 ", 33) == 0 &&
              strstr(text.data, "...; 17 sequences of it\n"),
          "%s", text.data);
    base_text_free(&text);
    source_corpus_free(corpus);
}

/* ---- sequences ---- */

/* A tokenizer with sentinels is the one without, and more: texts have the same tokens, files are read back. */
static void sentinels_stand_behind(void)
{
    base_error error = {""};
    evolve_settings settings = tiny_settings();
    source_corpus corpus = {.files = 1};
    t5_tokenizer *plain = source_tokenizer(&settings, &error);
    t5_tokenizer *none = source_stage_tokenizer(NULL, NULL, &settings, &error);
    t5_tokenizer *with = source_stage_tokenizer(NULL, &corpus, &settings, &error);
    CHECK(plain && none && with, "%s", error.text);
    int size = t5_tokenizer_size(plain), count = source_corpus_sentinels(&settings);
    CHECK(t5_tokenizer_size(none) == size && t5_tokenizer_size(with) == size + count &&
              count == 2, /* 24 tokens: 4 of them in one span */
          "%d and %d sentinels", t5_tokenizer_size(with) - size, count);
    CHECK(t5_tokenizer_write(with, at("tokenizer.json"), NULL, &error), "%s", error.text);
    t5_tokenizer *again = t5_tokenizer_read(at("tokenizer.json"), &error);
    CHECK(again && t5_tokenizer_size(again) == size + count, "%s", error.text);
    static const char text[] = "    config.num_layers = 2;\n/* <extra_id_0> */\n";
    int a[100], b[100], c[100], n = t5_tokenize(plain, text, sizeof text - 1, a, 100);
    CHECK(t5_tokenize(with, text, sizeof text - 1, b, 100) == n &&
              t5_tokenize(again, text, sizeof text - 1, c, 100) == n &&
              memcmp(a, b, (size_t)n * sizeof *a) == 0 && memcmp(a, c, (size_t)n * sizeof *a) == 0,
          "%d tokens", n);
    base_text nothing = {0};
    const int ids[] = {size, size + 1, T5_EOS};
    t5_detokenize(with, ids, 3, &nothing);
    CHECK(nothing.length == 0, "a sentinel is \"%s\"", nothing.data);
    base_text_free(&nothing);
    t5_tokenizer_free(again);
    t5_tokenizer_free(with);
    t5_tokenizer_free(none);
    t5_tokenizer_free(plain);
}

/* Each sequence is what a tokenizer makes of a text from a line on that is not blank, up to the file's end; every such
 * line begins some; the same index has the same one. */
static void sequences_are_those_of_the_texts(void)
{
    base_error error = {""};
    evolve_settings settings = tiny_settings();
    t5_tokenizer *tokenizer = source_tokenizer(&settings, &error);
    remove_all(at("s"));
    mkdir(at("s"), 0777);
    put_text("s/a.c", "int x1 = 1024;\n\n    return x1 + 7;\n}");
    put_text("s/b.c", "t5 *model(void)\n{\n\n    config.d_ff = 12;\n}\n");
    source_corpus *c = corpus_of("s");
    int begun[10] = {0};
    for (int most = 1; most < 40; most += 9)
        for (uint64_t i = 0; i < 100; i++) {
            base_random one = {1, i, 0}, two = {1, i, 0}, line = {1, i, 0};
            int ids[40], again[40], want[100];
            int count = source_corpus_draw(c, tokenizer, &one, most, ids);
            uint32_t from = base_random_below(&line, (uint32_t)c->line_count);
            const char *text = c->text.data + c->lines[from];
            int all = t5_tokenize(tokenizer, text, strlen(text), want, 100) - 1;
            begun[from]++;
            CHECK(count == (all < most ? all : most) &&
                      memcmp(ids, want, (size_t)count * sizeof *ids) == 0,
                  "sequence %d of line %d: %d tokens", (int)i, (int)from, count);
            CHECK(source_corpus_draw(c, tokenizer, &two, most, again) == count &&
                      memcmp(ids, again, (size_t)count * sizeof *ids) == 0,
                  "sequence %d is another", (int)i);
        }
    CHECK(c->line_count == 7, "%d lines", (int)c->line_count);
    for (int i = 0; i < 7; i++)
        CHECK(begun[i] > 30, "line %d began %d sequences", i, begun[i]);
    source_corpus_free(c);
    t5_tokenizer_free(tokenizer);
}

/* A line of 100 kB is as good as another. */
static void a_long_line_is_cut(void)
{
    base_error error = {""};
    evolve_settings settings = tiny_settings();
    t5_tokenizer *tokenizer = source_tokenizer(&settings, &error);
    char *line = malloc(100000);
    memset(line, '~', 100000);
    put("long.c", line, 100000);
    free(line);
    source_corpus *c = corpus_of("long.c");
    base_random random = {1, 1, 0};
    int ids[T5_MOST_SOURCE];
    CHECK(source_corpus_draw(c, tokenizer, &random, 4096, ids) == 4096, "another length");
    source_corpus_free(c);
    t5_tokenizer_free(tokenizer);
}

int main(void)
{
    if (!scratch_make())
        return 1;
    gaps_can_be_filled();
    every_place_is_as_likely();
    every_division_is_as_likely();
    a_folder_is_read_in_the_order_of_names();
    what_is_no_text_is_named();
    options_and_settings_need_each_other();
    sentinels_stand_behind();
    sequences_are_those_of_the_texts();
    a_long_line_is_cut();
    remove_all(scratch);
    return test_end();
}
