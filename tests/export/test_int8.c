/* SPDX-License-Identifier: MIT */
/* test_int8.c -- export/int8.c: the exported file gives the numbers of the plain loops with every
 * compiler that is here, is a quarter of the size, needs no float, and is near to the network. */
#include "tests/export/test_networks.h"

#include <stdint.h>

static export_int8 *quantise(const network *n, int c)
{
    vision_shape in = cases[c].input;
    base_error error = {""};
    int index[IMAGES];
    for (int i = 0; i < IMAGES; i++)
        index[i] = i;
    const vision_images images = {IMAGES,    in.channels, in.height, in.width, 0,
                                  n->pixels, NULL,        NULL,      NULL};
    const vision_part part = {&images, index, IMAGES};
    export_int8 *q = export_int8_new(&n->model, &part, &error);
    CHECK(q, "%s: %s", cases[c].name, error.text);
    return q;
}

/* The images were those of the calibration, so that no number is cut off: a few percent of the
 * largest logit are what 8 bits lose in so many layers. */
static void check_near(const network *n, const int32_t *logits, int c)
{
    size_t count = IMAGES * (size_t)cases[c].classes;
    double largest = 0, apart = 0;
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs((double)n->logits[i]));
        apart = fmax(apart, fabs((double)n->logits[i] - logits[i] / 65536.0));
    }
    CHECK(apart < 0.05 * largest && apart > 0, "%s: apart by %g of %g", cases[c].name, apart,
          largest);
}

/* Below the comments at its head, its text has no word for a float. */
static void check_whole(const base_text *source, int c)
{
    const char *code = strstr(source->data, "\n#include");
    CHECK(code && !strstr(code, "float") && !strstr(code, "double") && !strstr(code, "malloc"),
          "%s: there is a float in it", cases[c].name);
}

static void test_case(tensor_context *ctx, int c, const bool *there)
{
    network n;
    vision_shape in = cases[c].input;
    size_t size = (size_t)(in.channels * in.height * in.width);
    int32_t logits[IMAGES * 8];
    base_error error = {""};
    base_text source = {0}, header = {0};
    export_cost cost, floats;
    make(&n, ctx, c);
    export_options options = {.prefix = "net", .header = "net.h", .fold = true};
    CHECK(export_network(&n.model, &options, &source, &header, &floats, &error), "%s", error.text);
    base_text_clear(&source);
    base_text_clear(&header);
    options.int8 = quantise(&n, c);
    options.measured = (export_measured){200, 190, 189};
    for (int i = 0; i < IMAGES; i++)
        export_int8_run(options.int8, n.pixels + (size_t)i * size, logits + i * cases[c].classes);
    CHECK(export_network(&n.model, &options, &source, &header, &cost, &error), "%s", error.text);
    CHECK(strstr(source.data, "189 are right in int8 (94.50 %), 190 in float (95.00 %)"), "%s",
          source.data);
    CHECK(c != 1 || 100 * cost.flash < 32 * floats.flash, "%zu bytes of %zu", cost.flash,
          floats.flash);
    CHECK(cost.ram < floats.ram / 2, "%zu bytes of %zu", cost.ram, floats.ram);
    check_whole(&source, c);
    check_near(&n, logits, c);
    check_file(&n, &source, &header, logits, c, there);
    export_int8_free(options.int8);
    base_text_free(&source);
    base_text_free(&header);
    drop(&n);
}

/* An int is of 16 bits there. */
static void test_small(void)
{
    const char *line = "cd '%s' && avr-gcc -mmcu=atmega2560 -std=c99 -Os -Wall -Wextra -pedantic "
                       "-Wconversion -Werror -c net.c -o net.o";
    if (!shell("avr-gcc --version >/dev/null 2>&1"))
        SKIP("no avr-gcc here");
    else
        CHECK(shell(line, scratch), "avr-gcc does not take it");
}

/* A factor and a shift stand for every scale that a network may have; what is beyond is refused. */
static void test_extremes(tensor_context *ctx)
{
    base_error error = {""};
    network n;
    make(&n, ctx, 3);
    float *weight = nn_params_find(vision_network_params(n.model.network), "1.weight")->val;
    float *bias = nn_params_find(vision_network_params(n.model.network), "1.bias")->val;
    unsigned char black[6] = {0}, white[6];
    int32_t logits[2];
    memset(white, 255, sizeof white);
    for (int i = 0; i < 12; i++)
        weight[i] = i < 6 ? 0 : 1e-30F;
    bias[0] = 3, bias[1] = -2.5F;
    export_int8 *q = quantise(&n, 3);
    export_int8_run(q, black, logits);
    CHECK(labs(logits[0] - 3 * 65536L) < 8 && labs(logits[1] + 163840L) < 8, "%ld %ld",
          (long)logits[0], (long)logits[1]);
    export_int8_run(q, white, logits);
    CHECK(labs(logits[0] - 3 * 65536L) < 8 && labs(logits[1] + 163840L) < 8, "%ld %ld",
          (long)logits[0], (long)logits[1]);
    export_int8_free(q);
    const vision_images images = {1, 1, 2, 3, 0, black, NULL, NULL, NULL};
    const vision_part part = {&images, (const int[]){0}, 1};
    bias[0] = 1e9F; /* is more than a logit can be */
    q = export_int8_new(&n.model, &part, &error);
    CHECK(!q && strstr(error.text, "too large for int8"), "%s", error.text);
    bias[0] = NAN;
    q = export_int8_new(&n.model, &part, &error);
    CHECK(!q && strstr(error.text, "not finite"), "%s", error.text);
    drop(&n);
}

int main(void)
{
    bool there[COMPILERS];
    tensor_context *ctx = begin(there);
    for (int i = 0; i < COMPILERS; i++) /* whole numbers are the same for every processor */
        there[i] = there[i] && !strstr(compilers[i].flags, "native");
    for (int c = 0; c < CASES; c++) {
        test_case(ctx, c, there);
        test_small();
    }
    test_extremes(ctx);
    tensor_context_free(ctx);
    base_remove_folder(scratch);
    return test_end();
}
