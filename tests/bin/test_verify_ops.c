/* SPDX-License-Identifier: MIT */
/* test_verify_ops.c -- bin/vectors/verify_ops.c on the reference vectors, and on faulty folders. */
#include "bin/vectors/verify.h"

#include "base/file.h"
#include "base/text.h"
#include "nn/safetensors.h"
#include "tests/test.h"
#include <math.h>
#include <unistd.h>

/* ---- the reference vectors ---- */

static void check_line(void *user, const verify_line *line)
{
    int *lines = user;
    *lines += 1;
    CHECK(line->ok, "%s: %s: error %g, tolerance %g", line->name, line->note, line->error,
          line->tolerance);
}

static void test_reference(void)
{
    const char *path = test_shared("golden/nn_ops.json");
    if (!path) {
        SKIP("no golden/nn_ops.json among the shared test data");
        return;
    }
    char shared[1024];
    snprintf(shared, sizeof shared, "%.*s", (int)(strlen(path) - strlen("/nn_ops.json")), path);
    int lines = 0;
    base_error error;
    CHECK(verify_ops(shared, check_line, &lines, &error), "%s", error.text);
    CHECK(lines > 0, "%d cases", lines);
}

/* The tree's own: what the shared ones lack of networks for images. */
static void test_images(void)
{
    int lines = 0;
    base_error error;
    CHECK(verify_ops("tests/vectors", check_line, &lines, &error), "%s", error.text);
    CHECK(lines == 30, "%d cases", lines);
}

/* ---- folders made up ---- */

/* The tensors that all made-up cases share: relu's under several names, and some more. */
static const float x[2] = {-1, 2}, weight[2] = {3, 4}, y[2] = {0, 2}, grad[2] = {0, 4};
static const float off[2] = {0, 2.00003F}, nearly[2] = {0, 2.00001F}, none[2] = {NAN, 2};
static const float ones[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};

#define RELU(name)                                                                  \
    "{\"op\":\"relu\",\"case\":\"" name "\",\"attrs\":{},\"tensors\":[\"relu." name \
    ".in.x\",\"relu." name ".in.loss_weight\",\"relu." name ".out.y\",\"relu." name ".grad.x\"]}"

/* The tensors of one relu case, with that result and gradient. */
#define RELU_ITEMS(name, result, gradient)                                               \
    {"relu." name ".in.x", 1, {2}, x}, {"relu." name ".in.loss_weight", 1, {2}, weight}, \
        {"relu." name ".out.y", 1, {2}, result},                                         \
    {                                                                                    \
        "relu." name ".grad.x", 1, {2}, gradient                                         \
    }

static const nn_safetensors_item items[] = {
    RELU_ITEMS("right", y, grad),
    RELU_ITEMS("near", nearly, grad),
    RELU_ITEMS("off", off, grad),
    RELU_ITEMS("nan", none, grad),
    RELU_ITEMS("gradient", y, y),
    {"relu.short.in.x", 1, {2}, x},
    {"relu.short.in.loss_weight", 1, {2}, weight},
    {"relu.short.out.y", 1, {1}, y},
    {"relu.deep.in.x", 6, {1, 1, 2, 1, 1, 1}, x},
    {"relu.deep.in.loss_weight", 6, {1, 1, 2, 1, 1, 1}, weight},
    {"relu.deep.out.y", 6, {1, 1, 2, 1, 1, 1}, y},
    {"maxpool2d.large.in.x", 4, {1, 1, 3, 3}, ones},
    {"maxpool2d.large.out.y", 4, {1, 1, 1, 1}, ones},
    {"maxpool2d.large.in.loss_weight", 4, {1, 1, 1, 1}, ones},
    {"embedding.wild.in.ids", 1, {2}, x},
    {"embedding.wild.param.weight", 2, {2, 1}, ones},
    {"embedding.wild.in.loss_weight", 2, {2, 1}, ones},
    {"embedding.wild.out.y", 2, {2, 1}, ones},
};

/* What each case's line must be. */
static const struct {
    const char *json, *name, *note; /* note: part of it */
    bool ok;
} cases[] = {
    {RELU("right"), "relu.right", "", true},
    {RELU("near"), "relu.near", "out.y", true},
    {RELU("off"), "relu.off", "out.y", false},
    {RELU("nan"), "relu.nan", "out.y", false},
    {RELU("gradient"), "relu.gradient", "grad.x", false},
    {"{\"op\":\"relu\",\"case\":\"deep\",\"attrs\":{\"note\":1},\"tensors\":[\"relu.deep.in.x\","
     "\"relu.deep.in.loss_weight\",\"relu.deep.out.y\"]}",
     "relu.deep", "out.y", true},
    {"{\"op\":\"relu\",\"case\":\"short\",\"attrs\":{},\"tensors\":[\"relu.short.in.x\","
     "\"relu.short.in.loss_weight\",\"relu.short.out.y\"]}",
     "relu.short", "2 elements, expected 1", false},
    {"{\"op\":\"softsign\",\"case\":\"a\",\"attrs\":{},\"tensors\":[]}", "softsign.a", "unknown op",
     false},
    {"{\"op\":\"relu\",\"case\":\"right\",\"attrs\":{\"slope\":0.1},\"tensors\":[\"relu.right.in."
     "x\","
     "\"relu.right.in.loss_weight\",\"relu.right.out.y\"]}",
     "relu.right", "attribute slope", false},
    {"{\"op\":\"relu\",\"case\":\"right\",\"attrs\":{},\"tensors\":[\"relu.right.in.x\","
     "\"relu.right.in.loss_weight\",\"relu.right.out.mask\"]}",
     "relu.right", "out.mask: not impl", false},
    {"{\"op\":\"relu\",\"case\":\"right\",\"attrs\":{},\"tensors\":[\"relu.right.in.x\","
     "\"relu.right.in.loss_weight\",\"relu.right.in.mask\",\"relu.right.out.y\"]}",
     "relu.right", "in.mask: not impl", false},
    {"{\"op\":\"relu\",\"case\":\"right\",\"attrs\":{},\"tensors\":[\"relu.right.in.x\"]}",
     "relu.right", "in.loss_weight is not listed", false},
    {"{\"op\":\"relu\",\"case\":\"right\",\"attrs\":{},\"tensors\":[\"relu.right.in.x\","
     "\"relu.right.in.loss_weight\"]}",
     "relu.right", "nothing to compare", false},
    {"{\"op\":\"relu\",\"case\":\"lost\",\"attrs\":{},\"tensors\":[\"relu.lost.in.x\"]}",
     "relu.lost", "not in the safetensors", false},
    {"{\"op\":\"relu\",\"case\":\"right\",\"attrs\":{},\"gradient_of\":\"max(out.y)\","
     "\"tensors\":[]}",
     "relu.right", "gradient_of", false},
    {"{\"op\":\"relu\",\"case\":\"right\",\"attrs\":{},\"tensors\":[\"relu.near.in.x\","
     "\"relu.right.in.x\",\"relu.right.in.loss_weight\",\"relu.right.out.y\"]}",
     "relu.right", "not called", false},
    {"{\"op\":\"maxpool2d\",\"case\":\"large\",\"attrs\":{\"kernel\":4},\"tensors\":["
     "\"maxpool2d.large.in.x\",\"maxpool2d.large.out.y\",\"maxpool2d.large.in.loss_weight\"]}",
     "maxpool2d.large", "does not fit", false},
    {"{\"op\":\"maxpool2d\",\"case\":\"large\",\"attrs\":{\"kernel\":3,\"padding\":1},\"tensors\":["
     "\"maxpool2d.large.in.x\",\"maxpool2d.large.out.y\",\"maxpool2d.large.in.loss_weight\"]}",
     "maxpool2d.large", "padding", false},
    {"{\"op\":\"maxpool2d\",\"case\":\"large\",\"attrs\":{\"kernel\":2.5},\"tensors\":["
     "\"maxpool2d.large.in.x\",\"maxpool2d.large.out.y\",\"maxpool2d.large.in.loss_weight\"]}",
     "maxpool2d.large", "whole number", false},
    {"{\"op\":\"embedding\",\"case\":\"wild\",\"attrs\":{},\"tensors\":[\"embedding.wild.in.ids\","
     "\"embedding.wild.param.weight\",\"embedding.wild.in.loss_weight\","
     "\"embedding.wild.out.y\"]}",
     "embedding.wild", "embedding", false},
    {"{\"op\":\"relu\"}", "case 21 of nn_ops.json", "case", false},
    {"[]", "case 22 of nn_ops.json", "op", false},
    {"{\"op\":\"relu\",\"case\":\"b\",\"attrs\":[],\"tensors\":[]}", "relu.b", "attrs", false},
};
enum { CASES = sizeof cases / sizeof *cases };

static void check_made_up(void *user, const verify_line *line)
{
    int i = (*(int *)user)++;
    if (i >= CASES)
        return;
    CHECK(strcmp(line->name, cases[i].name) == 0, "%s, expected %s", line->name, cases[i].name);
    CHECK(line->ok == cases[i].ok, "%s: %s: ok is %d", line->name, line->note, line->ok);
    CHECK(strstr(line->note, cases[i].note), "%s: \"%s\", expected %s in it", line->name,
          line->note, cases[i].note);
    CHECK(line->ok == (line->error <= line->tolerance), "%s: error %g, tolerance %g", line->name,
          line->error, line->tolerance);
}

static char folder[64], json_path[96], data_path[96];

static void write_json(const char *text)
{
    base_error error;
    CHECK(base_file_write(json_path, &(base_bytes){text, strlen(text)}, 1, NULL, &error), "%s",
          error.text);
}

static void test_made_up(void)
{
    base_error error = {""};
    base_text text = {0};
    base_text_print(&text, "{\"ops\":[");
    for (int i = 0; i < CASES; i++)
        base_text_print(&text, "%s%s", i ? "," : "", cases[i].json);
    base_text_print(&text, "]}");
    write_json(text.data);
    base_text_free(&text);
    CHECK(nn_safetensors_write(data_path, items, sizeof items / sizeof *items, NULL, NULL, &error),
          "%s", error.text);
    int lines = 0;
    CHECK(verify_ops(folder, check_made_up, &lines, &error), "%s", error.text);
    CHECK(lines == CASES, "%d lines, expected %d", lines, (int)CASES);
}

static void test_unreadable(void)
{
    static const char *const texts[] = {"{\"ops\":[]}", "{\"ops\":{}}", "{}", "[]", "{"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int lines = 0;
        base_error error = {""};
        write_json(texts[i]);
        CHECK(!verify_ops(folder, check_made_up, &lines, &error) && lines == 0 && error.text[0],
              "%s was gone through", texts[i]);
    }
    base_error error = {""};
    unlink(data_path);
    CHECK(!verify_ops(folder, check_made_up, NULL, &error), "no data, and gone through");
    unlink(json_path);
    CHECK(!verify_ops(folder, check_made_up, NULL, &error), "no file, and gone through");
}

/* ---- settings of optimizers ---- */

static void test_settings(void)
{
    static const struct {
        const char *json, *word; /* word: of the error; NULL: none */
    } settings[] = {
        {"{\"optimizer\":\"torch.optim.SGD\",\"lr\":0.1,\"momentum\":0.9,\"dampening\":0}", NULL},
        {"{\"optimizer\":\"torch.optim.SGD\",\"lr\":0.1,\"dampening\":0.5}", "dampening"},
        {"{\"optimizer\":\"torch.optim.Adam\",\"betas\":[0.5]}", "betas"},
        {"{\"optimizer\":\"torch.optim.Adam\",\"amsgrad\":true}", "amsgrad"},
        {"{\"optimizer\":\"torch.optim.Adam\",\"lr\":\"high\"}", "lr"},
        {"{\"optimizer\":\"torch.optim.LBFGS\"}", "LBFGS"},
        {"{\"lr\":1}", "optimizer"},
        {"{\"optimizer\":\"Adafactor\",\"lr\":null,\"eps\":[1e-30,1e-3],\"beta1\":null}", NULL},
        {"{\"optimizer\":\"Adafactor\",\"beta1\":0.9}", "beta1"},
        {"{\"optimizer\":\"Adafactor\",\"eps\":1e-8}", "eps"},
        {"{\"optimizer\":\"Adafactor\",\"warmup_init\":true}", "warmup_init"},
        {"{\"optimizer\":\"torch.optim.SGD\",\"nesterov\":1}", "nesterov"},
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        base_error error = {""};
        nn_optimizer_config config;
        double clip_norm;
        base_json *json =
            base_json_parse(settings[i].json, strlen(settings[i].json), "settings", &error);
        bool good = verify_optimizer_config(json, &config, &clip_norm, &error);
        CHECK(good == !settings[i].word, "%s: %s", settings[i].json, error.text);
        CHECK(good || strstr(error.text, settings[i].word), "%s: %s", settings[i].json, error.text);
        base_json_free(json);
    }
    static const char json[] =
        "{\"optimizer\":\"torch.optim.AdamW\",\"lr\":0.5,\"betas\":[0.1,0.2],"
        "\"eps\":0.3,\"weight_decay\":0.4,\"clip_norm\":0.6}";
    base_error error;
    nn_optimizer_config c;
    double clip_norm;
    base_json *tree = base_json_parse(json, strlen(json), "settings", &error);
    CHECK(verify_optimizer_config(tree, &c, &clip_norm, &error), "%s", error.text);
    CHECK(c.kind == NN_ADAMW && c.rate == 0.5 && c.beta1 == 0.1 && c.beta2 == 0.2 && c.eps == 0.3 &&
              c.weight_decay == 0.4 && clip_norm == 0.6,
          "settings went astray");
    base_json_free(tree);
    CHECK(verify_is_optimizer_setting("betas") && !verify_is_optimizer_setting("objective"),
          "settings by name");
}

int main(void)
{
    snprintf(folder, sizeof folder, "/tmp/test_bin_verify_ops.%ld", (long)getpid());
    snprintf(json_path, sizeof json_path, "%s/nn_ops.json", folder);
    snprintf(data_path, sizeof data_path, "%s/nn_ops.safetensors", folder);
    base_error error;
    CHECK(base_file_make_folder(folder, &error), "%s", error.text);
    test_reference();
    test_images();
    test_made_up();
    test_unreadable();
    test_settings();
    rmdir(folder);
    return test_end();
}
