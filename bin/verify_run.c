/* verify_run.c -- phoenix verify of a run's folder. */
#include "bin/command.h"
#include "bin/progress.h"
#include "bin/vectors/verify.h"
#include "evolve/score/native.h"
#include "evolve/report/verify.h"
#include <stdio.h>

int verify_run_folder(const char *folder, const verify_run_options *run)
{
    base_error error;
    score_executor_kind executor;
    report_verified verified;
    if (!score_executor_read(run->executor, &executor, &error))
        return complain(EXIT_USAGE, "%s", error.text);
    const loop_options how = {.folder = folder,
                              .jobs = (int)run->jobs,
                              .threads = (int)run->threads,
                              .launcher = run->launcher,
                              .program = command_program,
                              .executor = executor == SCORE_NATIVE ? "native" : NULL,
                              .cc = run->cc,
                              .data = run->data,
                              .stop = stop_on_signals(),
                              .watch = progress_watch(run->quiet)};
    const report_verify verify = {
        .how = &how, .execute = !run->files, .candidates = run->candidates, .models = run->models};
    if (!report_verify_run(&verify, &verified, &error))
        return complain(EXIT_FAILED, "%s", *error.text ? error.text : "interrupted");
    printf("%s, %s: %d files, %d candidates, %d models compared: %d differ", folder,
           verified.finished ? "finished" : "not finished", verified.files, verified.candidates,
           verified.models, verified.mismatches);
    if (verified.of_machine > 0)
        printf("; %d recorded as crash or deadline, not tried again", verified.of_machine);
    printf("\n");
    return verified.mismatches ? EXIT_FAILED : EXIT_DONE;
}
