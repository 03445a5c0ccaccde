/* SPDX-License-Identifier: MIT */
/* compare_table.c -- phoenix compare --table: every strategy, with the edit rules and with a T5 in
 * their place, or what learns from outcomes in place of either, at equal evaluations and at equal operations.
 *
 * On the table a search costs nothing, so each is repeated with many seeds, and the differences are
 * paired: seed i of two searches sees the same seed of the table. A search against itself with
 * other draws shows how often chance alone is called a difference. */
#include "base/memory.h"
#include "bin/command.h"
#include "bin/compare.h"
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

/* Who proposes. */
typedef enum proposer {
    RULES,
    PERFECT,
    T5,
    MORE_EDITS,  /* the rules, one or more edits a child, no child twice */
    NO_REPEATS,  /* the rules, one edit, no child twice */
    COUNTS,      /* what paid in this search */
    COUNTS_PAST, /* and in five others, on the table's other seeds */
    COUNTS_FILE, /* and in the experience of a file */
    CRITIC,      /* a critic of this search, and of the same experiences */
    CRITIC_PAST,
    CRITIC_FILE,
    TILTED, /* the bound */
    PROPOSERS
} proposer;

typedef struct arm {
    const char *name;
    evolve_strategy strategy;
    proposer proposer;
    bool other_draws; /* proposals drawn anew: the reference against itself */
} arm;

static const arm strategies[] = {
    {"greedy", EVOLVE_GREEDY, RULES, false}, /* the reference: the papers' search, no model */
    {"greedy again", EVOLVE_GREEDY, RULES, true},
    {"greedy, perfect T5", EVOLVE_GREEDY, PERFECT, false},
    {"greedy, T5", EVOLVE_GREEDY, T5, false},
    {"genetic, T5", EVOLVE_GENETIC, T5, false},
    {"climb", EVOLVE_CLIMB, RULES, false},
    {"genetic", EVOLVE_GENETIC, RULES, false},
    {"ageing", EVOLVE_AGEING, RULES, false},
    {"random", EVOLVE_RANDOM, RULES, false},
    {"halving", EVOLVE_HALVING, RULES, false},
    {"larger", EVOLVE_LARGER, RULES, false},
};

static const arm proposers[] = {
    {"rules", EVOLVE_GREEDY, RULES, false},
    {"rules again", EVOLVE_GREEDY, RULES, true},
    {"rules, no repeats", EVOLVE_GREEDY, NO_REPEATS, false},
    {"rules, 1+ edits", EVOLVE_GREEDY, MORE_EDITS, false},
    {"ageing", EVOLVE_AGEING, RULES, false},
    {"ageing, 1+ edits", EVOLVE_AGEING, MORE_EDITS, false},
    {"counts", EVOLVE_GREEDY, COUNTS, false},
    {"counts, five runs", EVOLVE_GREEDY, COUNTS_PAST, false},
    {"critic", EVOLVE_GREEDY, CRITIC, false},
    {"critic, five runs", EVOLVE_GREEDY, CRITIC_PAST, false},
    {"perfect tilted", EVOLVE_GREEDY, TILTED, false},
    {"counts, experience", EVOLVE_GREEDY, COUNTS_FILE, false}, /* these two need the file */
    {"critic, experience", EVOLVE_GREEDY, CRITIC_FILE, false},
};
enum { ARMS = sizeof proposers / sizeof *proposers, MOST_SEEDS = 1000, TRIALS_OF_NULL = 200 };
_Static_assert(sizeof strategies <= sizeof proposers, "more arms than there is room for");

typedef struct bench {
    const compare_how *how;
    const arm *arms;
    int count; /* of arms */
    search_table table;
    search_imitator mutators[PROPOSERS];
    search_experience *experience;
    search_searched found[ARMS][MOST_SEEDS];
    double value[ARMS][MOST_SEEDS]; /* of one difference */
    base_text text, csv;
} bench;

/* The seeds see those of the table in turn; other draws of a seed see the same one. */
static bool search(const bench *b, const arm *a, uint64_t seed, const search_budget *budget,
                   search_searched *found)
{
    const uint64_t elsewhere = (uint64_t)b->table.seeds << 32;
    search_how how = {.strategy = a->strategy,
                      .candidates = 8,
                      .population = (int)b->how->population,
                      .sample = (int)(b->how->population + 3) / 4,
                      .elitism = true,
                      .seed = a->other_draws ? seed + elsewhere : seed};
    return search_benchmark_search(&b->table, &how, &b->mutators[a->proposer], budget, found);
}

/* ---- one budget ---- */

static void describe(const bench *b, const search_searched *found, const char *name,
                     base_text *text)
{
    int n = (int)b->how->seeds, best = 0;
    static double missed[MOST_SEEDS], regret[MOST_SEEDS], better[MOST_SEEDS];
    double evaluations = 0, flops = 0, gain = 0, fresh = 0;
    for (int i = 0; i < n; i++) {
        missed[i] = found[i].missed;
        regret[i] = found[i].regret;
        better[i] = found[i].better;
        best += found[i].missed == 0;
        evaluations += found[i].spent.evaluations / n;
        flops += (double)found[i].spent.flops / n;
        gain += found[i].gain / n;
        fresh += found[i].fresh / n;
    }
    base_text_print(text, "%-20s  %.4f %3d of %-4d   %.4f  %6g   %7.1f %8.0f   %.4f  %.4f\n", name,
                    search_median(missed, n), best, n, search_median(regret, n),
                    search_median(better, n), evaluations, flops * 1e-9, gain, fresh);
}

static bool differences(bench *b, const char *equal, bool full, base_error *error)
{
    report_arm sides[ARMS];
    char name[64], title[120];
    int n = (int)b->how->seeds;
    for (int a = 0; a < b->count; a++) {
        for (int i = 0; i < n; i++)
            b->value[a][i] = full ? b->found[a][i].regret : b->found[a][i].missed;
        sides[a] = (report_arm){b->arms[a].name, b->value[a]};
    }
    snprintf(name, sizeof name, "%s-equal-%s", full ? "full" : "few-shot", equal);
    snprintf(title, sizeof title, "%s above the best there is, at equal %s",
             full ? "loss after full training" : "few-shot score", equal);
    return compare_arms(b->how, name, title, &sides[0], &sides[1], b->count - 1, n, &b->text,
                        error);
}

/* A line of the file that is kept: this one search, all that is known of it. */
static void keep(bench *b, const char *equal, int a, int seed)
{
    const search_searched *f = &b->found[a][seed];
    mutation_design design = search_table_design(f->cell);
    base_text_print(&b->csv,
                    "%s,%s,%d,%d,%d,%d,%d,%.9g,%.9g,%.9g,%.9g,%d,%.9g,%.9g,%g,%" PRId64 ",%" PRId64
                    "\n",
                    equal, b->arms[a].name, seed, design.value[0], design.value[1], design.value[2],
                    design.value[3], f->score, f->missed, f->full, f->regret, f->better, f->gain,
                    f->fresh, f->spent.evaluations, f->spent.flops, f->spent.proposals);
}

/* Every search at that budget, with every seed; then the tables of them. */
static bool at_budget(bench *b, const char *equal, const search_budget *budget, base_error *error)
{
    for (int a = 0; a < b->count; a++)
        for (int i = 0; i < b->how->seeds; i++) {
            if (!search(b, &b->arms[a], (uint64_t)i, budget, &b->found[a][i]))
                return base_fail(error, "no memory");
            keep(b, equal, a, i);
        }
    base_text_print(&b->text,
                    "\n== equal %s ==\n\n"
                    "                      few-shot score     full training                      "
                    "   few-shot gain\n"
                    "                      above      found   above  designs    evalu-           "
                    "   in the   with other\n"
                    "                      the best  the best the best better   ations   GFLOPs  "
                    "   search   seeds\n",
                    equal);
    for (int a = 0; a < b->count; a++)
        describe(b, b->found[a], b->arms[a].name, &b->text);
    return differences(b, equal, false, error) && differences(b, equal, true, error);
}

/* ---- what the tests and the scores are worth ---- */

/* The reference against itself, many times: how often the test says that there is a difference. */
static bool null_differences(bench *b, const search_budget *budget, base_error *error)
{
    int n = (int)b->how->seeds, said = 0;
    double difference[MOST_SEEDS];
    for (int t = 0; t < TRIALS_OF_NULL; t++) {
        for (int i = 0; i < n; i++) {
            search_searched one, other;
            uint64_t seed = (uint64_t)i + (uint64_t)b->table.seeds * MOST_SEEDS * (uint64_t)(t + 1);
            if (!search(b, &b->arms[0], seed, budget, &one) ||
                !search(b, &b->arms[1], seed, budget, &other))
                return base_fail(error, "no memory");
            difference[i] = other.regret - one.regret;
        }
        said += search_sign_flips(difference, n, 1) <= 0.05;
    }
    base_text_print(&b->text, "\nA/A: %s against itself, %d times %d seeds: p <= 0.05 in %.1f %%\n",
                    b->arms[0].name, TRIALS_OF_NULL, n, 100.0 * said / TRIALS_OF_NULL);
    return true;
}

/* How well a short score orders designs as a full training does, and how often it misleads. */
static void proxies(bench *b)
{
    double x[SEARCH_TABLE_CELLS], truth[SEARCH_TABLE_CELLS];
    base_text_print(
        &b->text, "\n== what a score says about full training ==\n\n"
                  "the score of one seed against the loss after full training with the others\n"
                  "                Spearman [95 %%]                Kendall [95 %%]                 "
                  "other seeds (S, K)          best of 8  regret\n");
    for (int p = 0; p < SEARCH_PROXIES; p++) {
        search_benchmark_proxy(&b->table, (search_proxy)p, 0, x, truth);
        search_interval s = search_bootstrap(search_spearman, x, truth, SEARCH_TABLE_CELLS, 1);
        search_interval k = search_bootstrap(search_kendall, x, truth, SEARCH_TABLE_CELLS, 1);
        double best = search_benchmark_best_of_8(x, truth);
        double regret = search_benchmark_regret(x, truth);
        base_text_print(&b->text, "%-14s  %+.3f [%+.3f, %+.3f]  %+.3f [%+.3f, %+.3f] ",
                        search_proxy_name((search_proxy)p),
                        search_spearman(x, truth, SEARCH_TABLE_CELLS), s.low, s.high,
                        search_kendall(x, truth, SEARCH_TABLE_CELLS), k.low, k.high);
        for (int seed = 1; seed < b->table.seeds; seed++) {
            search_benchmark_proxy(&b->table, (search_proxy)p, seed, x, truth);
            base_text_print(&b->text, " (%+.3f, %+.3f)",
                            search_spearman(x, truth, SEARCH_TABLE_CELLS),
                            search_kendall(x, truth, SEARCH_TABLE_CELLS));
            best += search_benchmark_best_of_8(x, truth);
            regret += search_benchmark_regret(x, truth);
        }
        base_text_print(&b->text, "  %.3f      %.4f\n", best / b->table.seeds,
                        regret / b->table.seeds);
    }
    double by_fresh, by_full;
    search_benchmark_false_gains(&b->table, &by_fresh, &by_full);
    base_text_print(&b->text,
                    "\nof the edits that a score of one seed calls better, %.1f %% are not by the "
                    "scores of the other\nseeds, and %.1f %% are not after full training\n"
                    "full training of one design, standard deviation between seeds: %.4f nats a "
                    "token\n",
                    100 * by_fresh, 100 * by_full, search_benchmark_spread(&b->table));
}

/* ---- all of it ---- */

/* What every search starts from, and what its T5 is. */
static bool heading(bench *b, base_error *error)
{
    const search_budget nothing = {.evaluations = 1, .flops = INT64_MAX, .proposals = 1};
    const search_imitator *m = &b->how->t5;
    search_searched start;
    if (!search(b, &b->arms[0], 0, &nothing, &start))
        return base_fail(error, "no memory");
    base_text_print(&b->text,
                    "%d designs, %d seeds each. The start: loss after full training %.4f, %.4f "
                    "above the best; %d are better\n"
                    "T5: %.1f %% of its proposals are no program, %.1f %% copies, %.1f %% several "
                    "edits, %.1f %% illegal ones;\n    trained on %" PRId64 " pairs every %" PRId64
                    " proposals, as is the perfect one\n",
                    SEARCH_TABLE_CELLS, b->table.seeds, start.full, start.regret, start.better,
                    100 * m->invalid, 100 * m->copies, 100 * m->several, 100 * m->illegal, m->pairs,
                    m->stage);
    if (b->table.seeds == 1)
        base_text_print(&b->text, "The table has one whole seed so far, which stands for the "
                                  "others: what is said of them is too good\n");
    return true;
}

static bool all(bench *b, base_error *error)
{
    const double n = (double)b->how->evaluations;
    const search_budget evaluations = {
        .evaluations = n, .flops = INT64_MAX, .proposals = 64 * b->how->evaluations};
    int64_t flops = search_benchmark_mean_flops(&b->table) * b->how->evaluations;
    /* A search that scores what it knows already costs nothing, and would never end. */
    const search_budget operations = {
        .evaluations = 16 * n, .flops = flops, .proposals = 64 * b->how->evaluations};
    base_text_print(&b->csv, "equal,arm,seed,num_layers,num_decoder_layers,num_heads,d_ff,score,"
                             "missed,full,regret,better,gain,fresh,evaluations,flops,proposals\n");
    return heading(b, error) && at_budget(b, "evaluations", &evaluations, error) &&
           at_budget(b, "operations", &operations, error) &&
           null_differences(b, &evaluations, error);
}

/* The searches climb on the column `score`: the last quarter takes its place. */
static void climb_on_last_quarter(search_table *table)
{
    for (int i = 0; i < SEARCH_TABLE_ROWS; i++)
        table->row[i].score = table->row[i].tail;
}

static bool choose_arms(bench *b, base_error *error)
{
    b->arms = b->how->arms == COMPARE_PROPOSERS ? proposers : strategies;
    b->count = b->how->arms == COMPARE_PROPOSERS ? ARMS : sizeof strategies / sizeof *strategies;
    b->mutators[MORE_EDITS] = (search_imitator){.writer = SEARCH_EDITS};
    b->mutators[NO_REPEATS] = (search_imitator){.writer = SEARCH_EDITS, .edits = 1};
    b->mutators[COUNTS] = (search_imitator){.writer = SEARCH_COUNTS};
    b->mutators[COUNTS_PAST] = (search_imitator){.writer = SEARCH_COUNTS, .past = 5};
    b->mutators[CRITIC] = (search_imitator){.writer = SEARCH_CRITIC};
    b->mutators[CRITIC_PAST] = (search_imitator){.writer = SEARCH_CRITIC, .past = 5};
    b->mutators[CRITIC_FILE] = (search_imitator){.writer = SEARCH_CRITIC};
    b->mutators[TILTED] = (search_imitator){.writer = SEARCH_TILTED};
    b->mutators[COUNTS_FILE] = (search_imitator){.writer = SEARCH_COUNTS};
    if (b->how->arms == COMPARE_PROPOSERS && !b->how->experience)
        b->count -= 2;
    if (!b->how->experience)
        return true;
    b->experience = search_experience_open(b->how->experience, error);
    if (b->experience) /* the table's designs are of this scope */
        search_experience_narrow(b->experience, "architecture", true);
    return b->experience != NULL;
}

static int measure(bench *b)
{
    const compare_how *how = b->how;
    base_error error;
    if (!choose_arms(b, &error))
        return complain(EXIT_FAILED, "%s", error.text);
    b->mutators[COUNTS_FILE].experience = b->mutators[CRITIC_FILE].experience = b->experience;
    b->mutators[T5] = how->t5;
    b->mutators[PERFECT] = (search_imitator){.pairs = how->t5.pairs, .stage = how->t5.stage};
    if (!search_table_read(&b->table, how->table, &error))
        return complain(EXIT_FAILED, "%s", error.text);
    if (b->table.seeds < 1)
        return complain_go_on(EXIT_FAILED, "the table lacks designs", "table --out", how->table,
                              "");
    if (how->score == EVOLVE_LAST_QUARTER)
        climb_on_last_quarter(&b->table);
    if (!all(b, &error))
        return complain(EXIT_FAILED, "%s", error.text);
    if (how->arms == COMPARE_STRATEGIES)
        proxies(b);
    int code = compare_finish(how, &b->text, &b->csv);
    base_text_free(&b->text);
    base_text_free(&b->csv);
    search_experience_free(b->experience);
    return code;
}

int compare_table(const compare_how *how)
{
    assert(how->seeds <= MOST_SEEDS);
    bench *b = base_calloc(1, sizeof *b);
    if (!b)
        return complain(EXIT_FAILED, "no memory");
    b->how = how;
    int code = measure(b);
    base_free(b);
    return code;
}
