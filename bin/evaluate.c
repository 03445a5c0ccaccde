/* evaluate.c -- phoenix evaluate: what a worker does. */
#include "evolve/evaluate.h"
#include "bin/command.h"
#include "evolve/pool.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static void limit(int which, uint64_t most)
{
    struct rlimit r;
    rlim_t wanted = (rlim_t)most;
    if (wanted == most && getrlimit(which, &r) == 0 &&
        (r.rlim_max == RLIM_INFINITY || r.rlim_max > wanted)) {
        r.rlim_cur = r.rlim_max = wanted;
        if (which == RLIMIT_CPU)
            r.rlim_max++; /* SIGXCPU, which says why, comes before SIGKILL */
        setrlimit(which, &r);
    }
}

#if defined __SANITIZE_ADDRESS__
#define SHADOW_MEMORY 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define SHADOW_MEMORY 1
#endif
#endif

/* The budgets are kept inside (steps, parameters, arenas); these hold should that fail. A build
 * with the address sanitizer maps terabytes and cannot live under RLIMIT_AS. */
static void set_limits(const evolve_settings *settings, int64_t threads)
{
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, EVOLVE_POOL_OUTPUT); /* standard output may well be a file */
    limit(RLIMIT_CPU, (uint64_t)(settings->deadline + 1) * (uint64_t)threads);
#if !defined SHADOW_MEMORY
    limit(RLIMIT_AS, ((uint64_t)settings->memory << 20) * 2 + ((uint64_t)256 << 20));
#endif
}

int command_evaluate(int argc, char **argv)
{
    evolve_settings settings;
    const char *path = NULL;
    int64_t threads = 1;
    const option own[] = {
        {"threads", OPTION_WHOLE, &threads, 1, 64, "threads of the training"},
        {0},
    };
    const options spec = {
        .usage = "phoenix evaluate SOURCE|- [options]",
        .about = "Runs a source, trains the model it builds for one epoch on the first pairs of "
                 "the dataset,\nand prints one JSON object: status (ok, parse, check, run, limit), "
                 "reason, score (mean loss a\ntoken before each update), losses, parameters, "
                 "flops, peak_bytes, seconds.",
        .own = own,
        .settings = &settings,
        .default_preset = "quick",
        .operands = &path,
        .least_operands = 1,
        .most_operands = 1,
    };
    int code = options_read(&spec, argc, argv);
    if (code >= 0)
        return code;
    base_error error;
    size_t length;
    char *text = read_source(path, &length, &error);
    if (!text)
        return complain(EXIT_FAILED, "%s", error.text);
    set_limits(&settings, threads);
    evolve_score score;
    evolve_evaluate(path[0] == '-' ? "candidate.c" : path, text, length, &settings, (int)threads,
                    &score);
    base_text line = {0};
    evolve_result_print(&score, text, length, &line);
    bool printed = !line.failed && fwrite(line.data, 1, line.length, stdout) == line.length &&
                   fflush(stdout) == 0;
    bool valid = score.status == EVOLVE_OK;
    base_text_free(&line);
    evolve_score_free(&score);
    free(text);
    if (!printed)
        return complain(EXIT_FAILED, "standard output: cannot be written");
    return valid ? EXIT_DONE : EXIT_SOURCE;
}
