/* SPDX-License-Identifier: MIT */
/* bench_loop.c -- what the loop is made of: evaluations of a candidate, and what one costs beside
 * its training. */
#include "bench/bench.h"
#include "bin/command.h"
#include "evolve/score/evaluate.h"
#include "evolve/score/cost.h"
#include "evolve/source/host.h"
#include "evolve/score/native.h"
#include "evolve/sandbox/pool.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- evaluations: the few-shot score of the papers' default source ---- */

typedef struct evaluation {
    evolve_settings settings;
    base_text source;
    int threads;
    score_result score;
} evaluation;

static void evaluate(void *state)
{
    evaluation *e = state;
    score_free(&e->score);
    score_of_source(&(score_request){.file = "default.c",
                                     .text = e->source.data,
                                     .length = e->source.length,
                                     .settings = &e->settings,
                                     .threads = e->threads},
                    &e->score);
}

/* Parameters: d_model. */
static bool run_evaluation(const bench_case *self, bench_run *run, base_error *error)
{
    evaluation e = {.threads = run->threads};
    char d_model[16];
    snprintf(d_model, sizeof d_model, "%d", self->parameter[0]);
    source_default_source(&e.source);
    bool ok = !e.source.failed || base_fail(error, "no memory");
    ok = ok && evolve_settings_preset(&e.settings, "self-programming", error) &&
         evolve_settings_set(&e.settings, "d-model", d_model, error);
    if (ok) {
        run->cold = true;
        bench_measure(run, NULL, evaluate, &e);
        run->result->flops = (double)e.score.flops;
        run->result->units = 3600;
        run->result->memory_bytes = e.score.peak_bytes;
        ok = e.score.status == SCORE_OK || base_fail(error, "%s", e.score.reason);
    }
    score_free(&e.score);
    base_text_free(&e.source);
    return ok;
}

/* ---- a candidate's cost beside its training ----
 *
 * From the fork of a cold `phoenix evaluate` to its end, reaped: process, sandbox, tokenizer, parse
 * and check, (compiler and candidate,) plan, result. There is one pair to train a model of 8064
 * parameters on, a tenth of a millisecond. The other cases are parts of it. */

static char *const tiny[] = {"--few-shot", "1", "--batch", "1", "--d-model", "16"};
enum { TINY = sizeof tiny / sizeof *tiny };

static const char tiny_source[] = "#include \"phoenix.h\"\n\nt5 *model(void)\n{\n"
                                  "    t5_config config = t5_small();\n"
                                  "    config.num_layers = config.num_decoder_layers = 1;\n"
                                  "    config.num_heads = 2;\n    config.d_ff = 16;\n"
                                  "    return t5_new(config);\n}\n";

static const char *const compilers[] = {"cc", "tcc"};

typedef struct start {
    sandbox_job job;
    bool ok;
    base_error *error;
} start;

static void start_process(void *state)
{
    start *s = state;
    if (!s->ok)
        return;
    free(s->job.output);
    s->job.output = NULL;
    s->ok = sandbox_pool_run(&s->job, 1, 1, NULL, NULL, NULL, s->error);
    if (s->ok && (s->job.end != SANDBOX_EXITED || s->job.code != EXIT_DONE))
        s->ok = base_fail(s->error, "%s: %.200s", command_program, s->job.errors);
}

static bool run_process(bench_run *run, char **argv, const char *input, base_error *error)
{
    start s = {.job = {.argv = argv, .input = input, .input_size = strlen(input), .deadline = 60},
               .ok = true,
               .error = error};
    bench_measure(run, NULL, start_process, &s);
    free(s.job.output);
    return s.ok;
}

static bool run_version(const bench_case *self, bench_run *run, base_error *error)
{
    char program[4096], *argv[] = {program, "--version", NULL};
    (void)self;
    snprintf(program, sizeof program, "%s", command_program);
    return run_process(run, argv, "", error);
}

/* Parameters: 0 to interpret, or which compiler, from 1 on. */
static bool run_start(const bench_case *self, bench_run *run, base_error *error)
{
    char program[4096], *argv[7 + TINY + 1] = {program, "evaluate", "-"};
    snprintf(program, sizeof program, "%s", command_program);
    memcpy(argv + 3, tiny, sizeof tiny);
    if (self->parameter[0]) {
        argv[3 + TINY] = "--executor";
        argv[4 + TINY] = "native";
        argv[5 + TINY] = "--cc";
        argv[6 + TINY] = (char *)compilers[self->parameter[0] - 1];
    }
    return run_process(run, argv, tiny_source, error);
}

/* What a part works on, as the quick preset has it. */
typedef struct part {
    evolve_settings settings;
    base_text source;
    t5_tokenizer *tokenizer;
    bool ok;
    base_error *error;
} part;

static void make_tokenizer(void *state)
{
    part *p = state;
    t5_tokenizer_free(p->tokenizer);
    p->tokenizer = source_tokenizer(&p->settings, p->error);
    p->ok = p->ok && p->tokenizer;
}

static void check_source(void *state)
{
    part *p = state;
    language_diagnostic diagnostic;
    language_program *program =
        source_parse("default.c", p->source.data, p->source.length, &diagnostic);
    if (!program && p->ok)
        p->ok = base_fail(p->error, "%s", diagnostic.text);
    language_program_free(program);
}

static void plan_training(void *state)
{
    part *p = state;
    language_diagnostic diagnostic = {.text = "no memory"};
    score_cost cost;
    bool known;
    source_pairs *pairs = source_pairs_new(&p->settings, p->tokenizer, p->error);
    language_program *program =
        source_parse("default.c", p->source.data, p->source.length, &diagnostic);
    source_executor source = source_interpreter(program);
    if (!program && p->ok)
        p->ok = base_fail(p->error, "%s", diagnostic.text);
    p->ok =
        p->ok && pairs &&
        score_cost_of_source(&source, p->tokenizer, pairs, &p->settings, &cost, &known, p->error);
    language_program_free(program);
    source_pairs_free(pairs);
}

typedef void part_work(void *state);
static part_work *const parts[] = {make_tokenizer, check_source, plan_training};
static const char *const part_names[] = {"start/tokenizer", "start/check", "start/plan"};
enum { PARTS = sizeof parts / sizeof *parts };

/* Parameters: which part. The source to check says all that there is to say. */
static bool run_part(const bench_case *self, bench_run *run, base_error *error)
{
    part p = {.ok = true, .error = error};
    p.ok = evolve_settings_preset(&p.settings, "quick", error);
    if (parts[self->parameter[0]] == check_source)
        p.settings.scope = EVOLVE_ALL;
    source_default_source_of(&p.settings, &p.source);
    p.ok = p.ok && (!p.source.failed || base_fail(error, "no memory"));
    if (p.ok)
        make_tokenizer(&p);
    if (p.ok)
        bench_measure(run, NULL, parts[self->parameter[0]], &p);
    t5_tokenizer_free(p.tokenizer);
    base_text_free(&p.source);
    return p.ok;
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
    for (int i = 0; i < PARTS; i++) {
        bench_case *c = bench_add(list);
        c->run = run_part;
        c->parameter[0] = i;
        snprintf(c->name, sizeof c->name, "%s", part_names[i]);
    }
    bench_case *process = bench_add(list);
    process->run = run_version;
    snprintf(process->name, sizeof process->name, "start/process");
    bench_case *interpret = bench_add(list);
    interpret->run = run_start;
    snprintf(interpret->name, sizeof interpret->name, "start/interpret");
    for (int i = 0; i < 2; i++) {
        char path[1024];
        if (!score_native_compiler(compilers[i], path, NULL))
            continue;
        bench_case *c = bench_add(list);
        c->run = run_start;
        c->parameter[0] = i + 1;
        snprintf(c->name, sizeof c->name, i == 0 ? "start/native" : "start/native-%s",
                 compilers[i]);
    }
}
