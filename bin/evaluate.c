/* evaluate.c -- phoenix evaluate: what a worker does. */
#include "evolve/evaluate.h"
#include "bin/command.h"
#include "evolve/evaluate_network.h"
#include "evolve/host.h"
#include "evolve/native.h"
#include "evolve/task.h"
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void print_figures(const evolve_figures *f)
{
    printf("{\"parameters\":%" PRId64 ",\"steps\":%" PRId64 ",\"flops\":%" PRId64
           ",\"peak_bytes\":%" PRId64 "}\n",
           f->parameters, f->steps, f->flops, f->peak_bytes);
}

static int print_listing(const vision_architecture *net, const evolve_settings *settings)
{
    base_text listing = {0};
    vision_summary(net, evolve_task_shape(settings), &listing);
    bool ok = !listing.failed;
    if (ok)
        fputs(listing.data, stdout);
    base_text_free(&listing);
    return ok ? EXIT_DONE : complain(EXIT_FAILED, "no memory");
}

/* Of a network: what it would take, or its layers. */
static int print_network(const char *file, const char *text, size_t length,
                         const evolve_settings *settings, bool layers)
{
    base_error error;
    refine_diagnostic diagnostic;
    vision_architecture net;
    evolve_figures f;
    refine_program *program = refine_parse(file, text, length, evolve_interface(), &diagnostic);
    evolve_host *host = evolve_host_new(settings, 0);
    if (!host) {
        refine_program_free(program);
        return complain(EXIT_FAILED, "%s: no memory", file);
    }
    evolve_executor source = evolve_interpreter(program);
    bool runs = program && evolve_host_network(host, &source, file, &net, &diagnostic) == REFINE_OK;
    evolve_host_free(host);
    refine_program_free(program);
    if (!runs)
        return complain(EXIT_SOURCE, "%s", diagnostic.text);
    if (layers)
        return print_listing(&net, settings);
    if (!evolve_network_figures(&net, settings, &f, &error))
        return complain(EXIT_FAILED, "%s", error.text);
    print_figures(&f);
    return EXIT_DONE;
}

/* What the training of a T5 would take, as one JSON object. */
static int print_plan(const char *file, const char *text, size_t length,
                      const evolve_settings *settings)
{
    base_error error;
    t5_config config;
    refine_diagnostic diagnostic;
    evolve_figures f;
    bool trains, known = false;
    if (settings->task != EVOLVE_SELF)
        return print_network(file, text, length, settings, false);
    t5_tokenizer *tokenizer = evolve_tokenizer(settings, &error);
    evolve_pairs *pairs = tokenizer ? evolve_pairs_new(settings, tokenizer, &error) : NULL;
    evolve_host *host = pairs ? evolve_host_new(settings, t5_tokenizer_size(tokenizer)) : NULL;
    if (!host)
        return complain(EXIT_FAILED, "%s", pairs ? "no memory" : error.text);
    refine_program *program = refine_parse(file, text, length, evolve_interface(), &diagnostic);
    evolve_executor source = evolve_interpreter(program);
    bool runs = program &&
                evolve_host_model(host, &source, file, &config, &trains, &diagnostic) == REFINE_OK;
    bool ok = runs && evolve_figures_of_source(&source, &config, trains, pairs, settings, &f,
                                               &known, &error);
    evolve_host_free(host);
    refine_program_free(program);
    evolve_pairs_free(pairs);
    t5_tokenizer_free(tokenizer);
    if (!runs)
        return complain(EXIT_SOURCE, "%s", diagnostic.text);
    if (!ok)
        return complain(EXIT_FAILED, "%s", error.text);
    if (!known)
        return complain(EXIT_SOURCE,
                        "%s: its training goes by its losses or fails: what it takes cannot be "
                        "said beforehand",
                        file);
    print_figures(&f);
    return EXIT_DONE;
}

/* The source's own process. NULL: the interpreter has to do, and says the same. */
static evolve_native *open_native(const char *name, const char *text, size_t length, const char *cc,
                                  evolve_sandbox_level level, const evolve_settings *settings)
{
    base_error error;
    double seconds = settings->deadline < 60 ? (double)settings->deadline / 2 : 30;
    const evolve_native_how how = {
        .cc = cc, .level = level, .seconds = seconds, .deadline = settings->deadline};
    evolve_native *native = evolve_native_open(name, text, length, &how, &error);
    if (native && !evolve_native_settle(native, &error)) {
        evolve_native_free(native);
        native = NULL;
    }
    if (!native && *error.text)
        complain(EXIT_DONE, "%s; the interpreter is used", error.text);
    return native;
}

/* What is printed when the time is up: made beforehand, since a signal handler can make nothing. */
static base_text too_late;

static void on_alarm(int number)
{
    (void)number;
    ssize_t written = write(STDOUT_FILENO, too_late.data, too_late.length);
    _exit(written == (ssize_t)too_late.length ? EXIT_SOURCE : EXIT_FAILED);
}

/* From here on the source has its time: the result "deadline" is the worker's own to give, so that
 * whoever started it can tell a source that takes too long from a worker that was lost. */
static void start_the_clock(const char *text, size_t length, const evolve_settings *settings)
{
    evolve_score score = {.status = EVOLVE_TIMEOUT, .seconds = (double)settings->deadline};
    snprintf(score.reason, sizeof score.reason, "took more than %" PRId64 " s", settings->deadline);
    evolve_result_print(&score, text, length, &too_late);
    if (too_late.failed)
        return; /* whoever started it has a deadline as well */
    const struct sigaction action = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &action, NULL);
    alarm((unsigned)settings->deadline);
}

static void stop_the_clock(void)
{
    signal(SIGALRM, SIG_IGN);
    base_text_free(&too_late);
}

/* What was asked for. */
typedef struct request {
    evolve_settings settings;
    const char *name, *text; /* of the source */
    size_t length;
    const char *cc;
    evolve_executor_kind executor;
    evolve_sandbox_level level;
    int64_t threads;
    double bound;
    bool plan, layers;
} request;

static int print_result(const request *r, const evolve_score *score)
{
    base_text line = {0};
    evolve_result_print(score, r->text, r->length, &line);
    bool printed = !line.failed && fwrite(line.data, 1, line.length, stdout) == line.length &&
                   fflush(stdout) == 0;
    base_text_free(&line);
    if (!printed)
        return complain(EXIT_FAILED, "standard output: cannot be written");
    bool is_source = score->status == EVOLVE_OK || score->status == EVOLVE_STOPPED;
    return is_source ? EXIT_DONE : EXIT_SOURCE;
}

/* In a sandbox from its first line on that has to do with the source. */
static int run_source(request *r)
{
    base_error error;
    evolve_sandbox box = {.level = r->level, .profile = EVOLVE_SANDBOX_WORKER, .keep = 3};
    bool only_look = r->plan || r->layers;
    if (r->executor == EVOLVE_NATIVE && !only_look)
        r->settings.native =
            open_native(r->name, r->text, r->length, r->cc, r->level, &r->settings);
    if (r->settings.native)
        box.keep = 5;
    if (!only_look)
        start_the_clock(r->text, r->length, &r->settings);
    /* Budgets are kept inside (steps, parameters, arenas); the sandbox is for when they fail. */
    box.limits = evolve_sandbox_limits_for(&r->settings, r->threads);
    if (!evolve_sandbox_enter(&box, &box.level, &error))
        return complain(EXIT_FAILED, "%s", error.text);
    if (r->layers)
        return print_network(r->name, r->text, r->length, &r->settings, true);
    if (r->plan)
        return print_plan(r->name, r->text, r->length, &r->settings);
    evolve_score score;
    evolve_evaluate(r->name, r->text, r->length, &r->settings, (int)r->threads, &score);
    stop_the_clock();
    if (r->settings.native && r->settings.native->level < box.level)
        box.level = r->settings.native->level;
    score.executor = r->settings.native ? "native" : "interpret";
    score.sandbox = evolve_sandbox_name(box.level);
    evolve_native_free(r->settings.native);
    int code = print_result(r, &score);
    evolve_score_free(&score);
    return code;
}

int command_evaluate(int argc, char **argv)
{
    const char *path = NULL;
    const char *sandbox = NULL, *data = NULL;
    const char *executor_name = NULL;
    request r = {.threads = 1};
    const option own[] = {
        {"bound", OPTION_REAL, &r.bound, 0, 1e300,
         "stop once the score cannot be below this (status \"stopped\"); 0: never"},
        {"cc", OPTION_TEXT, &r.cc, 0, 0,
         "C compiler of the native executor (default: cc, or another)"},
        {"executor", OPTION_TEXT, &executor_name, 0, 0,
         "interpret or native: who runs the source; the result is the same (default: interpret)"},
        {"data", OPTION_TEXT, &data, 0, 0, "folder of the task's images (default: data/TASK)"},
        {"sandbox", OPTION_TEXT, &sandbox, 0, 0,
         "none, limits or strict; the strongest that is here (phoenix sandbox)"},
        {"plan", OPTION_FLAG, &r.plan, 0, 0,
         "only say what it would take: parameters, steps, flops, peak_bytes"},
        {"layers", OPTION_FLAG, &r.layers, 0, 0, "only list a network's layers, as a table"},
        {"threads", OPTION_WHOLE, &r.threads, 1, 64, "threads of the training"},
        {0},
    };
    const options spec = {
        .usage = "phoenix evaluate SOURCE|- [options]",
        .about = "Runs a source, trains the model it builds as its train() and data() say, or for "
                 "one epoch\non the first pairs of the dataset, and prints one JSON object: status "
                 "(ok, stopped, parse, "
                 "check,\nrun, limit, deadline), reason, score, losses (each batch's "
                 "before its "
                 "update), parameters, flops,\npeak_bytes, seconds, executor, sandbox. The score "
                 "is the mean "
                 "loss a token of those first pairs, each\nmeasured before it is trained on; with "
                 "--scope objective, data or all, of as many held-out\npairs after the training.",
        .own = own,
        .settings = &r.settings,
        .default_preset = "quick",
        .operands = &path,
        .least_operands = 1,
        .most_operands = 1,
    };
    int code = options_read(&spec, argc, argv);
    if (code >= 0)
        return code;
    base_error error;
    if (!evolve_sandbox_read(sandbox, &r.level, &error))
        return complain(EXIT_USAGE, "%s", error.text);
    if (!evolve_executor_read(executor_name, &r.executor, &error))
        return complain(EXIT_USAGE, "%s", error.text);
    if (r.layers && r.settings.task == EVOLVE_SELF)
        return complain(EXIT_USAGE, "--layers: --task with images was expected with it");
    char *text = read_source(path, &r.length, &error);
    if (!text)
        return complain(EXIT_FAILED, "%s", error.text);
    r.text = text;
    r.settings.bound = r.bound;
    r.name = path[0] == '-' ? "candidate.c" : path;
    vision_set set = {0};
    bool has_images = evolve_task_read(&r.settings, data, &set, &error);
    r.settings.set = r.settings.task == EVOLVE_SELF ? NULL : &set;
    code = has_images ? run_source(&r) : complain(EXIT_FAILED, "%s", error.text);
    vision_set_free(&set);
    free(text);
    return code;
}
