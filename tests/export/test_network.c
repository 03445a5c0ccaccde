/* SPDX-License-Identifier: MIT */
/* test_network.c -- export/: what an exported file computes, compiled by the compilers that are here,
 * is held against vision_forward, bit for bit. */
#include "base/number.h"
#include "tests/export/test_networks.h"

static void test_case(tensor_context *ctx, int c, const bool *there)
{
    network n;
    base_error error = {""};
    base_text source = {0}, header = {0};
    const export_options options = {.prefix = "net", .header = "net.h", .command = "a*/b"};
    make(&n, ctx, c);
    CHECK(export_network(&n.model, &options, &source, &header, NULL, &error), "%s", error.text);
    CHECK((strstr(source.data, "Winograd") != NULL) == cases[c].winograd, "%s: the method",
          cases[c].name);
    check_file(&n, &source, &header, n.logits, c, there);
    base_text_free(&source);
    base_text_free(&header);
    drop(&n);
}

/* Only memcpy is wanted from outside, and on x86-64 what the compiler itself knows of the processor. */
static void test_symbols(void)
{
    if (!shell("nm --version >/dev/null 2>&1 && gcc --version >/dev/null 2>&1")) {
        SKIP("no nm or no gcc here");
        return;
    }
    CHECK(shell("cd '%s' && gcc -O2 -fno-builtin -c net.c -o net.o && "
                "! nm -u net.o | grep -v -w -E 'memcpy|_GLOBAL_OFFSET_TABLE_|__cpu_model' && "
                "! nm -g net.o | grep ' [TDBRC] ' | grep -v ' net_'",
                scratch),
          "symbols beside net_ and memcpy");
}

/* ---- folding ---- */

/* Case c, which has so many layers then. */
static void check_folded(tensor_context *ctx, int c, int layers)
{
    network n;
    vision_model folded;
    base_error error = {""};
    float logits[IMAGES * 4];
    int index[IMAGES];
    make(&n, ctx, c);
    CHECK(export_fold(&n.model, &folded, &error), "%s", error.text);
    CHECK(folded.net.count == layers, "%d layers", folded.net.count);
    for (int i = 0; i < IMAGES; i++)
        index[i] = i;
    const vision_images images = {IMAGES, 3, 13, 11, 0, n.pixels, NULL, NULL, NULL};
    const vision_part part = {&images, index, IMAGES};
    CHECK(vision_classify(folded.network, &part, &folded.normal, IMAGES, logits, &error), "%s",
          error.text);
    float most = 0, apart = 0;
    for (int i = 0; i < IMAGES * 4; i++) {
        most = fmaxf(most, fabsf(n.logits[i]));
        apart = fmaxf(apart, fabsf(n.logits[i] - logits[i]));
    }
    CHECK(apart < 1e-5F * most, "apart by %g of %g", (double)apart, (double)most);
    export_fold_free(&folded);
    *nn_params_find(vision_network_params(n.model.network), "3.weight")->val = 3e38F;
    *nn_params_find(vision_network_params(n.model.network), "2.weight")->val = 3e38F;
    CHECK(!export_fold(&n.model, &folded, &error) && strstr(error.text, "infinite"), "%s",
          error.text);
    drop(&n);
}

/* Convolutions, and depthwise ones among sums, whose places move. A sum that asks for what stands
 * between the two keeps them apart. */
static void test_fold(tensor_context *ctx)
{
    static const vision_architecture between = {
        4, {CONV2D(1, 1, 1, 1, 0), BATCH_NORM2D(1), RESIDUAL(1), FLATTEN}};
    base_error error = {""};
    vision_model folded, model = {.net = between, .input = {1, 2, 2}, .classes = 4};
    check_folded(ctx, 1, 9);
    check_folded(ctx, 5, 18);
    model.network = vision_network_new(ctx, &model.net, model.input, 4, &error);
    CHECK(export_fold(&model, &folded, &error) && folded.net.count == 4, "%d layers",
          folded.net.count);
    export_fold_free(&folded);
    vision_network_free(model.network);
}

static void test_prefixes(tensor_context *ctx)
{
    static const char *const wrong[] = {"", "1a", "a-b", "_a",
                                        "a234567890123456789012345678901234"};
    network n;
    make(&n, ctx, 3);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        base_error error = {""};
        base_text source = {0}, header = {0};
        const export_options options = {.prefix = wrong[i], .header = "net.h"};
        CHECK(!export_network(&n.model, &options, &source, &header, NULL, &error) &&
                  strstr(error.text, "prefix"),
              "%s: %s", wrong[i], error.text);
        base_text_free(&source);
        base_text_free(&header);
    }
    drop(&n);
}

/* What who has the header alone has to know: the order of a picture's bytes, what they are normalised by, and which class
 * has which number. */
static void test_header(tensor_context *ctx)
{
    static char names[4][VISION_NAME] = {"cat", "dog", "*/ \\", "fox"};
    network n;
    base_error error = {""};
    base_text source = {0}, header = {0};
    const export_options options = {.prefix = "net", .header = "net.h"};
    make(&n, ctx, 1);
    n.model.names = names;
    CHECK(export_network(&n.model, &options, &source, &header, NULL, &error), "%s", error.text);
    char normal[3][80];
    for (int c = 0; c < 3; c++)
        base_print(normal[c], sizeof normal[c], "channel %d: mean %.9g, deviation %.9g", c,
                   (double)n.model.normal.mean[c], (double)n.model.normal.deviation[c]);
    const char *const wanted[] = {
        "NET_PIXELS bytes, all of red, then green, then blue, line by line from the top, 0 to 255.",
        "What the classes are called: 0 cat, 1 dog, 2 * / ?, 3 fox */\n", normal[0], normal[1],
        normal[2]};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        CHECK(strstr(header.data, wanted[i]), "no \"%s\" in %s", wanted[i], header.data);
    base_text_free(&source);
    base_text_free(&header);
    n.model.names = NULL;
    drop(&n);
}

int main(void)
{
    bool there[COMPILERS];
    tensor_context *ctx = begin(there);
    for (int c = 0; c < CASES; c++)
        test_case(ctx, c, there);
    test_symbols();
    test_fold(ctx);
    test_prefixes(ctx);
    test_header(ctx);
    tensor_context_free(ctx);
    base_remove_folder(scratch);
    return test_end();
}
