/* SPDX-License-Identifier: MIT */
/* why.c -- phoenix why and phoenix diff: questions to a run's lineage, answered on the terminal.
 *
 * The answer is the candidate's way through the loop, in its order: who wrote it and from what, what
 * came of its evaluation, what the selection made of that, and what it changed. */
#include "base/diff.h"
#include "bin/command.h"
#include "base/number.h"
#include "evolve/report/lineage.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A source is somebody else's text: what could steer a terminal is made visible. */
static void print_safely(const char *text, size_t length)
{
    base_text shown = {0};
    base_text_add_visible(&shown, text, length);
    if (shown.data)
        fwrite(shown.data, 1, shown.length, stdout);
    base_text_free(&shown);
}

/* Nothing where the two sources are the same. */
static bool print_diff(const report_lineage *run, int a, int b, base_error *error)
{
    char name[REPORT_NAME];
    base_text text = {0};
    base_text_add(&text, "", 0);
    base_diff_unified(report_lineage_text(run, a), report_lineage_text(run, b), 3, &text);
    bool ok = !text.failed || base_fail(error, "%s: no memory", run->folder);
    if (ok && text.length) {
        printf("--- %s\n", report_lineage_name(run, a, name));
        printf("+++ %s\n", report_lineage_name(run, b, name));
        print_safely(text.data, text.length);
    }
    base_text_free(&text);
    return ok;
}

/* What a score is called, and what is written of one: printf's format of score and score_pair. */
static const struct {
    const char *name, *score;
} words[] = {
    [EVOLVE_WORDS_T5S] = {"loss", "loss        %.4f nats a token (%.3f a pair)"},
    [EVOLVE_WORDS_IMAGES] = {"wrong",
                             "wrong       %.4f of the held-out images (cross-entropy %.3f)"},
    [EVOLVE_WORDS_ROWS] = {"wrong", "wrong       %.4f of the held-out rows (cross-entropy %.3f)"},
    [EVOLVE_WORDS_NUMBERS] = {"1 - R2",
                              "1 - R2      %.4f on the held-out rows (squared error %.3f)"},
};

static void print_score(const report_lineage *run, const score_result *score)
{
    base_print_to(stdout, words[evolve_words_of(&run->settings)].score, score->score,
                  score->score_pair);
}

/* The source that a run begins with was made from nothing, so there is no diff: it is shown. */
static void about_default(const report_lineage *run)
{
    printf("default: the first source, which the run was started with\n");
    const loop_candidate *first = run->candidates.list;
    if (first->scored) {
        print_score(run, &first->score);
        printf("\nparameters  %" PRId64 "\n", first->score.parameters);
    }
    printf("\n");
    print_safely(first->text, strlen(first->text));
}

/* Who made it: what the search asked for, and who was there to do it. */
static void about_writer(const report_lineage *run, int index)
{
    const loop_candidate *r = &run->candidates.list[index];
    char name[REPORT_NAME];
    search_request request = report_lineage_batch(run, index)->request;
    if (request == SEARCH_DRAW)
        printf("made by     a draw from the whole space, each decision uniform\n");
    else if (request == SEARCH_GROW)
        printf("made by     growth: one of its sizes is a step larger\n");
    else if (request == SEARCH_AGAIN)
        printf("made by     nobody: it is an earlier candidate, scored on more\n");
    else if (!run->writes)
        printf("made by     the edit rules, without a model\n");
    else if (!run->trains)
        printf("written by  a T5 with its first weights\n");
    else if (run->stages)
        printf("written by  Model %d, which %s defines\n", r->episode,
               report_lineage_name(run, run->trained[r->episode].source, name));
}

/* Where it stands in the run, and the two sources that it is held against: what it was made from, and
 * what had to be beaten, which for some strategies are not the same. */
static void about_origin(const report_lineage *run, int index)
{
    const loop_candidate *r = &run->candidates.list[index];
    char name[REPORT_NAME];
    const report_batch *batch = report_lineage_batch(run, index);
    printf("%s: candidate %d of the %d of batch %d in episode %d, each counted from 0\n",
           report_lineage_name(run, index, name), r->place, batch->count, r->batch, r->episode);
    about_writer(run, index);
    if (r->parent != LOOP_NOBODY && r->parent != batch->before)
        printf("made from   %s\n", report_lineage_name(run, r->parent, name));
    base_print_to(stdout, "%s   %s, the source of that time, %s %.4f\n",
                  r->parent == batch->before ? "made from" : "beside   ",
                  report_lineage_name(run, batch->before, name),
                  words[evolve_words_of(&run->settings)].name,
                  report_lineage_score(run, batch->before)->score);
}

/* A score on fewer pairs is held against nothing. */
static void about_score(const report_lineage *run, int index)
{
    const loop_candidate *r = &run->candidates.list[index];
    int of, rank = report_lineage_rank(run, index, &of);
    int source = report_lineage_batch(run, index)->before;
    double difference = r->score.score - report_lineage_score(run, source)->score;
    print_score(run, &r->score);
    if (r->share < 1)
        base_print_to(stdout, ", on a share of %g of what a score takes\n", r->share);
    else if (difference == 0)
        printf(": that of the source\n");
    else
        base_print_to(stdout, ": %.4f %s than the source\n",
                      difference < 0 ? -difference : difference,
                      difference < 0 ? "better" : "worse");
    printf("rank        %d of %d with a score\nparameters  %" PRId64 "\n", rank, of,
           r->score.parameters);
}

/* Greedy selection takes the best of a batch if it beats the source, or always without elitism.
 * Climbing takes what is as good as well. The others take what beats all scores so far. */
static void about_verdict(const report_lineage *run, int index)
{
    const loop_candidate *r = &run->candidates.list[index];
    const report_batch *batch = report_lineage_batch(run, index);
    const double source = report_lineage_score(run, batch->before)->score;
    char name[REPORT_NAME];
    int of, rank = report_lineage_rank(run, index, &of);
    printf("verdict     ");
    if (r->score.status == SCORE_STOPPED)
        printf("not accepted: not better than the source, however the rest had gone\n");
    else if (r->score.status != SCORE_OK)
        printf("discarded: it has no score\n");
    else if (!batch->selected)
        printf("none yet: its batch is not over\n");
    else if (r->share < 1)
        printf("not accepted: only a score on all of it can be\n");
    else if (r->accepted)
        printf("accepted: the best of its batch%s\n",
               r->score.score < source ? ", and better than the source"
               : run->settings.strategy == EVOLVE_CLIMB
                   ? ", and as good as the source"
                   : "; better than the source or not, as --elitism no has it");
    else if (rank == 1)
        printf("not accepted: the best of its batch, but not better than the source\n");
    else if (r->score.score < source)
        printf("not accepted: better than the source, but %s of the same batch is the best\n",
               report_lineage_name(run, batch->after, name));
    else
        printf("not accepted: not better than the source\n");
}

/* A source that a score liked may still fail in the longer training of a stage. */
static void about_training(const report_lineage *run, int index)
{
    char back[REPORT_NAME];
    for (int i = 0; i < run->untrained_count; i++) {
        const report_untrained *u = &run->untrained[i];
        if (u->source != index)
            continue;
        printf("given up    in episode %d, for %s: no model of it could be trained: ", u->episode,
               report_lineage_name(run, u->back, back));
        print_safely(u->reason, strlen(u->reason));
        printf("\n");
    }
}

/* All of it, then the diff. */
static bool about_candidate(const report_lineage *run, int index, base_error *error)
{
    const loop_candidate *r = &run->candidates.list[index];
    char name[REPORT_NAME];
    about_origin(run, index);
    if (!r->scored) {
        printf("status      waiting: it has not been evaluated yet\n");
    } else {
        printf("status      %s%s", score_status_name(r->score.status),
               *r->score.reason ? ": " : "");
        print_safely(r->score.reason, strlen(r->score.reason));
        printf("\n");
        if (r->score.status == SCORE_OK)
            about_score(run, index);
        if (r->reused && r->original != LOOP_NOBODY)
            printf("reused      the outcome of %s, an equal program, was taken over\n",
                   report_lineage_name(run, r->original, name));
        about_verdict(run, index);
        about_training(run, index);
    }
    printf("\n");
    int origin = report_lineage_origin(run, index);
    if (r->parent == origin && strcmp(report_lineage_text(run, origin), r->text) == 0)
        printf("It is the source that it was made from, unchanged.\n");
    return print_diff(run, origin, index, error);
}

int command_why(int argc, char **argv)
{
    const char *operands[2] = {NULL};
    static const command_line command = {
        .usage = "phoenix why RUN CANDIDATE",
        .about = "Says what a candidate of a run was made from, what it changed, and why it was "
                 "accepted or\nnot. CANDIDATE is EPISODE.BATCH.CANDIDATE, each counted from 0: "
                 "3.0.5 is candidate 5 of\nbatch 0 of episode 3; or \"last\", the source of now, "
                 "or \"default\", the first.",
        .least_operands = 2,
        .most_operands = 2,
        .takes = FOLDER_RUN,
    };
    int index, code = command_read(&command, &(command_values){.operands = operands}, argc, argv);
    if (code >= 0)
        return code;
    base_error error;
    report_lineage *run = report_lineage_read(operands[0], &error);
    bool ok = run && report_lineage_find(run, operands[1], &index, &error);
    if (ok && index == 0)
        about_default(run);
    else if (ok)
        ok = about_candidate(run, index, &error);
    report_lineage_free(run);
    return ok ? EXIT_DONE : complain(EXIT_FAILED, "%s", error.text);
}

int command_diff(int argc, char **argv)
{
    const char *operands[3] = {NULL};
    static const command_line command = {
        .usage = "phoenix diff RUN A B",
        .about = "Prints what changed between two sources of a run, as diff -u does. A and B are "
                 "names of\ncandidates (phoenix why --help), \"default\" or \"last\".",
        .least_operands = 3,
        .most_operands = 3,
        .takes = FOLDER_RUN,
    };
    int a, b, code = command_read(&command, &(command_values){.operands = operands}, argc, argv);
    if (code >= 0)
        return code;
    base_error error;
    report_lineage *run = report_lineage_read(operands[0], &error);
    bool ok = run && report_lineage_find(run, operands[1], &a, &error) &&
              report_lineage_find(run, operands[2], &b, &error) && print_diff(run, a, b, &error);
    report_lineage_free(run);
    return ok ? EXIT_DONE : complain(EXIT_FAILED, "%s", error.text);
}
