/* SPDX-License-Identifier: MIT */
/* verify.c -- phoenix verify FOLDER: a run is held against its journal, anything else is a folder of
 * reference vectors (bin/vectors/verify_folder.c). Both answer one question: does this build, on
 * this machine, compute what was computed elsewhere? */
#include "bin/command.h"
#include "bin/progress.h"
#include "bin/vectors/verify.h"
#include "evolve/loop/manifest.h"
#include "evolve/report/verify.h"
#include <stdio.h>

typedef struct request {
    bool every_line, files, models;
    const char *candidates;
} request;

#define AT(field) offsetof(request, field)
static const evolve_field own[] = {
    {"lines", FLAG(every_line), "of vectors: a line for each quantity, not only for each case"},
    {"files", FLAG(files), "of a run: its files only, nothing is executed"},
    {"candidates", TEXT(candidates),
     "of a run: these only, as default,1.0.3,model,compared.2 (default: all)"},
    {"models", FLAG(models), "of a run: train each episode's model again as well"},
    {0},
};

static const command_line command = {
    .usage = "phoenix verify FOLDER [options]",
    .about =
        "Of a run's folder: holds every file against the journal, scores the candidates again "
        "and\ncompares bit for bit; a line for each that differs. Of a folder of reference "
        "vectors (one\nT5 case, or cases with nn_ops.json and relative_buckets.json): computes "
        "what they say and\nprints the largest error of each. Exit code 1 if a byte differs, "
        "or an error is beyond its\ntolerance.",
    .own = own,
    .run = EVOLVE_OF_RUNS,
    .least_operands = 1,
    .most_operands = 1,
};

/* Whatever differs has been printed, a line each, when this returns. */
static int verify_run(const char *folder, const request *r, const evolve_options *options)
{
    base_error error;
    report_verified verified;
    base_json *manifest = loop_manifest_json(folder, NULL);
    evolve_options run = *options;
    evolve_options_of_run(&run, manifest);
    const loop_options how = {.folder = folder,
                              .run = run,
                              .program = command_program,
                              .stop = stop_on_signals(),
                              .watch = progress_watch(options->quiet)};
    const report_verify verify = {
        .how = &how, .execute = !r->files, .candidates = r->candidates, .models = r->models};
    bool done = report_verify_run(&verify, &verified, &error);
    base_json_free(manifest);
    if (!done)
        return *error.text ? complain(EXIT_FAILED, "%s", error.text)
                           : complain(EXIT_INTERRUPTED, "interrupted");
    tell("%s, %s: %d files, %d candidates, %d models compared: %d differ\n", folder,
         verified.finished ? "finished" : "not finished", verified.files, verified.candidates,
         verified.models, verified.mismatches);
    return verified.mismatches ? EXIT_FAILED : EXIT_DONE;
}

/* A line a case; no case at all is a failure, since nothing was verified. */
static int verify_vectors(const char *folder, bool every_line)
{
    verify_cases cases = {.every_line = every_line};
    verify_folder(&cases, folder);
    if (cases.cases == 0)
        return complain(EXIT_FAILED,
                        "%s: expected a run, or config.json, nn_ops.json or "
                        "relative_buckets.json there or in a folder in it",
                        folder);
    printf("%d of %d cases within tolerance\n", cases.cases - cases.failed, cases.cases);
    return cases.failed ? EXIT_FAILED : EXIT_DONE;
}

/* A run has a manifest or a journal; a folder that has neither is taken for one of vectors. */
int command_verify(int argc, char **argv)
{
    const char *folder = NULL;
    request r = {.candidates = NULL};
    evolve_options options = default_options();
    const command_values values = {.own = &r, .run = &options, .operands = &folder};
    int code = command_read(&command, &values, argc, argv);
    if (code >= 0)
        return code;
    return report_verify_is_run(folder) ? verify_run(folder, &r, &options)
                                        : verify_vectors(folder, r.every_line);
}
