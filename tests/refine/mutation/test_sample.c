/* SPDX-License-Identifier: MIT */
/* test_sample.c -- designs as text, the edit rule, and the distribution of the pairs. */
#include "refine/mutation/sample.h"
#include "tests/test.h"

#include <limits.h>
#include <math.h>

static const char table_1[] = "#include \"phoenix.h\"\n"
                              "\n"
                              "t5 *model(void)\n"
                              "{\n"
                              "    t5_config config = t5_small();\n"
                              "    config.num_layers = 2;\n"
                              "    config.num_decoder_layers = 2;\n"
                              "    config.num_heads = 8;\n"
                              "    config.d_kv = config.d_model / config.num_heads;\n"
                              "    config.d_ff = 1024;\n"
                              "    return t5_new(config);\n"
                              "}\n";

static bool same(const mutation_design *a, const mutation_design *b)
{
    return memcmp(a->value, b->value, sizeof a->value) == 0;
}

/* The papers' rules and their three variants. */
static mutation_rules variant(int i)
{
    mutation_rules rules = mutation_paper_rules();
    rules.half_for_d_ff = i & 1;
    rules.clamp = i & 2;
    return rules;
}

/* Numbers for the tests themselves, from a stream that no pair reads. */
static int number(base_random *random, int low, int high)
{
    return low + (int)base_random_below(random, (uint32_t)(high - low) + 1);
}

/* ---- text ---- */

/* Reads from a block of exactly that size, so that a sanitizer sees a step beyond its end. */
static bool read_exactly(const char *text, size_t length, mutation_design *design)
{
    char *copy = malloc(length ? length : 1);
    memcpy(copy, text, length);
    bool read = mutation_read(copy, length, design, NULL);
    free(copy);
    return read;
}

/* True where the text is not read, or is what the design read from it prints. */
static bool read_or_refused(const char *text, size_t length, base_text *scratch)
{
    mutation_design design;
    if (!read_exactly(text, length, &design))
        return true;
    base_text_clear(scratch);
    mutation_print(&design, scratch);
    return scratch->length == length && memcmp(scratch->data, text, length) == 0;
}

static void prints_table_1_to_the_byte(void)
{
    mutation_design design = {{2, 2, 8, 1024}}, read;
    base_text text = {0};
    base_text_print(&text, "before ");
    mutation_print(&design, &text);
    CHECK(text.length == 7 + strlen(table_1) && strcmp(text.data + 7, table_1) == 0, "%s",
          text.data);
    CHECK(read_exactly(table_1, strlen(table_1), &read) && same(&read, &design), "not read");
    base_text_free(&text);
}

static void reads_what_it_prints(void)
{
    static const int values[] = {0, 1, 9, 10, 11, 99, 100, 4096, 65536, INT_MAX - 1, INT_MAX};
    enum { VALUES = sizeof values / sizeof *values };
    base_random random = {1, base_random_stream("test reads", 0, 0, 0), 0};
    base_text text = {0};
    int wrong = 0;
    for (int i = 0; i < 2000; i++) {
        mutation_design design, read;
        for (int j = 0; j < MUTATION_EDITS; j++)
            design.value[j] =
                i % 2 ? values[number(&random, 0, VALUES - 1)] : number(&random, 0, INT_MAX - 1);
        base_text_clear(&text);
        mutation_print(&design, &text);
        wrong += !read_exactly(text.data, text.length, &read) || !same(&read, &design);
    }
    CHECK(wrong == 0, "%d of 2000 designs were not read back", wrong);
    base_text_free(&text);
}

static void refuses_one_byte_changes(void)
{
    base_text scratch = {0};
    size_t length = strlen(table_1);
    char text[sizeof table_1 + 1];
    int changed = 0, inserted = 0, dropped = 0, cut = 0;
    for (size_t i = 0; i <= length; i++)
        for (int byte = 0; byte < 256; byte++) {
            if (i < length) {
                memcpy(text, table_1, length);
                text[i] = (char)byte;
                changed += !read_or_refused(text, length, &scratch);
            }
            memcpy(text, table_1, i);
            text[i] = (char)byte;
            memcpy(text + i + 1, table_1 + i, length - i);
            inserted += !read_or_refused(text, length + 1, &scratch);
        }
    for (size_t i = 0; i < length; i++) {
        mutation_design design;
        cut += read_exactly(table_1, i, &design);
        memcpy(text, table_1, i);
        memcpy(text + i, table_1 + i + 1, length - i - 1);
        dropped += !read_or_refused(text, length - 1, &scratch);
    }
    CHECK(changed == 0, "%d changed bytes were read as a design", changed);
    CHECK(inserted == 0, "%d inserted bytes were read as a design", inserted);
    CHECK(dropped == 0, "%d sources without a byte were read as a design", dropped);
    CHECK(cut == 0, "%d prefixes were read as a design", cut);
    base_text_free(&scratch);
}

/* Spellings of a number that %d never writes. What was in the design stays. */
static void refuses_other_numbers(void)
{
    static const char *const bad[] = {
        "",   "08",     "00",  "+8",         "-8",          "-0",
        " 8", "8 ",     "0x8", "2147483648", "99999999999", "99999999999999999999999999999999",
        "8.", "8\n + 1"};
    static const char place[] = "num_heads = ";
    const char *at = strstr(table_1, place) + strlen(place);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        mutation_design design = {{7, 7, 7, 7}};
        base_text text = {0};
        base_text_print(&text, "%.*s%s%s", (int)(at - table_1), table_1, bad[i], at + 1);
        CHECK(!read_exactly(text.data, text.length, &design), "read '%s'", bad[i]);
        CHECK(design.value[2] == 7, "'%s' left %d", bad[i], design.value[2]);
        base_text_free(&text);
    }
}

/* ---- rules ---- */

static void draws_are_those_of_the_papers(void)
{
    int draws[MUTATION_MAX_DRAWS];
    mutation_rules rules = mutation_paper_rules();
    int count = mutation_draws(&rules, MUTATION_EDIT_NUM_LAYERS, 1, draws);
    CHECK(count == 1 && draws[0] == 2, "1 layer: %d draws", count);
    count = mutation_draws(&rules, MUTATION_EDIT_NUM_HEADS, 16, draws);
    CHECK(count == 1 && draws[0] == 15, "16 heads: %d draws", count);
    count = mutation_draws(&rules, MUTATION_EDIT_NUM_HEADS, 8, draws);
    CHECK(count == 2 && draws[0] == 9 && draws[1] == 7, "8 heads: %d draws", count);
    count = mutation_draws(&rules, MUTATION_EDIT_NUM_HEADS, 20, draws);
    CHECK(count == 0, "20 heads: %d draws", count);
    count = mutation_draws(&rules, MUTATION_EDIT_D_FF, 1024, draws);
    CHECK(count == 100 && draws[29] == 1331 && draws[49] == 1536 && draws[99] == 512,
          "d_ff 1024: %d draws, the 30th %d (Table 1 has 1331)", count, draws[29]);

    rules.clamp = false;
    count = mutation_draws(&rules, MUTATION_EDIT_NUM_LAYERS, 1, draws);
    CHECK(count == 1 && draws[0] == 2, "1 layer, no clamp: %d draws", count);
    count = mutation_draws(&rules, MUTATION_EDIT_NUM_HEADS, 16, draws);
    CHECK(count == 2 && draws[0] == 17, "16 heads, no clamp: %d draws", count);
    count = mutation_draws(&rules, MUTATION_EDIT_NUM_HEADS, INT_MAX, draws);
    CHECK(count == 1 && draws[0] == INT_MAX - 1, "INT_MAX heads: %d draws", count);
    count = mutation_draws(&rules, MUTATION_EDIT_D_FF, INT_MAX, draws);
    CHECK(count == 50, "d_ff INT_MAX: %d draws", count);
    count = mutation_draws(&rules, MUTATION_EDIT_D_FF, 64, draws);
    CHECK(count == 100 && draws[0] == 64, "64 * 101 / 100 is %d", draws[0]);
    count = mutation_draws(&rules, MUTATION_EDIT_D_FF, 0, draws);
    CHECK(count == 0, "d_ff 0: %d draws", count);
}

/* What the papers' text says of each border: 36 values of d_ff have a step that changes nothing
 * (those below 100, by 1 per cent), all gone under clamp; and equal draws stand side by side. */
static void draws_keep_their_promises(void)
{
    int nothing = 0, outside = 0, apart = 0, steps = 0;
    for (int i = 0; i < 4; i++) {
        mutation_rules rules = variant(i);
        for (int edit = 0; edit < MUTATION_EDITS; edit++)
            for (int value = rules.low[edit]; value <= rules.high[edit]; value++) {
                int draws[MUTATION_MAX_DRAWS];
                int count = mutation_draws(&rules, (mutation_edit)edit, value, draws);
                for (int j = 0; j < count; j++) {
                    bool in = draws[j] >= rules.low[edit] && draws[j] <= rules.high[edit];
                    nothing += draws[j] == value;
                    outside += draws[j] < 1 || (rules.clamp && (!in || draws[j] == value));
                    for (int k = 0; k + 1 < j; k++)
                        apart += draws[k] == draws[j] && draws[k] != draws[k + 1];
                }
                steps += count;
            }
    }
    CHECK(nothing == 2 * 36, "%d steps change nothing", nothing);
    CHECK(outside == 0, "%d steps end where the rules forbid it", outside);
    CHECK(apart == 0, "%d equal draws are not neighbours", apart);
    CHECK(steps > 4 * 300000, "only %d steps", steps);
}

/* ---- pairs ---- */

/* Guards the bits: these pairs were drawn once and must never change, on any machine. */
static void pairs_are_known(void)
{
    static const struct {
        mutation_design source, refined;
        mutation_edit edit;
    } known[] = {
        {{{5, 8, 6, 1167}}, {{5, 7, 6, 1167}}, MUTATION_EDIT_NUM_DECODER_LAYERS},
        {{{8, 7, 13, 81}}, {{8, 7, 12, 81}}, MUTATION_EDIT_NUM_HEADS},
        {{{5, 4, 16, 2922}}, {{6, 4, 16, 2922}}, MUTATION_EDIT_NUM_LAYERS},
        {{{7, 4, 10, 885}}, {{7, 5, 10, 885}}, MUTATION_EDIT_NUM_DECODER_LAYERS},
    };
    mutation_rules rules = mutation_paper_rules();
    for (uint64_t i = 4; i-- > 0;) { /* backwards: there is no state to advance */
        mutation_pair pair = mutation_sample(&rules, 1, i);
        CHECK(same(&pair.source, &known[i].source) && same(&pair.refined, &known[i].refined) &&
                  pair.edit == known[i].edit,
              "pair %d has d_ff %d, %s edited", (int)i, pair.source.value[MUTATION_EDIT_D_FF],
              mutation_edit_name(pair.edit));
    }
}

static void pairs_are_legal(void)
{
    enum { PAIRS = 20000 };
    for (int v = 0; v < 4; v++) {
        mutation_rules rules = variant(v);
        int bad_source = 0, bad_edit = 0, impossible = 0, unlike = 0;
        for (uint64_t i = 0; i < PAIRS; i++) {
            mutation_pair pair = mutation_sample(&rules, 7, i),
                          again = mutation_sample(&rules, 7, i);
            for (int j = 0; j < MUTATION_EDITS; j++) {
                int value = pair.source.value[j];
                bad_source += value < rules.low[j] || value > rules.high[j];
                bool changed = value != pair.refined.value[j], may = j == (int)pair.edit;
                bad_edit += changed && !may;
                bad_edit += may && !changed && (rules.clamp || j != MUTATION_EDIT_D_FF);
            }
            impossible += !(mutation_probability(&rules, &pair.source, &pair.refined) > 0);
            unlike += !same(&pair.refined, &again.refined) || !same(&pair.source, &again.source);
        }
        CHECK(bad_source == 0, "variant %d: %d source values out of range", v, bad_source);
        CHECK(bad_edit == 0, "variant %d: %d parameters changed, or not, against the rules", v,
              bad_edit);
        CHECK(impossible == 0, "variant %d: %d pairs of probability 0", v, impossible);
        CHECK(unlike == 0, "variant %d: %d pairs differ when drawn again", v, unlike);
    }
}

/* Extreme rules: the widest and the narrowest that pass the check. */
static void extreme_rules_draw(void)
{
    mutation_rules wide = {.low = {1, 1, 1, 1}, .percent = 100, .clamp = false};
    for (int j = 0; j < MUTATION_EDITS; j++)
        wide.high[j] = MUTATION_MAX_VALUE;
    mutation_rules narrow = {
        .low = {1, 1, 1, 1}, .high = {2, 2, 2, 2}, .percent = 100, .clamp = true};
    int bad = 0;
    for (uint64_t i = 0; i < 2000; i++) {
        mutation_pair pair = mutation_sample(&wide, 3, i);
        bad += pair.refined.value[pair.edit] < 1;
        pair = mutation_sample(&narrow, 3, i);
        bad += pair.refined.value[pair.edit] != 3 - pair.source.value[pair.edit];
    }
    CHECK(bad == 0, "%d pairs", bad);
}

/* Another seed or index is another pair. Two independent pairs are equal with a probability below
 * 1 / (8 * 8 * 16 * 4033), so of 1000 comparisons even one is a surprise of 1 in 4000. */
static void seeds_and_indexes_differ(void)
{
    mutation_rules rules = mutation_paper_rules();
    int equal = 0;
    for (uint64_t i = 0; i < 500; i++) {
        mutation_pair a = mutation_sample(&rules, 1, i), b = mutation_sample(&rules, 2, i),
                      c = mutation_sample(&rules, 1, i + ((uint64_t)1 << 32));
        equal += same(&a.source, &b.source) + same(&a.source, &c.source);
    }
    CHECK(equal == 0, "%d equal sources", equal);
}

/* ---- distribution ---- */

/* Pearson's statistic of the counts against their probabilities. For k cells it is close to
 * chi-square with d = k - 1 degrees of freedom, which exceeds d + 2 sqrt(d x) + 2 x with a
 * probability of at most exp(-x) (Laurent & Massart 2000, lemma 1). x = 16: one in 9 million. */
static void check_counts(const char *what, const double *counts, const double *probabilities,
                         int cells)
{
    double total = 0, statistic = 0, x = 16, d = -1;
    for (int i = 0; i < cells; i++) {
        total += counts[i];
        d += probabilities[i] > 0;
    }
    for (int i = 0; i < cells; i++) {
        double expected = total * probabilities[i];
        if (expected > 0)
            statistic += (counts[i] - expected) * (counts[i] - expected) / expected;
        else
            CHECK(!(counts[i] > 0), "%s: cell %d has %g, expected none", what, i, counts[i]);
    }
    double bound = d + 2 * sqrt(d * x) + 2 * x;
    CHECK(statistic <= bound, "%s: chi-square %g over %g degrees of freedom, at most %g", what,
          statistic, d, bound);
}

/* The choice of the parameter; that of one pair and the next (independent); the source values. */
static void choices_have_their_shares(void)
{
    enum { PAIRS = 100000 };
    static const double share[2][MUTATION_EDITS] = {{1 / 4., 1 / 4., 1 / 4., 1 / 4.},
                                                    {1 / 6., 1 / 6., 1 / 6., 1 / 2.}};
    for (int v = 0; v < 4; v++) {
        mutation_rules rules = variant(v);
        const double *p = share[v & 1];
        double edits[4] = {0}, next[16] = {0}, product[16];
        double layers[8] = {0}, decoder[8] = {0}, heads[16] = {0}, d_ff[64] = {0};
        double eighths[8], sixteenths[16], bins[64];
        int before = 0;
        for (uint64_t i = 0; i < PAIRS; i++) {
            mutation_pair pair = mutation_sample(&rules, 11 + (uint64_t)v, i);
            edits[pair.edit]++;
            if (i % 2) /* disjoint pairs of pairs, or the counts would not be independent */
                next[before * 4 + (int)pair.edit]++;
            before = (int)pair.edit;
            layers[pair.source.value[0] - 1]++;
            decoder[pair.source.value[1] - 1]++;
            heads[pair.source.value[2] - 1]++;
            d_ff[(pair.source.value[3] - 64) / 64]++;
        }
        for (int i = 0; i < 16; i++) {
            product[i] = p[i / 4] * p[i % 4];
            sixteenths[i] = 1 / 16.;
            eighths[i / 2] = 1 / 8.;
        }
        for (int i = 0; i < 64; i++)
            bins[i] = (i < 63 ? 64 : 1) / 4033.; /* 64 .. 4096 is 63 bins of 64 values, and 4096 */
        for (int i = 0; i < 4; i++)
            CHECK(mutation_choice(&rules, (mutation_edit)i) == p[i], "choice %d: %g", i,
                  mutation_choice(&rules, (mutation_edit)i));
        check_counts("choice", edits, p, 4);
        check_counts("choice and the next pair's", next, product, 16);
        check_counts("num_layers", layers, eighths, 8);
        check_counts("num_decoder_layers", decoder, eighths, 8);
        check_counts("num_heads", heads, sixteenths, 16);
        check_counts("d_ff", d_ff, bins, 64);
    }
}

/* The edit rule again as the papers tell it: draw a sign and a percentage, and again until the
 * result is allowed. Written with other arithmetic than mutation_draws. */
static int redraw(const mutation_rules *rules, int edit, int value, base_random *random)
{
    for (;;) {
        int result, sign = number(random, 0, 1);
        if (edit == MUTATION_EDIT_D_FF) {
            int percent = number(random, 1, rules->percent);
            result = sign ? value + value * percent / 100 : value - (value * percent + 99) / 100;
        } else {
            result = sign ? value + 1 : value - 1;
        }
        if (result >= 1 && (!rules->clamp || (result != value && result >= rules->low[edit] &&
                                              result <= rules->high[edit])))
            return result;
    }
}

/* Both samplers, from sources at and near the borders: two counts of the same size agree where
 * sum (a - b)^2 / (a + b) is chi-square with one degree a cell, less one. Cells under 10 pool. */
static void redrawing_is_the_same_distribution(void)
{
    enum { DRAWS = 40000, CELLS = 6200 };
    static const mutation_design sources[] = {
        {{1, 8, 1, 64}}, {{8, 1, 16, 4096}}, {{4, 4, 4, 100}}, {{1, 1, 1, 2730}}, {{2, 7, 15, 70}}};
    static double a[CELLS], b[CELLS];
    for (int v = 0; v < 4; v++)
        for (size_t s = 0; s < sizeof sources / sizeof *sources; s++) {
            mutation_rules rules = variant(v);
            base_random mine = {5, base_random_stream("test mutate", s, (uint64_t)v, 0), 0};
            base_random theirs = {5, base_random_stream("test redraw", s, (uint64_t)v, 0), 0};
            memset(a, 0, sizeof a);
            memset(b, 0, sizeof b);
            for (int i = 0; i < DRAWS; i++) { /* small values: edit * 18; d_ff from 54 on */
                mutation_design refined;
                int edit = (int)mutation_mutate(&rules, &sources[s], &mine, &refined);
                a[(edit < 3 ? edit * 18 : 54) + refined.value[edit]]++;
                edit = v & 1 ? number(&theirs, 0, 5) : number(&theirs, 0, 3);
                edit = edit < 3 ? edit : 3;
                b[(edit < 3 ? edit * 18 : 54) +
                  redraw(&rules, edit, sources[s].value[edit], &theirs)]++;
            }
            double rest_a = 0, rest_b = 0, statistic = 0, d = -1, x = 16;
            for (int i = 0; i < CELLS; i++) {
                if (a[i] + b[i] < 10) {
                    rest_a += a[i];
                    rest_b += b[i];
                    continue;
                }
                statistic += (a[i] - b[i]) * (a[i] - b[i]) / (a[i] + b[i]);
                d++;
            }
            if (rest_a + rest_b > 0) {
                statistic += (rest_a - rest_b) * (rest_a - rest_b) / (rest_a + rest_b);
                d++;
            }
            double bound = d + 2 * sqrt(d * x) + 2 * x;
            CHECK(statistic <= bound, "variant %d source %zu: %g over %g, at most %g", v, s,
                  statistic, d, bound);
            CHECK(d >= 30, "variant %d source %zu: only %g cells", v, s, d);
        }
}

int main(void)
{
    prints_table_1_to_the_byte();
    reads_what_it_prints();
    refuses_one_byte_changes();
    refuses_other_numbers();
    draws_are_those_of_the_papers();
    draws_keep_their_promises();
    pairs_are_known();
    pairs_are_legal();
    extreme_rules_draw();
    seeds_and_indexes_differ();
    choices_have_their_shares();
    redrawing_is_the_same_distribution();
    return test_end();
}
