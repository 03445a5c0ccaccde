/* SPDX-License-Identifier: MIT */
/* exercise_07.c -- chapter 7: an optimizer of your own, sign_descent, in the tree's table. Fails until it is there. */
#include "nn/optimizer.h"
#include "tests/test.h"

#include <math.h>

int main(void)
{
    int kind = 0;
    while (kind < NN_OPTIMIZERS && strcmp(nn_optimizer_names[kind], "sign_descent") != 0)
        kind++;
    CHECK(kind < NN_OPTIMIZERS, "there is no optimizer sign_descent");
    if (kind == NN_OPTIMIZERS)
        return test_end();
    base_error error;
    tensor_context *ctx = tensor_context_new();
    nn_params *params = nn_params_new(ctx);
    tensor *w = nn_param(params, "w", 1, (int[]){3});
    nn_optimizer_config config = nn_optimizer_default((nn_optimizer_kind)kind);
    config.rate = 0.25;
    config.weight_decay = 0.5;
    CHECK(nn_params_allocate(params, true, &error), "%s", error.text);
    static const float start[] = {1, -2, 4}, slope[] = {0.001f, -1000, 0};
    memcpy(w->val, start, sizeof start);
    memcpy(w->grad, slope, sizeof slope);
    nn_optimizer *o = nn_optimizer_new(params, &config, &error);
    nn_optimizer_step(o, 1, 1);
    for (int i = 0; i < 3; i++) { /* numbers of few bits: exact */
        float want =
            start[i] - 0.25f * ((float)((slope[i] > 0) - (slope[i] < 0)) + 0.5f * start[i]);
        CHECK(w->val[i] == want, "weight %d is %g, expected %g", i, (double)w->val[i],
              (double)want);
    }
    size_t floats;
    nn_optimizer_state(o, &floats);
    CHECK(floats == 0, "it keeps %zu floats, and needs none", floats);
    nn_optimizer_free(o);
    nn_params_free(params);
    tensor_context_free(ctx);
    return test_end();
}
