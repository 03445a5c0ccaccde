/* relu.c -- chapter 2 of the book: the loss sum(c * relu(x W)), its tape and its gradients.
 *
 *     cc -I. docs/book/relu.c build/libphoenix.a -lm -pthread -o relu && ./relu */
#include "tensor/tensor.h"
#include <stdio.h>

static void show(const char *name, const float *value, int rows, int columns)
{
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            printf("%-4s%6.2f%s", j ? "" : i ? "" : name, (double)value[i * columns + j],
                   j < columns - 1 ? "" : "\n");
}

int main(void)
{
    float x_value[] = {1, 2}, x_gradient[2] = {0};
    float w_value[] = {0.5f, -1, 2, 0.25f, 1, -1.5f}, w_gradient[6] = {0};
    float c_value[] = {3, -1, 2};
    tensor x, w, c;
    base_text tape = {0};
    tensor_context *ctx = tensor_context_new();
    if (!ctx)
        return 1;
    tensor_leaf(&x, ctx, 2, (int[]){1, 2}, x_value, x_gradient);
    tensor_leaf(&w, ctx, 2, (int[]){2, 3}, w_value, w_gradient);
    tensor_leaf(&c, ctx, 2, (int[]){1, 3}, c_value, NULL);

    tensor *z = tensor_matmul(&x, &w);
    tensor *y = tensor_relu(z);
    tensor *loss = tensor_sum(tensor_mul(y, &c));
    show("z", z->val, 1, 3);
    show("y", y->val, 1, 3);
    show("L", loss->val, 1, 1);
    tensor_tape_print(ctx, &tape);
    printf("tape:\n%s", tape.data);

    tensor_backward(loss);
    show("dx", x_gradient, 1, 2);
    show("dW", w_gradient, 2, 3);
    base_text_free(&tape);
    tensor_context_free(ctx);
    return 0;
}
/* SPDX-License-Identifier: MIT */
