/* SPDX-License-Identifier: MIT */
/* glossary.c -- the words of a page, for who was sent one. */
#include "evolve/report/page.h"

typedef struct entry {
    const char *word, *means;
    bool t5, networks; /* in a page of runs that program these */
} entry;

static const entry entries[] = {
    {"source", "A C program that defines a model. The run looks for a better one.", true, true},
    {"candidate",
     "A source that was written to be tried. 3.0.5 is candidate 5 of batch 0 of episode 3, each "
     "counted from 0.",
     true, true},
    {"accepted",
     "The best of its batch, and better than the source: it is the source from then on.", true,
     true},
    {"few-shot loss",
     "A source's score: its model, with random weights, is trained once on a few pairs, and each "
     "is predicted before it is learnt. Lower is better.",
     true, false},
    {"nat",
     "The unit of loss: a token that was given the probability p costs -ln p. 0.69 nats are an "
     "even guess "
     "between two, 0 is certainty.",
     true, true},
    {"pair", "A source, and the same source with an edit: what the T5 learns to write.", true,
     true},
    {"floor", "The entropy of the pairs: what no model's loss can be below in the long run.", true,
     true},
    {"held out", "Kept out of the training, to measure with.", true, true},
    {"fresh pairs",
     "Pairs that the search never saw, so that luck in the search is no gain on them.", true,
     false},
    {"fresh seed", "A random start that the search never used: other weights, another order.", true,
     true},
    {"test set", "What neither the training nor the search saw.", false, true},
    {"confusion matrix", "How often images of one class were taken for another.", false, true},
    {"95 % interval",
     "By Student's t over the seeds: such intervals hold the true mean 19 times of 20. A gain is "
     "called real where the whole interval of the differences is above 0.",
     true, true},
    {"standard error",
     "How far chance typically moves a difference of two scores from the true one.", true, true},
    {"total variation", "The distance of two distributions: 0: equal, 1: nothing in common.", true,
     true},
    {"mutator", "The T5 as a writer of edits, compared with the random edits it was taught.", true,
     true},
    {"FLOP", "An addition or a multiplication; they are counted, not timed.", true, true},
};

void report_page_glossary(report_page *page, const report_lineage *run)
{
    report_page_print(page, "<dl class=\"words\">\n");
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        if (run->subject == EVOLVE_NETWORKS ? entries[i].networks : entries[i].t5) {
            report_page_print(page, "<dt>%s</dt><dd>", entries[i].word);
            report_page_text(page, entries[i].means);
            report_page_print(page, "</dd>\n");
        }
    report_page_print(page, "</dl>\n");
}
