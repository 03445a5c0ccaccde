/* test_network.c -- export/: what an exported file computes, compiled by the compilers that are here,
 * is held against vision_forward, bit for bit. */
#include "base/file.h"
#include "base/process.h"
#include "base/random.h"
#include "export/export.h"
#include "tests/test.h"
#include "tests/vision/test_vision.h"
#include "vision/batch.h"

#include <math.h>

enum { IMAGES = 12 };

static char scratch[512];

/* Convolutions by both methods, with and without padding, with strides; results of 4x4 tiles that
 * are cut off; everything in one place of the buffer and in the other. */
static const struct {
    const char *name;
    vision_architecture net;
    vision_shape input;
    int classes;
    bool winograd;
} cases[] = {
    {"every_kind",
     {13,
      {CONV2D(2, 4, 3, 1, 1), RELU, MAX_POOL2D(2, 1), BATCH_NORM2D(4), CONV2D(4, 6, 3, 2, 1), GELU,
       AVG_POOL2D(2, 1), BATCH_NORM2D(6), FLATTEN, DROPOUT(0.25), LINEAR(54, 7), RELU,
       LINEAR(7, 3)}},
     {2, 9, 8},
     3,
     false},
    {"winograd",
     {10,
      {CONV2D(3, 9, 5, 1, 2), RELU, CONV2D(9, 8, 3, 1, 1), BATCH_NORM2D(8), RELU,
       CONV2D(8, 11, 3, 1, 0), RELU, AVG_POOL2D(3, 2), FLATTEN, LINEAR(11 * 5 * 4, 4)}},
     {3, 13, 11},
     4,
     true},
    {"pools",
     {7,
      {MAX_POOL2D(3, 2), CONV2D(1, 8, 1, 1, 0), CONV2D(8, 8, 3, 1, 2), MAX_POOL2D(2, 3), GELU,
       FLATTEN, LINEAR(32, 5)}},
     {1, 9, 9},
     5,
     true},
    {"bare", {2, {FLATTEN, LINEAR(6, 2)}}, {1, 2, 3}, 2, false},
};
enum { CASES = sizeof cases / sizeof *cases };

static const char *below(const char *name) { return test_path(scratch, name); }

/* ---- the networks ---- */

typedef struct network {
    vision_model model;
    unsigned char *pixels; /* (IMAGES, ...) */
    float *logits;
} network;

/* Weights of both signs, statistics away from 0 and 1, and some weights that are 0, -0 and tiny. */
static void shake(nn_params *params)
{
    base_random random = {.seed = 5, .stream = 2};
    for (int i = 0; i < nn_params_count(params); i++) {
        tensor *t = nn_params_tensor(params, i);
        bool variance = strstr(nn_params_name(params, i), "running_var") != NULL;
        for (size_t j = 0; j < tensor_size(t); j++) {
            float x = (float)base_random_below(&random, 2001) / 1000 - 1;
            t->val[j] = variance      ? 1.25F + x
                        : j % 13 == 5 ? copysignf(0, x)
                        : j % 13 == 6 ? 1e-40F * x
                                      : x;
        }
    }
}

static void make(network *n, tensor_context *ctx, int c)
{
    base_error error = {""};
    base_random random = {.seed = 9, .stream = (uint64_t)c};
    vision_shape in = cases[c].input;
    size_t size = (size_t)(in.channels * in.height * in.width);
    vision_model *m = &n->model;
    *m = (vision_model){.net = cases[c].net,
                        .input = in,
                        .classes = cases[c].classes,
                        .seed = 3,
                        .task = "noise",
                        .version = "0 */ 1",
                        .source = "5",
                        .data = "d"};
    for (int i = 0; i < in.channels; i++) {
        m->normal.mean[i] = 0.3F + 0.1F * (float)i;
        m->normal.deviation[i] = 0.21F + 0.1F * (float)i;
    }
    m->network = vision_network_new(ctx, &m->net, in, 4, &error);
    shake(vision_network_params(m->network));
    shake(vision_network_running(m->network));
    n->pixels = malloc(IMAGES * size);
    n->logits = malloc(IMAGES * (size_t)m->classes * sizeof(float));
    int index[IMAGES];
    for (size_t i = 0; i < IMAGES * size; i++)
        n->pixels[i] = (unsigned char)(i / size == 1 ? 0 : base_random_below(&random, 256));
    for (int i = 0; i < IMAGES; i++)
        index[i] = i;
    const vision_images images = {IMAGES, in.channels, in.height, in.width, 0, n->pixels, NULL};
    const vision_part part = {&images, index, IMAGES};
    CHECK(vision_classify(m->network, &part, &m->normal, IMAGES, n->logits, &error), "%s",
          error.text);
}

static void drop(network *n)
{
    vision_network_free(n->model.network);
    free(n->pixels);
    free(n->logits);
}

static void store(const char *name, const base_text *text)
{
    base_error error = {""};
    const base_bytes part = {text->data, text->length};
    CHECK(base_file_write(below(name), &part, 1, NULL, &error), "%s", error.text);
}

/* ---- compilers ---- */

/* A program that runs the exported file on pixels of standard input. */
static const char driver[] =
    "#include \"net.h\"\n"
    "#include <stdio.h>\n"
    "int main(void)\n"
    "{\n"
    "    static uint8_t pixels[NET_PIXELS];\n"
    "    static float logits[NET_CLASSES], again[NET_CLASSES], buffer[NET_BUFFER + 1];\n"
    "    buffer[NET_BUFFER] = 5.0F;\n"
    "    while (fread(pixels, 1, NET_PIXELS, stdin) == NET_PIXELS) {\n"
    "        int i;\n"
    "        net_run(pixels, logits, buffer);\n"
    "        for (i = 0; i < NET_BUFFER; i++)\n"
    "            buffer[i] = -1e30F;\n"
    "        net_run(pixels, again, buffer);\n"
    "        for (i = 0; i < NET_CLASSES; i++)\n"
    "            if (logits[i] != again[i] || logits[i] > logits[net_class(logits)])\n"
    "                return 2;\n"
    "        fwrite(logits, sizeof *logits, NET_CLASSES, stdout);\n"
    "    }\n"
    "    return buffer[NET_BUFFER] != 5.0F;\n"
    "}\n";

static const struct {
    const char *command, *flags;
    const char *runner; /* of what was built */
} compilers[] = {
    {"gcc", "-std=c99 -O2 -Wall -Wextra -pedantic -Wconversion -Wshadow -Werror", ""},
    {"gcc", "-std=gnu17 -O3 -march=native -Wall -Wextra -Werror", ""},
    {"gcc", "-std=c99 -O0 -fsanitize=address,undefined -fno-sanitize-recover", ""},
    {"clang", "-std=c99 -O2 -Wall -Wextra -pedantic -Wconversion -Wshadow -Werror", ""},
    {"clang", "-O3 -march=native -Wall -Wextra -Werror", ""},
    {"tcc", "-Wall -Werror", ""},
    {"g++", "-x c++ -O2 -Wall -Wextra -pedantic -Wconversion -Werror", ""},
    {"gcc", "-m32 -msse2 -mfpmath=sse -std=c99 -O2 -Wall -Wextra -pedantic -Wconversion -Werror",
     ""},
    {"aarch64-linux-gnu-gcc", "-static -std=gnu17 -O2 -Wall -Wextra -Werror",
     "qemu-aarch64-static "},
};
enum { COMPILERS = sizeof compilers / sizeof *compilers };

static bool shell(const char *format, ...)
{
    char line[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    return system(line) == 0;
}

static bool works(int i)
{
    return shell("cd '%s' && echo 'int main(void) { return 0; }' >try.c && %s %s try.c -o try "
                 ">try.log 2>&1 && %s./try 2>try.log",
                 scratch, compilers[i].command, compilers[i].flags, compilers[i].runner);
}

static void check_with(const network *n, int c, int i)
{
    vision_shape in = cases[c].input;
    size_t size = (size_t)(in.channels * in.height * in.width),
           count = IMAGES * (size_t)cases[c].classes;
    base_error error = {""};
    CHECK(shell("cd '%s' && %s %s net.c main.c -o net >log 2>&1 || { cat log; false; }", scratch,
                compilers[i].command, compilers[i].flags),
          "%s: %s %s does not take it", cases[c].name, compilers[i].command, compilers[i].flags);
    CHECK(shell("cd '%s' && %s %s -DNET_TEST net.c -o self >log 2>&1 && %s./self", scratch,
                compilers[i].command, compilers[i].flags, compilers[i].runner),
          "%s: %s %s: the self-test fails", cases[c].name, compilers[i].command,
          compilers[i].flags);
    const base_text pixels = {.data = (char *)n->pixels, .length = IMAGES * size};
    store("pixels", &pixels);
    CHECK(shell("cd '%s' && %s./net <pixels >logits", scratch, compilers[i].runner),
          "%s: %s %s: ends with an error", cases[c].name, compilers[i].command, compilers[i].flags);
    size_t length;
    char *got = base_file_read(below("logits"), 1 << 20, &length, &error);
    CHECK(got && length == count * sizeof(float) && memcmp(got, n->logits, length) == 0,
          "%s: %s %s: other bits", cases[c].name, compilers[i].command, compilers[i].flags);
    free(got);
}

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
    store("net.c", &source);
    store("net.h", &header);
    const base_text text = {.data = (char *)(uintptr_t)driver, .length = strlen(driver)};
    store("main.c", &text);
    for (int i = 0; i < COMPILERS; i++)
        if (there[i])
            check_with(&n, c, i);
    base_text_free(&source);
    base_text_free(&header);
    drop(&n);
}

/* Only memcpy is wanted from outside. */
static void test_symbols(void)
{
    if (!shell("nm --version >/dev/null 2>&1 && gcc --version >/dev/null 2>&1")) {
        SKIP("no nm or no gcc here");
        return;
    }
    CHECK(shell("cd '%s' && gcc -O2 -fno-builtin -c net.c -o net.o && "
                "! nm -u net.o | grep -v -w -E 'memcpy|_GLOBAL_OFFSET_TABLE_' && "
                "! nm -g net.o | grep ' [TDBRC] ' | grep -v ' net_'",
                scratch),
          "symbols beside net_ and memcpy");
}

/* ---- folding ---- */

static void test_fold(tensor_context *ctx)
{
    network n;
    vision_model folded;
    base_error error = {""};
    float logits[IMAGES * 4];
    int index[IMAGES];
    make(&n, ctx, 1);
    CHECK(export_fold(&n.model, &folded, &error), "%s", error.text);
    CHECK(folded.net.count == 9 && folded.net.layer[3].kind == VISION_RELU, "%d layers",
          folded.net.count);
    for (int i = 0; i < IMAGES; i++)
        index[i] = i;
    const vision_images images = {IMAGES, 3, 13, 11, 0, n.pixels, NULL};
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

/* A layer that no function is written for is named. */
static void test_refused(tensor_context *ctx)
{
    base_error error = {""};
    base_text source = {0}, header = {0};
    const export_options options = {.prefix = "net", .header = "net.h"};
    vision_model model = {.net = of_small_kinds, .input = {2, 9, 8}, .classes = 3, .task = "noise"};
    model.network = vision_network_new(ctx, &model.net, model.input, 4, &error);
    CHECK(!export_network(&model, &options, &source, &header, NULL, &error) &&
              strcmp(error.text, "layer 1, depthwise2d: cannot be exported") == 0,
          "%s", error.text);
    vision_network_free(model.network);
    base_text_free(&source);
    base_text_free(&header);
}

int main(void)
{
    base_error error = {""};
    bool there[COMPILERS];
    CHECK(base_temporary_folder("phoenix-export", scratch, sizeof scratch, &error), "%s",
          error.text);
    tensor_context *ctx = tensor_context_open(1, &error);
    for (int i = 0; i < COMPILERS; i++)
        if (!(there[i] = works(i)))
            SKIP("%s %s cannot build a program here", compilers[i].command, compilers[i].flags);
    for (int c = 0; c < CASES; c++)
        test_case(ctx, c, there);
    test_symbols();
    test_fold(ctx);
    test_prefixes(ctx);
    test_refused(ctx);
    tensor_context_free(ctx);
    base_remove_folder(scratch);
    return test_end();
}
