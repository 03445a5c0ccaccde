/* SPDX-License-Identifier: MIT */
/* exercise_02.c -- chapter 2: an op of your own, absolute(x) = |x|, as tensor/context.h says. Fails until it is there. */
#include "tensor/context.h"
#include "tests/test.h"

#include <math.h>

/* y = |x|:   dx = dy where x > 0, -dy where x < 0, 0 where it is 0 */
static tensor *absolute(tensor *x)
{
    /* Yours: tensor_result(), the values, and where y->wants_grad a record of an op "absolute" whose backward
     * function adds to tensor_grad(record->in[0]). */
    return x;
}

static const float values[] = {-3, -0.5f, 0, 0.25f, 7};
enum { COUNT = sizeof values / sizeof *values };

int main(void)
{
    float value[COUNT], gradient[COUNT] = {0};
    tensor x;
    tensor_context *ctx = tensor_context_new();
    memcpy(value, values, sizeof value);
    tensor_leaf(&x, ctx, 1, (int[]){COUNT}, value, gradient);

    /* L = sum(|x| * |x|), |x| used twice and x once more: dL/dx = 2 |x| sign(x) + 1 */
    tensor *y = absolute(&x), *loss = tensor_sum(tensor_add(tensor_mul(y, y), &x));
    for (int i = 0; i < COUNT; i++)
        CHECK(y->val[i] == fabsf(values[i]), "|%g| is %g", (double)values[i], (double)y->val[i]);
    CHECK(y != &x && y->wants_grad, "the result is a tensor of its own, which wants a gradient");
    base_text tape = {0};
    tensor_tape_print(ctx, &tape);
    CHECK(strncmp(tape.data, "absolute (5) <- (5)\n", 20) == 0, "the tape is\n%s", tape.data);
    tensor_backward(loss);
    for (int i = 0; i < COUNT; i++)
        CHECK(gradient[i] == 2 * values[i] + 1, "dx is %g at %g", (double)gradient[i],
              (double)values[i]);
    tensor_step_end(ctx);

    tensor_set_grad(ctx, false);
    CHECK(!absolute(&x)->wants_grad, "nothing wants a gradient where they are off");
    base_text_clear(&tape);
    tensor_tape_print(ctx, &tape);
    CHECK(tape.length == 0, "the tape is %s", tape.data);
    base_text_free(&tape);
    tensor_context_free(ctx);
    return test_end();
}
