/* SPDX-License-Identifier: MIT */
/* test_embedding.c -- embedding.c: rows, repeated ids, same bits, failures. */
#include "tests/tensor/test_tensor.h"

typedef struct lookup {
    int count, width;
    const int *ids;
} lookup;

static tensor *op_embedding(tensor *const leaf[], const void *argument)
{
    const lookup *w = argument;
    return tensor_embedding(leaf[0], w->ids, w->count);
}

static void ref_embedding(double *y, double *const leaf[], const void *argument)
{
    const lookup *w = argument;
    for (int i = 0; i < w->count; i++)
        for (int j = 0; j < w->width; j++)
            y[i * w->width + j] = leaf[0][w->ids[i] * w->width + j];
}

/* Values are copies. Id 2 comes three times: three roundings of at most 3. */
static void rows(void)
{
    static const int ids[] = {2, 0, 4, 2, 2, 1};
    test_op_run(&(test_op){.name = "embedding",
                           .op = op_embedding,
                           .reference = ref_embedding,
                           .argument = &(lookup){6, 5, ids},
                           .leaves = 1,
                           .shape = {{2, {5, 5}}},
                           .value_error = 0,
                           .gradient_error = 9 * U});
    static int many[3001];
    for (int i = 0; i < 3001; i++)
        many[i] = (int)(base_random_word(1, 2, (uint64_t)i) % 17);
    test_op_run(&(test_op){.name = "large embedding",
                           .op = op_embedding,
                           .argument = &(lookup){3001, 67, many},
                           .leaves = 1,
                           .shape = {{2, {17, 67}}}});
}

/* The ids are the caller's to change once the op is done. */
static void ids_are_copied(void)
{
    float val[6] = {1, 2, 3, 4, 5, 6}, grad[6] = {0};
    int ids[] = {2};
    tensor table;
    tensor_context *ctx = test_context(NULL);
    tensor_leaf(&table, ctx, 2, (int[]){3, 2}, val, grad);
    tensor *sum = tensor_sum(tensor_embedding(&table, ids, 1));
    ids[0] = 1000;
    tensor_backward(sum);
    CHECK(grad[4] == 1 && grad[5] == 1 && grad[2] == 0, "%g %g %g", (double)grad[4],
          (double)grad[5], (double)grad[2]);
    tensor_context_free(ctx);
}

static void failures(void)
{
    float val[6] = {0};
    tensor table, line;
    tensor_context *ctx = test_context(NULL);
    tensor_set_failure_handler(ctx, test_handler, NULL);
    tensor_leaf(&table, ctx, 2, (int[]){3, 2}, val, NULL);
    tensor_leaf(&line, ctx, 1, (int[]){6}, val, NULL);
    EXPECT_FAILURE(ctx, tensor_embedding(&table, (int[]){0, 3}, 2),
                   "embedding: id 3 at place 1 of 2 is no row of (3,2)");
    EXPECT_FAILURE(ctx, tensor_embedding(&table, (int[]){-1}, 1),
                   "embedding: id -1 at place 0 of 1 is no row of (3,2)");
    EXPECT_FAILURE(ctx, tensor_embedding(&table, (int[]){0}, 0),
                   "embedding: 0 ids; at least 1 was expected");
    EXPECT_FAILURE(ctx, tensor_embedding(&line, (int[]){0}, 1),
                   "embedding: the table is (6); (V,D) was expected");
    tensor_context_free(ctx);
}

int main(void)
{
    rows();
    ids_are_copied();
    failures();
    return test_end();
}
