/* SPDX-License-Identifier: MIT */
/* test_prefix.c -- every beginning of every program is one, and nothing else is: held
 * against an oracle that tries each derivation, or each number, in turn. */
#include "refine/mutation/prefix.h"
#include "tests/test.h"

enum { EVERY = MUTATION_ARCHITECTURE | MUTATION_LEARNING | MUTATION_OBJECTIVE | MUTATION_DATA };

/* ---- the oracle ---- */

typedef enum verdict { NO, BEGINNING, WHOLE } verdict;

static verdict better(verdict a, verdict b) { return a > b ? a : b; }

/* How a text stands to the programs with these choices, where it is printed so far: `at`, and then
 * the templates of `rests`, the innermost last. */
static verdict derive(const mutation_grammar *g, mutation_tree tree, const char *const *rests,
                      int depth, const char *at, const char *end)
{
    const char *stack[16];
    mutation_piece piece;
    memcpy(stack, rests, (size_t)depth * sizeof *stack);
    while (depth > 0) {
        if (!mutation_next_piece(g, &stack[depth - 1], &piece)) {
            depth--;
        } else if (piece.text) {
            size_t left = (size_t)(end - at), length = piece.length < left ? piece.length : left;
            if (memcmp(at, piece.text, length) != 0)
                return NO;
            at += length;
            if (length < piece.length)
                return BEGINNING;
        } else if (piece.repeat) {
            stack[depth++] = mutation_template(g, piece.writing, tree.choice[piece.rule]);
        } else {
            verdict best = NO;
            int count = mutation_grammar_choices(g, piece.rule);
            for (int i = 0; i < count; i++) {
                int choice = count == 1 ? g->rules[piece.rule].first : i;
                tree.choice[piece.rule] = (signed char)choice;
                stack[depth] = mutation_template(g, piece.writing, choice);
                best = better(best, derive(g, tree, stack, depth + 1, at, end));
            }
            return best;
        }
    }
    return at == end ? WHOLE : NO;
}

/* Number after number, each that the ranges have. rest: of the listing. */
static verdict count_through(const int low[], const int high[], int i, const char *rest,
                             const char *at, const char *end)
{
    const char *hole = strchr(rest, '$');
    char text[512];
    verdict best = NO;
    if (i == MUTATION_EDITS)
        return at == end ? WHOLE : NO;
    for (int n = low[i]; n <= high[i]; n++) {
        int length = snprintf(text, sizeof text, "%.*s%d%.*s", i == 0 ? (int)(hole - rest) : 0,
                              rest, n, (int)strcspn(hole + 1, "$"), hole + 1);
        int left = end - at < length ? (int)(end - at) : length;
        if (memcmp(at, text, (size_t)left) == 0)
            best = better(best, left < length
                                    ? BEGINNING
                                    : count_through(low, high, i + 1, hole + 1, at + left, end));
    }
    return best;
}

/* ---- */

static verdict asked(mutation_prefix *p, const char *text, size_t length)
{
    mutation_prefix_clear(p);
    if (!mutation_prefix_add(p, text, length))
        return NO;
    return mutation_prefix_is_whole(p) ? WHOLE : BEGINNING;
}

typedef struct kind {
    mutation_mutator mutator;
    int low[MUTATION_EDITS], high[MUTATION_EDITS];
} kind;

static verdict expected(const kind *k, const char *text, size_t length)
{
    const mutation_grammar *g = &k->mutator.grammar;
    if (mutation_mutator_is_of_rules(&k->mutator))
        return count_through(k->low, k->high, 0, mutation_listing(), text, text + length);
    mutation_tree tree;
    memset(tree.choice, -1, sizeof tree.choice);
    const char *root = mutation_template(g, g->root, 0);
    return derive(g, tree, &root, 1, text, text + length);
}

/* Added byte by byte, and by pieces of random length. */
static void beginnings(mutation_prefix *p, const base_text *text, base_random *random)
{
    int refused = 0, whole = 0;
    mutation_prefix_clear(p);
    for (size_t i = 0; i < text->length; i++) {
        size_t left = text->length - i, ahead = base_random_below(random, 40);
        whole += mutation_prefix_is_whole(p);
        refused += !mutation_prefix_follows(p, text->data + i, ahead < left ? ahead : left);
        refused += !mutation_prefix_add(p, text->data + i, 1);
    }
    CHECK(refused == 0 && whole == 0 && mutation_prefix_is_whole(p), "%d refused, %d whole: %s",
          refused, whole, text->data);
    CHECK(!mutation_prefix_follows(p, "\n", 1) && mutation_prefix_is_whole(p), "more may follow");
    mutation_prefix_clear(p);
    for (size_t i = 0, step; i < text->length; i += step) {
        step = 1 + base_random_below(random, 60);
        step = step < text->length - i ? step : text->length - i;
        refused += !mutation_prefix_add(p, text->data + i, step);
    }
    CHECK(refused == 0 && mutation_prefix_is_whole(p), "%d pieces are refused: %s", refused,
          text->data);
}

static const char alphabet[] = "0123456789 .;$@\n(ade1}";

/* A byte changed, put in or left out; now and then cut off behind it. */
static void spoil(base_text *text, base_random *random)
{
    size_t i = base_random_below(random, (uint32_t)text->length);
    char byte = alphabet[base_random_below(random, sizeof alphabet - 1)];
    uint32_t how = base_random_below(random, 6);
    if (how < 4)
        text->data[i] = byte;
    else {
        memmove(text->data + i, text->data + i + 1, text->length - i);
        text->length--;
    }
    if (how % 2)
        text->length = i + 1 < text->length ? i + 1 : text->length;
    text->data[text->length] = '\0';
}

static void programs_and_only_programs(const kind *k, const char *name, int pairs)
{
    base_random random = {3, base_random_stream("prefix", 0, 0, 0), 0};
    mutation_prefix *p = mutation_prefix_new(&k->mutator);
    base_text text = {0};
    int verdicts[3] = {0}, wrong = 0;
    for (int i = 0; i < pairs; i++) {
        mutation_drawn drawn = k->mutator.kind->pair(&k->mutator, 5, (uint64_t)i);
        for (int side = 0; side < 2; side++) {
            const mutation_form *form = side ? &drawn.refined : &drawn.source;
            base_text_clear(&text);
            k->mutator.kind->print(&k->mutator, form, &text);
            beginnings(p, &text, &random);
            for (int n = 0; n < 6; n++) {
                base_text_clear(&text);
                k->mutator.kind->print(&k->mutator, form, &text);
                spoil(&text, &random);
                verdict want = expected(k, text.data, text.length);
                verdicts[want]++;
                if (asked(p, text.data, text.length) == want)
                    continue;
                wrong++;
                test_note(__FILE__, __LINE__, name, "expected %d: %s", want, text.data);
            }
        }
    }
    CHECK(wrong == 0 && verdicts[NO] > pairs && verdicts[BEGINNING] > 0 && verdicts[WHOLE] > 0,
          "%s: %d wrong of %d none, %d beginnings, %d whole", name, wrong, verdicts[NO],
          verdicts[BEGINNING], verdicts[WHOLE]);
    base_text_free(&text);
    mutation_prefix_free(p);
}

/* Each number of each range, one below and one above it, and zeros in front. */
static void numbers(const kind *k)
{
    mutation_prefix *p = mutation_prefix_new(&k->mutator);
    int wrong = 0;
    for (int edit = 0; edit < MUTATION_EDITS; edit++)
        for (int n = 0; n <= k->high[edit] + 1200; n++) {
            mutation_design design = {{k->low[0], k->low[1], k->low[2], k->low[3]}};
            base_text text = {0};
            design.value[edit] = n;
            mutation_print(&design, &text);
            verdict want = n >= k->low[edit] && n <= k->high[edit] ? WHOLE : NO;
            wrong += asked(p, text.data, text.length) != want;
            base_text_free(&text);
        }
    CHECK(wrong == 0, "%d numbers", wrong);
    mutation_prefix_clear(p);
    const char *first = mutation_listing();
    CHECK(mutation_prefix_add(p, first, strcspn(first, "$")) &&
              !mutation_prefix_follows(p, "0", 1) && !mutation_prefix_follows(p, "01", 2) &&
              !mutation_prefix_follows(p, ";", 1) && !mutation_prefix_follows(p, "-1", 2) &&
              !mutation_prefix_follows(p, "99999999999", 11),
          "a number that is none");
    mutation_prefix_free(p);
}

int main(void)
{
    mutation_rules rules = mutation_paper_rules();
    kind papers = {.mutator = mutation_mutator_of_rules(&rules),
                   .low = {1, 1, 1, 64},
                   .high = {8, 8, 16, 4096}};
    programs_and_only_programs(&papers, "four integers", 100);
    numbers(&papers);
    rules.clamp = false; /* 8 + 1 layers; 64 less, 4096 more half of it; no layer is none */
    kind wide = {.mutator = mutation_mutator_of_rules(&rules),
                 .low = {1, 1, 1, 32},
                 .high = {9, 9, 17, 6144}};
    programs_and_only_programs(&wide, "without clamp", 100);
    numbers(&wide);

    static const unsigned scopes[] = {MUTATION_LEARNING, MUTATION_OBJECTIVE, MUTATION_DATA, EVERY};
    for (int i = 0; i < 4; i++) {
        char name[32];
        mutation_grammar g = mutation_grammar_of(scopes[i]);
        kind sources = {.mutator = mutation_mutator_of_grammar(&g, "t5 *model(void)")};
        snprintf(name, sizeof name, "scope %u", scopes[i]);
        programs_and_only_programs(&sources, name, 150);
    }
    mutation_grammar g = mutation_network_grammar();
    kind networks = {.mutator = mutation_mutator_of_grammar(&g, "network *model(void)")};
    programs_and_only_programs(&networks, "networks", 150);
    g = mutation_deploy_grammar(MUTATION_ARCHITECTURE | MUTATION_LEARNING);
    networks.mutator = mutation_mutator_of_grammar(&g, "network *model(void)");
    programs_and_only_programs(&networks, "networks to deploy", 150);
    return test_end();
}
