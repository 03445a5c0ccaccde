/* SPDX-License-Identifier: MIT */
/* test_model.c -- vision/model.c: trained networks that are saved and loaded, and folders that lie. */
#include "base/file.h"
#include "base/process.h"
#include "base/random.h"
#include "nn/safetensors.h"
#include "tests/test_malloc.h"
#include "tests/vision/test_vision.h"
#include "vision/model.h"

#include <math.h>
#include <unistd.h>

static const char source[] = "network *model(void);\n";
static const vision_shape input = {2, 9, 8};
static char scratch[512];

/* A path below the scratch folder, in static memory, four at a time. */
static const char *below(const char *name) { return test_path(scratch, name); }

/* ---- a network that has learnt something ---- */

enum { IMAGES = 24, CLASSES = 3, PIXELS = 2 * 9 * 8 };

typedef struct trained {
    unsigned char pixels[IMAGES * PIXELS], labels[IMAGES];
    int index[IMAGES];
    vision_images images;
    vision_part part;
    vision_model model;
} trained;

/* Three steps, which move the running statistics away from 0 and 1. */
static void train(trained *t, tensor_context *ctx, const vision_architecture *net, uint64_t seed)
{
    base_random random = {.seed = 3, .stream = 1};
    base_error error = {""};
    for (int i = 0; i < IMAGES * PIXELS; i++)
        t->pixels[i] = (unsigned char)base_random_below(&random, 256);
    for (int i = 0; i < IMAGES; i++) {
        t->labels[i] = (unsigned char)(i % CLASSES);
        t->index[i] = i;
    }
    t->images = (vision_images){IMAGES, 2, 9, 8, CLASSES, t->pixels, t->labels, NULL, NULL};
    t->part = (vision_part){&t->images, t->index, IMAGES};
    vision_plan plan = {
        .epochs = 1, .batch = 8, .optimizer = nn_optimizer_default(NN_SGD), .seed = seed};
    vision_model *m = &t->model;
    *m = (vision_model){.net = *net,
                        .input = input,
                        .classes = CLASSES,
                        .normal = vision_normal_of(&t->part),
                        .trained = IMAGES,
                        .seed = (int64_t)seed,
                        .task = "noise",
                        .version = "0.1"};
    memset(m->data, 'd', BASE_HASH_TEXT - 1);
    m->network = vision_network_new(ctx, net, input, seed, &error);
    int64_t steps;
    CHECK(m->network &&
              vision_train(m->network, &t->part, &m->normal, &plan, NULL, &steps, &error) &&
              vision_measure(m->network, &t->part, &m->normal, 7, &m->result, &error),
          "%s", error.text);
}

/* The logits of all images, (IMAGES, CLASSES). */
static void answers(const trained *t, const vision_model *m, float *logits)
{
    tensor_context *ctx = nn_params_context(vision_network_params(m->network));
    tensor *x = tensor_new(ctx, 4, (const int[]){IMAGES, 2, 9, 8});
    for (int i = 0; i < IMAGES * PIXELS; i++)
        x->val[i] = (float)t->pixels[i] / 255;
    memcpy(logits, vision_forward(m->network, x, false, 0, 0)->val,
           IMAGES * CLASSES * sizeof *logits);
    tensor_step_end(ctx);
}

static bool same_values(const nn_params *a, const nn_params *b)
{
    return nn_params_size(a) == nn_params_size(b) &&
           memcmp(nn_params_values(a), nn_params_values(b), nn_params_size(a) * sizeof(float)) == 0;
}

/* ---- there and back ---- */

static void check_same(const trained *t, const vision_model *b)
{
    const vision_model *a = &t->model;
    float before[IMAGES * CLASSES], after[IMAGES * CLASSES];
    answers(t, a, before);
    answers(t, b, after);
    CHECK(memcmp(before, after, sizeof before) == 0, "logits");
    CHECK(same_values(vision_network_params(a->network), vision_network_params(b->network)),
          "weights");
    CHECK(same_values(vision_network_running(a->network), vision_network_running(b->network)),
          "running statistics");
    CHECK(b->net.count == a->net.count && b->classes == CLASSES && b->input.height == 9,
          "%d layers, %d classes", b->net.count, b->classes);
    for (int i = 0; i < a->net.count; i++) {
        const vision_layer *x = &a->net.layer[i], *y = &b->net.layer[i];
        CHECK(x->kind == y->kind && x->in == y->in && x->out == y->out && x->kernel == y->kernel &&
                  x->stride == y->stride && x->padding == y->padding && x->rate == y->rate,
              "layer %d", i + 1);
    }
    CHECK(memcmp(a->normal.mean, b->normal.mean, 2 * sizeof(float)) == 0 &&
              memcmp(a->normal.deviation, b->normal.deviation, 2 * sizeof(float)) == 0,
          "normal");
    CHECK(b->result.count == IMAGES && b->result.right == a->result.right &&
              b->result.loss == a->result.loss && b->result.accuracy == a->result.accuracy,
          "%d of %d, loss %g", b->result.right, b->result.count, b->result.loss);
    CHECK(b->trained == IMAGES && b->seed == a->seed && strcmp(b->task, "noise") == 0 &&
              strcmp(b->version, "0.1") == 0 && strcmp(a->data, b->data) == 0,
          "%s %s", b->task, b->version);
    char digest[BASE_HASH_TEXT];
    base_hash_text(source, strlen(source), digest);
    CHECK(strcmp(b->source, digest) == 0, "source %s", b->source);
}

static void test_round_trip(const trained *t)
{
    static char names[CLASSES][VISION_MODEL_WORD] = {"zero \"0\"", "\xc3\xa9ins", "2"};
    base_error error = {""};
    vision_model named = t->model, back;
    named.names = names;
    CHECK(vision_model_save(&t->model, source, strlen(source), below("there/model"), &error), "%s",
          error.text);
    CHECK(vision_model_save(&named, source, strlen(source), below("named"), &error), "%s",
          error.text);
    tensor_context *ctx = tensor_context_open(2, &error);
    CHECK(vision_model_load(&back, ctx, below("there"), &error), "%s", error.text);
    check_same(t, &back);
    CHECK(!back.names, "names");
    vision_model_free(&back);
    CHECK(vision_model_load(&back, ctx, below("named"), &error), "%s", error.text);
    check_same(t, &back);
    for (int i = 0; i < CLASSES; i++)
        CHECK(strcmp(back.names[i], names[i]) == 0, "%s", back.names[i]);
    /* what was loaded is saved as the same bytes */
    static const char *const files[] = {"network.json", "model.safetensors", "source.c"};
    CHECK(vision_model_save(&back, source, strlen(source), below("again"), &error), "%s",
          error.text);
    for (int i = 0; i < 3; i++) {
        char name[64], hashes[2][BASE_HASH_TEXT];
        snprintf(name, sizeof name, "named/%s", files[i]);
        CHECK(base_file_hash(below(name), hashes[0], &error), "%s", error.text);
        snprintf(name, sizeof name, "again/%s", files[i]);
        CHECK(base_file_hash(below(name), hashes[1], &error), "%s", error.text);
        CHECK(strcmp(hashes[0], hashes[1]) == 0, "%s", files[i]);
    }
    vision_model_free(&back);
    tensor_context_free(ctx);
}

/* ---- lies ---- */

static const char *const origins[2] = {"j", "w"};

/* Must be refused with that error. */
static void refuse(const vision_model_files *files, const char *want)
{
    base_error error = {""};
    vision_model model;
    tensor_context *ctx = tensor_context_open(1, &error);
    bool taken = vision_model_unpack(&model, ctx, files, origins, &error);
    CHECK(!taken && strncmp(error.text, want, strlen(want)) == 0, "%s: want %s", error.text, want);
    if (taken)
        vision_model_free(&model);
    tensor_context_free(ctx);
}

/* The text with its first `from` replaced. */
static base_text with(const base_text *text, const char *from, const char *to)
{
    base_text result = {0};
    const char *at = strstr(text->data, from);
    CHECK(at, "%s is not there", from);
    if (at) {
        base_text_add(&result, text->data, (size_t)(at - text->data));
        base_text_print(&result, "%s%s", to, at + strlen(from));
    }
    return result;
}

static const struct {
    const char *from, *to, *error;
} lies[] = {
    {"{\"format\"", "\"format\"", "j:1:"},
    {"\"format\":1", "\"format\":2", "j: its format is 2, expected 1"},
    {"\"format\":1", "\"form\":1", "j: \"format\": expected an integer"},
    {"\"version\":\"0.1\"", "\"version\":\"\\u001b[2J\"",
     "j: \"version\" is no word of at most 63 bytes"},
    {"\"seed\":1", "\"seed\":-1", "j: \"seed\""},
    {"\"input\":[2,9,8]", "\"input\":[2,9]", "j: expected an array of 3 called \"input\""},
    {"\"input\":[2,9,8]", "\"input\":[2,0,8]", "j: number 2 of \"input\": expected 1 to 1024"},
    {"\"input\":[2,9,8]", "\"input\":[17,9,8]", "j: number 1 of \"input\": expected 1 to 16"},
    {"\"input\":[2,9,8]", "\"input\":[2,9,7]", "j: layer 11, linear: takes 54 numbers and gets 36"},
    {"\"classes\":3", "\"classes\":257", "j: \"classes\""},
    {"\"classes\":3", "\"classes\":4",
     "j: layer 13, linear: the last one gives 3, expected 4 numbers, one a class"},
    {"\"classes\":3,", "\"classes\":3,\"names\":[\"a\",\"b\"],",
     "j: expected an array of 3 called \"names\""},
    {"\"classes\":3,", "\"classes\":3,\"names\":[\"a\",\"b\",7],",
     "j: the name of class 2 is no word of at most 63 bytes"},
    {"\"mean\":[", "\"mean\":[0.5,", "j: expected an array of 2 called \"mean\""},
    {"\"mean\":[", "\"mean\":[1e300],\"was\":[", "j: expected an array of 2 called \"mean\""},
    {"\"deviation\":[", "\"deviation\":[0.1,0],\"was\":[",
     "j: number 2 of \"deviation\": expected one above 0"},
    {"\"deviation\":[", "\"deviation\":[1e-60,1],\"was\":[",
     "j: number 1 of \"deviation\": expected one above 0"},
    {"\"layers\":[", "\"layers\":[],\"was\":[",
     "j: expected an array of 1 to 160 called \"layers\""},
    {"\"kind\":\"relu\"", "\"kind\":\"relux\"", "j: layer 2: there is no kind \"relux\""},
    {"\"stride\":1", "\"strides\":1", "j: layer 1: \"stride\": expected an integer"},
    {"\"stride\":1", "\"stride\":0", "j: layer 1, conv2d: stride is 0, expected at least 1"},
    {"\"rate\":0.25", "\"rate\":1", "j: layer 10, dropout: rate is 1"},
    {"\"kernel\":3", "\"kernel\":2147483648", "j: layer 1: \"kernel\""},
    {"\"in\":2,\"out\":4", "\"in\":2,\"out\":2147483647",
     "j: layer 1, conv2d: its result is too large"},
    {"\"right\":", "\"right\":25,\"was\":", "j: \"right\""},
    {"\"measured\":{", "\"measured\":3,\"was\":{", "j: expected an object called \"measured\""},
    {"\"loss\":", "\"loss\":-", "j: \"loss\" is below 0"},
    {"\"data\":\"d", "\"data\":\"D", "j: \"data\" is no SHA-256 of 64 hexadecimal digits"},
    {"\"weights\":\"", "\"weights\":\"0", "j: \"weights\" is no SHA-256 of 64 hexadecimal digits"},
};

static void test_lies(const trained *t)
{
    base_error error = {""};
    vision_model_files files;
    CHECK(vision_model_pack(&t->model, source, strlen(source), &files, &error), "%s", error.text);
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        vision_model_files wrong = {with(&files.json, lies[i].from, lies[i].to), files.weights};
        refuse(&wrong, lies[i].error);
        base_text_free(&wrong.json);
    }
    /* cut off anywhere: never taken, and never beyond the end (sanitizers) */
    base_text whole = files.json;
    for (files.json.length = 0; files.json.length + 2 < whole.length; files.json.length += 7)
        refuse(&files, "j:");
    files.json = whole;
    vision_model_files_free(&files);
}

/* These tensors in place of the model's, with the digest of their bytes: only what they are can be
 * wrong. */
static void refuse_tensors(const trained *t, const nn_safetensors_item *items, int count,
                           const char *want)
{
    base_error error = {""};
    vision_model_files files, wrong = {0};
    char was[BASE_HASH_TEXT], is[BASE_HASH_TEXT];
    CHECK(vision_model_pack(&t->model, source, strlen(source), &files, &error) &&
              nn_safetensors_print(&wrong.weights, "w", items, count, NULL, &error),
          "%s", error.text);
    base_hash_text(files.weights.data, files.weights.length, was);
    base_hash_text(wrong.weights.data, wrong.weights.length, is);
    wrong.json = with(&files.json, was, is);
    refuse(&wrong, want);
    vision_model_files_free(&files);
    vision_model_files_free(&wrong);
}

static void test_wrong_tensors(const trained *t)
{
    nn_params *sets[2] = {vision_network_params(t->model.network),
                          vision_network_running(t->model.network)};
    nn_safetensors_item items[32];
    int count = 0;
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < nn_params_count(sets[s]); i++, count++) {
            const tensor *x = nn_params_tensor(sets[s], i);
            items[count] = (nn_safetensors_item){
                .name = nn_params_name(sets[s], i), .rank = x->rank, .data = x->val};
            for (int j = 0; j < x->rank; j++)
                items[count].shape[j] = x->dim[j];
        }
    const nn_safetensors_item first = items[0], last = items[count - 1];
    CHECK(strcmp(first.name, "0.weight") == 0 && strcmp(last.name, "7.running_var") == 0,
          "%s .. %s", first.name, last.name);

    items[count - 1].name = "6.running_var";
    refuse_tensors(t, items, count, "w: tensor \"6.running_var\" is no part of this network");
    items[count - 1] = last;
    items[0].shape[0] = 2, items[0].shape[1] = 4;
    refuse_tensors(t, items, count,
                   "w: tensor \"0.weight\" has shape (2,4,3,3), expected (4,2,3,3)");
    items[0] = first;
    static const float padding[64];
    items[count - 1] =
        (nn_safetensors_item){.name = "0.bias2", .rank = 1, .shape = {64}, .data = padding};
    refuse_tensors(t, items, count, "w: tensor \"0.bias2\" is no part of this network");
    items[count - 1] = last;
    refuse_tensors(t, items, 2, "w: has ");
    static float wrong[72];
    memcpy(wrong, last.data, 6 * sizeof *wrong);
    wrong[5] = -1e-9F;
    items[count - 1].data = wrong;
    refuse_tensors(t, items, count, "w: tensor \"7.running_var\": number 5 is below 0");
    items[count - 1] = last;
    memcpy(wrong, first.data, sizeof wrong);
    wrong[71] = NAN;
    items[0].data = wrong;
    refuse_tensors(t, items, count, "w: tensor \"0.weight\": number 71 is not finite");
}

/* The JSON of one save and the weights of another. */
static void test_mixture(const trained *t, const trained *other)
{
    base_error error = {""};
    vision_model_files a, b;
    CHECK(vision_model_pack(&t->model, source, strlen(source), &a, &error) &&
              vision_model_pack(&other->model, source, strlen(source), &b, &error),
          "%s", error.text);
    const vision_model_files mixed = {a.json, b.weights};
    refuse(&mixed, "w: is not the file that network.json names: another save's, or changed");
    vision_model_files_free(&a);
    vision_model_files_free(&b);
}

static void test_folders(const trained *t)
{
    base_error error = {""};
    vision_model model;
    tensor_context *ctx = tensor_context_open(1, &error);
    CHECK(!vision_model_load(&model, ctx, below("nowhere"), &error) &&
              strstr(error.text, "nowhere/network.json: "),
          "%s", error.text);
    CHECK(vision_model_save(&t->model, source, strlen(source), below("less"), &error), "%s",
          error.text);
    /* a file of gigabytes is not read to see that it is none */
    FILE *file = fopen(below("less/model.safetensors"), "ab");
    CHECK(file && fseek(file, 1L << 31, SEEK_END) == 0 && fputc(0, file) == 0 && fclose(file) == 0,
          "not written");
    CHECK(!vision_model_load(&model, ctx, below("less"), &error) &&
              strstr(error.text, "less/model.safetensors: "),
          "%s", error.text);
    remove(below("less/model.safetensors"));
    CHECK(!vision_model_load(&model, ctx, below("less"), &error) &&
              strstr(error.text, "less/model.safetensors: cannot open"),
          "%s", error.text);
    tensor_context_free(ctx);
}

/* ---- no memory ---- */

static void test_no_memory(const trained *t)
{
    base_error error = {""};
    vision_model_files files;
    vision_model back;
    see_whether_malloc_counts();
    if (!can_count)
        return;
    bool done = false;
    for (long i = 0; !done; i++) {
        fail_at = allocations + i;
        done = vision_model_pack(&t->model, source, strlen(source), &files, &error);
        fail_at = -1;
        CHECK(done || strstr(error.text, "no memory"), "%ld: %s", i, error.text);
    }
    tensor_context *ctx = tensor_context_open(1, &error);
    done = false;
    for (long i = 0; !done; i++) {
        fail_at = allocations + i;
        done = vision_model_unpack(&back, ctx, &files, origins, &error);
        fail_at = -1;
        CHECK(done || strstr(error.text, "no memory"), "%ld: %s", i, error.text);
    }
    check_same(t, &back);
    vision_model_free(&back);
    tensor_context_free(ctx);
    vision_model_files_free(&files);
}

int main(void)
{
    base_error error = {""};
    static trained t, other, small;
    CHECK(base_temporary_folder("phoenix-model", scratch, sizeof scratch, &error), "%s",
          error.text);
    tensor_context *ctx = tensor_context_open(1, &error);
    train(&t, ctx, &of_every_kind, 1);
    train(&other, ctx, &of_every_kind, 2);
    train(&small, ctx, &of_small_kinds, 3);
    test_round_trip(&t);
    test_round_trip(&small);
    test_lies(&t);
    test_wrong_tensors(&t);
    test_mixture(&t, &other);
    test_folders(&t);
    test_no_memory(&t);
    vision_network_free(t.model.network);
    vision_network_free(other.model.network);
    vision_network_free(small.model.network);
    tensor_context_free(ctx);
    base_remove_folder(scratch);
    return test_end();
}
