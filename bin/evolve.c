/* evolve.c -- phoenix evolve. */
#include "base/file.h"
#include "bin/command.h"
#include "bin/progress.h"
#include "evolve/loop/manifest.h"
#include "evolve/loop/run.h"
#include "evolve/score/native.h"
#include "evolve/sandbox/sandbox.h"
#include <stdio.h>

/* runs/1, runs/2, ...: the first that is not there. */
static const char *free_folder(char path[32])
{
    for (int i = 1; i < 1000000; i++) {
        snprintf(path, 32, "runs/%d", i);
        if (!base_file_exists(path))
            break;
    }
    return path;
}

int command_evolve(int argc, char **argv)
{
    evolve_settings settings = {0};
    char chosen[32];
    const char *folder = NULL, *launcher = "", *data = NULL;
    const char *executor_name = NULL, *cc = NULL, *sandbox = NULL;
    bool resume = false, quiet = false;
    int64_t jobs = processors(), threads = default_threads();
    const option own[] = {
        {"run", OPTION_TEXT, &folder, 0, 0, "folder of the run (default: the first free runs/N)"},
        {"resume", OPTION_FLAG, &resume, 0, 0,
         "go on with the run in that folder, by its own settings"},
        {"jobs", OPTION_WHOLE, &jobs, 1, 1024, "candidates evaluated at once"},
        {"threads", OPTION_WHOLE, &threads, 1, 64, "threads of the training stages"},
        {"cc", OPTION_TEXT, &cc, 0, 0,
         "C compiler of the native executor (default: cc, or another)"},
        {"executor", OPTION_TEXT, &executor_name, 0, 0,
         "interpret or native: who runs candidates; the run is the same (default: interpret)"},
        {"data", OPTION_TEXT, &data, 0, 0, "folder of the task's images (default: data/TASK)"},
        {"sandbox", OPTION_TEXT, &sandbox, 0, 0,
         "none, limits or strict: what holds candidates (default: the strongest that is here)"},
        {"launcher", OPTION_TEXT, &launcher, 0, 0,
         "command put in front of each evaluation, as \"srun -n1\""},
        {"quiet", OPTION_FLAG, &quiet, 0, 0, "no progress"},
        {0},
    };
    const options spec = {
        .usage = "phoenix evolve [options]",
        .about =
            "Trains a T5 on random refinements of T5 sources, has it rewrite its own source,\n"
            "scores each rewrite by a short training, keeps the best, and starts over with the\n"
            "model that the best source defines. What a source may change is --scope's to say:\n"
            "the architecture of the papers' experiments, or its learning, objective and data\n"
            "as well.\n"
            "\n"
            "That is --strategy greedy with --proposer t5. --strategy has other ways to search,\n"
            "and --proposer others to write candidates; docs/evidence.md says what each does.\n"
            "Where no T5 writes them, none is trained.",
        .own = own,
        .settings = &settings,
        .default_preset = "quick",
    };
    int code = options_read(&spec, argc, argv);
    if (code >= 0)
        return code;
    if (settings.part != EVOLVE_SEARCH)
        return complain(EXIT_USAGE, "--part final: the test set is for the end of a run alone");
    if (resume && !folder)
        return complain(EXIT_USAGE, "--resume: --run FOLDER was expected with it");
    base_error error;
    if (resume && !loop_manifest_read(folder, &settings, &error))
        return complain(EXIT_FAILED, "%s", error.text);
    if (resume && !options_agree(&spec, argc, argv, &settings, &error))
        return complain(EXIT_USAGE, "%s", error.text);
    score_executor_kind executor;
    if (!score_executor_read(executor_name, &executor, &error))
        return complain(EXIT_USAGE, "%s", error.text);
    sandbox_level level;
    if (!sandbox_read(sandbox, &level, &error))
        return complain(EXIT_USAGE, "%s", error.text);
    char path[1024];
    if (executor == SCORE_NATIVE && !score_native_compiler(cc, path, &error))
        complain(EXIT_DONE, "%s; the interpreter is used", error.text);
    if (!folder) {
        folder = free_folder(chosen);
        if (!quiet)
            fprintf(stderr, "run folder: %s\n", folder);
    }
    loop_options how = {.folder = folder,
                        .resume = resume,
                        .jobs = (int)jobs,
                        .threads = (int)threads,
                        .launcher = launcher,
                        .program = command_program,
                        .executor = executor == SCORE_NATIVE ? "native" : NULL,
                        .cc = cc,
                        .sandbox = sandbox,
                        .data = data,
                        .stop = stop_on_signals(),
                        .watch = progress_watch(quiet)};
    switch (loop_run(&settings, &how, &error)) {
    case LOOP_DONE:
        if (!quiet)
            fprintf(stderr, "the run as a page: %s report %s\n", command_program, folder);
        return EXIT_DONE;
    case LOOP_INTERRUPTED:
        return complain(EXIT_FAILED, "interrupted; go on with: phoenix evolve --run %s --resume",
                        folder);
    default:
        return complain(EXIT_FAILED, "%s", error.text);
    }
}
