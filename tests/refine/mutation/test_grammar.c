/* SPDX-License-Identifier: MIT */
/* test_grammar.c -- derivations and their texts, refinements and their probabilities, and
 * the entropy. */
#include "base/math.h"
#include "evolve/source/host.h"
#include "evolve/task.h"
#include "refine/mutation/grammar.h"
#include "refine/language/language.h"
#include "tests/test.h"

#include <math.h>

enum { ALL = MUTATION_ARCHITECTURE | MUTATION_LEARNING | MUTATION_OBJECTIVE | MUTATION_DATA };

static const unsigned scopes[] = {MUTATION_ARCHITECTURE, MUTATION_LEARNING, MUTATION_OBJECTIVE,
                                  MUTATION_DATA, ALL};
enum { SCOPES = sizeof scopes / sizeof *scopes, NETWORKS = 16, DEPLOY = 32, TRAINED = 64 };

/* Of a scope, or of networks. */
static mutation_grammar grammar_of(unsigned scope)
{
    return scope == NETWORKS  ? mutation_network_grammar()
           : scope == DEPLOY  ? mutation_deploy_grammar(MUTATION_ARCHITECTURE)
           : scope == TRAINED ? mutation_deploy_grammar(MUTATION_ARCHITECTURE | MUTATION_LEARNING)
                              : mutation_grammar_of(scope);
}

static base_random stream(const char *purpose)
{
    return (base_random){1, base_random_stream(purpose, 0, 0, 0), 0};
}

/* A grammar whose sources and outcomes can be listed: rules that several alternatives share, at
 * other depths; shapes within shapes, a repetition, writings, an optional line, a fixed rule. */
static const mutation_rule few[] = {
    {"text", .alternative = {"<$shape$line>@again@mark"}},
    {"shape",
     NULL,
     1,
     1,
     MUTATION_UNORDERED,
     {"a($x,$y,$sub)", "b($x)", "c($sub,$fixed)", "d$deep"}},
    {"deep", NULL, 1, 0, MUTATION_UNORDERED, {"($sub)", "-"}},
    {"x", NULL, 1, 0, MUTATION_GRID, {"1", "10", "100", "1000"}},
    {"y", NULL, 1, 2, MUTATION_GRID, {"2", "3", "4"}},
    {"sub", NULL, 1, 1, MUTATION_UNORDERED, {"[$x2,$z]", "{$z}", "none", "{{$x2}}"}},
    {"x2", NULL, 1, 1, MUTATION_GRID, {"7", "8"}},
    {"z", NULL, 1, 4, MUTATION_GRID, {"0.5", "1", "2", "4", "5"}},
    {"line", NULL, 1, 1, MUTATION_UNORDERED, {"; line $number", ""}},
    {"number", NULL, 1, 0, MUTATION_GRID, {"1", "12", "123"}},
    {"again", .of = "shape", .alternative = {"A", "B", "C", "D"}},
    {"mark", .of = "line", .alternative = {"!", "?"}},
    {"fixed", NULL, 2, 1, MUTATION_UNORDERED, {"no", "yes"}},
};
static const mutation_grammar small = {.rules = few, .count = sizeof few / sizeof *few, .scope = 1};

/* ---- texts ---- */

static void the_first_derivation_is_the_default_source(void)
{
    static const int theirs[SCOPES] = {EVOLVE_ARCHITECTURE, EVOLVE_LEARNING, EVOLVE_OBJECTIVE,
                                       EVOLVE_DATA, EVOLVE_ALL};
    evolve_settings settings;
    base_text ours = {0}, text = {0};
    evolve_settings_preset(&settings, "quick", NULL);
    for (int i = 0; i < SCOPES; i++) {
        mutation_grammar g = mutation_grammar_of(scopes[i]);
        mutation_tree tree = mutation_tree_first(&g);
        settings.scope = theirs[i];
        base_text_clear(&ours);
        base_text_clear(&text);
        mutation_tree_print(&g, &tree, &ours);
        source_default_source_of(&settings, &text);
        CHECK(strcmp(ours.data, text.data) == 0, "scope %d: %s", i, ours.data);
    }
    base_text_free(&ours);
    base_text_free(&text);
}

static bool equal(const mutation_tree *a, const mutation_tree *b)
{
    return memcmp(a->choice, b->choice, sizeof a->choice) == 0;
}

/* Numbers that stand on no grid, one of them above it. */
static void set_numbers_of_no_grid(evolve_settings *s)
{
    s->rate = 0.0051;
    s->warmup = 137;
    s->batch = 12;
    s->clip = 0.7;
    s->smoothing = 0.03;
    s->weight_decay = 0.02;
}

/* The rules refine the default source of each preset, scope and task itself: an edit of that text
 * changes one decision, and no other line than those it stands in. So it is where settings say other
 * numbers than any grid has. */
static void edits_of_a_default_change_one_decision(bool of_no_grid)
{
    base_error error;
    base_random random = stream("test grammar defaults");
    for (const char *const *preset = evolve_settings_presets(); *preset; preset++)
        for (int which = 0; which < SCOPES + 3; which++) {
            static const char *const names[] = {"architecture", "learning",  "objective",
                                                "data",         "all",       "architecture",
                                                "deploy",       "deploy-all"};
            evolve_settings settings;
            base_text text = {0};
            evolve_settings_preset(&settings, *preset, &error);
            bool of = (which < SCOPES || evolve_settings_task(&settings, "digits", &error)) &&
                      evolve_settings_scope(&settings, names[which], &error);
            if (of_no_grid)
                set_numbers_of_no_grid(&settings);
            source_default_source_of(&settings, &text);
            mutation_mutator m = evolve_mutator(&settings);
            mutation_form source, refined;
            bool read = of && m.kind->read(&m, text.data, text.length, &source);
            if (read && !mutation_mutator_is_of_rules(&m)) {
                mutation_tree first = mutation_tree_first(&m.grammar);
                CHECK(equal(&first, &source.tree), "%s, %d: the default source is not the first",
                      *preset, which);
            }
            CHECK(read, "%s, %d: the rules cannot read the default source:\n%s", *preset, which,
                  text.data);
            int other = 0, changed;
            for (int i = 0; read && i < 200; i++) {
                bool made = m.kind->refine(&m, &source, &random, &refined);
                mutation_mutator_outcome(&m, &source, &refined, &changed);
                other += !made || changed != 1;
            }
            CHECK(other == 0, "%s, %d: %d of 200 edits do not change one decision", *preset, which,
                  other);
            base_text_free(&text);
        }
}

/* Of a text the numbers are taken that the grammar lacks, also those that only a writing says; of one that is
 * no derivation nothing is. */
static void admits_the_numbers_of_a_text(void)
{
    evolve_settings settings;
    base_text text = {0}, again = {0};
    mutation_tree tree;
    size_t far;
    evolve_settings_preset(&settings, "quick", NULL);
    settings.scope = EVOLVE_ALL;
    set_numbers_of_no_grid(&settings);
    source_default_source_of(&settings, &text);
    mutation_grammar g = mutation_grammar_of(ALL), before = g;
    CHECK(!mutation_tree_read(&g, text.data, text.length, &tree), "the grids have all numbers");
    CHECK(mutation_grammar_admit(&g, text.data, text.length, &far) &&
              mutation_tree_read(&g, text.data, text.length, &tree),
          "not read, from %d on:\n%s", (int)far, text.data);
    mutation_tree_print(&g, &tree, &again);
    CHECK(strcmp(text.data, again.data) == 0, "%s", again.data);

    char *end = strstr(text.data, "        update(");
    CHECK(end, "%s", text.data);
    memcpy(end, "        upside(", strlen("        upside("));
    g = before;
    CHECK(!mutation_grammar_admit(&g, text.data, text.length, &far) &&
              memcmp(&g, &before, sizeof g) == 0,
          "a text of no derivation");
    CHECK(text.data + far == end + strlen("        up"), "%d", (int)far);
    base_text_free(&text);
    base_text_free(&again);
}

/* A grammar with a number of its own, between two of a grid that three alternatives reach. */
static mutation_grammar with_own(void)
{
    mutation_grammar g = small;
    mutation_grammar_begin_number(&g, "z", 3);
    return g;
}

static void reads_what_it_prints(void)
{
    base_random random = stream("test grammar reads");
    base_text text = {0};
    int wrong = 0, cut = 0;
    for (int i = 0; i < 10000; i++) {
        mutation_grammar g = i % 7 == 6   ? small
                             : i % 7 == 5 ? grammar_of(TRAINED)
                                          : grammar_of(scopes[i % 7]);
        mutation_tree tree = mutation_tree_sample(&g, &random), read;
        base_text_clear(&text);
        mutation_tree_print(&g, &tree, &text);
        /* in a block of its size, so that a sanitizer sees a step beyond */
        char *copy = malloc(text.length);
        memcpy(copy, text.data, text.length);
        wrong += !mutation_tree_read(&g, copy, text.length, &read) || !equal(&read, &tree);
        free(copy);
        size_t length = base_random_below(&random, (uint32_t)text.length);
        if (mutation_tree_read(&g, text.data, length, &read)) { /* another derivation, and whole */
            base_text whole = {0};
            mutation_tree_print(&g, &read, &whole);
            cut += whole.length != length;
            base_text_free(&whole);
        }
    }
    CHECK(wrong == 0, "%d of 10000 derivations were not read back", wrong);
    CHECK(cut == 0, "%d texts were read in part", cut);
    base_text_free(&text);
}

static void refuses_or_prints_changed_texts(unsigned scope)
{
    mutation_grammar g = grammar_of(scope);
    base_random random = stream("test grammar bytes");
    base_text text = {0}, again = {0};
    int read_back = 0, wrong = 0;
    for (int i = 0; i < 20000; i++) {
        mutation_tree tree = mutation_tree_sample(&g, &random), read;
        base_text_clear(&text);
        mutation_tree_print(&g, &tree, &text);
        text.data[base_random_below(&random, (uint32_t)text.length)] =
            "0123456789 ();.$@\n"[base_random_below(&random, 18)];
        if (!mutation_tree_read(&g, text.data, text.length, &read))
            continue;
        read_back++;
        base_text_clear(&again);
        mutation_tree_print(&g, &read, &again);
        wrong += strcmp(text.data, again.data) != 0;
    }
    CHECK(wrong == 0 && read_back > 0, "%d of %d", wrong, read_back);
    base_text_free(&text);
    base_text_free(&again);
}

/* ---- the table ---- */

/* Whether some template has it decide, so that a reader has to tell its alternatives apart. */
static bool decides(const mutation_grammar *g, int writing)
{
    mutation_piece piece;
    for (int rule = 0; rule < g->count; rule++)
        for (int i = 0; g->rules[rule].alternative[i]; i++)
            for (const char *at = g->rules[rule].alternative[i];
                 mutation_next_piece(g, &at, &piece);)
                if (!piece.text && !piece.repeat && piece.writing == writing)
                    return true;
    return false;
}

/* Texts of each alternative, from sources that have them. */
enum { EXPANSIONS = 12 };
static base_text expansions[MUTATION_MAX_RULES][MUTATION_MAX_ALTERNATIVES][EXPANSIONS];

static void expand(const mutation_grammar *g, const mutation_tree *tree, int writing)
{
    const mutation_rule *r = &g->rules[writing];
    int rule = r->of ? mutation_grammar_find(g, r->of, strlen(r->of)) : writing;
    int choice = tree->choice[rule], i = 0;
    while (choice >= 0 && i < EXPANSIONS && expansions[writing][choice][i].data)
        i++;
    if (choice < 0 || i == EXPANSIONS)
        return;
    mutation_grammar part = *g;
    mutation_tree below = *tree;
    part.root = writing;
    below.choice[writing] = (signed char)choice;
    base_text_add(&expansions[writing][choice][i], "", 0);
    mutation_tree_print(&part, &below, &expansions[writing][choice][i]);
}

static bool in_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '_' || c == '.';
}

/* `a` begins `b`, token by token. */
static bool begins(const base_text *a, const base_text *b)
{
    return a->length && a->length <= b->length && memcmp(a->data, b->data, a->length) == 0 &&
           !(in_word(a->data[a->length - 1]) && in_word(b->data[a->length]));
}

static int prefixes(const mutation_grammar *g, int rule, int i, int j)
{
    int found = 0;
    for (int k = 0; k < EXPANSIONS; k++)
        for (int l = 0; l < EXPANSIONS; l++)
            found += begins(&expansions[rule][i][k], &expansions[rule][j][l]);
    CHECK(!found, "%s: %d begins %d", g->rules[rule].name, i, j);
    return found;
}

static void no_alternative_begins_another(unsigned scope)
{
    mutation_grammar g = grammar_of(scope);
    base_random random = stream("test grammar prefixes");
    int pairs = 0;
    for (int i = 0; i < 4000; i++) {
        mutation_tree tree = mutation_tree_sample(&g, &random);
        for (int rule = 0; rule < g.count; rule++)
            expand(&g, &tree, rule);
    }
    for (int rule = 0; rule < g.count; rule++) {
        const char *const *alternative = g.rules[rule].alternative;
        for (int i = 0; decides(&g, rule) && alternative[i]; i++) {
            CHECK(expansions[rule][i][2].data, "%s, %d: not met thrice", g.rules[rule].name, i);
            CHECK(*alternative[i] || !alternative[i + 1], "%s: empty, not last",
                  g.rules[rule].name);
            for (int j = 0; alternative[j]; j++, pairs++)
                if (i != j && g.rules[rule].order != MUTATION_LADDER)
                    prefixes(&g, rule, i, j);
        }
    }
    CHECK(pairs > 500, "%d", pairs);
    for (int rule = 0; rule < MUTATION_MAX_RULES; rule++)
        for (int i = 0; i < MUTATION_MAX_ALTERNATIVES; i++)
            for (int k = 0; k < EXPANSIONS; k++)
                base_text_free(&expansions[rule][i][k]);
    memset(expansions, 0, sizeof expansions);
}

/* Sources in which every alternative of every rule stands at least three times. */
enum { CONTEXTS = 3, MAX_SOURCES = 1000 };
static mutation_tree sources[MAX_SOURCES];

static int cover(const mutation_grammar *g)
{
    int uses[MUTATION_MAX_RULES][MUTATION_MAX_ALTERNATIVES] = {{0}};
    base_random random = stream("test grammar cover");
    int count = 0, missing = 0;
    for (int i = 0; i < 10000 && count < MAX_SOURCES; i++) {
        mutation_tree tree = mutation_tree_sample(g, &random);
        bool wanted = false;
        for (int rule = 0; rule < g->count; rule++)
            wanted = wanted || (tree.choice[rule] >= 0 && mutation_grammar_choices(g, rule) > 1 &&
                                uses[rule][tree.choice[rule]] < CONTEXTS);
        if (!wanted)
            continue;
        sources[count++] = tree;
        for (int rule = 0; rule < g->count; rule++)
            if (tree.choice[rule] >= 0)
                uses[rule][tree.choice[rule]]++;
    }
    for (int rule = 0; rule < g->count; rule++)
        for (int i = 0;
             mutation_grammar_choices(g, rule) > 1 && i < mutation_grammar_choices(g, rule); i++)
            missing += uses[rule][i] < CONTEXTS;
    CHECK(missing == 0, "%d alternatives are not in three of %d sources", missing, count);
    return count;
}

static void every_alternative_is_a_program(unsigned scope)
{
    mutation_grammar g = grammar_of(scope);
    int count = cover(&g), wrong = 0;
    base_text text = {0}, file = {0};
    for (int i = 0; i < count; i++) {
        language_diagnostic diagnostic;
        base_text_clear(&text);
        mutation_tree_print(&g, &sources[i], &text);
        language_program *program = source_parse("source.c", text.data, text.length, &diagnostic);
        wrong += !program;
        CHECK(program, "%s\n%s", diagnostic.text, text.data);
        if (program && scope == TRAINED)
            CHECK(language_defines(program, "network *model(void)") &&
                      language_defines(program, "recipe train(void)"),
                  "%s", text.data);
        else if (program)
            CHECK(language_defines(program, "t5 *model(void)") &&
                      language_defines(program, "dataset *data(void)") &&
                      language_defines(program, "void train(t5 *model, dataset *data)"),
                  "%s", text.data);
        language_program_free(program);
        /* all in one file, so that a compiler starts once */
        base_text_print(
            &file,
            "#define model model_%d\n#define data data_%d\n#define train train_%d\n"
            "#define factor factor_%d\n#define bend bend_%d\n%s#undef model\n#undef data\n"
            "#undef train\n#undef factor\n#undef bend\n",
            i, i, i, i, i, text.data);
    }
    CHECK(wrong == 0 && count > 50, "%d of %d sources are no programs", wrong, count);
    if (system("command -v cc >/dev/null 2>&1") != 0)
        SKIP("no cc");
    else {
        FILE *cc = popen(
            "cc -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -Ievolve/source -x c - "
            "2>&1 | grep . && exit 1 || exit 0",
            "w");
        CHECK(cc && fwrite(file.data, 1, file.length, cc) == file.length, "cc does not listen");
        CHECK(cc && pclose(cc) == 0, "cc warns of %d sources", count);
    }
    base_text_free(&text);
    base_text_free(&file);
}

/* ---- refinements ---- */

/* Walks all ways to complete a tree, and gives each to `visit` with the product of 1 / (ways of
 * each choice). From a source: choices that it has stay, and others are fresh ones. */
typedef struct listing {
    const mutation_grammar *grammar;
    bool fresh;
    double total, entropy; /* what visit adds up */
    int count;
    mutation_tree source;
    void (*visit)(struct listing *l, const mutation_tree *tree, double probability);
} listing;

/* A rule that the tree reaches and has no choice for; -1: none. Marks those it meets. */
static int undecided(const mutation_grammar *g, int rule, const mutation_tree *tree,
                     mutation_tree *met)
{
    if (tree->choice[rule] < 0)
        return rule;
    met->choice[rule] = tree->choice[rule];
    const char *at = mutation_template(g, rule, tree->choice[rule]);
    for (int next; (next = mutation_next_rule(g, &at)) >= 0;) {
        int found = undecided(g, next, tree, met);
        if (found >= 0)
            return found;
    }
    return -1;
}

static void list(listing *l, mutation_tree tree, double probability)
{
    const mutation_grammar *g = l->grammar;
    mutation_tree met;
    memset(&met, -1, sizeof met);
    int rule = undecided(g, g->root, &tree, &met);
    if (rule < 0) {
        l->visit(l, &met, probability);
        return;
    }
    int count = mutation_grammar_choices(g, rule), low = count == 1 ? g->rules[rule].first : 0;
    if (l->fresh)
        count = mutation_grammar_fresh(g, rule, &low);
    for (int i = 0; i < count; i++) {
        tree.choice[rule] = (signed char)(low + i);
        list(l, tree, probability / count);
    }
}

static void add_outcome(listing *l, const mutation_tree *refined, double probability)
{
    double p = mutation_tree_probability(l->grammar, &l->source, refined);
    (void)probability;
    l->total += p;
    l->entropy -= p * base_log(p);
    l->count++;
}

/* All refinements of a source. */
static listing outcomes(const mutation_grammar *g, const mutation_tree *source)
{
    listing l = {g, true, 0, 0, 0, *source, add_outcome};
    for (int rule = 0; rule < g->count; rule++)
        for (int to = 0; source->choice[rule] >= 0 && to < mutation_grammar_choices(g, rule); to++)
            if (mutation_grammar_step(g, rule, source->choice[rule], to) > 0) {
                mutation_tree refined = *source;
                refined.choice[rule] = (signed char)to;
                list(&l, refined, 1);
            }
    return l;
}

static void probabilities_sum_to_one(void)
{
    base_random random = stream("test grammar sum");
    double worst = 0;
    int count = 0;
    for (int i = 0; i < 300; i++) {
        mutation_grammar g = i % 7 == 6   ? small
                             : i % 7 == 5 ? grammar_of(TRAINED)
                                          : grammar_of(scopes[i % 7]);
        mutation_tree source = mutation_tree_sample(&g, &random);
        listing l = outcomes(&g, &source);
        worst = fmax(worst, fabs(l.total - 1));
        count += l.count;
        CHECK(mutation_tree_probability(&g, &source, &source) == 0, "%d", i);
    }
    /* a sum of n terms errs by at most n half units; each term by a few */
    CHECK(worst < count * 1e-15 && worst < 1e-11, "off by %g in %d outcomes", worst, count);
}

/* Each outcome's share of the draws, within 5 standard deviations of its probability. */
static void edits_are_drawn_as_often_as_is_said(void)
{
    enum { DRAWS = 100000, MOST = 1000 };
    static mutation_tree seen[MOST];
    static int times[MOST];
    base_random random = stream("test grammar draws");
    mutation_tree source = {{0}};
    while (source.choice[1] != 2) /* c($sub,$fixed), from where a and b reach new rules */
        source = mutation_tree_sample(&small, &random);
    int count = 0;
    for (int i = 0; i < DRAWS; i++) {
        mutation_tree refined;
        int k = 0;
        mutation_tree_edit(&small, &source, &random, &refined);
        while (k < count && !equal(&seen[k], &refined))
            k++;
        if (k == count && count < MOST)
            seen[count++] = refined;
        if (k < MOST)
            times[k]++;
    }
    CHECK(count == outcomes(&small, &source).count, "%d outcomes", count);
    for (int k = 0; k < count; k++) {
        double p = mutation_tree_probability(&small, &source, &seen[k]);
        CHECK(fabs(times[k] - DRAWS * p) < 5 * sqrt(DRAWS * p * (1 - p)), "%d times at %g",
              times[k], p);
    }
}

/* ---- entropy ---- */

static void add_source(listing *l, const mutation_tree *tree, double probability)
{
    l->total += probability;
    l->entropy += probability * outcomes(l->grammar, tree).entropy;
    l->count++;
}

static void entropy_is_that_of_all_sources(const mutation_grammar *g)
{
    listing l = {g, false, 0, 0, 0, {{0}}, add_source};
    mutation_tree nothing;
    memset(&nothing, -1, sizeof nothing);
    list(&l, nothing, 1);
    double entropy = mutation_grammar_entropy(g);
    CHECK(fabs(l.total - 1) < 1e-12, "%g", l.total);
    CHECK(fabs(entropy - l.entropy) < 1e-12 * l.count, "%.15g, of %d sources %.15g", entropy,
          l.count, l.entropy);
}

static void entropy_is_the_mean_of_draws(void)
{
    static const unsigned some[] = {ALL,    MUTATION_LEARNING, MUTATION_DATA, NETWORKS, DEPLOY,
                                    TRAINED};
    enum { DRAWS = 100000 };
    for (int s = 0; s < 6; s++) {
        mutation_grammar g = grammar_of(some[s]);
        double sum = 0, squares = 0;
        int same = 0, wrong = 0, draws = s ? DRAWS / 4 : DRAWS;
        for (int i = 0; i < draws; i++) {
            mutation_tree_pair pair = mutation_tree_pair_of(&g, 1, (uint64_t)i);
            double nats = -base_log(mutation_tree_probability(&g, &pair.source, &pair.refined));
            same += equal(&pair.source, &pair.refined);
            wrong +=
                pair.source.choice[pair.rule] == pair.refined.choice[pair.rule] || !(nats < 100);
            sum += nats;
            squares += nats * nats;
        }
        double mean = sum / draws, error = sqrt((squares / draws - mean * mean) / draws);
        double entropy = mutation_grammar_entropy(&g);
        CHECK(fabs(entropy - mean) < 4 * error, "scope %d: %.6f, drawn %.6f +- %.6f", s, entropy,
              mean, error);
        CHECK(same == 0 && wrong == 0, "%d edits change nothing, %d are not found", same, wrong);
    }
}

int main(void)
{
    const mutation_grammar own = with_own();
    CHECK(mutation_grammar_choices(&own, 7) == 6 && mutation_grammar_first(&own, 7) == 3 &&
              strcmp(mutation_template(&own, 7, 4), "4") == 0,
          "3 is not between 2 and 4");
    the_first_derivation_is_the_default_source();
    edits_of_a_default_change_one_decision(false);
    edits_of_a_default_change_one_decision(true);
    admits_the_numbers_of_a_text();
    reads_what_it_prints();
    refuses_or_prints_changed_texts(ALL);
    refuses_or_prints_changed_texts(TRAINED);
    no_alternative_begins_another(ALL);
    no_alternative_begins_another(TRAINED);
    every_alternative_is_a_program(ALL);
    every_alternative_is_a_program(TRAINED);
    probabilities_sum_to_one();
    edits_are_drawn_as_often_as_is_said();
    entropy_is_that_of_all_sources(&small);
    entropy_is_that_of_all_sources(&own);
    entropy_is_the_mean_of_draws();
    return test_end();
}
