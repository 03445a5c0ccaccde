/* SPDX-License-Identifier: MIT */
/* test_score.h -- a source scored in this process: one call, for the tests of many sources. */
#ifndef TEST_SCORE_H
#define TEST_SCORE_H

#include "evolve/score/evaluate.h"
#include "tests/test.h"
#include <string.h>

/* how: settings, and what is not to be one thread, "test.c", and nothing of the rest. */
static inline score_result score_text(const char *source, score_request how)
{
    score_result score;
    how.file = how.file ? how.file : "test.c";
    how.threads = how.threads ? how.threads : 1;
    how.text = source;
    how.length = strlen(source);
    score_of_source(&how, &score);
    return score;
}

/* What a result says but for its seconds. To be freed. */
static inline char *members_of(const score_result *score)
{
    base_text text = {0};
    score_members(score, &text);
    CHECK(!text.failed, "no memory");
    return text.data;
}

#endif
