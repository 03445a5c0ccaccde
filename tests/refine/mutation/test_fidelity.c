/* SPDX-License-Identifier: MIT */
/* test_fidelity.c -- the measure of a model as a mutator, on mutators that are known. */
#include "refine/mutation/fidelity.h"
#include "tests/test.h"

#include <float.h>
#include <limits.h>
#include <math.h>

/* As much of phoenix.h as a printed design needs. */
static const char header[] = "typedef struct t5 t5;\n"
                             "typedef struct t5_config {\n"
                             "    int d_model;\n"
                             "    int d_kv;\n"
                             "    int d_ff;\n"
                             "    int num_layers;\n"
                             "    int num_decoder_layers;\n"
                             "    int num_heads;\n"
                             "} t5_config;\n"
                             "t5_config t5_small(void);\n"
                             "t5 *t5_new(t5_config config);\n";

enum { OUTCOMES = 2 * MUTATION_EDITS + 1, ILLEGAL = OUTCOMES - 1 }; /* of the papers' rules */

static language_interface *interface;

static void add_bytes(mutation_fidelity *fidelity, const mutation_rules *rules,
                      const mutation_design *source, const char *text, size_t length)
{
    mutation_mutator mutator = mutation_mutator_of_rules(rules);
    mutation_form form = {.design = *source};
    mutation_fidelity_add(fidelity, &mutator, interface, &form, text, length);
}

static void add(mutation_fidelity *fidelity, const mutation_rules *rules,
                const mutation_design *source, const char *text)
{
    add_bytes(fidelity, rules, source, text, strlen(text));
}

static void add_design(mutation_fidelity *fidelity, const mutation_rules *rules,
                       const mutation_design *source, const mutation_design *refined)
{
    base_text text = {0};
    mutation_print(refined, &text);
    add(fidelity, rules, source, text.data);
    base_text_free(&text);
}

/* Whatever was counted: the outcomes and what was expected of them both sum to the samples. */
static void check_sums(const mutation_fidelity *f)
{
    double outcomes = 0, expected = 0;
    for (int i = 0; i < OUTCOMES; i++) {
        outcomes += f->outcomes[i];
        expected += f->expected[i];
    }
    CHECK(outcomes == f->samples, "%g outcomes of %d samples", outcomes, f->samples);
    CHECK(fabs(expected - f->samples) <= 20 * DBL_EPSILON * f->samples * f->samples,
          "%g expected of %d samples", expected, f->samples);
    CHECK(f->legal == f->samples - f->outcomes[ILLEGAL], "%d legal", f->legal);
    CHECK(f->parsed <= f->samples && f->valid <= f->parsed && f->designs <= f->valid &&
              f->one_edit <= f->designs && f->legal <= f->designs,
          "%d %d %d %d %d %d", f->samples, f->parsed, f->valid, f->designs, f->one_edit, f->legal);
    CHECK(f->total_variation >= 0 && f->total_variation <= 1 + 1e-12, "%g", f->total_variation);
}

/* What sampling noise leaves of total variation, from fidelity.c: its mean is at most
 * sqrt(8/n)/2, and it exceeds the mean by t with probability exp(-2nt^2), here e^-16. */
static double noise(int samples) { return sqrt(8.0 / samples) / 2 + sqrt(16 / (2.0 * samples)); }

static void the_true_rules_are_near_zero(void)
{
    enum { SAMPLES = 3000 };
    for (int v = 0; v < 4; v++) {
        mutation_rules rules = mutation_paper_rules();
        rules.half_for_d_ff = v & 1;
        rules.clamp = v & 2;
        mutation_fidelity f = {0};
        int edits[MUTATION_EDITS] = {0}, copies = 0;
        for (uint64_t i = 0; i < SAMPLES; i++) {
            mutation_pair pair = mutation_sample(&rules, 3, i);
            add_design(&f, &rules, &pair.source, &pair.refined);
            edits[pair.edit]++;
            copies += pair.source.value[3] == pair.refined.value[3] && pair.edit == 3;
        }
        mutation_fidelity_finish(&f);
        CHECK(f.samples == SAMPLES && f.parsed == SAMPLES && f.valid == SAMPLES &&
                  f.designs == SAMPLES && f.legal == SAMPLES,
              "%d %d %d %d", f.parsed, f.valid, f.designs, f.legal);
        CHECK(f.copies == copies && f.one_edit == SAMPLES - copies, "%d copies", f.copies);
        for (int i = 0; i < MUTATION_EDITS; i++)
            CHECK(f.outcomes[2 * i] + f.outcomes[2 * i + 1] == edits[i], "%s, made %d times",
                  mutation_edit_name((mutation_edit)i), edits[i]);
        CHECK(f.total_variation <= noise(SAMPLES), "variant %d: %g, at most %g", v,
              f.total_variation, noise(SAMPLES));
        CHECK(f.total_variation > 0, "no noise at all");
        CHECK(!(f.expected[ILLEGAL] > 0), "%g illegal expected", f.expected[ILLEGAL]);
        check_sums(&f);
    }
}

/* A mutator with a bias must be seen: one that only grows things misses the half of the
 * distribution that shrinks them, one with the other choice of parameters misses a quarter. */
static void a_bias_is_seen(void)
{
    enum { SAMPLES = 3000 };
    mutation_rules rules = mutation_paper_rules(), half = rules;
    half.half_for_d_ff = true;
    mutation_fidelity grows = {0}, chooses = {0};
    const mutation_design source = {{4, 4, 8, 1024}};
    for (uint64_t i = 0; i < SAMPLES; i++) {
        base_random random = {4, base_random_stream("test bias", i, 0, 0), 0};
        mutation_design refined;
        mutation_edit edit = mutation_mutate(&half, &source, &random, &refined);
        add_design(&chooses, &rules, &source, &refined);
        do {
            edit = mutation_mutate(&rules, &source, &random, &refined);
        } while (refined.value[edit] < source.value[edit]);
        add_design(&grows, &rules, &source, &refined);
    }
    mutation_fidelity_finish(&grows);
    mutation_fidelity_finish(&chooses);
    CHECK(grows.legal == SAMPLES && chooses.legal == SAMPLES, "%d %d", grows.legal, chooses.legal);
    CHECK(fabs(grows.total_variation - 0.5) <= noise(SAMPLES), "%g", grows.total_variation);
    CHECK(fabs(chooses.total_variation - 0.25) <= noise(SAMPLES), "%g", chooses.total_variation);
    check_sums(&grows);
    check_sums(&chooses);
}

static void copies_and_two_edits_are_all_wrong(void)
{
    enum { SAMPLES = 200 };
    mutation_rules rules = mutation_paper_rules();
    mutation_fidelity copies = {0}, twice = {0};
    for (uint64_t i = 0; i < SAMPLES; i++) {
        mutation_pair pair = mutation_sample(&rules, 5, i);
        add_design(&copies, &rules, &pair.source, &pair.source);
        int other = ((int)pair.edit + 1) % MUTATION_EDITS; /* and another by 1 */
        pair.refined.value[other] += pair.refined.value[other] > rules.low[other] ? -1 : 1;
        add_design(&twice, &rules, &pair.source, &pair.refined);
    }
    mutation_fidelity_finish(&copies);
    mutation_fidelity_finish(&twice);
    CHECK(copies.designs == SAMPLES && copies.copies == SAMPLES && copies.one_edit == 0 &&
              copies.legal == 0,
          "%d designs, %d copies, %d edited, %d legal", copies.designs, copies.copies,
          copies.one_edit, copies.legal);
    CHECK(twice.designs == SAMPLES && twice.copies == 0 && twice.one_edit == 0 && twice.legal == 0,
          "%d designs, %d copies, %d edited, %d legal", twice.designs, twice.copies, twice.one_edit,
          twice.legal);
    CHECK(fabs(copies.total_variation - 1) <= SAMPLES * 20 * DBL_EPSILON, "%g",
          copies.total_variation);
    CHECK(fabs(twice.total_variation - 1) <= SAMPLES * 20 * DBL_EPSILON, "%g",
          twice.total_variation);
    check_sums(&copies);
    check_sums(&twice);
}

/* ---- how far a sample gets ---- */

static void garbage_is_counted_where_it_fails(void)
{
    static const struct {
        const char *text;
        int parsed, valid, designs;
    } cases[] = {
        {"", 0, 0, 0},
        {"garbage", 0, 0, 0},
        {"t5 *model(void) { return", 0, 0, 0},
        {"\x80\xFF\x01", 0, 0, 0},
        {"#include \"phoenix.h\"\nt5 *model(void)\n{\n    return nothing;\n}\n", 1, 0, 0},
        {"#include \"phoenix.h\"\nt5 *model(void)\n{\n    return t5_new(1);\n}\n", 1, 0, 0},
        {"#include \"phoenix.h\"\nint other(void)\n{\n    return 1;\n}\n", 1, 0, 0},
        {"#include \"phoenix.h\"\nint model(void)\n{\n    return 1;\n}\n", 1, 0, 0},
        {"#include \"phoenix.h\"\nt5 *model(void)\n{\n    return t5_new(t5_small());\n}\n", 1, 1,
         0},
    };
    mutation_rules rules = mutation_paper_rules();
    const mutation_design source = {{2, 2, 8, 1024}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mutation_fidelity f = {0};
        add(&f, &rules, &source, cases[i].text);
        mutation_fidelity_finish(&f);
        CHECK(f.samples == 1 && f.parsed == cases[i].parsed && f.valid == cases[i].valid &&
                  f.designs == cases[i].designs,
              "case %zu: %d parsed, %d valid, %d designs", i, f.parsed, f.valid, f.designs);
        CHECK(f.one_edit + f.legal + f.copies == 0, "case %zu: %d %d %d", i, f.one_edit, f.legal,
              f.copies);
        CHECK(f.outcomes[ILLEGAL] == 1 && fabs(f.total_variation - 1) < 1e-12, "case %zu: %g", i,
              f.total_variation);
        check_sums(&f);
    }
}

/* Another layout of the same program is valid, and no design: its edit cannot be read. Cut or
 * changed anywhere, a design is still counted once and nowhere twice. */
static void near_designs_are_counted_once(void)
{
    mutation_rules rules = mutation_paper_rules();
    const mutation_design source = {{2, 2, 8, 1024}}, refined = {{2, 3, 8, 1024}};
    base_text text = {0};
    base_random random = {6, base_random_stream("test near", 0, 0, 0), 0};
    mutation_fidelity f = {0};
    mutation_print(&refined, &text);
    base_text_add(&text, "\n", 1);
    add(&f, &rules, &source, text.data);
    CHECK(f.valid == 1 && f.designs == 0, "%d valid, %d designs", f.valid, f.designs);
    text.length--;
    for (size_t length = 0; length <= text.length; length++)
        add_bytes(&f, &rules, &source, text.data, length);
    CHECK(f.designs == 1 && f.legal == 1, "%d designs", f.designs);
    CHECK(f.valid == 2, "%d valid, not the whole alone and with one more newline", f.valid);
    for (int i = 0; i < 3000; i++) {
        uint32_t at = base_random_below(&random, (uint32_t)text.length);
        char kept = text.data[at];
        text.data[at] = (char)base_random_below(&random, 256);
        add_bytes(&f, &rules, &source, text.data, text.length);
        text.data[at] = kept;
    }
    mutation_fidelity_finish(&f);
    CHECK(f.parsed < 2000, "%d of 3000 changed sources parse", f.parsed);
    check_sums(&f);
    base_text_free(&text);
}

/* ---- which outcome ---- */

static void edits_have_their_outcomes(void)
{
    static const struct {
        bool clamp;
        mutation_design source, refined;
        int one_edit, outcome;
    } cases[] = {
        {true, {{2, 2, 8, 1024}}, {{1, 2, 8, 1024}}, 1, 0},
        {true, {{2, 2, 8, 1024}}, {{3, 2, 8, 1024}}, 1, 1},
        {true, {{2, 2, 8, 1024}}, {{2, 1, 8, 1024}}, 1, 2},
        {true, {{2, 2, 8, 1024}}, {{2, 3, 8, 1024}}, 1, 3},
        {true, {{2, 2, 8, 1024}}, {{2, 2, 7, 1024}}, 1, 4},
        {true, {{2, 2, 8, 1024}}, {{2, 2, 9, 1024}}, 1, 5},
        {true, {{2, 2, 8, 1024}}, {{2, 2, 8, 512}}, 1, 6},
        {true, {{2, 2, 8, 1024}}, {{2, 2, 8, 1331}}, 1, 7},
        {true, {{2, 2, 8, 1024}}, {{2, 2, 8, 511}}, 1, ILLEGAL},
        {true, {{2, 2, 8, 1024}}, {{4, 2, 8, 1024}}, 1, ILLEGAL},
        {true, {{8, 2, 8, 1024}}, {{9, 2, 8, 1024}}, 1, ILLEGAL},
        {false, {{8, 2, 8, 1024}}, {{9, 2, 8, 1024}}, 1, 1},
        {false, {{1, 2, 8, 1024}}, {{0, 2, 8, 1024}}, 1, ILLEGAL},
        {true, {{2, 2, 8, 1024}}, {{2, 2, 8, INT_MAX}}, 1, ILLEGAL},
        {true, {{2, 2, 8, 64}}, {{2, 2, 8, 64}}, 0, ILLEGAL},
        {false, {{2, 2, 8, 64}}, {{2, 2, 8, 64}}, 0, 7}, /* 64 * 101 / 100 */
        {false, {{2, 2, 8, 1024}}, {{2, 2, 8, 1024}}, 0, ILLEGAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mutation_rules rules = mutation_paper_rules();
        rules.clamp = cases[i].clamp;
        mutation_fidelity f = {0};
        add_design(&f, &rules, &cases[i].source, &cases[i].refined);
        mutation_fidelity_finish(&f);
        CHECK(f.designs == 1, "case %zu: no design", i);
        CHECK(f.outcomes[cases[i].outcome] == 1, "case %zu: another outcome", i);
        CHECK(f.one_edit == cases[i].one_edit && f.copies == 1 - cases[i].one_edit,
              "case %zu: %d edits, %d copies", i, f.one_edit, f.copies);
        CHECK(f.legal == (cases[i].outcome != ILLEGAL), "case %zu: %d legal", i, f.legal);
        check_sums(&f);
    }
}

/* A source outside the ranges has parameters without a legal refinement: their share is expected
 * to be illegal. The rest is as the rules say. */
static void sources_out_of_range_are_measured(void)
{
    mutation_rules rules = mutation_paper_rules();
    const mutation_design source = {{8, 1, 40, 1024}}, refined = {{8, 1, 41, 1024}};
    static const double expected[OUTCOMES] = {1 / 4., 0, 0, 1 / 4., 0, 0, 1 / 8., 1 / 8., 1 / 4.};
    mutation_fidelity f = {0};
    add_design(&f, &rules, &source, &refined);
    for (int i = 0; i < OUTCOMES; i++)
        CHECK(fabs(f.expected[i] - expected[i]) < 1e-15, "outcome %d: %g", i, f.expected[i]);
    CHECK(f.legal == 0 && f.one_edit == 1, "%d legal", f.legal);
    mutation_fidelity_finish(&f);
    CHECK(fabs(f.total_variation - 0.75) < 1e-15, "%g", f.total_variation);
    check_sums(&f);
}

/* 64 * 101 / 100 is 64: without a clamp a step up that changes nothing, and expected as one. */
static void steps_to_nowhere_are_steps_up(void)
{
    mutation_rules rules = mutation_paper_rules();
    const mutation_design source = {{2, 2, 8, 64}};
    mutation_fidelity f = {0};
    rules.clamp = false;
    add_design(&f, &rules, &source, &source);
    CHECK(fabs(f.expected[6] - 1 / 8.) < 1e-15 && fabs(f.expected[7] - 1 / 8.) < 1e-15, "%g %g",
          f.expected[6], f.expected[7]);
}

/* Where the interface lacks a function, the printed form is no valid program and so no design. */
static void printed_form_is_not_enough(void)
{
    static const char poor[] = "typedef struct t5 t5;\n";
    language_diagnostic diagnostic = {0};
    language_interface *ours = interface;
    interface = language_interface_new("phoenix.h", poor, strlen(poor), &diagnostic);
    CHECK(interface, "%s", diagnostic.text);
    if (interface) {
        mutation_rules rules = mutation_paper_rules();
        const mutation_design source = {{2, 2, 8, 1024}}, refined = {{2, 3, 8, 1024}};
        mutation_fidelity f = {0};
        add_design(&f, &rules, &source, &refined);
        CHECK(f.valid == 0 && f.designs == 0 && f.legal == 0, "%d %d %d", f.valid, f.designs,
              f.legal);
        CHECK(f.outcomes[ILLEGAL] == 1, "not illegal");
        language_interface_free(interface);
    }
    interface = ours;
}

static void finishing_is_harmless(void)
{
    mutation_rules rules = mutation_paper_rules();
    const mutation_design source = {{2, 2, 8, 1024}}, refined = {{2, 3, 8, 1024}};
    mutation_fidelity f = {0};
    mutation_fidelity_finish(&f);
    CHECK(f.total_variation == 0, "%g of no samples", f.total_variation);
    add_design(&f, &rules, &source, &refined);
    mutation_fidelity_finish(&f);
    double once = f.total_variation;
    mutation_fidelity_finish(&f);
    CHECK(f.total_variation == once && fabs(once - 7 / 8.) < 1e-12, "%g, then %g", once,
          f.total_variation);
}

/* Printed designs are programs under the header that the sources of a run really include. */
static void designs_are_programs_of_phoenix_h(void)
{
    FILE *file = fopen("evolve/source/phoenix.h", "rb");
    if (!file) {
        SKIP("evolve/source/phoenix.h: not found from here");
        return;
    }
    static char text[64 * 1024];
    size_t length = fread(text, 1, sizeof text, file);
    fclose(file);
    language_diagnostic diagnostic = {0};
    language_interface *ours = interface;
    interface = language_interface_new("phoenix.h", text, length, &diagnostic);
    CHECK(interface, "%s", diagnostic.text);
    if (interface) {
        mutation_rules rules = mutation_paper_rules();
        mutation_fidelity f = {0};
        for (uint64_t i = 0; i < 100; i++) {
            mutation_pair pair = mutation_sample(&rules, 8, i);
            add_design(&f, &rules, &pair.source, &pair.refined);
        }
        CHECK(f.valid == 100 && f.legal == 100, "%d valid, %d legal", f.valid, f.legal);
        language_interface_free(interface);
    }
    interface = ours;
}

int main(void)
{
    language_diagnostic diagnostic = {0};
    interface = language_interface_new("phoenix.h", header, strlen(header), &diagnostic);
    CHECK(interface, "%s", diagnostic.text);
    if (!interface)
        return test_end();
    the_true_rules_are_near_zero();
    a_bias_is_seen();
    copies_and_two_edits_are_all_wrong();
    garbage_is_counted_where_it_fails();
    near_designs_are_counted_once();
    edits_have_their_outcomes();
    sources_out_of_range_are_measured();
    steps_to_nowhere_are_steps_up();
    printed_form_is_not_enough();
    finishing_is_harmless();
    designs_are_programs_of_phoenix_h();
    language_interface_free(interface);
    return test_end();
}
