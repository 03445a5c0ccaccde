/* SPDX-License-Identifier: MIT */
/* evaluate.c -- phoenix evaluate: one source to one JSON object. It is also what a worker of a run
 * executes, on a machine of the launcher's choice: the source comes by standard input, so a worker
 * needs no file of the run's. */
#include "evolve/score/evaluate.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "bin/command.h"
#include "evolve/score/network.h"
#include "evolve/source/host.h"
#include "evolve/score/native.h"
#include "evolve/task.h"
#include "evolve/uses.h"
#include "vision/model.h"
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

typedef struct request {
    evolve_settings settings;
    evolve_options options;
    const char *path, *name, *text; /* of the source: its file, how messages call it, itself */
    size_t length;
    double bound;
    bool plan, layers, model, worker;
    const char *parent;        /* digest of the network that it begins with; NULL: none */
    vision_model_files begins; /* the network, behind the text */
    const vision_set *images;  /* of the task */
    source_texts *texts;       /* likewise, where it has pairs of text */
} request;

/* A cost as one JSON object, in the words of a result; of a network (NULL: none) also what it takes
 * where it is used. */
static void print_figures(const score_cost *f, const vision_architecture *net,
                          const vision_set *images)
{
    printf("{\"parameters\":%" PRId64 ",\"steps\":%" PRId64 ",\"flops\":%" PRId64
           ",\"peak_bytes\":%" PRId64,
           f->parameters, f->steps, f->flops, f->peak_bytes);
    if (net) {
        const vision_footprint used = vision_footprint_of(net, evolve_task_shape(images));
        printf(",\"flash\":%" PRId64 ",\"ram\":%" PRId64 ",\"image_flops\":%" PRId64,
               4 * used.weights, 4 * used.activations, used.flops);
    }
    printf("}\n");
}

/* The layers, with the shape that each leaves and what it takes. */
static int print_listing(const vision_architecture *net, const vision_set *images)
{
    base_text listing = {0};
    vision_summary(net, evolve_task_shape(images), &listing);
    bool ok = !listing.failed;
    if (ok)
        fputs(listing.data, stdout);
    base_text_free(&listing);
    return ok ? EXIT_DONE : complain(EXIT_FAILED, "no memory");
}

/* Of a network: what it would take, or its layers. */
static int print_network(const request *r)
{
    const evolve_settings *settings = &r->settings;
    base_error error;
    language_diagnostic diagnostic;
    vision_architecture net;
    vision_plan plan;
    score_cost f;
    language_program *program = source_parse(r->name, r->text, r->length, &diagnostic);
    source_host *host = source_host_new(settings, 0);
    if (!host) {
        language_program_free(program);
        return complain(EXIT_FAILED, "%s: no memory", r->name);
    }
    source_executor source = source_interpreter(program);
    bool runs = program && source_host_network(host, &source, r->name, r->images, &net, &plan,
                                               &diagnostic) == LANGUAGE_OK;
    source_host_free(host);
    language_program_free(program);
    if (!runs)
        return complain(EXIT_SOURCE, "%s", diagnostic.text);
    if (r->layers)
        return print_listing(&net, r->images);
    if (!score_network_cost(&net, &plan, settings, r->images, &f, &error))
        return complain(EXIT_FAILED, "%s", error.text);
    print_figures(&f, &net, r->images);
    return EXIT_DONE;
}

/* What the training of a T5 would take, as one JSON object. */
static int print_plan(const request *r)
{
    const evolve_settings *settings = &r->settings;
    base_error error;
    language_diagnostic diagnostic;
    score_cost f;
    bool known = false;
    if (evolve_subject_of(settings) == EVOLVE_NETWORKS)
        return print_network(r);
    t5_tokenizer *tokenizer = source_tokenizer_of(r->texts, settings, &error);
    source_pairs *pairs = tokenizer ? source_pairs_of(r->texts, settings, tokenizer, &error) : NULL;
    language_program *program = source_parse(r->name, r->text, r->length, &diagnostic);
    source_executor source = source_interpreter(program);
    bool ok = program && pairs &&
              score_cost_of_source(&source, tokenizer, pairs, settings, &f, &known, &error);
    source_pairs_free(pairs);
    if (tokenizer)
        t5_tokenizer_free(tokenizer);
    language_program_free(program);
    if (!program)
        return complain(EXIT_SOURCE, "%s", diagnostic.text);
    if (!ok)
        return complain(pairs ? EXIT_SOURCE : EXIT_FAILED, "%s%s",
                        *error.text == ':' ? r->name : "", error.text);
    if (!known)
        return complain(EXIT_SOURCE,
                        "%s: its training goes by its losses or fails: what it takes cannot be "
                        "said beforehand",
                        r->name);
    print_figures(&f, NULL, NULL);
    return EXIT_DONE;
}

static score_question question_of(const request *r)
{
    return (score_question){r->text, r->length, &r->settings, r->bound, r->parent};
}

/* What is printed when the time is up: made beforehand, since a signal handler can make nothing. */
static base_text too_late;

/* When that is, in the seconds that processors have worked for this process. */
static volatile double time_is_up;

static void on_tick(int number)
{
    (void)number;
    if (base_clock_worked() < time_is_up)
        return;
    ssize_t written = write(STDOUT_FILENO, too_late.data, too_late.length);
    _exit(written == (ssize_t)too_late.length ? EXIT_SOURCE : EXIT_FAILED);
}

static void give_time(const request *r)
{
    time_is_up = base_clock_worked() + (double)(r->settings.deadline * r->options.threads);
}

/* From here on the source has its time: the result "deadline" is the worker's own to give, so that
 * whoever started it can tell a source that takes too long from a worker that was lost. Only work
 * counts: neither a machine that has too much to do nor one that sleeps brings the deadline nearer.
 * The timer goes by that clock too, and on ten times a second: whoever sends its signal ends nothing. */
static void start_the_clock(const request *r)
{
    const score_question question = question_of(r);
    const int64_t deadline = r->settings.deadline;
    score_result score = {.status = SCORE_TIMEOUT, .seconds = (double)deadline};
    snprintf(score.reason, sizeof score.reason, "took more than %" PRId64 " s", deadline);
    score_result_print(&score, &question, &too_late);
    if (too_late.failed)
        return; /* whoever started it has a deadline as well */
    give_time(r);
    const struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    const struct itimerval timer = {
        .it_interval = {.tv_usec = 100000},
        .it_value = {.tv_sec = (time_t)(deadline * r->options.threads)}};
    sigaction(SIGPROF, &action, NULL);
    setitimer(ITIMER_PROF, &timer, NULL);
}

/* The result is there: it is printed now, and nothing may print another. */
static void stop_the_clock(void)
{
    signal(SIGPROF, SIG_IGN);
    base_text_free(&too_late);
}

#define AT(field) offsetof(request, field)
static const evolve_field own[] = {
    {"bound", REAL(bound, 0, 1e300),
     "stop once the score cannot be below this (status \"stopped\"); 0: never"},
    {"plan", FLAG(plan), "only say what it would take: parameters, steps, flops, peak_bytes"},
    {"layers", FLAG(layers), "only list a network's layers, as a table"},
    {"worker", FLAG(worker), "as a run asks: any setting is taken, also one that changes nothing"},
    {"parent", TEXT(parent),
     "SHA-256 of the network.json of a network to begin with, which standard input has behind the "
     "source: a zero byte, network.json, a zero byte, model.safetensors"},
    {"model", FLAG(model), "behind the result: network.json, a zero byte, model.safetensors"},
    {0},
};

static const command_line command = {
    .usage = "phoenix evaluate SOURCE|- [options]",
    .about = "Runs a source, trains the model it builds as its train() and data() say, or for one "
             "epoch\non the first pairs of the dataset, and prints one JSON object: status (ok, "
             "stopped, parse, check,\nrun, limit, deadline), reason, score, losses (each batch's "
             "before its update), parameters, flops,\npeak_bytes, seconds, executor, sandbox. The "
             "score is the mean loss per token of those first pairs, each\nmeasured before it is "
             "trained on (--score mean), of their last quarter, or of as many held-out\npairs "
             "after the training.",
    .own = own,
    .run = EVOLVE_OF_EVALUATIONS,
    .preset = "quick",
    .uses = EVOLVE_USES_EVALUATE,
    .least_operands = 1,
    .most_operands = 1,
};

/* The source's own process. NULL: the interpreter has to do, and says the same. */
static score_native *open_native(const request *r)
{
    base_error error;
    int64_t deadline = r->settings.deadline;
    const score_native_how how = {.cc = r->options.cc,
                                  .level = (sandbox_level)r->options.sandbox,
                                  .seconds = deadline < 60 ? (double)deadline / 2 : 30,
                                  .deadline = deadline};
    score_native *native = score_native_open(r->name, r->text, r->length, &how, &error);
    if (native && !score_native_settle(native, &error)) {
        score_native_free(native);
        native = NULL;
    }
    if (!native && *error.text)
        complain(EXIT_DONE, "%s; the interpreter is used", error.text);
    return native;
}

/* more: the NUL behind the text as well. */
static bool put(const base_text *text, size_t more)
{
    return !text->failed &&
           fwrite(text->data, 1, text->length + more, stdout) == text->length + more;
}

/* One line, sealed, written whole: what a worker says that it did not finish saying is not taken. */
static int print_result(const request *r, const score_result *score)
{
    base_text line = {0};
    const score_question question = question_of(r);
    score_result_print(score, &question, &line);
    bool printed =
        put(&line, 0) &&
        (!*score->model || (put(&score->kept->json, 1) && put(&score->kept->weights, 0))) &&
        fflush(stdout) == 0;
    base_text_free(&line);
    if (!printed)
        return complain(EXIT_FAILED, "standard output: cannot be written");
    bool is_source = score->status == SCORE_OK || score->status == SCORE_STOPPED;
    return is_source ? EXIT_DONE : EXIT_SOURCE;
}

/* In a sandbox from its first line on that has to do with the source. */
static int run_source(request *r)
{
    base_error error;
    int64_t threads = r->options.threads;
    sandbox_policy box = {
        .level = (sandbox_level)r->options.sandbox, .profile = SANDBOX_WORKER, .keep = 3};
    bool only_look = r->plan || r->layers;
    score_native *native = NULL;
    if (r->options.executor == EVOLVE_NATIVE && !only_look)
        native = open_native(r);
    if (native)
        box.keep = 5;
    if (!only_look)
        start_the_clock(r);
    /* Budgets are kept inside (steps, parameters, arenas); the sandbox is for when they fail. */
    box.limits =
        sandbox_limits_for(evolve_memory_bytes(&r->settings), r->settings.deadline, threads);
    if (r->model) /* standard output may be a file, and a network is larger than a result */
        box.limits.file += evolve_memory_bytes(&r->settings);
    if (!sandbox_enter(&box, &box.level, &error))
        return complain(EXIT_FAILED, "%s", error.text);
    if (r->layers)
        return print_network(r);
    if (r->plan)
        return print_plan(r);
    score_result score;
    score_request scored = {.file = r->name,
                            .text = r->text,
                            .length = r->length,
                            .settings = &r->settings,
                            .images = r->images,
                            .texts = r->texts,
                            .native = native,
                            .bound = r->bound,
                            .keep = r->model,
                            .parent = r->parent ? &r->begins : NULL,
                            .threads = (int)threads};
    score_of_source(&scored, &score);
    if (score.status == SCORE_LOST &&
        native) { /* what is true of the source, the interpreter says */
        score_free(&score);
        score_native_free(native);
        native = NULL;
        scored.native = NULL;
        give_time(r);
        score_of_source(&scored, &score);
    }
    stop_the_clock();
    if (native && native->level < box.level)
        box.level = native->level;
    score.executor = native ? "native" : "interpret";
    score.sandbox = sandbox_names[box.level];
    score_native_free(native);
    int code = score.status == SCORE_LOST ? complain(EXIT_FAILED, "%s: %s", r->name, score.reason)
                                          : print_result(r, &score);
    score_free(&score);
    return code;
}

/* The bytes of standard input as they are: the answer names their hash. */
static char *read_candidate(size_t *length, base_error *error)
{
    return base_file_read_open(STDIN_FILENO, "standard input", SOURCE_MOST, length, error);
}

/* A source and the network that it begins with, of standard input. */
static char *read_both(request *r, base_error *error)
{
    size_t size;
    char *text = base_file_read_open(STDIN_FILENO, "standard input", SIZE_MAX, &size, error);
    if (!text)
        return NULL;
    r->length = strlen(text);
    if (r->length < size && score_network_split(&r->begins, text + r->length + 1,
                                                size - r->length - 1, r->parent, error))
        return text;
    if (r->length == size)
        base_fail(error, "standard input: expected a network behind the source");
    base_free(text);
    return NULL;
}

int command_evaluate(int argc, char **argv)
{
    request r = {.options = default_options()};
    const command_values values = {.own = &r,
                                   .run = &r.options,
                                   .settings = &r.settings,
                                   .operands = &r.path,
                                   .unchecked = &r.worker};
    r.options.threads = 1;
    int code = command_read(&command, &values, argc, argv);
    if (code >= 0)
        return code;
    if (r.layers && evolve_subject_of(&r.settings) == EVOLVE_T5S)
        return complain(EXIT_USAGE, "--layers: --task with images was expected with it");
    base_error error;
    if (r.parent && (strcmp(r.path, "-") != 0 || evolve_subject_of(&r.settings) != EVOLVE_NETWORKS))
        return complain(EXIT_USAGE, "--parent: the source \"-\" of a network was expected with it");
    char *text = r.parent                               ? read_both(&r, &error)
                 : r.worker && strcmp(r.path, "-") == 0 ? read_candidate(&r.length, &error)
                                                        : read_source(r.path, &r.length, &error);
    if (!text)
        return complain(EXIT_FAILED, "%s", error.text);
    r.text = text;
    r.name = r.path[0] == '-' ? "candidate.c" : r.path;
    vision_set set = {0};
    bool has_data = evolve_task_read(&r.settings, &r.options, &set, &error) &&
                    source_texts_of_task(&r.settings, &r.options, &r.texts, &error);
    r.images = &set;
    if (r.texts)
        source_texts_settle(r.texts, &r.settings);
    code = has_data ? run_source(&r) : complain(EXIT_FAILED, "%s", error.text);
    vision_set_free(&set);
    source_texts_free(r.texts);
    base_free(text);
    return code;
}
