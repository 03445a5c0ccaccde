/* SPDX-License-Identifier: MIT */
/* uses.c -- which of these things take place, and the message for a setting that then has no use. */
#include "evolve/uses.h"
#include "evolve/strategy.h"
#include "evolve/task.h"

static unsigned where(bool is, unsigned uses) { return is ? uses : 0; }

/* Of the loop's own: the strategy's, and those of a T5 that writes. */
static unsigned uses_of_search(const evolve_settings *s, bool t5s)
{
    const evolve_strategy strategy = (evolve_strategy)s->strategy;
    return EVOLVE_USE_SEARCH |
           where(strategy == EVOLVE_GREEDY || strategy == EVOLVE_GENETIC, EVOLVE_USE_ELITISM) |
           where(strategy == EVOLVE_GREEDY && s->elitism && t5s, EVOLVE_USE_EARLY_STOP) |
           where(strategy == EVOLVE_GENETIC || strategy == EVOLVE_AGEING, EVOLVE_USE_POPULATION) |
           where(strategy == EVOLVE_AGEING, EVOLVE_USE_SAMPLE) |
           where(evolve_strategy_refines(strategy), EVOLVE_USE_REFINING) |
           where(t5s, EVOLVE_USE_FULL) | where(evolve_could_inherit(s), EVOLVE_USE_INHERIT);
}

/* What a command can use at most, cut down to what takes place with these settings: a bit a thing. */
unsigned evolve_uses(const evolve_settings *s, unsigned command)
{
    const bool t5s = evolve_subject_of(s) == EVOLVE_T5S;
    const bool search = (command & EVOLVE_USE_SEARCH) != 0;
    const bool writes = search ? evolve_writes(s) : t5s, trains = search ? evolve_trains(s) : t5s;
    const bool draws = !(command & EVOLVE_USE_T5); /* phoenix refine: nothing but pairs */
    return command &
           (EVOLVE_USE_ANY | EVOLVE_USE_MODEL | EVOLVE_USE_CANDIDATE | uses_of_search(s, t5s) |
            where(t5s, EVOLVE_USE_FEW_SHOT) | where(evolve_task_has_pairs(s), EVOLVE_USE_TEXTS) |
            where(t5s && s->scope == EVOLVE_ARCHITECTURE, EVOLVE_USE_RULES) |
            where(t5s && s->scope != EVOLVE_ARCHITECTURE, EVOLVE_USE_CODE) |
            where(t5s || trains || draws, EVOLVE_USE_PAIRS) | where(t5s || writes, EVOLVE_USE_T5) |
            where(trains, EVOLVE_USE_STAGE) |
            where(writes, EVOLVE_USE_SAMPLING | EVOLVE_USE_WRITER) |
            where(!t5s, EVOLVE_USE_NETWORK | EVOLVE_USE_NETWORK_SCORE) |
            where(!search && !t5s, EVOLVE_USE_PART));
}

/* Why a setting is of no use: the first row whose bit it has says so. */
static const struct {
    unsigned use;
    const char *only;
} reasons[] = {
    {EVOLVE_USE_SEARCH, "only phoenix evolve searches"},
    {EVOLVE_USE_ELITISM, "only --strategy greedy and genetic could lose their best source"},
    {EVOLVE_USE_EARLY_STOP, "only --strategy greedy with --elitism yes and --task self can stop"},
    {EVOLVE_USE_POPULATION, "only --strategy genetic and ageing have a population"},
    {EVOLVE_USE_SAMPLE, "only --strategy ageing samples its population"},
    {EVOLVE_USE_REFINING,
     "only --strategy greedy, climb, genetic, ageing and refined-halving refine a source"},
    {EVOLVE_USE_WRITER, "only a T5 that writes refinements (--proposer t5, untrained, tilted, "
                        "taught, winners, actor) can be constrained"},
    {EVOLVE_USE_RULES, "only --task self with --scope architecture has the papers' edits"},
    {EVOLVE_USE_T5, "it has a use only where a T5 is trained or writes"},
    {EVOLVE_USE_PAIRS, "there are pairs only where a T5 is trained"},
    {EVOLVE_USE_STAGE, "only phoenix evolve --proposer t5, tilted, taught, winners or actor and "
                       "phoenix train of a T5 have a training stage"},
    {EVOLVE_USE_SAMPLING, "only phoenix evolve --proposer t5, tilted, taught, winners or actor and "
                          "phoenix train of a T5 draw samples"},
    {EVOLVE_USE_FEW_SHOT, "only phoenix evolve and evaluate with --task self score T5s"},
    {EVOLVE_USE_FULL, "only phoenix evolve --task self compares T5s in the end"},
    {EVOLVE_USE_MODEL, "it has a use only where something is trained"},
    {EVOLVE_USE_CANDIDATE, "only phoenix evolve and evaluate score candidates"},
    {EVOLVE_USE_NETWORK, "only --task digits, mnist, ... images train networks"},
    {EVOLVE_USE_NETWORK_SCORE,
     "only phoenix evolve and evaluate with --task digits, mnist, ... images score networks"},
    {EVOLVE_USE_INHERIT,
     "only networks with --strategy greedy, --elitism yes, --score held-out and --candidates 2 or "
     "more can be compared after equally long trainings"},
    {EVOLVE_USE_PART,
     "the test set is only for the end of a run, or for phoenix evaluate of a network"},
};

/* A setting with several marks is of use where any of them is. */
bool evolve_use_check(const evolve_field *setting, const char *value,
                      const evolve_settings *settings, unsigned command, base_error *error)
{
    unsigned uses = evolve_uses(settings, command);
    if (setting->marks & uses)
        return true;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (setting->marks & reasons[i].use)
            return base_fail(error, "--%s %s: would change nothing: %s", setting->name, value,
                             reasons[i].only);
    return base_fail(error, "--%s %s: would change nothing", setting->name, value);
}
