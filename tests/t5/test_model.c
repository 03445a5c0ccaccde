/* SPDX-License-Identifier: MIT */
/* test_model.c -- the T5 against Hugging Face's numbers, against differences, against itself. */
#include "tests/t5/test_t5.h"

#include "bin/vectors/verify.h"
#include <limits.h>
#include <math.h>
#include <setjmp.h>

enum { LONGEST = 40, MOST_IDS = 3 * LONGEST };

/* ---- Reference vectors ---- */

static void check_line(void *user, const verify_line *line)
{
    CHECK(line->ok, "%s: %s is off by %g, at most %g %s", (const char *)user, line->name,
          line->error, line->tolerance, line->note);
}

static void same_as_hugging_face(void)
{
    static const char *const cases[] = {"case1-tiny-relu", "case2-uneven-long-pad",
                                        "case3-gated-gelu-untied"};
    base_error error;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[128], folder[1024];
        snprintf(name, sizeof name, "golden/%s/config.json", cases[i]);
        const char *path = test_shared(name);
        if (!path) {
            SKIP("%s is not there", name);
            continue;
        }
        snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
        int before = test_passed;
        CHECK(verify_t5_case(folder, check_line, folder, &error), "%s", error.text);
        CHECK(test_passed - before > 60, "%s: only %d lines", folder, test_passed - before);
    }
    const char *path = test_shared("golden/relative_buckets.json");
    if (!path)
        SKIP("golden/relative_buckets.json is not there");
    else
        CHECK(verify_buckets(path, check_line, "buckets", &error), "%s", error.text);
}

/* ---- Buckets ---- */

/* The formula in the C library's logarithms, where its value is not so near a whole number that
 * rounding could decide; and what must hold anyway. */
static void buckets_follow_the_formula(void)
{
    static const int sizes[][2] = {{32, 128}, {4, 3}, {8, 12}, {64, 1000}, {6, 100}, {32, 20}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int N = sizes[i][0], most = sizes[i][1], exact = N / 2, previous = 0;
        for (int d = 0; d < 3 * most; d++) {
            int bucket = t5_relative_bucket(-d, false, N, most);
            double place = log((double)d / exact) / log((double)most / exact) * (N - exact);
            int want = d < exact ? d : d >= most ? N - 1 : exact + (int)place;
            if (d < exact || d >= most || fabs(place - round(place)) > 1e-6)
                CHECK(bucket == want, "%d buckets to %d: %d is in %d, want %d", N, most, d, bucket,
                      want);
            CHECK(bucket >= previous && bucket < N, "%d after %d", bucket, previous);
            CHECK(t5_relative_bucket(d, false, N, most) == 0, "the future has no distance");
            if (N >= 8)
                CHECK(t5_relative_bucket(d, true, N, most) ==
                          t5_relative_bucket(-d, true, N, most) + (d > 0 ? N / 2 : 0),
                      "%d is not mirrored", d);
            previous = bucket;
        }
    }
    CHECK(t5_relative_bucket(INT_MIN, false, 32, 128) == 31, "INT_MIN");
    CHECK(t5_relative_bucket(INT_MIN, true, 32, 128) == 15, "INT_MIN");
    CHECK(t5_relative_bucket(INT_MAX, true, 32, 128) == 31, "INT_MAX");
}

/* ---- Initial weights ---- */

static void weights_start_as_transformers_has_them(void)
{
    tensor_context *ctx = tensor_context_new();
    base_error error;
    t5_config c = t5_config_small();
    c.vocab_size = 300;
    c.d_model = 64;
    c.d_kv = 16;
    c.num_heads = 6;
    c.d_ff = 144;
    c.num_layers = c.num_decoder_layers = 2;
    c.initializer_factor = 0.5;
    c.tie_word_embeddings = false;
    c.feed_forward_proj = T5_GATED_GELU;
    t5_model *model = t5_model_new(ctx, &c, false, &error);
    CHECK(model, "%s", error.text);
    t5_model_init(model, 11);
    const struct {
        const char *name;
        double deviation;
    } wanted[] = {
        {"shared.weight", 0.5},
        {"lm_head.weight", 0.5},
        {"encoder.block.1.layer.0.SelfAttention.q.weight", 0.5 / sqrt(64 * 16)},
        {"encoder.block.1.layer.0.SelfAttention.k.weight", 0.5 / sqrt(64)},
        {"decoder.block.0.layer.1.EncDecAttention.v.weight", 0.5 / sqrt(64)},
        {"decoder.block.1.layer.1.EncDecAttention.o.weight", 0.5 / sqrt(6 * 16)},
        {"decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", 0.5 / sqrt(64)},
        {"encoder.block.0.layer.1.DenseReluDense.wi_0.weight", 0.5 / sqrt(64)},
        {"decoder.block.1.layer.2.DenseReluDense.wi_1.weight", 0.5 / sqrt(64)},
        {"decoder.block.1.layer.2.DenseReluDense.wo.weight", 0.5 / sqrt(144)},
        {"encoder.block.1.layer.1.layer_norm.weight", 0},
        {"decoder.final_layer_norm.weight", 0},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const tensor *t = nn_params_find(t5_model_params(model), wanted[i].name);
        CHECK(t, "no %s", wanted[i].name);
        if (!t)
            continue;
        double n = (double)tensor_size(t), sum = 0, squares = 0;
        for (size_t j = 0; j < tensor_size(t); j++) {
            sum += (double)t->val[j];
            squares += (double)t->val[j] * (double)t->val[j];
        }
        double mean = wanted[i].deviation > 0 ? 0 : 0.5, deviation = wanted[i].deviation;
        /* n draws give a deviation to 1 in sqrt(2n), a mean to deviation / sqrt(n); 4 of each. */
        CHECK(fabs(sum / n - mean) <= 4 * deviation / sqrt(n), "%s: mean %g", wanted[i].name,
              sum / n);
        CHECK(fabs(sqrt(squares / n - sum / n * sum / n) - deviation) <=
                  4 * deviation / sqrt(2 * n) + 1e-12,
              "%s: deviation %g, want %g", wanted[i].name, sqrt(squares / n), deviation);
    }
    t5_model_free(model);
    tensor_context_free(ctx);
}

/* A parameter's numbers depend on its name and the seed, not on what else the model has. */
static void equal_layers_start_equal(void)
{
    tensor_context *ctx = tensor_context_new();
    t5_config small = test_t5_config(), large = small;
    base_error error;
    large.num_layers = 5;
    large.num_decoder_layers = 1;
    t5_model *a = t5_model_new(ctx, &small, false, &error);
    t5_model *b = t5_model_new(ctx, &large, false, &error);
    t5_model_init(a, 3);
    t5_model_init(b, 3);
    int shared = 0;
    for (int i = 0; i < nn_params_count(t5_model_params(a)); i++) {
        const char *name = nn_params_name(t5_model_params(a), i);
        const tensor *x = nn_params_tensor(t5_model_params(a), i);
        const tensor *y = nn_params_find(t5_model_params(b), name);
        if (!y)
            continue;
        shared++;
        CHECK(memcmp(x->val, y->val, tensor_size(x) * sizeof(float)) == 0, "%s differs", name);
    }
    CHECK(shared == 34, "%d parameters in both", shared); /* 1 + 9 + 8 + 1 and 14 + 1 */
    t5_model_init(b, 4);
    CHECK(nn_params_values(t5_model_params(a))[0] != nn_params_values(t5_model_params(b))[0],
          "the seed does not matter");
    t5_model_free(a);
    t5_model_free(b);
    tensor_context_free(ctx);
}

/* ---- Gradients against differences ---- */

static void fill_batch(t5_batch *batch, const t5_config *c, const int *source, const int *target,
                       int count)
{
    for (int b = 0; b < count; b++) {
        int from[LONGEST], to[LONGEST];
        test_t5_ids(from, source[b], c, 100 + (uint64_t)b);
        test_t5_ids(to, target[b], c, 200 + (uint64_t)b);
        if (target[b] > 2)
            to[1] = -100;
        CHECK(t5_batch_add(batch, from, source[b], to, target[b]), "no memory");
    }
}

/* The mean of the rows' losses in double: finer than the float that the loss is. */
static double loss_of(t5_model *model, const t5_batch *batch)
{
    tensor_set_grad(model->ctx, false);
    t5_output out = t5_forward(model, batch, NULL, 0, 0);
    double sum = 0;
    int counted = 0;
    for (int i = 0; i < batch->target_rows; i++) {
        sum += (double)out.row_loss[i];
        counted += batch->target_ids[i] != -100;
    }
    tensor_step_end(model->ctx);
    tensor_set_grad(model->ctx, true);
    return sum / counted;
}

static double slope(t5_model *model, const t5_batch *batch, float *x, float step)
{
    float kept = *x;
    *x = kept + step;
    double above = loss_of(model, batch), wide = (double)*x;
    *x = kept - step;
    wide -= (double)*x;
    double below = loss_of(model, batch);
    *x = kept;
    return (above - below) / wide;
}

/* Two central differences, of steps h and 2h, make one whose error is of order h^4 (Richardson). Of
 * float32 losses with errors of some 1e-7, h = 1/256 leaves noise of about 1e-4; the bound is 5e-4
 * and 1% of the tensor's largest gradient. Where relu has a kink between, the two differences part,
 * and the element does not count; few are. */
static void check_gradients(t5_feed_forward kind, bool tied)
{
    tensor_context *ctx = tensor_context_new();
    t5_config c = test_t5_config();
    c.vocab_size = 9;
    c.d_model = 6;
    c.d_kv = 2;
    c.d_ff = 5;
    c.feed_forward_proj = kind;
    c.tie_word_embeddings = tied;
    t5_model *model = test_t5_model(ctx, &c, true, 5);
    t5_batch batch = {0};
    fill_batch(&batch, &c, (const int[]){7, 3}, (const int[]){5, 8}, 2);
    t5_output out = t5_forward(model, &batch, NULL, 0, 0);
    tensor_backward(out.loss);
    tensor_step_end(ctx);

    nn_params *params = t5_model_params(model);
    int kinks = 0, all = 0;
    for (int i = 0; i < nn_params_count(params); i++) {
        tensor *t = nn_params_tensor(params, i);
        double largest = 0;
        for (size_t j = 0; j < tensor_size(t); j++)
            largest = fmax(largest, fabs((double)t->grad[j]));
        CHECK(largest > 1e-4, "%s has no gradient", nn_params_name(params, i));
        for (size_t j = 0; j < tensor_size(t); j++, all++) {
            double near = slope(model, &batch, &t->val[j], 0x1p-8f);
            double far = slope(model, &batch, &t->val[j], 0x1p-7f);
            double bound = 5e-4 + 0.01 * largest, want = near + (near - far) / 3;
            if (kind == T5_RELU && fabs(near - far) > bound / 2)
                kinks++;
            else
                CHECK(fabs((double)t->grad[j] - want) <= bound,
                      "%s[%zu]: %g, differences %g, bound %g", nn_params_name(params, i), j,
                      (double)t->grad[j], want, bound);
        }
    }
    CHECK(kinks * 100 < all, "%d of %d are at a kink", kinks, all);
    t5_batch_free(&batch);
    t5_model_free(model);
    tensor_context_free(ctx);
}

static void gradients_are_differences(void)
{
    check_gradients(T5_RELU, true);
    check_gradients(T5_GELU, false);
    check_gradients(T5_GATED_GELU, true);
}

/* ---- The same bits ---- */

/* Logits, then gradients of one step, in memory of the caller's. */
static size_t step_bits(int threads, float *bits, size_t most)
{
    tensor_context *ctx = tensor_context_new();
    tensor_set_threads(ctx, threads);
    t5_config c = test_t5_config();
    c.d_model = 70;
    c.d_kv = 17;
    c.d_ff = 130;
    c.dropout_rate = 0.1;
    t5_model *model = test_t5_model(ctx, &c, true, 5);
    t5_batch batch = {0};
    fill_batch(&batch, &c, (const int[]){37, 5, 20}, (const int[]){11, 40, 1}, 3);
    t5_output out = t5_forward(model, &batch, &(tensor_objective){.smoothing = 0.1f}, 9, 1);
    tensor_backward(out.loss);
    size_t logits = tensor_size(out.logits), params = nn_params_size(t5_model_params(model));
    CHECK(logits + params <= most, "%zu floats", logits + params);
    memcpy(bits, out.logits->val, logits * sizeof *bits);
    memcpy(bits + logits, nn_params_gradients(t5_model_params(model)), params * sizeof *bits);
    t5_batch_free(&batch);
    t5_model_free(model);
    tensor_context_free(ctx);
    return logits + params;
}

static void same_bits_for_any_threads(void)
{
    enum { MOST = 200000 };
    float *one = malloc(MOST * sizeof *one), *more = malloc(MOST * sizeof *more);
    size_t count = step_bits(1, one, MOST);
    for (int threads = 2; threads <= 3; threads++) {
        CHECK(step_bits(threads, more, MOST) == count, "%d threads: another count", threads);
        CHECK(memcmp(one, more, count * sizeof *one) == 0, "%d threads: other bits", threads);
    }
    free(one);
    free(more);
}

/* Copies a sequence's logits and row losses out of a batch that is run without gradients. */
static void rows_of(t5_model *model, const t5_batch *batch, int b, int rows, float *to)
{
    size_t V = (size_t)model->config.vocab_size, start = (size_t)batch->target[b].start;
    tensor_set_grad(model->ctx, false);
    t5_output out = t5_forward(model, batch, NULL, 0, 0);
    memcpy(to, out.logits->val + start * V, (size_t)rows * V * sizeof *to);
    memcpy(to + (size_t)rows * V, out.row_loss + start, (size_t)rows * sizeof *to);
    tensor_step_end(model->ctx);
    tensor_set_grad(model->ctx, true);
}

/* A sequence has the same bits alone, among others, and padded. */
static void company_does_not_matter(void)
{
    static const int source[3] = {21, 1, 40}, target[3] = {3, 33, 8};
    tensor_context *ctx = tensor_context_new();
    t5_config c = test_t5_config();
    t5_model *model = test_t5_model(ctx, &c, false, 8);
    t5_batch ragged = {0}, alone = {0}, padded = {0};
    fill_batch(&ragged, &c, source, target, 3);
    for (int b = 0; b < 3; b++) {
        int from[LONGEST] = {0}, to[LONGEST];
        for (int i = 0; i < LONGEST; i++)
            to[i] = -100;
        memcpy(from, ragged.source_ids + ragged.source[b].start, (size_t)source[b] * sizeof *from);
        memcpy(to, ragged.target_ids + ragged.target[b].start, (size_t)target[b] * sizeof *to);
        CHECK(t5_batch_add(&padded, from, LONGEST, to, LONGEST), "no memory");
        padded.source[b].valid = source[b];
    }
    for (int b = 0; b < 3; b++) {
        static float one[LONGEST * 24], among[LONGEST * 24], wide[LONGEST * 24];
        t5_batch_clear(&alone);
        CHECK(t5_batch_add(&alone, ragged.source_ids + ragged.source[b].start, source[b],
                           ragged.target_ids + ragged.target[b].start, target[b]),
              "no memory");
        rows_of(model, &alone, 0, target[b], one);
        rows_of(model, &ragged, b, target[b], among);
        rows_of(model, &padded, b, target[b], wide);
        size_t bytes = (size_t)target[b] * (size_t)(c.vocab_size + 1) * sizeof *one;
        CHECK(memcmp(one, among, bytes) == 0, "sequence %d differs in a batch", b);
        CHECK(memcmp(one, wide, bytes) == 0, "sequence %d differs where it is padded", b);
    }
    t5_batch_free(&ragged);
    t5_batch_free(&alone);
    t5_batch_free(&padded);
    t5_model_free(model);
    tensor_context_free(ctx);
}

/* Padding has no part in gradients: the same sums, if not in the same order. */
static void padding_has_no_gradient(void)
{
    tensor_context *ctx = tensor_context_new();
    t5_config c = test_t5_config();
    t5_model *model = test_t5_model(ctx, &c, true, 8);
    nn_params *params = t5_model_params(model);
    t5_batch ragged = {0}, padded = {0};
    fill_batch(&ragged, &c, (const int[]){21, 7}, (const int[]){3, 12}, 2);
    for (int b = 0; b < 2; b++) {
        int from[LONGEST] = {0}, to[LONGEST];
        for (int i = 0; i < LONGEST; i++)
            to[i] = -100;
        const tensor_span *source = &ragged.source[b], *target = &ragged.target[b];
        memcpy(from, ragged.source_ids + source->start, (size_t)source->rows * sizeof *from);
        memcpy(to, ragged.target_ids + target->start, (size_t)target->rows * sizeof *to);
        CHECK(t5_batch_add(&padded, from, LONGEST, to, LONGEST), "no memory");
        padded.source[b].valid = source->rows;
    }
    size_t size = nn_params_size(params);
    float *first = malloc(size * sizeof *first);
    tensor_backward(t5_forward(model, &ragged, NULL, 0, 0).loss);
    tensor_step_end(ctx);
    memcpy(first, nn_params_gradients(params), size * sizeof *first);
    nn_zero_grad(params);
    tensor_backward(t5_forward(model, &padded, NULL, 0, 0).loss);
    tensor_step_end(ctx);
    double largest = 0, off = 0;
    for (size_t i = 0; i < size; i++) {
        largest = fmax(largest, fabs((double)first[i]));
        off = fmax(off, fabs((double)first[i] - (double)nn_params_gradients(params)[i]));
    }
    /* Some hundred terms a sum, each rounded to 6e-8 of it. */
    CHECK(off <= 1e-5 * largest, "off by %g, largest %g", off, largest);
    free(first);
    t5_batch_free(&ragged);
    t5_batch_free(&padded);
    t5_model_free(model);
    tensor_context_free(ctx);
}

/* ---- The rest ---- */

static void hidden_states_are_kept(void)
{
    tensor_context *ctx = tensor_context_new();
    t5_config c = test_t5_config();
    t5_model *model = test_t5_model(ctx, &c, false, 8);
    t5_batch batch = {0};
    fill_batch(&batch, &c, (const int[]){4}, (const int[]){6}, 1);
    tensor *encoder[3] = {0}, *decoder[3] = {0};
    t5_keep_hidden(model, encoder, decoder);
    t5_output out = t5_forward(model, &batch, NULL, 0, 0);
    CHECK(encoder[2] == out.encoder, "the last is not the encoder's output");
    CHECK(memcmp(encoder[0]->val, model->shared->val + batch.source_ids[0] * c.d_model,
                 (size_t)c.d_model * sizeof(float)) == 0,
          "the first is not the embedding");
    CHECK(decoder[0] && decoder[1] && decoder[2] && decoder[2]->dim[0] == 6, "not all are there");
    t5_keep_hidden(model, NULL, NULL);
    tensor_step_end(ctx);
    encoder[0] = NULL;
    t5_forward(model, &batch, NULL, 0, 0);
    CHECK(!encoder[0], "kept although not wanted");
    t5_batch_free(&batch);
    t5_model_free(model);
    tensor_context_free(ctx);
}

static float dropout_loss(t5_model *model, const t5_batch *batch, uint64_t seed, uint64_t stream)
{
    float loss = t5_forward(model, batch, NULL, seed, stream).loss->val[0];
    tensor_step_end(model->ctx);
    return loss;
}

static void dropout_is_a_function_of_its_stream(void)
{
    tensor_context *ctx = tensor_context_new();
    t5_config c = test_t5_config();
    c.dropout_rate = 0.25;
    t5_model *dropping = test_t5_model(ctx, &c, true, 8);
    c.dropout_rate = 0;
    t5_model *plain = test_t5_model(ctx, &c, true, 8);
    t5_batch batch = {0};
    fill_batch(&batch, &c, (const int[]){14, 3}, (const int[]){6, 9}, 2);
    float one = dropout_loss(dropping, &batch, 1, 1), none = dropout_loss(plain, &batch, 1, 1);
    CHECK(one == dropout_loss(dropping, &batch, 1, 1), "not repeatable");
    CHECK(one != dropout_loss(dropping, &batch, 1, 2), "the stream does not matter");
    CHECK(one != dropout_loss(dropping, &batch, 2, 1), "the seed does not matter");
    CHECK(one != none && none == dropout_loss(plain, &batch, 2, 2), "%g without", (double)none);
    tensor_set_grad(ctx, false);
    CHECK(dropout_loss(dropping, &batch, 1, 1) == none, "acts without gradients");
    t5_batch_free(&batch);
    t5_model_free(dropping);
    t5_model_free(plain);
    tensor_context_free(ctx);
}

/* Compares t5_step with t5_forward and tensor_backward. One slice: the gradients' bits as well. */
static void compare_step(t5_model *model, const t5_batch *batch, const tensor_objective *objective)
{
    double rate = model->config.dropout_rate;
    size_t rows = (size_t)batch->target_rows, size = nn_params_size(model->params);
    float *row_loss = malloc(rows * sizeof *row_loss), *grad = malloc(size * sizeof *grad);
    CHECK(row_loss && grad, "no memory");
    nn_zero_grad(model->params);
    float loss = (float)t5_step(model, batch, objective, 5, 6, row_loss);
    memcpy(grad, nn_params_gradients(model->params), size * sizeof *grad);
    nn_zero_grad(model->params);
    t5_output out = t5_forward(model, batch, objective, 5, 6);
    float want = out.loss->val[0];
    CHECK(loss == want, "dropout %g, %d sequences: %.9g, not %.9g", rate, batch->count,
          (double)loss, (double)want);
    CHECK(memcmp(row_loss, out.row_loss, rows * sizeof *row_loss) == 0,
          "dropout %g, %d sequences: other losses of rows", rate, batch->count);
    tensor_backward(out.loss);
    CHECK(batch->count > 1 ||
              memcmp(grad, nn_params_gradients(model->params), size * sizeof *grad) == 0,
          "dropout %g: other gradients", rate);
    tensor_step_end(model->ctx);
    free(row_loss);
    free(grad);
}

/* Up to 34 sequences are one slice of t5_step, 68 are two, 100 are three. */
static void a_step_has_the_loss_of_forward(void)
{
    static const double rates[] = {0, 0.1, 0.5};
    static const int counts[] = {1, 7, 34, 68, 100};
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++)
        for (int threads = 1; threads <= 3; threads += 2) {
            tensor_context *ctx = tensor_context_new();
            tensor_set_threads(ctx, threads);
            t5_config c = test_t5_config();
            c.dropout_rate = rates[r];
            t5_model *model = test_t5_model(ctx, &c, true, 8);
            for (size_t n = 0; n < sizeof counts / sizeof *counts; n++) {
                t5_batch batch = {0};
                float weight[100 * 30];
                for (int b = 0; b < counts[n]; b++) {
                    int lengths[] = {1 + b % 30, 30 - b % 7};
                    fill_batch(&batch, &c, &lengths[0], &lengths[1], 1);
                }
                for (int i = 0; i < batch.target_rows; i++)
                    weight[i] = (float)(1 + i % 3);
                compare_step(model, &batch, NULL);
                compare_step(
                    model, &batch,
                    &(tensor_objective){.smoothing = 0.1f, .z_loss = 1e-3f, .weight = weight});
                t5_batch_free(&batch);
            }
            t5_model_free(model);
            tensor_context_free(ctx);
        }
}

typedef struct failure {
    jmp_buf out;
    char operation[64];
} failure;

static void jump_out(void *user, const char *operation, const char *message)
{
    failure *f = user;
    (void)message;
    snprintf(f->operation, sizeof f->operation, "%s", operation);
    longjmp(f->out, 1);
}

static void an_empty_batch_is_a_failure(void)
{
    tensor_context *ctx = tensor_context_new();
    t5_config c = test_t5_config();
    t5_model *model = test_t5_model(ctx, &c, true, 8);
    t5_batch empty = {0};
    static failure f;
    tensor_set_failure_handler(ctx, jump_out, &f);
    if (setjmp(f.out) == 0)
        t5_forward(model, &empty, NULL, 0, 0);
    CHECK(strcmp(f.operation, "t5_forward") == 0, "\"%s\" failed", f.operation);
    tensor_step_end(ctx);
    t5_model_free(model);
    tensor_context_free(ctx);
}

static void a_wrong_configuration_makes_no_model(void)
{
    tensor_context *ctx = tensor_context_new();
    t5_config c = test_t5_config();
    base_error error = {""};
    c.d_kv = 0;
    CHECK(!t5_model_new(ctx, &c, true, &error) && strstr(error.text, "d_kv"), "%s", error.text);
    t5_model_free(NULL);
    tensor_context_free(ctx);
}

int main(void)
{
    same_as_hugging_face();
    buckets_follow_the_formula();
    weights_start_as_transformers_has_them();
    equal_layers_start_equal();
    gradients_are_differences();
    same_bits_for_any_threads();
    company_does_not_matter();
    padding_has_no_gradient();
    hidden_states_are_kept();
    dropout_is_a_function_of_its_stream();
    a_step_has_the_loss_of_forward();
    an_empty_batch_is_a_failure();
    a_wrong_configuration_makes_no_model();
    return test_end();
}
