/* SPDX-License-Identifier: MIT */
/* exercise_09.c -- chapter 9: an edit rule of your own. Fails until programs of the scope `data` may skip pairs. */
#include "evolve/source/host.h"
#include "refine/mutation/mutator.h"
#include "tests/test.h"

#include <math.h>

int main(void)
{
    enum { PAIRS = 4000 };
    const mutation_grammar grammar = mutation_grammar_of(MUTATION_DATA);
    const mutation_mutator m = mutation_mutator_of_grammar(&grammar, "t5 *model(void)");
    int with = 0, edits = 0, counts[4] = {0};
    for (uint64_t i = 0; i < PAIRS; i++) {
        mutation_drawn pair = m.kind->pair(&m, 1, i);
        mutation_form again;
        base_text source = {0}, refined = {0};
        m.kind->print(&m, &pair.source, &source);
        m.kind->print(&m, &pair.refined, &refined);
        const char *skip = strstr(source.data, "    skip(d, ");
        int count = skip ? atoi(skip + 12) : 0;
        with += skip != NULL;
        edits += (skip != NULL) != (strstr(refined.data, "    skip(d, ") != NULL);
        for (int k = 0; k < 4; k++)
            counts[k] += count == 8 << k;
        if (skip && with <= 40) {
            language_diagnostic diagnostic;
            language_program *program =
                source_parse("drawn.c", source.data, source.length, &diagnostic);
            CHECK(program, "%s\n%s", diagnostic.text, source.data);
            CHECK(m.kind->read(&m, source.data, source.length, &again), "cannot be read back:\n%s",
                  source.data);
            CHECK(m.kind->probability(&m, &pair.source, &pair.refined) > 0,
                  "an edit of probability 0");
            language_program_free(program);
        }
        base_text_free(&source);
        base_text_free(&refined);
    }
    CHECK(with > PAIRS / 40, "%d of %d sources skip pairs", with, (int)PAIRS);
    CHECK(edits > 0, "no edit makes or takes away a skip");
    for (int k = 0; k < 4; k++)
        CHECK(counts[k] > 0, "none skips %d", 8 << k);
    return test_end();
}
