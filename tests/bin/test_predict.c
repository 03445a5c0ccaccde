/* SPDX-License-Identifier: MIT */
/* test_predict.c -- a network from `phoenix train` to `phoenix predict`: what one reports of the test
 * images is what the other finds, image by image, in every form in which it is asked. */
#include "base/json.h"
#include "base/number.h"
#include "base/process.h"
#include "tests/bin/test_phoenix.h"
#include "vision/model.h"

#include <math.h>

static char folder[512];
static const char source[] =
    "#include \"phoenix.h\"\n\nnetwork *model(void)\n{\n    network *net = network_new();\n"
    "    int c = conv2d(net, image_channels(), 4, 3, 2, 1);\n    batch_norm2d(net, c);\n"
    "    relu(net);\n    flatten(net);\n    linear(net, c * 49, image_classes());\n"
    "    return net;\n}\n";

static char *run(int want, const char *arguments)
{
    return phoenix_says(folder, RESULT, want, arguments);
}

static void expect(int want, const char *arguments, const char *part)
{
    phoenix_expect(folder, RESULT, want, arguments, part);
}

static void put(const char *name, const char *bytes, size_t size)
{
    phoenix_put(folder, name, bytes, size);
}

/* One object a test image: probabilities that sum to 1, the class the likeliest; right as often as the
 * training said. */
static void check_lines(const char *text, const vision_result *result, const vision_images *test)
{
    int count = 0, right = 0;
    double loss = 0;
    for (const char *line = text; line && *line; count++) {
        const char *end = strchr(line, '\n');
        base_error error = {""};
        base_json *json = base_json_parse(line, (size_t)(end - line), "line", &error);
        int64_t class = -1, label = -1, index = -1;
        CHECK(json && base_json_get_int(json, "class", 0, 9, &class, "line", &error) &&
                  base_json_get_int(json, "label", 0, 9, &label, "line", &error) &&
                  base_json_get_int(json, "index", 0, 799, &index, "line", &error),
              "%s", error.text);
        const base_json *p = base_json_get(json, "probabilities");
        double sum = 0, most = 0, of_class = 0, of_label = 1;
        int i = 0;
        for (const base_json *x = p ? p->child : NULL; x; x = x->next, i++) {
            sum += x->number;
            most = x->number > most ? x->number : most;
            of_class = i == class ? x->number : of_class;
            of_label = i == label ? x->number : of_label;
        }
        CHECK(i == 10 && of_class == most && fabs(sum - 1) < 1e-12, "%d: sum %g", count, sum);
        CHECK(index == count && label == test->labels[count], "image %d", count);
        right += class == label;
        loss -= log(of_label);
        base_json_free(json);
        line = end + 1;
    }
    CHECK(count == result->count && right == result->right, "%d of %d", right, count);
    /* the training's losses are floats: each is off by less than 1e-6 of its size or of 1 */
    CHECK(fabs(loss / count - result->loss) < 1e-5, "%g, %g", loss / count, result->loss);
}

/* The first test digit as a picture, grey and, in three equal planes, in colour. */
static void test_pictures(const vision_images *test)
{
    char picture[700];
    int length = snprintf(picture, sizeof picture, "P5\n14 14\n255\n");
    memcpy(picture + length, test->pixels, 196);
    put("a.pgm", picture, (size_t)length + 196);
    put("small.pgm", "P2 1 2 1 0 1", 12);
    put("b.ppm", "P3 1 1 1 0 1 1", 14);
    put("x.txt", "no picture", 10);
    char *first = run(0, "predict net --task digits");
    char *one = run(0, "predict net a.pgm");
    CHECK(strncmp(first, "digits[0]: ", 11) == 0 && strncmp(one, "a.pgm: ", 7) == 0 &&
              strncmp(first + 11, one + 7, 20) == 0,
          "%s and %.80s", one, first);
    free(one);
    free(first);
    expect(1, "predict net a.pgm small.pgm",
           "phoenix: small.pgm: is 1x2, expected 14x14 (width x height)");
    expect(1, "predict net b.ppm", "phoenix: b.ppm: has 3 channels, expected the 1");
    expect(
        1, "predict net x.txt",
        "phoenix: x.txt: is no picture that is known here, expected a PNG, PGM or PPM picture, or");
    expect(0, "predict net - <a.pgm", "-: ");
    expect(1, "predict net - </dev/null", "phoenix: standard input: is empty, expected a PNG, PGM");
    expect(1, "predict net nothing", "phoenix: nothing: cannot open");
    expect(1, "predict nothing a.pgm", "phoenix: nothing/network.json: cannot open");
    expect(2, "predict net", "phoenix: FILE, --task or --data was expected");
    expect(2, "predict net a.pgm --confusion", "phoenix: --confusion: ");
    expect(2, "predict net --task mnits", "phoenix: --task mnits: ");
}

int main(void)
{
    base_error error = {""};
    vision_model model;
    vision_set set;
    char path[600];
    CHECK(base_temporary_folder("phoenix-predict", folder, sizeof folder, &error) &&
              vision_digits(&set, &error),
          "%s", error.text);
    put("net.c", source, sizeof source - 1);
    char *said = run(0, "train net.c --task digits --out net --final-epochs 2 --threads 2");
    snprintf(path, sizeof path, "%s/net", folder);
    tensor_context *ctx = tensor_context_open(1, &error);
    CHECK(vision_model_load(&model, ctx, path, &error), "%s", error.text);
    const vision_result result = model.result;
    char right[64], percent[64];
    snprintf(right, sizeof right, "right: %d of 800, ", result.right);
    base_print(percent, sizeof percent, " %.2f %% are right", 100 * result.accuracy);
    CHECK(strstr(said, percent), "%s: want %s", said, percent);
    free(said);
    vision_model_free(&model);
    tensor_context_free(ctx);
    CHECK(result.count == 800 && result.right > 400, "%d of %d", result.right, result.count);

    expect(0, "predict net --task digits", right);
    expect(0, "predict net/model --task digits --confusion --threads 1", right);
    snprintf(right, sizeof right, "{\"images\":800,\"right\":%d,", result.right);
    expect(0, "predict net --task digits --confusion --json", right);
    char *lines = run(0, "predict net --task digits --json");
    check_lines(lines, &result, &set.test);
    free(lines);
    test_pictures(&set.test);

    /* a failed training leaves what there was */
    put("wrong.c", "network *model(void)\n", 21);
    expect(3, "train wrong.c --task digits --out net", "phoenix: ");
    expect(0, "predict net a.pgm", "a.pgm: ");
    vision_set_free(&set);
    base_remove_folder(folder);
    return test_end();
}
