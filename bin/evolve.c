/* SPDX-License-Identifier: MIT */
/* evolve.c -- phoenix evolve: the loop, from a command line.
 *
 * A run is what its settings make it; a run that is resumed has those of its manifest. Options say
 * how it is carried out, and may be others each time. */
#include "base/file.h"
#include "base/memory.h"
#include "bin/command.h"
#include "bin/progress.h"
#include "bin/terminal.h"
#include "evolve/loop/extend.h"
#include "evolve/loop/manifest.h"
#include "evolve/loop/run.h"
#include "evolve/score/native.h"
#include "evolve/source/host.h"
#include "evolve/uses.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct request {
    evolve_settings settings;
    evolve_options options;
    const char *folder, *experience, *source;
    bool resume;
    base_json *manifest; /* of the run that is resumed */
} request;

#define AT(field) offsetof(request, field)
static const evolve_field own[] = {
    {"run", TEXT(folder), "folder of the run (default: the first free runs/N)"},
    {"resume", FLAG(resume),
     "go on with the run in that folder, by its own settings; --episodes N gives it more"},
    {"source", TEXT(source),
     "file of the program to start from, or a run: what it found; given again: programs that are "
     "the first candidates; comments are not kept where the edit rules know it (default: the "
     "default source)"},
    {"experience", TEXT(experience),
     "file of phoenix experience, that --proposer counts, critic, tilted, taught and actor learn "
     "from; "
     "none (default: what the program has of its own)"},
    {0},
};

static const command_line command = {
    .usage = "phoenix evolve [options]",
    .about = "Trains a T5 on random refinements of T5 sources, has it rewrite its own source,\n"
             "scores each rewrite by a short training, keeps the best, and starts over with the\n"
             "model that the best source defines. --scope says what a rewrite may change: the\n"
             "architecture, as in the papers' experiments, or learning, objective and data as\n"
             "well.\n"
             "\n"
             "--strategy greedy with --proposer t5 is the papers' loop. The default proposer,\n"
             "tilted, is the same T5, but edits that paid, in earlier runs and in this one, are\n"
             "preferred. --strategy has other ways to search, and --proposer other writers of\n"
             "candidates; docs/evidence.md says what each does. A T5 is trained only where it\n"
             "writes them.",
    .own = own,
    .run = EVOLVE_OF_RUNS,
    .preset = "quick",
    .uses = EVOLVE_USES_EVOLVE & ~(unsigned)EVOLVE_USE_PART,
};

/* Runs in the first of runs/1, runs/2, ... that is not there. Another driver may choose the same at
 * the same time: whoever makes the folder has it, and the other looks on. */
static loop_outcome run_in_free_folder(const request *r, loop_options *how, char path[32],
                                       base_error *error)
{
    loop_outcome outcome = LOOP_TAKEN;
    how->folder = path;
    how->fresh = true;
    for (int i = 1; outcome == LOOP_TAKEN; i++) {
        snprintf(path, 32, "runs/%d", i);
        if (base_file_exists(path))
            continue;
        outcome = loop_run(&r->settings, how, error);
    }
    return outcome;
}

/* Of a run that is resumed, the settings are its manifest's; the command line may only repeat them, but for
 * more episodes.
 * Returns -1 to go on, or an exit code. */
static int settle_settings(request *r, int argc, char **argv)
{
    base_error error;
    if (!r->resume)
        return -1;
    if (!r->folder)
        return complain(EXIT_USAGE, "--resume: --run FOLDER was expected with it");
    const int64_t episodes = r->settings.episodes;
    if (command_has(&command, argc, argv, "episodes") && !loop_extend(r->folder, episodes, &error))
        return complain(EXIT_FAILED, "--episodes %d: %s", (int)episodes, error.text);
    if (!loop_manifest_read(r->folder, &r->settings, &error) ||
        !(r->manifest = loop_manifest_json(r->folder, &error)))
        return complain(EXIT_FAILED, "%s", error.text);
    evolve_options_of_run(&r->options, r->manifest);
    if (!command_agrees(&command, argc, argv, &r->settings, &error))
        return complain(EXIT_USAGE, "%s", error.text);
    return -1;
}

/* What the run left and where, and what can be done with it next. */
static void say_what_is_there(const char *folder)
{
    base_text text = {0}, folded = {0}, program = {0}, run = {0};
    char *model = last_model(folder);
    base_text_add_word(&program, command_called);
    base_text_add_path(&run, folder);
    const char *self = program.data ? program.data : "", *at = run.data ? run.data : "";
    base_text_print(&text, "\nwhat was found     %s/source.c, and %s/summary.txt\n", at, at);
    if (model) {
        base_text_print(&text, "the T5 that wrote  ");
        base_text_add_path(&text, model);
    }
    base_text_print(&text,
                    "%swhat changed       %s diff %s default last\n"
                    "why it was chosen  %s why %s last\n"
                    "the run as a page  %s report %s\n"
                    "score all again    %s verify %s\n",
                    model ? "\n" : "", self, at, self, at, self, at, self, at);
    if (base_file_exists_in(folder, "model/network.json"))
        base_text_print(&text, "its network        %s/model; in use: %s predict %s FILE...\n", at,
                        self, at);
    else if (base_file_exists_in(folder, "model/config.json"))
        base_text_print(&text,
                        "its T5             %s/model; in use: %s generate %s FILE|- [--lines]\n",
                        at, self, at);
    else if (model)
        base_text_print(&text, "more rewrites      %s generate %s %s/source.c --diff\n", self, at,
                        at);
    base_free(model);
    if (!text.failed && !program.failed && !run.failed)
        terminal_fold(&folded, text.data, terminal_columns(STDERR_FILENO));
    if (!folded.failed && folded.data)
        fputs(isatty(STDERR_FILENO) == 1 ? folded.data : text.data, stderr);
    base_text_free(&folded);
    base_text_free(&text);
    base_text_free(&program);
    base_text_free(&run);
}

static int run(const request *r, char *const *texts)
{
    base_error error;
    char chosen[32];
    loop_options how = {.folder = r->folder,
                        .resume = r->resume,
                        .experience = r->experience,
                        .source = texts[0],
                        .more = texts[0] && texts[1] ? (const char *const *)texts + 1 : NULL,
                        .run = r->options,
                        .program = command_program,
                        .stop = stop_on_signals(),
                        .watch = progress_watch(r->options.quiet)};
    loop_outcome outcome = r->folder ? loop_run(&r->settings, &how, &error)
                                     : run_in_free_folder(r, &how, chosen, &error);
    switch (outcome) {
    case LOOP_DONE:
        if (!r->options.quiet)
            say_what_is_there(how.folder);
        return EXIT_DONE;
    case LOOP_INTERRUPTED:
        return complain_go_on(EXIT_INTERRUPTED, "interrupted", "evolve --run", how.folder,
                              " --resume");
    default:
        return complain(EXIT_FAILED, "%s", error.text);
    }
}

/* A file's text, or of a run's folder what it found. malloc'ed; NULL: error. */
static char *read_start(const char *path, base_error *error)
{
    size_t length;
    char *found =
        base_file_exists_in(path, "manifest.json") ? base_file_path(path, "source.c") : NULL;
    char *text = read_source(found ? found : path, &length, error);
    base_free(found);
    if (!text || strlen(text) == length)
        return text;
    base_fail(error, "%s: has a zero byte, expected a source", path);
    base_free(text);
    return NULL;
}

/* Here, where its name is known. -1 to go on, or an exit code. */
static int check_start(const char *path, const char *text)
{
    language_diagnostic why;
    language_program *program = source_parse(path, text, strlen(text), &why);
    const bool ok = program != NULL;
    language_program_free(program);
    return ok ? -1
              : complain(EXIT_SOURCE, "%s%s%s", why.text, *why.snippet ? "\n" : "", why.snippet);
}

/* Reads the sources that are named, and runs. */
static int start(const request *r, int argc, char **argv)
{
    base_error error;
    const char **paths = base_calloc((size_t)argc, sizeof *paths);
    char **texts = base_calloc((size_t)argc + 1, sizeof *texts);
    int code = -1, count = paths ? command_values_of(&command, argc, argv, "source", paths) : 0;
    if (!paths || !texts)
        code = complain(EXIT_FAILED, "no memory");
    for (int i = 0; code < 0 && i < count; i++)
        if (!(texts[i] = read_start(paths[i], &error)))
            code = complain(EXIT_FAILED, "%s", error.text);
        else
            code = check_start(paths[i], texts[i]);
    if (code < 0)
        code = run(r, texts);
    for (int i = 0; texts && i < count; i++)
        base_free(texts[i]);
    base_free(texts);
    base_free(paths);
    return code;
}

int command_evolve(int argc, char **argv)
{
    request r = {.options = default_options()};
    const command_values values = {
        .own = &r, .run = &r.options, .settings = &r.settings, .unchecked = &r.resume};
    char path[1024];
    base_error error;
    int code = command_read(&command, &values, argc, argv);
    if (code < 0)
        code = settle_settings(&r, argc, argv);
    if (code >= 0)
        return code;
    if (r.options.executor == EVOLVE_NATIVE && !score_native_compiler(r.options.cc, path, &error))
        complain(EXIT_DONE, "%s; the interpreter is used", error.text);
    code = start(&r, argc, argv);
    base_json_free(r.manifest);
    return code;
}
