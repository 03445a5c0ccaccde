/* SPDX-License-Identifier: MIT */
/* seeds.c -- what fuzz_language.c and fuzz_script.c begin with: `seeds LANGUAGE SCRIPT` writes into the
 * first folder sources of every set of scopes as the grammar derives them, the programs whose results are
 * known, and random ones, each behind the byte that says how much is put around it; and into the second
 * such sources with the script of an edit, a zero byte between them. */
#include "refine/mutation/mutator.h"
#include "refine/mutation/script.h"
#include "tests/refine/test_refine_generate.h"
#include "tests/refine/test_refine_programs.h"
#include <stdio.h>

enum { SEED = 50, DERIVED = 120, RANDOM = 40 };

static bool put(const char *folder, const char *kind, int number, const base_text *text)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s-%d", folder, kind, number);
    FILE *file = text->failed ? NULL : fopen(path, "wb");
    bool ok = file && fwrite(text->data, 1, text->length, file) == text->length;
    return file && fclose(file) == 0 && ok;
}

/* The source of a pair, and the script of its edit: of all mutators in turn. */
static bool put_script(const char *folder, int number)
{
    mutation_rules rules = mutation_paper_rules();
    mutation_grammar grammar =
        number % 32 == 31   ? mutation_deploy_grammar(MUTATION_ARCHITECTURE | MUTATION_LEARNING)
        : number % 16 == 15 ? mutation_network_grammar()
                            : mutation_grammar_of(1 + (unsigned)number % 15);
    mutation_mutator mutator = number % 8 == 0 ? mutation_mutator_of_rules(&rules)
                                               : mutation_mutator_of_grammar(&grammar, "");
    mutation_drawn pair = mutator.kind->pair(&mutator, SEED, (uint64_t)number);
    base_text source = {0}, refined = {0};
    mutator.kind->print(&mutator, &pair.source, &source);
    mutator.kind->print(&mutator, &pair.refined, &refined);
    base_text text = {0};
    base_text_add(&text, source.data, source.length);
    base_text_add(&text, "", 1);
    bool ok =
        mutation_script_of(source.data, source.length, refined.data, refined.length, &text, NULL) &&
        put(folder, "script", number, &text);
    base_text_free(&source);
    base_text_free(&refined);
    base_text_free(&text);
    return ok;
}

int main(int argc, char **argv)
{
    base_text text = {0};
    bool ok = argc == 3;
    for (int i = 0; ok && i < DERIVED; i++)
        ok = put_script(argv[2], i);
    for (int i = 0; ok && i < DERIVED; i++) {
        base_random random = {SEED, (uint64_t)i, 0};
        mutation_grammar g = mutation_grammar_of(1 + (unsigned)i % 15);
        mutation_tree tree = mutation_tree_sample(&g, &random);
        base_text_clear(&text);
        base_text_print(&text, "0");
        mutation_tree_print(&g, &tree, &text);
        ok = put(argv[1], "derived", i, &text);
    }
    for (int i = 0; ok && i < LANGUAGE_TEST_PROGRAMS; i++) {
        base_text_clear(&text);
        base_text_print(&text, "1%s", language_test_programs[i].text);
        ok = put(argv[1], "known", i, &text);
    }
    for (int i = 0; ok && i < RANDOM; i++) {
        base_text_clear(&text);
        base_text_print(&text, "0");
        generate_program(SEED, (uint64_t)i, &text);
        ok = put(argv[1], "random", i, &text);
    }
    base_text_free(&text);
    return !ok;
}
