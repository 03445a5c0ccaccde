/* SPDX-License-Identifier: MIT */
/* test_export_check.c -- bin/export_check.c: a file that is what it says passes, one whose numbers were
 * changed is caught, and one that is no C is refused. And the command, with its exit codes. */
#include "bin/export_check.h"
#include "base/process.h"
#include "export/export.h"
#include "tests/test.h"
#include "tests/vision/test_vision.h"

enum { IMAGES = 13, BATCH = 8, ROUNDED = 16, CLASSES = 3 };

static const vision_architecture net = {
    5, {CONV2D(1, 4, 3, 1, 1), RELU, MAX_POOL2D(2, 2), FLATTEN, LINEAR(36, CLASSES)}};

typedef struct fixture {
    vision_model model;
    unsigned char pixels[IMAGES * 36], labels[IMAGES];
    vision_images images;
    float logits[ROUNDED * CLASSES];
    base_text source, header;
    export_checked checked;
} fixture;

static void make(fixture *f, tensor_context *ctx)
{
    base_error error = {""};
    int index[ROUNDED];
    *f = (fixture){.images = {.count = IMAGES,
                              .channels = 1,
                              .height = 6,
                              .width = 6,
                              .classes = CLASSES,
                              .pixels = f->pixels,
                              .labels = f->labels}};
    f->model = (vision_model){.net = net, .input = {1, 6, 6}, .classes = CLASSES};
    f->model.normal.deviation[0] = 0.5F;
    f->model.network = vision_network_new(ctx, &net, f->model.input, 7, &error);
    for (int i = 0; i < IMAGES * 36; i++)
        f->pixels[i] = (unsigned char)(i * i % 251);
    for (int i = 0; i < ROUNDED; i++)
        index[i] = i < IMAGES ? i : 0;
    const vision_part part = {&f->images, index, ROUNDED};
    CHECK(vision_classify(f->model.network, &part, &f->model.normal, BATCH, f->logits, &error),
          "%s", error.text);
    for (int i = 0; i < IMAGES; i++) /* two of three right */
        f->labels[i] =
            (unsigned char)((vision_largest(f->logits + i * CLASSES, CLASSES) + (i % 3 == 0)) %
                            CLASSES);
    const export_options options = {.prefix = "net", .header = "net.h"};
    CHECK(export_network(&f->model, &options, &f->source, &f->header, NULL, &error), "%s",
          error.text);
    f->checked = (export_checked){.source = &f->source,
                                  .header = &f->header,
                                  .prefix = "net",
                                  .header_name = "net.h",
                                  .images = &f->images,
                                  .classes = CLASSES,
                                  .expected = f->logits};
}

/* The first `find` in the file becomes `replace`, which is as long. */
static void spoil(base_text *text, const char *find, const char *replace)
{
    char *at = strstr(text->data, find);
    CHECK(at && strlen(find) == strlen(replace), "there is no %s", find);
    if (at)
        memcpy(at, replace, strlen(replace));
}

static void test_check(fixture *f, const evolve_options *run)
{
    base_error error = {""};
    export_checks found;
    CHECK(export_check(&f->checked, run, &found, &error), "%s", error.text);
    CHECK(found.differ == 0 && found.right == IMAGES - 5, "%d differ, %d right", found.differ,
          found.right);
    f->logits[4 * CLASSES + 1] += 0.001F;
    f->logits[9 * CLASSES] += 0.001F;
    CHECK(export_check(&f->checked, run, &found, &error), "%s", error.text);
    CHECK(found.differ == 2 && found.first == 4, "%d differ, first %d", found.differ, found.first);
}

static void test_wrong(fixture *f, const evolve_options *run)
{
    base_error error = {""};
    export_checks found;
    spoil(&f->source, "- mean[c]) *", "- mean[c]) +");
    CHECK(export_check(&f->checked, run, &found, &error), "%s", error.text);
    CHECK(found.differ == IMAGES && found.first == 0, "%d differ", found.differ);
    spoil(&f->source, "void net_run(", "void net_rum(");
    CHECK(!export_check(&f->checked, run, &found, &error), "a file without net_run passed");
    spoil(&f->source, "for (", "fog (");
    CHECK(!export_check(&f->checked, run, &found, &error) && strstr(error.text, "exited with"),
          "%s", error.text);
    f->checked.header_name = "other.h";
    CHECK(!export_check(&f->checked, run, &found, &error), "a file without its header passed");
}

/* A network of the tree's digits, exported and checked as a user does it. */
static void test_command(void)
{
    char folder[512], line[2048];
    base_error error = {""};
    CHECK(base_temporary_folder("phoenix-check", folder, sizeof folder, &error), "%s", error.text);
    snprintf(line, sizeof line,
             "'%s' train --task digits --final-epochs 1 --out '%s/m' >'%s/log' 2>&1 && cd '%s' && "
             "for o in '' --fold; do '%s' export m --out net.c --check $o >said || exit 1; "
             "grep -q '^check: 800 images, 0 differ; right: ' said || exit 1; done",
             TEST_PHOENIX, folder, folder, folder, TEST_PHOENIX);
    CHECK(system(line) == 0, "%s", line);
    snprintf(
        line, sizeof line,
        "cd '%s' && ! '%s' export m --out net.c --check --task mnist --data /nowhere 2>said && "
        "grep -q nowhere said",
        folder, TEST_PHOENIX);
    CHECK(system(line) == 0, "%s", line);
    base_remove_folder(folder);
}

/* A T5 with its weights in the file and beside it, in floats and in int8: answers to the default source, and to
 * texts of one's own. */
static void test_t5(void)
{
    char folder[512], line[2048];
    base_error error = {""};
    CHECK(base_temporary_folder("phoenix-check", folder, sizeof folder, &error), "%s", error.text);
    snprintf(
        line, sizeof line,
        "cd '%s' && p='%s' && $p train --samples 64 --d-model 16 --out m >log 2>&1 && "
        "printf 'int a;\\n\\nreturn 7;\\n' >text && "
        "$p export m --out t.c --check >said && grep -q '^check: 1 texts, .* 0 differ' said && "
        "$p export m text text --out t.c --check --int8 --max-tokens 9 --weights w >said && "
        "grep -q '^check: 2 texts, .* 0 differ' said && "
        "grep -q '^of 2 texts [02] have the same greedy answer in int8' said",
        folder, TEST_PHOENIX);
    CHECK(system(line) == 0, "%s", line);
    snprintf(
        line, sizeof line,
        "cd '%s' && p='%s' && ! $p export m /nowhere --out t.c --check 2>said && grep -q /nowhere "
        "said && ! $p export m text --out t.c 2>said && grep -q 'for --check' said && "
        "! $p export m --out t.c --fold 2>said && grep -q 'for networks' said",
        folder, TEST_PHOENIX);
    CHECK(system(line) == 0, "%s", line);
    /* a compiler that makes another program of the file: its products are rounded twice */
    snprintf(line, sizeof line,
             "cd '%s' && p='%s' && printf '#!/bin/sh\\nexec cc \"-DT5_FMA(x,y,z)=((x)*(y)+(z))\" "
             "\"$@\"\\n' >wrong "
             "&& chmod +x wrong && ! $p export m text --out t.c --check --cc ./wrong >said 2>&1 && "
             "grep -q '^phoenix: t.c: tokens or log-probabilities of 1 of 1 texts are not as "
             "expected' said || "
             "{ cat said; false; }",
             folder, TEST_PHOENIX);
    CHECK(system(line) == 0, "%s", line);
    base_remove_folder(folder);
}

int main(void)
{
    static fixture f;
    base_error error = {""};
    evolve_options run = {.launcher = ""};
    tensor_context *ctx = tensor_context_open(1, &error);
    if (system("cc --version >/dev/null 2>&1") != 0) {
        SKIP("no C compiler cc here");
        return test_end();
    }
    make(&f, ctx);
    test_check(&f, &run);
    f.logits[4 * CLASSES + 1] -= 0.001F;
    test_wrong(&f, &run);
    test_command();
    test_t5();
    base_text_free(&f.source);
    base_text_free(&f.header);
    vision_network_free(f.model.network);
    tensor_context_free(ctx);
    return test_end();
}
