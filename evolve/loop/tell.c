/* SPDX-License-Identifier: MIT */
/* tell.c -- the paragraphs. Numbers in them are the settings', so that they say what this run does. */
#include "evolve/loop/tell.h"
#include "evolve/loop/candidate.h"
#include "evolve/strategy.h"
#include "evolve/task.h"
#include <inttypes.h>

static bool programs_t5s(const evolve_settings *s) { return evolve_subject_of(s) == EVOLVE_T5S; }

/* Hands a paragraph over, and frees it. One that memory ran out for is left out: it explains, and changes
 * nothing. */
static void tell(const loop_watch *watch, base_text *text)
{
    if (!text->failed)
        watch->explain(watch->user, text->data);
    base_text_free(text);
}

/* The subject and verb of a sentence whose object is candidates. */
static const char *writer(const evolve_settings *s)
{
    return !evolve_strategy_refines((evolve_strategy)s->strategy) ? "Chance draws"
           : !evolve_writes(s)                                    ? "Random edits make"
           : evolve_trains(s)                                     ? "The T5 writes"
                                                                  : "An untrained T5 writes";
}

/* What a run is, for somebody who has read nothing. Each paragraph stands before the numbers that it
 * explains. */
void loop_tell_run(const loop_watch *watch, const evolve_settings *s, const char *chosen)
{
    static const char *const defined[EVOLVE_WORDS] = {
        [EVOLVE_WORDS_T5S] = "a T5 (a small language model)",
        [EVOLVE_WORDS_IMAGES] = "a neural network for images",
        [EVOLVE_WORDS_ROWS] = "a neural network for rows of a table",
        [EVOLVE_WORDS_NUMBERS] = "a neural network for rows of a table"};
    const char *what = defined[evolve_words_of(s)];
    base_text text = {0};
    base_text_print(&text,
                    "A source is a C program that defines %s. This run begins with one source and "
                    "looks for better ones, in %" PRId64 " episode%s. ",
                    what, s->episodes, s->episodes > 1 ? "s" : "");
    if (evolve_trains(s))
        base_text_print(&text,
                        programs_t5s(s)
                            ? "In each, the T5 that the source defines is trained to edit such "
                              "sources, and then rewrites the source that defines it. "
                            : "First a T5 (a small language model) is trained to edit such "
                              "sources, and then it rewrites them. ");
    base_text_print(&text,
                    "An episode has %" PRId64 " batch%s of %" PRId64 " rewrites, called "
                    "candidates, and what each defines is trained briefly and scored. %s "
                    "Ctrl-C stops the run, and --resume goes on from there.",
                    s->batches, s->batches > 1 ? "es" : "", s->candidates,
                    programs_t5s(s) ? "A score is a loss: lower is better."
                                    : "Lower scores are better.");
    if (chosen)
        base_text_print(&text, " Its folder is %s.", chosen);
    tell(watch, &text);
}

/* A resumed run prints again what it printed before, so that what is on the screen is the whole run. */
void loop_tell_resume(const loop_watch *watch, int64_t events)
{
    base_text text = {0};
    base_text_print(&text,
                    "The run goes on. What it has done is read from its journal (%" PRId64
                    " events) and said again, without being done again.",
                    events);
    tell(watch, &text);
    watch->progress(watch->user, "resuming", 0, 0, "");
}

void loop_tell_score(const loop_watch *watch, const evolve_settings *s, const char *origin)
{
    base_text text = {0};
    base_text_print(&text, "The score to beat, of the %s source: ", origin);
    if (!programs_t5s(s)) {
        base_text_print(&text,
                        "its network learns from %" PRId64 " %s, %" PRId64 " times over, and "
                        "is asked about up to %" PRId64 " others.",
                        s->images, evolve_items_of(s), s->image_epochs, s->held_images);
        if (s->score == EVOLVE_BY_HELD_OUT)
            base_text_print(&text,
                            evolve_words_of(s) == EVOLVE_WORDS_NUMBERS
                                ? " The score is the share of their numbers' variance that it "
                                  "does not explain, 1 - R2."
                                : " The score is the share that it gets wrong.");
        tell(watch, &text);
        return;
    }
    static const char *const of[] = {
        [EVOLVE_MEAN] = "on all of them, each measured before it is learnt",
        [EVOLVE_LAST_QUARTER] = "on the last quarter of them, each measured before it is learnt",
        [EVOLVE_BY_HELD_OUT] = "on as many other pairs afterwards"};
    base_text_print(&text,
                    "its T5, with random weights, learns from %" PRId64 " pairs, each seen once. "
                    "%s, which the T5 has to predict piece by piece; the pieces are called "
                    "tokens. The score, called few-shot loss, is its mean loss %s. "
                    "Loss is counted in nats: a token that was given the probability p costs "
                    "-ln p, so an even guess between two costs 0.69 nats, and certainty 0.",
                    s->few_shot,
                    evolve_task_has_pairs(s)
                        ? "A pair is a text and what is to be made of it"
                        : "A pair is a source and the same source with one edit",
                    of[s->score]);
    tell(watch, &text);
}

void loop_tell_training(const loop_watch *watch, const evolve_settings *s, int episode)
{
    base_text text = {0};
    base_text_print(&text, "Episode %d, training. ", episode);
    if (episode > 0)
        base_text_print(&text, "The T5 that the source now defines learns to edit sources from the "
                               "beginning, as the one before did.");
    else
        base_text_print(
            &text,
            "The T5%s learns to edit sources, this time from %" PRId64 " pairs, so that "
            "what it writes is a program and a change worth trying.",
            programs_t5s(s) ? " that the default source defines" : "", s->samples * s->epochs);
    tell(watch, &text);
}

/* Only once: the measures of later episodes are the same. */
void loop_tell_measures(const loop_watch *watch, const evolve_settings *s, int episode)
{
    if (episode > 0)
        return;
    base_text text = {0};
    base_text_print(&text,
                    "How well has it learnt? Its loss on %" PRId64
                    " pair%s that it has not seen is "
                    "compared with the floor: the edits are random, so on average no model can be "
                    "below it (by chance it can, on a few pairs). The distance is what is left to "
                    "learn.",
                    s->held_out, s->held_out > 1 ? "s" : "");
    if (s->fidelity > 0)
        base_text_print(&text,
                        " It also edits %" PRId64
                        " source%s, eight times each: what parses is a program, what is "
                        "valid defines a model, and a legal edit is one that the pairs could have "
                        "had.",
                        s->fidelity, s->fidelity > 1 ? "s" : "");
    tell(watch, &text);
}

void loop_tell_candidates(const loop_watch *watch, const evolve_settings *s, int episode)
{
    base_text text = {0};
    base_text_print(&text, "Episode %d, candidates. ", episode);
    if (episode > 0)
        base_text_print(&text, "%s %" PRId64 " more batch%s of %" PRId64 ".", writer(s), s->batches,
                        s->batches > 1 ? "es" : "", s->candidates);
    else
        base_text_print(&text,
                        "%s %" PRId64 " at a time%s, and each is trained from random weights and "
                        "scored as the default source was. A batch is shown as its scores: \"=\" "
                        "behind one means that an equal program had it before, \">=\" that it was "
                        "stopped when it could not win any more, and a word instead of a score "
                        "(parse, check, run, limit) why it has none. What beats the source "
                        "becomes the source.",
                        writer(s), s->candidates,
                        evolve_learns(s) ? ", preferring edits that made earlier ones better" : "");
    tell(watch, &text);
}

void loop_tell_comparison(const loop_watch *watch, const evolve_settings *s)
{
    if (s->fresh_seeds == 0)
        return;
    const loop_candidate compared = {.kind = LOOP_COMPARED, .share = 1};
    base_text text = {0};
    base_text_print(&text, "Is it real? The best of many scores is partly luck. So the first and "
                           "the last source are trained again, ");
    if (programs_t5s(s))
        base_text_print(&text, "on %" PRId64 " pairs",
                        loop_candidate_settings(s, &compared).few_shot);
    else
        base_text_print(&text, "on the whole training set");
    base_text_print(&text,
                    " and with %" PRId64 " seed%s that the search never saw, and measured on %s. "
                    "The last source is better if the interval that most likely holds the gain "
                    "is above 0.",
                    s->fresh_seeds, s->fresh_seeds > 1 ? "s" : "",
                    programs_t5s(s)                             ? "other pairs"
                    : evolve_words_of(s) == EVOLVE_WORDS_IMAGES ? "the test images"
                                                                : "the test rows");
    tell(watch, &text);
}
