/* SPDX-License-Identifier: MIT */
/* box.c -- what suite_boxes.sh builds with every compiler and runs on every machine that it has: a T5 and a
 * network are trained for a few steps, and hashes of all their bits printed. It needs phoenix.c alone. */
#include "phoenix.h"
#include "held.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash;

/* FNV-1a, over the bits of floats as numbers, so that the order of bytes does not matter. */
static void add(const float *x, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        for (int byte = 0; byte < 4; byte++)
            hash = (hash ^ (bits >> 8 * byte & 255)) * 1099511628211U;
    }
}

static void begin(void) { hash = 14695981039346656037U; }

static void say(const char *what, size_t peak)
{
    printf("%s %08lx%08lx, at most %lu bytes a step\n", what, (unsigned long)(hash >> 32),
           (unsigned long)(hash & 0xffffffffU), (unsigned long)peak);
}

static int fail(const char *why)
{
    printf("FAILED: %s\n", why);
    return 1;
}

static int train_t5(void)
{
    base_error error = {""};
    t5_config config = t5_config_small();
    config.vocab_size = 64;
    config.d_model = 16;
    config.d_kv = 8;
    config.d_ff = 32;
    config.num_layers = config.num_decoder_layers = 1;
    config.num_heads = 2;
    config.dropout_rate = 0.1;
    tensor_context *ctx = tensor_context_open(1, &error);
    t5_model *model = ctx ? t5_model_new(ctx, &config, true, &error) : NULL;
    t5_batch batch = {0};
    base_random random = {.seed = 5};
    int ids[24];
    for (int pair = 0; pair < 4; pair++) {
        for (int i = 0; i < 24; i++)
            ids[i] = 2 + (int)base_random_below(&random, 62);
        if (!t5_batch_add(&batch, ids, 9 + pair * 5, ids + pair, 7 + pair))
            return fail("no memory");
    }
    float losses[64];
    double loss = 0;
    if (!model)
        return fail(error.text);
    t5_model_init(model, 1);
    nn_params *params = t5_model_params(model);
#ifndef PHOENIX_INFERENCE
    nn_optimizer_config how = nn_optimizer_default(NN_ADAMW);
    nn_optimizer *optimizer = nn_optimizer_new(params, &how, &error);
    for (uint64_t step = 0; optimizer && step < 4; step++) {
        nn_zero_grad(params);
        loss = t5_step(model, &batch, NULL, 1, step, losses);
        nn_optimizer_step(optimizer, 1, nn_clip_scale(nn_grad_norm(params), 1));
    }
    nn_optimizer_free(optimizer);
#endif
    begin();
    float last = (float)loss;
    add(&last, 1);
    add(nn_params_values(params), nn_params_size(params));
    say("t5", tensor_step_peak(ctx));

    t5_sample samples[2];
    t5_request request = {.source = ids, .source_count = 12, .count = 2, .most = 12};
    request.sampling = t5_sampling_default();
    request.seed = 3;
    if (!t5_generate(model, &request, samples, &error))
        return fail(error.text);
    begin();
    for (int i = 0; i < 2; i++) {
        add(samples[i].token_log_probability, (size_t)samples[i].count);
        for (int j = 0; j < samples[i].count; j++)
            hash = (hash ^ (uint64_t)samples[i].ids[j]) * 1099511628211U;
    }
    say("generation", 0);
    t5_samples_free(samples, 2);
    t5_batch_free(&batch);
    t5_model_free(model);
    tensor_context_free(ctx);
    return 0;
}

static int train_network(void)
{
    base_error error = {""};
    enum { IMAGES = 24, SIDE = 14 };
    static unsigned char pixels[IMAGES * SIDE * SIDE], labels[IMAGES];
    static int index[IMAGES];
    base_random random = {.seed = 7};
    for (int i = 0; i < IMAGES; i++) {
        index[i] = i;
        labels[i] = (unsigned char)(i % 3);
        for (int j = 0; j < SIDE * SIDE; j++)
            pixels[i * SIDE * SIDE + j] = (unsigned char)(base_random_below(&random, 256) >> i % 3);
    }
    vision_images images = {
        .count = IMAGES, .channels = 1, .height = SIDE, .width = SIDE, .classes = 3};
    images.pixels = pixels;
    images.labels = labels;
    vision_part part = {&images, index, IMAGES};
    vision_architecture net = {.count = 9};
    net.layer[0] = (vision_layer){
        .kind = VISION_CONV2D, .in = 1, .out = 8, .kernel = 3, .stride = 1, .padding = 1};
    net.layer[1] = (vision_layer){.kind = VISION_BATCH_NORM2D, .in = 8};
    net.layer[2] = (vision_layer){.kind = VISION_RELU};
    net.layer[3] = (vision_layer){
        .kind = VISION_CONV2D, .in = 8, .out = 8, .kernel = 3, .stride = 1, .padding = 1};
    net.layer[4] = (vision_layer){.kind = VISION_GELU};
    net.layer[5] = (vision_layer){.kind = VISION_MAX_POOL2D, .kernel = 2, .stride = 2};
    net.layer[6] = (vision_layer){.kind = VISION_DROPOUT, .rate = 0.1};
    net.layer[7] = (vision_layer){.kind = VISION_FLATTEN};
    net.layer[8] = (vision_layer){.kind = VISION_LINEAR, .in = 8 * 7 * 7, .out = 3};
    vision_shape input = {1, SIDE, SIDE};
    tensor_context *ctx = tensor_context_open(1, &error);
    vision_network *network = ctx ? vision_network_new(ctx, &net, input, 1, &error) : NULL;
    if (!network)
        return fail(error.text);
#ifndef PHOENIX_INFERENCE
    vision_normal normal = vision_normal_of(&part);
    vision_plan plan = {.epochs = 2, .batch = 8, .flip = true, .shift = 1, .seed = 2};
    plan.optimizer = nn_optimizer_default(NN_SGD);
    plan.optimizer.momentum = 0.9;
    float losses[6];
    int64_t steps;
    if (!vision_train(network, &part, &normal, &plan, losses, &steps, &error))
        return fail(error.text);
#else
    (void)part;
#endif
    nn_params *params = vision_network_params(network), *running = vision_network_running(network);
    begin();
#ifndef PHOENIX_INFERENCE
    add(losses, 6);
#endif
    add(nn_params_values(params), nn_params_size(params));
    add(nn_params_values(running), nn_params_size(running));
    say("network", tensor_step_peak(ctx));
    vision_network_free(network);
    tensor_context_free(ctx);
    return 0;
}

/* ---- how much memory a T5 takes to generate ---- */

/* At most twice the weights and the step arena, and with the weights read where they are, once. */
static int generate_in_little(bool frugal)
{
    base_error error = {""};
    t5_config config = t5_config_small();
    config.vocab_size = 256;
    config.d_model = 64;
    config.d_kv = 32;
    config.d_ff = 128;
    config.num_layers = config.num_decoder_layers = 1;
    config.num_heads = 2;
    held = peak = 0;
    tensor_context *ctx = tensor_context_open(1, &error);
    t5_model *model = ctx ? t5_model_new(ctx, &config, false, &error) : NULL;
    if (!model)
        return fail(error.text);
    t5_model_init(model, 1);
    const int ids[] = {5, 6, 7, 1};
    t5_sample sample;
    t5_request request = {.source = ids, .source_count = 4, .count = 1, .most = 6};
    request.sampling = t5_sampling_default();
    request.frugal = frugal;
    if (!t5_generate(model, &request, &sample, &error))
        return fail(error.text);
    size_t weights = nn_params_size(t5_model_params(model)) * sizeof(float);
    size_t bound = (frugal ? 3 * weights / 2 : 2 * weights) + tensor_step_peak(ctx);
    fprintf(stderr, "heap%s: %lu bytes, weights %lu, step arena %lu\n", frugal ? ", frugal" : "",
            (unsigned long)peak, (unsigned long)weights, (unsigned long)tensor_step_peak(ctx));
    t5_samples_free(&sample, 1);
    t5_model_free(model);
    tensor_context_free(ctx);
    if (peak > bound || held > 0)
        return fail("a T5 takes more memory than it should, or keeps some");
    return 0;
}

int main(void)
{
    if (train_t5() || train_network())
        return 1;
    base_memory_use(&(base_allocator){resize, release, NULL});
    return generate_in_little(false) || generate_in_little(true);
}
