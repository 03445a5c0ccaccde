/* SPDX-License-Identifier: MIT */
/* test_differential.c -- the two executors, from the source to the result: sources of every
 * scope, as the grammar derives them and as mutations leave them, give the same line of JSON,
 * losses to the bit, whether they are interpreted or compiled.
 *
 *   test_evolve_differential [SOURCES [COMPILER [FIRST]]]     so many derived, as many mutated
 *
 * What the checker refuses is refused alike by construction: the native executor compiles what has
 * passed it and nothing else. That it does is looked at too. */
#include "evolve/score/evaluate.h"
#include "evolve/score/native.h"
#include "refine/mutation/grammar.h"
#include "tests/evolve/test_evolve.h"
#include "tests/refine/test_refine_mutate.h"
#include <signal.h>
#include <sys/wait.h>

enum { SEED = 40, SCOPES = EVOLVE_ALL + 1 };

/* Sources that one run of cc compiles: not so many that it would not optimise, as it does one. */
enum { BATCH = 32, BATCH_INSTRUCTIONS = 1500 };

extern const char *const source_phoenix_h[];

typedef struct trial {
    evolve_settings settings;
    language_program *program;
    base_text text;
    bool mutated;
} trial;

static int outcomes[2][SCORE_STATUSES]; /* of derived and of mutated sources */

/* A training of a few milliseconds. */
static evolve_settings settings_of(int64_t number)
{
    evolve_settings settings = tiny_settings();
    settings.few_shot = 4 + number % 5;
    settings.batch = 1 + number % 3;
    settings.seed = number;
    settings.data_seed = 1;
    tiny_scope(&settings, number % SCOPES);
    settings.max_parameters = 3000000;
    return settings;
}

static void derive(int64_t number, base_text *text)
{
    static const unsigned scopes[SCOPES] = {
        MUTATION_ARCHITECTURE, MUTATION_LEARNING, MUTATION_OBJECTIVE, MUTATION_DATA,
        MUTATION_ARCHITECTURE | MUTATION_LEARNING | MUTATION_OBJECTIVE | MUTATION_DATA};
    base_random random = {SEED, (uint64_t)number, 0};
    mutation_grammar g = mutation_grammar_of(scopes[number % SCOPES]);
    mutation_tree tree = mutation_tree_sample(&g, &random);
    mutation_tree_print(&g, &tree, text);
}

/* What `phoenix evaluate` prints, but for what may differ. */
static score_status evaluate(const trial *t, score_native *native, base_text *line)
{
    evolve_settings settings = t->settings;
    score_result score;
    score_of_source(&(score_request){.file = "source.c",
                                     .text = t->text.data,
                                     .length = t->text.length,
                                     .settings = &settings,
                                     .native = native,
                                     .threads = 1},
                    &score);
    score.seconds = 0;
    const score_question question = {t->text.data, t->text.length, &settings, 0, NULL};
    score_result_print(&score, &question, line);
    score_free(&score);
    return score.status;
}

/* ---- sources that are refused ---- */

static void is_refused_alike(const trial *t, const char *cc)
{
    base_error error = {"not asked"};
    base_text line = {0};
    const score_native_how how = {.cc = cc, .level = SANDBOX_NONE, .seconds = 60, .deadline = 600};
    score_native *native =
        score_native_open("source.c", t->text.data, t->text.length, &how, &error);
    score_status status = evaluate(t, NULL, &line);
    CHECK(!native && !*error.text && (status == SCORE_PARSE || status == SCORE_CHECK), "%s%s\n%s",
          line.data, error.text, t->text.data);
    outcomes[t->mutated][status]++;
    base_text_free(&line);
}

/* ---- sources that run ---- */

static void compare(const trial *t, int number, const score_executable *executable,
                    const score_native_how *how)
{
    base_text want = {0}, got = {0};
    base_error error = {""};
    score_native *native = score_native_start(executable, how, &error);
    CHECK(native, "%s", error.text);
    if (!native)
        return;
    native->program = number;
    score_status status = evaluate(t, NULL, &want);
    score_status other = evaluate(t, native, &got);
    CHECK(status == other && strcmp(want.data, got.data) == 0,
          "interpreted:\n%snative:\n%s%lld, %s:\n%s", want.data, got.data,
          (long long)t->settings.seed, t->mutated ? "mutated" : "derived", t->text.data);
    outcomes[t->mutated][status]++;
    base_text_free(&want);
    base_text_free(&got);
    pid_t process = native->process;
    score_native_free(native);
    waitpid(process, NULL, 0);
}

typedef struct batch {
    trial trials[BATCH];
    int count;
    size_t instructions;
} batch;

static void compare_batch(batch *b, const char *cc)
{
    base_text c = {0};
    base_error error = {""};
    score_executable executable;
    const score_native_how how = {.cc = cc, .level = SANDBOX_BEST, .seconds = 300, .deadline = 600};
    native_translate_begin(&c);
    for (int i = 0; i < b->count; i++)
        native_translate(b->trials[i].program, i, &c);
    native_translate_end(b->count, &c);
    bool compiled = score_native_compile(&executable, &c, b->instructions, &how, &error);
    CHECK(compiled, "%s", error.text);
    for (int i = 0; i < b->count && compiled; i++)
        compare(&b->trials[i], i, &executable, &how);
    if (compiled)
        score_native_remove(&executable);
    for (int i = 0; i < b->count; i++) {
        language_program_free(b->trials[i].program);
        base_text_free(&b->trials[i].text);
    }
    base_text_free(&c);
    b->count = 0;
    b->instructions = 0;
}

/* Compares it at once where it is refused, else with others, and then frees it. */
static void add(batch *b, trial *t, const char *cc)
{
    language_diagnostic diagnostic;
    t->program = source_parse("source.c", t->text.data, t->text.length, &diagnostic);
    CHECK(t->program || t->mutated, "%s\n%s", diagnostic.text, t->text.data);
    if (!t->program) {
        is_refused_alike(t, cc);
        base_text_free(&t->text);
        return;
    }
    b->instructions += native_instructions(t->program);
    b->trials[b->count++] = *t;
    if (b->count == BATCH || b->instructions >= BATCH_INSTRUCTIONS)
        compare_batch(b, cc);
}

static void executors_agree(int count, const char *cc, int first)
{
    static batch b;
    base_text names = {0};
    for (int i = 0; source_phoenix_h[i]; i++)
        base_text_add(&names, source_phoenix_h[i], strlen(source_phoenix_h[i]));
    for (int i = 0; i < 2 * count; i++) {
        int64_t number = first + i / 2;
        trial t = {.settings = settings_of(number), .mutated = i % 2};
        base_random random = {SEED + 1, (uint64_t)number, 0};
        derive(number, &t.text);
        if (t.mutated)
            mutate_text(&random, &t.text, names.data, names.length);
        add(&b, &t, cc);
    }
    compare_batch(&b, cc);
    base_text_free(&names);
}

static void report(int count)
{
    for (int m = 0; m < 2; m++) {
        const int *n = outcomes[m];
        int ran = n[SCORE_OK] + n[SCORE_RUN] + n[SCORE_LIMIT];
        printf("%d %s sources: %d run both ways (%d ok, %d run, %d limit), %d refused (%d check, "
               "%d parse)\n",
               count, m ? "mutated" : "derived", ran, n[SCORE_OK], n[SCORE_RUN], n[SCORE_LIMIT],
               count - ran, n[SCORE_CHECK], n[SCORE_PARSE]);
        CHECK(ran >= (m ? count / 8 : count), "the mutations break too much");
    }
}

int main(int argc, char **argv)
{
    char path[1024];
    base_error error;
    int count = argc > 1 ? atoi(argv[1]) : 40;
    const char *cc = argc > 2 ? argv[2] : NULL;
    if (!scratch_make())
        return 1;
    setenv("TMPDIR", scratch, 1);
    if (score_native_compiler(cc, path, &error)) {
        executors_agree(count, cc, argc > 3 ? atoi(argv[3]) : 0);
        report(count);
    } else {
        SKIP("%s", error.text);
    }
    remove_all(scratch);
    return test_end();
}
