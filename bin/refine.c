/* SPDX-License-Identifier: MIT */
/* refine.c -- phoenix refine: the dataset, to look at or to keep. A pair is a pure function of the
 * settings, the seed and its index, so any part of the dataset is made without the rest. */
#include "bin/command.h"
#include "base/number.h"
#include "evolve/settings.h"
#include "refine/mutation/dataset.h"
#include "evolve/task.h"
#include "evolve/uses.h"
#include <stdio.h>

typedef struct request {
    int64_t count, first;
    const char *out;
    bool floor;
} request;

#define AT(field) offsetof(request, field)
static const evolve_field own[] = {
    {"count", WHOLE(count, 0, 1e8), "how many pairs"},
    {"first", WHOLE(first, 0, 1e12), "index of the first"},
    {"out", TEXT(out), "write them to this file, as JSON lines"},
    {"floor", FLAG(floor), "print the dataset's conditional entropy instead"},
    {0},
};

static const command_line command = {
    .usage = "phoenix refine [--count N] [--out FILE.jsonl] [--floor] [options]",
    .about = "The random refinement dataset: sources, each with one edit: of its four design "
             "parameters\n(--scope architecture), or of its code. Pair i of a seed is always the "
             "same.",
    .own = own,
    .preset = "quick",
    .uses = EVOLVE_USES_REFINE,
};

/* The loss that no model can beat on these pairs, and, of the four parameters, what each adds. */
static void print_floor(const mutation_mutator *mutator)
{
    double by_edit[MUTATION_EDITS];
    base_print_to(stdout, "entropy floor: %.6f nats a pair\n", mutator->kind->entropy(mutator));
    if (!mutation_mutator_is_of_rules(mutator))
        return;
    mutation_entropy(&mutator->rules, by_edit);
    for (int i = 0; i < MUTATION_EDITS; i++)
        base_print_to(stdout, "  %-20s %.6f nats, given that it is edited\n",
                      mutation_edit_name((mutation_edit)i), by_edit[i]);
}

/* For reading: each source, and what it was refined to, under the name of the edit. */
static bool print_pairs(const mutation_mutator *mutator, uint64_t seed, uint64_t first,
                        int64_t count, base_error *error)
{
    base_text text = {0};
    for (int64_t i = 0; i < count && !ferror(stdout); i++) {
        mutation_drawn pair = mutator->kind->pair(mutator, seed, first + (uint64_t)i);
        base_text_print(&text, "/* pair %lld: %s */\n", (long long)first + i,
                        mutator->kind->name(mutator, pair.edit));
        mutator->kind->print(mutator, &pair.source, &text);
        base_text_print(&text, "/* refined */\n");
        mutator->kind->print(mutator, &pair.refined, &text);
        if (!text.failed)
            fputs(text.data, stdout);
        base_text_clear(&text);
    }
    bool ok = !text.failed || base_fail(error, "no memory");
    base_text_free(&text);
    return ok;
}

int command_refine(int argc, char **argv)
{
    evolve_settings settings = {0};
    request r = {.count = 1};
    const command_values values = {.own = &r, .settings = &settings};
    int code = command_read(&command, &values, argc, argv);
    if (code >= 0)
        return code;
    mutation_mutator mutator = evolve_mutator(&settings);
    uint64_t seed = evolve_data_seed(&settings);
    base_error error;
    bool ok = true;
    if (r.floor)
        print_floor(&mutator);
    else
        ok = r.out ? mutation_dataset_write(&mutator, seed, (uint64_t)r.first, (size_t)r.count,
                                            r.out, &error)
                   : print_pairs(&mutator, seed, (uint64_t)r.first, r.count, &error);
    return ok ? EXIT_DONE : complain(EXIT_FAILED, "%s", error.text);
}
