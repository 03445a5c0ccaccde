/* SPDX-License-Identifier: MIT */
/* prequential.c -- each pair of the score is measured once, and in time. A bit for each pair says
 * whether it has been measured, and a counter up to which pair all have been, so a step costs no more
 * than the pairs that it adds. */
#include "evolve/source/prequential.h"
#include "base/memory.h"
#include <stdlib.h>

/* The first of the held-out pairs that decide. */
static uint64_t first_deciding(const evolve_settings *settings)
{
    return (uint64_t)settings->first_pair >= SOURCE_FRESH ? SOURCE_DECIDING_FRESH : SOURCE_DECIDING;
}

source_scored source_scored_of(const evolve_settings *settings, uint64_t first, int64_t count)
{
    if (settings->score == EVOLVE_BY_HELD_OUT)
        return (source_scored){first_deciding(settings), count, 0, true};
    int64_t skipped = settings->score == EVOLVE_LAST_QUARTER ? count - (count + 3) / 4 : 0;
    return (source_scored){first + (uint64_t)skipped, count - skipped, skipped, false};
}

bool source_prequential_begin(source_prequential *p, const source_scored *scored, base_error *error)
{
    *p = (source_prequential){.scored = *scored};
    p->measured = base_calloc((size_t)scored->count / 8 + 1, 1);
    return p->measured ||
           base_fail(error, "no memory to count %lld pairs", (long long)scored->count);
}

void source_prequential_end(source_prequential *p)
{
    base_free(p->measured);
    p->measured = NULL;
}

bool source_prequential_claim(source_prequential *p, uint64_t index)
{
    uint64_t i = index - p->scored.first;
    if (index < p->scored.first || i >= (uint64_t)p->scored.count)
        return false;
    uint8_t bit = (uint8_t)(1 << i % 8);
    bool wanted = !(p->measured[i / 8] & bit);
    p->measured[i / 8] |= bit;
    return wanted;
}

/* Those behind the counter that were claimed by a step are passed over. */
bool source_prequential_due(source_prequential *p, int64_t taken, uint64_t *index)
{
    while (p->turn < p->scored.count && p->turn < taken - p->scored.skipped) {
        *index = p->scored.first + (uint64_t)p->turn++;
        if (source_prequential_claim(p, *index))
            return true;
    }
    return false;
}

/* No larger than training's batches, which have to fit in the same memory. */
enum { MOST_BATCH = 16 };

bool source_measure_pairs(t5_model *model, source_pairs *pairs, const uint64_t *index,
                          uint64_t first, int64_t count, const source_goal *goal, source_sum *sum,
                          base_error *error)
{
    tensor_context *ctx = nn_params_context(t5_model_params(model));
    t5_batch batch = {0};
    bool ok = true;
    tensor_set_grad(ctx, false);
    for (int64_t done = 0; ok && done < count && !source_goal_lost(goal, sum);
         done += batch.count) {
        t5_batch_clear(&batch);
        while (ok && batch.count < MOST_BATCH && done + batch.count < count) {
            int64_t i = done + batch.count;
            ok = source_pairs_add(pairs, index ? index[i] : first + (uint64_t)i, &batch, NULL,
                                  error);
        }
        if (!ok)
            break;
        t5_output out = t5_forward(model, &batch, NULL, 0, 0);
        for (int b = 0; b < batch.count; b++)
            source_add_losses(&batch, b, out.row_loss, &sum->loss);
        sum->tokens += batch.target_rows;
        sum->pairs += batch.count;
        tensor_step_end(ctx);
    }
    tensor_set_grad(ctx, true);
    t5_batch_free(&batch);
    return ok;
}

bool source_measure_score(t5_model *model, source_pairs *pairs, const evolve_settings *settings,
                          const source_goal *goal, source_sum *sum, base_error *error)
{
    source_scored scored =
        source_scored_of(settings, (uint64_t)settings->first_pair, settings->few_shot);
    return source_measure_pairs(model, pairs, NULL, scored.first, scored.count, goal, sum, error);
}

bool source_measure_left(t5_model *model, source_pairs *pairs, const evolve_settings *settings,
                         source_sum *sum, base_error *error)
{
    enum { LEFT = 64 };
    const double ruined = 1.25; /* more than the chance of 64 pairs makes */
    const source_goal none = {0};
    source_sum left = {0};
    int64_t count = settings->few_shot < LEFT ? settings->few_shot : LEFT;
    if (!source_measure_pairs(model, pairs, NULL, first_deciding(settings), count, &none, &left,
                              error))
        return false;
    double mean = left.loss / (double)left.tokens * (double)sum->tokens;
    if (!(mean <= ruined * sum->loss)) /* and so if it is no number */
        sum->loss = mean;
    return true;
}

bool source_goal_begin(source_goal *goal, double score, source_pairs *pairs,
                       const evolve_settings *settings, base_error *error)
{
    source_scored scored =
        source_scored_of(settings, (uint64_t)settings->first_pair, settings->few_shot);
    t5_batch batch = {0};
    bool ok = true;
    *goal = (source_goal){.score = score};
    for (int64_t i = 0; ok && goal->score > 0 && i < scored.count; i++) {
        t5_batch_clear(&batch);
        ok = source_pairs_add(pairs, scored.first + (uint64_t)i, &batch, NULL, error);
        goal->tokens += batch.target_rows;
    }
    t5_batch_free(&batch);
    return ok;
}

bool source_goal_lost(const source_goal *goal, const source_sum *sum)
{
    return goal->score > 0 && sum->tokens < goal->tokens &&
           sum->loss / (double)goal->tokens >= goal->score;
}
