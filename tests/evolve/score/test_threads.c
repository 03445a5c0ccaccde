/* SPDX-License-Identifier: MIT */
/* test_threads.c -- no hidden state: what one thread parses, runs, trains and generates is the same
 * while other threads do it too. tests/suite_threads.sh runs this under ThreadSanitizer, which also
 * sees two threads write the same value at once. */
#include "evolve/score/evaluate.h"
#include "evolve/source/host.h"
#include "refine/mutation/prefix.h"
#include "tensor/kernel.h"
#include "tests/evolve/test_evolve.h"
#include "tests/refine/test_refine_generate.h"
#include "tests/t5/test_t5.h"
#include "tests/evolve/test_score.h"

#if defined TENSOR_POSIX_THREADS
#include <pthread.h>

enum { THREADS = 3, ROUNDS = 3, PROGRAMS = 40, SAMPLES = 4 };

/* What a thread was given, and all that came of it. It may not CHECK, which counts in a global. */
typedef struct work {
    const language_interface *interface; /* shared by all */
    base_text log;
} work;

/* Random programs, most of them wrong in some way, and each scope's default source. */
static void parse(work *w)
{
    static const char *const scopes[] = {"architecture", "learning", "objective", "data", "all"};
    base_text text = {0};
    for (int i = 0; i < PROGRAMS + 5; i++) {
        language_diagnostic diagnostic;
        evolve_settings settings = tiny_settings();
        base_text_clear(&text);
        if (i < PROGRAMS) {
            generate_program(31, (uint64_t)i, &text);
        } else {
            evolve_settings_set(&settings, "scope", scopes[i - PROGRAMS], NULL);
            source_default_source_of(&settings, &text);
        }
        language_program *program =
            language_parse("a.c", text.data, text.length, w->interface, &diagnostic);
        if (program)
            language_normalise(program, &w->log);
        else
            base_text_print(&w->log, "%s\n", diagnostic.text);
        language_program_free(program);
    }
    base_text_free(&text);
}

static void score(work *w)
{
    static const char *const lines[] = {"", "    config.d_ff = 1 / (config.d_ff - 64);\n",
                                        "    config.num_heads = 0;\n", "    int unused = 1;\n"};
    for (int i = 0; i < 4; i++) {
        evolve_settings settings = tiny_settings();
        char source[1024];
        score_result result;
        snprintf(source, sizeof source,
                 "#include \"phoenix.h\"\n\nt5 *model(void)\n{\n"
                 "    t5_config config = t5_small();\n"
                 "    config.num_layers = 1;\n    config.num_heads = 2;\n"
                 "    config.d_kv = 8;\n    config.d_ff = 64;\n%s    return t5_new(config);\n}\n",
                 lines[i]);
        result =
            score_text(source, (score_request){.settings = &settings, .threads = 2, .file = "a.c"});
        score_members(&result, &w->log);
        score_free(&result);
    }
}

static void generate(work *w)
{
    int source[9];
    base_error error = {""};
    t5_config config = test_t5_config();
    tensor_context *ctx = tensor_context_new();
    t5_model *model = t5_model_new(ctx, &config, false, &error);
    t5_model_init(model, 5);
    test_t5_ids(source, 9, &config, 300);
    for (const char *const *set = tensor_kernels_available(); *set; set++)
        base_text_print(&w->log, "%s\n", *set);
    for (int beams = 1; beams <= 2; beams++) {
        t5_sample samples[SAMPLES];
        t5_request request = {.source = source,
                              .source_count = 9,
                              .count = beams > 1 ? 1 : SAMPLES,
                              .most = 20,
                              .sampling = t5_sampling_default(),
                              .seed = 3,
                              .stream = 4};
        request.sampling.beams = beams;
        if (!t5_generate(model, &request, samples, &error)) {
            base_text_print(&w->log, "%s\n", error.text);
            continue;
        }
        for (int i = 0; i < request.count; i++)
            for (int j = 0; j < samples[i].count; j++)
                base_text_print(&w->log, "%d ", samples[i].ids[j]);
        t5_samples_free(samples, request.count);
    }
    t5_model_free(model);
    tensor_context_free(ctx);
}

/* The dataset and the automaton that holds a T5 to programs. */
static void mutate(work *w)
{
    evolve_settings settings = tiny_settings();
    evolve_settings_set(&settings, "scope", "all", NULL);
    mutation_mutator mutator = evolve_mutator(&settings);
    mutation_prefix *prefix = mutation_prefix_new(&mutator);
    for (uint64_t i = 0; i < 20; i++) {
        mutation_drawn pair = mutator.kind->pair(&mutator, 1, i);
        size_t start = w->log.length;
        mutator.kind->print(&mutator, &pair.refined, &w->log);
        mutation_prefix_clear(prefix);
        bool whole = mutation_prefix_add(prefix, w->log.data + start, w->log.length - start) &&
                     mutation_prefix_is_whole(prefix);
        base_text_print(&w->log, "%d %a\n", whole,
                        mutator.kind->probability(&mutator, &pair.source, &pair.refined));
    }
    mutation_prefix_free(prefix);
}

static void *everything(void *user)
{
    for (int i = 0; i < (TEST_SANITIZED ? 1 : ROUNDS); i++) {
        parse(user);
        score(user);
        generate(user);
        mutate(user);
    }
    return NULL;
}

static void threads_do_not_see_each_other(void)
{
    language_interface *interface = source_interface_new();
    pthread_t threads[THREADS];
    work works[THREADS], alone = {interface, {0}};
    bool started = true;
    for (int i = 0; i < THREADS; i++) {
        works[i] = (work){interface, {0}};
        started &= pthread_create(&threads[i], NULL, everything, &works[i]) == 0;
    }
    CHECK(started, "no thread");
    for (int i = 0; started && i < THREADS; i++)
        pthread_join(threads[i], NULL);
    everything(&alone);
    CHECK(!alone.log.failed && alone.log.length > 20000, "%zu bytes", alone.log.length);
    CHECK(strstr(alone.log.data, "\"status\":\"ok\"") && strstr(alone.log.data, "unused"),
          "%.2000s", alone.log.data);
    for (int i = 0; started && i < THREADS; i++) {
        CHECK(works[i].log.length == alone.log.length &&
                  memcmp(works[i].log.data, alone.log.data, alone.log.length) == 0,
              "thread %d: %zu bytes, alone %zu", i, works[i].log.length, alone.log.length);
        base_text_free(&works[i].log);
    }
    base_text_free(&alone.log);
    language_interface_free(interface);
}
#endif

int main(void)
{
#if defined TENSOR_POSIX_THREADS
    threads_do_not_see_each_other();
#else
    SKIP("this build has no threads");
#endif
    return test_end();
}
