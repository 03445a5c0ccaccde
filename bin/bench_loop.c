/* bench_loop.c -- what the loop is made of: evaluations of a candidate, and a worker's start. */
#include "bin/bench.h"
#include "bin/command.h"
#include "evolve/evaluate.h"
#include "evolve/host.h"
#include "evolve/pool.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- evaluations: the few-shot score of the papers' default source ---- */

typedef struct evaluation {
    evolve_settings settings;
    base_text source;
    int threads;
    evolve_score score;
} evaluation;

static void evaluate(void *state)
{
    evaluation *e = state;
    evolve_score_free(&e->score);
    evolve_evaluate("default.c", e->source.data, e->source.length, &e->settings, e->threads,
                    &e->score);
}

/* Parameters: d_model. */
static bool run_evaluation(const bench_case *self, bench_run *run, base_error *error)
{
    evaluation e = {.threads = run->threads};
    char d_model[16];
    snprintf(d_model, sizeof d_model, "%d", self->parameter[0]);
    evolve_default_source(&e.source);
    bool ok = !e.source.failed || base_fail(error, "no memory");
    ok = ok && evolve_settings_preset(&e.settings, "self-programming", error) &&
         evolve_settings_set(&e.settings, "d-model", d_model, error);
    if (ok) {
        run->cold = true;
        bench_measure(run, NULL, evaluate, &e);
        run->result->flops = (double)e.score.flops;
        run->result->units = 3600;
        run->result->memory_bytes = e.score.peak_bytes;
        ok = e.score.status == EVOLVE_OK || base_fail(error, "%s", e.score.reason);
    }
    evolve_score_free(&e.score);
    base_text_free(&e.source);
    return ok;
}

/* ---- a worker's start: all of it, with next to nothing to train ---- */

static char *const tiny[] = {"--few-shot", "1", "--batch", "1", "--d-model", "16"};
enum { TINY = sizeof tiny / sizeof *tiny };

typedef struct start {
    evolve_job job;
    bool ok;
    base_error *error;
} start;

static void start_worker(void *state)
{
    start *s = state;
    if (!s->ok)
        return;
    free(s->job.output);
    s->job.output = NULL;
    s->ok = evolve_pool_run(&s->job, 1, 1, NULL, NULL, NULL, s->error);
    if (s->ok && (s->job.end != EVOLVE_EXITED || s->job.code != EXIT_DONE))
        s->ok = base_fail(s->error, "%s evaluate: %.200s", command_program, s->job.errors);
}

/* Parameters: 1, and the source is compiled. */
static bool run_start(const bench_case *self, bench_run *run, base_error *error)
{
    static const char source[] = "#include \"phoenix.h\"\n\nt5 *model(void)\n{\n"
                                 "    t5_config config = t5_small();\n"
                                 "    config.num_layers = config.num_decoder_layers = 1;\n"
                                 "    config.num_heads = 2;\n    config.d_ff = 16;\n"
                                 "    return t5_new(config);\n}\n";
    char program[4096], *argv[5 + TINY + 1] = {program, "evaluate", "-"};
    snprintf(program, sizeof program, "%s", command_program);
    memcpy(argv + 3, tiny, sizeof tiny);
    if (self->parameter[0]) {
        argv[3 + TINY] = "--executor";
        argv[4 + TINY] = "native";
    }
    start s = {
        .job = {.argv = argv, .input = source, .input_size = sizeof source - 1, .deadline = 60},
        .ok = true,
        .error = error};
    bench_measure(run, NULL, start_worker, &s);
    free(s.job.output);
    return s.ok;
}

/* ---- the list ---- */

void bench_loop_cases(bench_list *list)
{
    static const int widths[] = {512, 128};
    for (int i = 0; i < 2; i++) {
        bench_case *c = bench_add(list);
        c->run = run_evaluation;
        c->parameter[0] = widths[i];
        c->unit = "evaluations/h";
        snprintf(c->name, sizeof c->name, "evaluate/default-%d", widths[i]);
    }
    for (int native = 0; native < 2; native++) {
        bench_case *c = bench_add(list);
        c->run = run_start;
        c->parameter[0] = native;
        snprintf(c->name, sizeof c->name, native ? "start/evaluate-native" : "start/evaluate");
    }
}
