/* SPDX-License-Identifier: MIT */
/* test_folder.c -- model folders: written, read, written again; and folders that lie. */
#include "tests/t5/test_t5.h"

#include "base/file.h"
#include "base/json.h"
#include "nn/safetensors.h"
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[] = "/tmp/test_t5_folder.XXXXXX";
static const char *const files[3] = {"config.json", "model.safetensors", "tokenizer.json"};

/* A path below the scratch folder, in static memory, eight at a time. */
static char *below(const char *folder, const char *name)
{
    static char paths[8][256];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s%s%s", scratch, folder, *name ? "/" : "", name);
    return path;
}

static char *slurp(const char *path, size_t *size)
{
    base_error error;
    char *bytes = base_file_read(path, 1 << 24, size, &error);
    CHECK(bytes, "%s", error.text);
    return bytes;
}

/* Not by base_file_write: what is written here need not survive anything. */
static void spill(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    bool good = file && fwrite(bytes, 1, size, file) == size;
    CHECK(file && fclose(file) == 0 && good, "%s: not written", path);
}

static t5_tokenizer *some_tokenizer(int size)
{
    static const char *const texts[] = {"int main(void)\n{\n    return 0;\n}\n",
                                        "int mean(int a, int b)\n{\n    return (a + b) / 2;\n}\n"};
    base_error error;
    t5_tokenizer *tokenizer = t5_tokenizer_train(texts, 2, size, &error);
    CHECK(tokenizer, "%s", error.text);
    return tokenizer;
}

static t5_config folder_config(void)
{
    t5_config c = test_t5_config();
    c.vocab_size = 270;
    c.num_layers = 1;
    c.num_decoder_layers = 1;
    return c;
}

/* ---- There and back ---- */

/* Whether two models have the same weights, wherever they are. */
static bool same_weights(t5_model *a, t5_model *b)
{
    nn_params *p = t5_model_params(a), *q = t5_model_params(b);
    bool same = nn_params_size(p) == nn_params_size(q);
    for (int i = 0; same && i < nn_params_count(p); i++) {
        const tensor *t = nn_params_tensor(p, i), *u = nn_params_tensor(q, i);
        same = memcmp(t->val, u->val, tensor_size(t) * sizeof(float)) == 0;
    }
    return same;
}

static void round_trip(const t5_config *c, bool with_tokenizer)
{
    tensor_context *ctx = tensor_context_new();
    base_error error;
    char hashes[3][BASE_HASH_TEXT], again[3][BASE_HASH_TEXT];
    t5_model *model = test_t5_model(ctx, c, true, 1);
    t5_tokenizer *tokenizer = with_tokenizer ? some_tokenizer(270) : NULL, *back = NULL;
    CHECK(t5_folder_write(model, tokenizer, below("one/deep", ""), hashes, &error), "%s",
          error.text);
    t5_model *read =
        t5_folder_read(ctx, below("one/deep", ""), false, with_tokenizer ? &back : NULL, &error);
    CHECK(read, "%s", error.text);
    if (!read)
        exit(1);
    CHECK(same_weights(model, read), "the weights differ");
    CHECK(!nn_params_gradients(t5_model_params(read)), "gradients that were not asked for");
    CHECK(t5_model_config(read)->d_ff == c->d_ff, "d_ff %d", t5_model_config(read)->d_ff);

    CHECK(t5_folder_write(read, back, below("two", ""), again, &error), "%s", error.text);
    CHECK(t5_folder_write(read, back, below("two", ""), NULL, &error), "%s", error.text);
    for (int i = 0; i < (with_tokenizer ? 3 : 2); i++) {
        char hash[BASE_HASH_TEXT];
        size_t size, size_again;
        char *bytes = slurp(below("one/deep", files[i]), &size);
        char *bytes_again = slurp(below("two", files[i]), &size_again);
        CHECK(size == size_again && memcmp(bytes, bytes_again, size) == 0, "%s differs", files[i]);
        CHECK(base_file_hash(below("two", files[i]), hash, &error), "%s", error.text);
        CHECK(strcmp(hash, hashes[i]) == 0 && strcmp(hash, again[i]) == 0, "%s: hash %s, %s, %s",
              files[i], hash, hashes[i], again[i]);
        free(bytes);
        free(bytes_again);
    }
    if (!with_tokenizer)
        CHECK(hashes[2][0] == '\0', "a hash of no tokenizer: %s", hashes[2]);
    t5_tokenizer_free(tokenizer);
    t5_tokenizer_free(back);
    t5_model_free(model);
    t5_model_free(read);
    tensor_context_free(ctx);
}

static void written_and_read_back(void)
{
    t5_config c = folder_config();
    round_trip(&c, false);
    c.tie_word_embeddings = false;
    c.feed_forward_proj = T5_GATED_GELU;
    c.num_decoder_layers = 2;
    c.dropout_rate = 0.1;
    round_trip(&c, true);
}

/* Hugging Face's files, those with copies of the tied embedding as well, written as here. */
static void hugging_face_folders(void)
{
    static const char *const cases[] = {"case1-tiny-relu", "case2-uneven-long-pad",
                                        "case3-gated-gelu-untied"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[128], folder[1024];
        snprintf(name, sizeof name, "golden/%s/model.safetensors", cases[i]);
        const char *path = test_shared(name);
        if (!path) {
            SKIP("%s is not there", name);
            continue;
        }
        snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
        tensor_context *ctx = tensor_context_new();
        base_error error;
        t5_model *model = t5_folder_read(ctx, folder, false, NULL, &error);
        CHECK(model, "%s", error.text);
        nn_safetensors *theirs = nn_safetensors_read(path, &error), *ours;
        CHECK(theirs, "%s", error.text);
        CHECK(t5_folder_write(model, NULL, below(cases[i], ""), NULL, &error), "%s", error.text);
        ours = nn_safetensors_read(below(cases[i], "model.safetensors"), &error);
        CHECK(ours, "%s", error.text);
        for (int j = 0; j < nn_safetensors_count(ours); j++) {
            const nn_safetensors_entry *entry = nn_safetensors_at(ours, j);
            const nn_safetensors_entry *same = nn_safetensors_find(theirs, entry->name);
            CHECK(same && same->count == entry->count &&
                      memcmp(same->data, entry->data, entry->count * sizeof(float)) == 0,
                  "%s: %s", cases[i], entry->name);
        }
        nn_safetensors_free(theirs);
        nn_safetensors_free(ours);
        t5_model_free(model);
        tensor_context_free(ctx);
    }
}

/* ---- Folders that are damaged ---- */

/* Reading must fail with one line of text. */
static void refuse(const char *folder, const char *expected, const char *what)
{
    tensor_context *ctx = tensor_context_new();
    base_error error = {""};
    t5_tokenizer *tokenizer = NULL;
    t5_model *model = t5_folder_read(ctx, folder, false, &tokenizer, &error);
    CHECK(!model && !tokenizer, "%s was read", what);
    CHECK(*error.text && !strchr(error.text, '\n'), "%s: \"%s\"", what, error.text);
    CHECK(strstr(error.text, expected), "%s: want \"%s\": %s", what, expected, error.text);
    t5_model_free(model);
    t5_tokenizer_free(tokenizer);
    tensor_context_free(ctx);
}

static void write_good(const char *folder)
{
    tensor_context *ctx = tensor_context_new();
    t5_config c = folder_config();
    c.d_model = 4;
    base_error error;
    t5_model *model = test_t5_model(ctx, &c, false, 1);
    t5_tokenizer *tokenizer = some_tokenizer(270);
    CHECK(t5_folder_write(model, tokenizer, folder, NULL, &error), "%s", error.text);
    t5_tokenizer_free(tokenizer);
    t5_model_free(model);
    tensor_context_free(ctx);
}

static void cut_short(void)
{
    enum { CUTS = 40 };
    write_good(below("short", ""));
    for (int i = 0; i < 3; i++) {
        size_t size;
        char *bytes = slurp(below("short", files[i]), &size);
        size_t last = i == 1 ? size - 1 : size - 2; /* a text may lack its last line feed */
        for (size_t cut = 0; cut <= CUTS; cut++) {
            char what[64];
            size_t length = last * cut / CUTS;
            spill(below("short", files[i]), bytes, length);
            snprintf(what, sizeof what, "%s of %zu bytes", files[i], length);
            refuse(below("short", ""), files[i], what);
        }
        unlink(below("short", files[i]));
        refuse(below("short", ""), files[i], "a missing file");
        spill(below("short", files[i]), bytes, size);
        free(bytes);
    }
    refuse(below("nowhere", ""), "config.json", "a missing folder");
}

/* One byte changed: the folder is read, or refused in one line; never worse. */
static void bytes_changed(void)
{
    write_good(below("changed", ""));
    int refused = 0;
    for (int i = 0; i < 3; i++) {
        size_t size;
        char *bytes = slurp(below("changed", files[i]), &size);
        base_random r = {.seed = 1, .stream = (uint64_t)i};
        for (int round = 0; round < 150; round++) {
            size_t place = base_random_below(&r, (uint32_t)(size < 4096 ? size : 4096));
            char kept = bytes[place];
            bytes[place] = (char)base_random_below(&r, 256);
            spill(below("changed", files[i]), bytes, size);
            bytes[place] = kept;
            tensor_context *ctx = tensor_context_new();
            base_error error = {""};
            t5_tokenizer *tokenizer = NULL;
            t5_model *model = t5_folder_read(ctx, below("changed", ""), false, &tokenizer, &error);
            CHECK(model ? tokenizer != NULL : !tokenizer && *error.text, "%s byte %zu: %s",
                  files[i], place, error.text);
            CHECK(!strchr(error.text, '\n'), "%s", error.text);
            refused += !model;
            t5_model_free(model);
            t5_tokenizer_free(tokenizer);
            tensor_context_free(ctx);
        }
        spill(below("changed", files[i]), bytes, size);
        free(bytes);
    }
    CHECK(refused > 150, "%d of 450 refused", refused);
}

/* ---- Folders whose files do not belong together ---- */

enum { MOST_ITEMS = 64 };

/* The good folder's tensors as a list that can be tampered with. */
typedef struct tensors {
    t5_model *model;
    nn_safetensors_item item[MOST_ITEMS];
    int count;
} tensors;

static void list_tensors(tensors *t)
{
    nn_params *params = t5_model_params(t->model);
    t->count = nn_params_count(params);
    for (int i = 0; i < t->count; i++) {
        const tensor *p = nn_params_tensor(params, i);
        t->item[i] = (nn_safetensors_item){nn_params_name(params, i), p->rank, {0}, p->val};
        for (int j = 0; j < p->rank; j++)
            t->item[i].shape[j] = p->dim[j];
    }
}

static void write_tensors(const tensors *t)
{
    base_error error;
    CHECK(nn_safetensors_write(below("lying", "model.safetensors"), t->item, t->count, NULL, NULL,
                               &error),
          "%s", error.text);
}

static void add_item(tensors *t, const char *name, const tensor *like, const float *data)
{
    nn_safetensors_item *item = &t->item[t->count++];
    *item = (nn_safetensors_item){name, like->rank, {0}, data};
    for (int j = 0; j < like->rank; j++)
        item->shape[j] = like->dim[j];
}

static void weights_that_lie(void)
{
    write_good(below("lying", ""));
    tensor_context *ctx = tensor_context_new();
    base_error error;
    tensors t = {.model = t5_folder_read(ctx, below("lying", ""), false, NULL, &error)};
    CHECK(t.model, "%s", error.text);
    if (!t.model)
        return;
    const tensor *shared = t.model->shared;
    size_t size = tensor_size(shared);
    float *other = malloc(size * sizeof *other);
    memcpy(other, shared->val, size * sizeof *other);
    other[size - 1] += 1;

    list_tensors(&t);
    t.count--;
    write_tensors(&t);
    refuse(below("lying", ""), "numbers", "a tensor less");
    t.item[t.count].name = "encoder.block.9.layer.0.SelfAttention.q.weight";
    t.count++;
    write_tensors(&t);
    refuse(below("lying", ""), "has no tensor", "a tensor under another name");

    list_tensors(&t);
    add_item(&t, "surplus.weight", shared, shared->val);
    write_tensors(&t);
    refuse(below("lying", ""), "surplus.weight", "a tensor more");

    list_tensors(&t);
    t.item[0].shape[0] = shared->dim[1];
    t.item[0].shape[1] = shared->dim[0];
    write_tensors(&t);
    refuse(below("lying", ""), "shape", "a shape turned round");

    list_tensors(&t);
    add_item(&t, "lm_head.weight", shared, other);
    write_tensors(&t);
    refuse(below("lying", ""), "lm_head.weight", "a tied head of its own");

    /* These are as they should be. */
    list_tensors(&t);
    add_item(&t, "lm_head.weight", shared, shared->val);
    add_item(&t, "encoder.embed_tokens.weight", shared, shared->val);
    add_item(&t, "decoder.embed_tokens.weight", shared, shared->val);
    add_item(&t, "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight",
             t.model->decoder.bias, other);
    write_tensors(&t);
    t5_model *good = t5_folder_read(ctx, below("lying", ""), true, NULL, &error);
    CHECK(good, "%s", error.text);
    if (good)
        CHECK(nn_params_gradients(t5_model_params(good)), "no gradients");
    t5_model_free(good);
    free(other);
    t5_model_free(t.model);
    tensor_context_free(ctx);
}

/* ---- Weights as others write them ---- */

/* The folder "lying" with this configuration is read, and has the head that is expected. */
static void reads(tensor_context *ctx, const char *config, bool tied, const float *head,
                  const char *what)
{
    base_error error = {""};
    if (config)
        spill(below("lying", "config.json"), config, strlen(config));
    t5_model *model = t5_folder_read(ctx, below("lying", ""), false, NULL, &error);
    CHECK(model, "%s: %s", what, error.text);
    if (!model)
        return;
    CHECK(model->config.tie_word_embeddings == tied && (model->head == model->shared) == tied,
          "%s: tied is %d", what, model->config.tie_word_embeddings);
    CHECK(memcmp(model->head->val, head, tensor_size(model->head) * sizeof *head) == 0,
          "%s: another head", what);
    t5_model_free(model);
}

/* config.json of the folder, with a line added. */
static char *with_line(const char *line)
{
    t5_config c = folder_config();
    base_text text = {0};
    c.d_model = 4;
    t5_config_print(&c, &text);
    char *whole = malloc(text.length + strlen(line) + 1);
    sprintf(whole, "{%s%s", line, text.data + 1);
    base_text_free(&text);
    return whole;
}

static void names_and_heads_of_others(void)
{
    static char names[MOST_ITEMS][128];
    write_good(below("lying", ""));
    tensor_context *ctx = tensor_context_new();
    base_error error;
    tensors t = {.model = t5_folder_read(ctx, below("lying", ""), false, NULL, &error)};
    CHECK(t.model, "%s", error.text);
    if (!t.model)
        return;
    const tensor *shared = t.model->shared;
    size_t size = tensor_size(shared);
    float *other = malloc(size * sizeof *other);
    memcpy(other, shared->val, size * sizeof *other);
    other[size - 1] += 1;

    /* The tied embedding under one of its other names alone, or under two. */
    static const char *const others[] = {"encoder.embed_tokens.weight",
                                         "decoder.embed_tokens.weight", "lm_head.weight"};
    for (int i = 0; i < 3; i++) {
        list_tensors(&t);
        t.item[0].name = others[i];
        write_tensors(&t);
        reads(ctx, NULL, true, shared->val, others[i]);
        add_item(&t, others[(i + 1) % 3], shared, shared->val);
        write_tensors(&t);
        reads(ctx, NULL, true, shared->val, others[i]);
        t.item[t.count - 1].data = other;
        write_tensors(&t);
        refuse(below("lying", ""), "is not the same as", "two embeddings");
    }

    /* A training that went wrong. */
    list_tensors(&t);
    other[3] = NAN;
    t.item[0].data = other;
    write_tensors(&t);
    refuse(below("lying", ""), "tensor \"shared.weight\": number 3 is not finite", "a NaN");
    other[3] = shared->val[3];

    /* What wrappers put before all names. */
    static const char *const prefixes[] = {"_orig_mod.", "module.", "model.", "module._orig_mod."};
    for (int i = 0; i < 4; i++) {
        list_tensors(&t);
        for (int j = 0; j < t.count; j++) {
            snprintf(names[j], sizeof names[j], "%s%s", prefixes[i], t.item[j].name);
            t.item[j].name = names[j];
        }
        write_tensors(&t);
        reads(ctx, NULL, true, shared->val, prefixes[i]);
    }
    t.item[3].name = "shared.weight2";
    write_tensors(&t);
    refuse(below("lying", ""), "shared.weight", "a prefix that one name lacks");

    /* Heads: of transformers 5, and untied ones. */
    char *unscaled = with_line("\"scale_decoder_outputs\": false,");
    char *untied = with_line("\"tie_word_embeddings\": false,");
    list_tensors(&t);
    write_tensors(&t);
    reads(ctx, unscaled, true, shared->val, "transformers 5, no head");
    spill(below("lying", "config.json"), untied, strlen(untied));
    refuse(below("lying", ""), "lm_head.weight", "untied without a head");
    add_item(&t, "lm_head.weight", shared, shared->val);
    write_tensors(&t);
    reads(ctx, unscaled, true, shared->val, "transformers 5, a copy as head");
    reads(ctx, untied, false, shared->val, "untied, equal");
    t.item[t.count - 1].data = other;
    write_tensors(&t);
    reads(ctx, unscaled, false, other, "transformers 5, its own head");
    reads(ctx, untied, false, other, "untied");

    /* Other files in the place of the weights. */
    static const struct {
        const char *bytes, *expected;
    } wrong[] = {
        {"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 66368\n", "Git LFS"},
        {"PK\003\004 archive/data.pkl", "zip archive"},
        {"\037\213\010 and so on", "gzip"},
        {"<!DOCTYPE html>", "web page"},
        {"\200\002\212\nl\374\234F\371 j", "pickle"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        spill(below("lying", "model.safetensors"), wrong[i].bytes, strlen(wrong[i].bytes));
        refuse(below("lying", ""), wrong[i].expected, wrong[i].expected);
    }
    unlink(below("lying", "model.safetensors"));
    refuse(below("lying", ""), "cannot open", "no weights");
    static const char *const beside[] = {"tf_model.h5", "pytorch_model.bin",
                                         "pytorch_model.bin.index.json"};
    for (int i = 0; i < 3; i++) {
        spill(below("lying", beside[i]), "x", 1);
        refuse(below("lying", ""), beside[i], beside[i]);
        unlink(below("lying", beside[i]));
    }
    free(unscaled);
    free(untied);
    free(other);
    t5_model_free(t.model);
    tensor_context_free(ctx);
}

/* The same weights in two shards are the same model, and an index that is not true of its files is refused. */
static void weights_in_shards(void)
{
    tensor_context *ctx = tensor_context_new();
    base_error error;
    write_good(below("sharded", ""));
    tensors t = {.model = t5_folder_read(ctx, below("sharded", ""), false, NULL, &error)};
    CHECK(t.model, "%s", error.text);
    list_tensors(&t);
    int half = t.count / 2;
    base_text map = {0};
    base_text_print(&map, "{\"metadata\": {}, \"weight_map\": {");
    for (int i = 0; i < t.count; i++)
        base_text_print(&map, "%s\"%s\": \"%s.safetensors\"", i ? ", " : "", t.item[i].name,
                        i < half ? "a" : "b");
    size_t end = map.length;
    base_text_print(&map, "}}");
    CHECK(
        nn_safetensors_write(below("sharded", "a.safetensors"), t.item, half, NULL, NULL, &error) &&
            nn_safetensors_write(below("sharded", "b.safetensors"), t.item + half, t.count - half,
                                 NULL, NULL, &error),
        "%s", error.text);
    unlink(below("sharded", "model.safetensors"));
    const char *index = below("sharded", "model.safetensors.index.json");
    spill(index, map.data, map.length);
    t5_model *read = t5_folder_read(ctx, below("sharded", ""), false, NULL, &error);
    CHECK(read, "%s", error.text);
    if (read)
        CHECK(same_weights(read, t.model), "the weights differ");
    t5_model_free(read);

    static const struct {
        const char *more, *expected;
    } lies[] = {{", \"x\": \"a.safetensors\"}}", "tensor \"x\" is not in a.safetensors"},
                {", \"x\": \"../a.safetensors\"}}", "expected the name of a file beside it"},
                {", \"x\": \"c.safetensors\"}}", "c.safetensors"},
                {", \"x\": 1}}", "expected the name of a file"},
                {"", "expected"}};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        map.length = end;
        base_text_print(&map, "%s", lies[i].more);
        spill(index, map.data, map.length);
        refuse(below("sharded", ""), lies[i].expected, lies[i].more);
    }
    spill(index, "{\"weight_map\": {}}", 18);
    refuse(below("sharded", ""), "expected an object \"weight_map\"", "an empty index");
    /* One tensor is in both files. */
    map.length = end;
    base_text_print(&map, "}}");
    spill(index, map.data, map.length);
    CHECK(nn_safetensors_write(below("sharded", "b.safetensors"), t.item + half - 1,
                               t.count - half + 1, NULL, NULL, &error),
          "%s", error.text);
    refuse(below("sharded", ""), "tensors, its files have", "a tensor twice");
    base_text_free(&map);
    t5_model_free(t.model);
    tensor_context_free(ctx);
}

/* What transformers reads beside the three files says what they say. */
static void files_beside_the_model(void)
{
    write_good(below("beside", ""));
    static const char *const wanted[][3] = {
        {"tokenizer_config.json", "\"tokenizer_class\": \"PreTrainedTokenizerFast\"",
         "\"eos_token\": \"</s>\""},
        {"generation_config.json", "\"decoder_start_token_id\": 0", "\"eos_token_id\": 1"},
        {"README.md", "---\nlibrary_name: transformers\n", "width 4,"}};
    for (int i = 0; i < 3; i++) {
        size_t size;
        char *text = slurp(below("beside", wanted[i][0]), &size);
        CHECK(strstr(text, wanted[i][1]) && strstr(text, wanted[i][2]), "%s: %s", wanted[i][0],
              text);
        base_json *json = i < 2 ? base_json_parse(text, size, wanted[i][0], NULL) : NULL;
        CHECK(i == 2 || json, "%s: %s", wanted[i][0], text);
        base_json_free(json);
        free(text);
    }
}

/* A configuration that asks for a terabyte is refused by what the file has, not by the machine. */
static void configurations_that_lie(void)
{
    write_good(below("greedy", ""));
    t5_config c = folder_config();
    base_text text = {0};
    c.d_model = 1 << 20;
    c.d_ff = 1 << 18;
    t5_config_print(&c, &text);
    spill(below("greedy", "config.json"), text.data, text.length);
    refuse(below("greedy", ""), "config.json asks for", "a terabyte");

    base_text_clear(&text);
    c = folder_config();
    c.d_model = 4;
    c.vocab_size = 260;
    t5_config_print(&c, &text);
    spill(below("greedy", "config.json"), text.data, text.length);
    refuse(below("greedy", ""), "tokens", "a tokenizer of 270 tokens for a model of 260");
    base_text_free(&text);
}

static void places_that_cannot_be_written(void)
{
    tensor_context *ctx = tensor_context_new();
    t5_config c = folder_config();
    base_error error = {""};
    t5_model *model = test_t5_model(ctx, &c, false, 1);
    spill(below("file", ""), "x", 1);
    CHECK(!t5_folder_write(model, NULL, below("file", "model"), NULL, &error) && *error.text,
          "a folder in a file");
    CHECK(mkdir(below("taken", ""), 0777) == 0 && mkdir(below("taken", files[1]), 0777) == 0,
          "no folders");
    error.text[0] = '\0';
    CHECK(!t5_folder_write(model, NULL, below("taken", ""), NULL, &error) &&
              strstr(error.text, files[1]),
          "a folder in the file's place: %s", error.text);
    t5_model_free(model);
    tensor_context_free(ctx);
}

/* A folder and what is in it, two deep at most. */
static void remove_all(const char *path)
{
    DIR *folder = opendir(path);
    for (const struct dirent *file; folder && (file = readdir(folder)) != NULL;) {
        char inner[600];
        if (strcmp(file->d_name, ".") == 0 || strcmp(file->d_name, "..") == 0)
            continue;
        snprintf(inner, sizeof inner, "%s/%.256s", path, file->d_name);
        if (remove(inner) != 0)
            remove_all(inner);
    }
    if (folder)
        closedir(folder);
    remove(path);
}

int main(void)
{
    if (!mkdtemp(scratch)) {
        perror(scratch);
        return 1;
    }
    written_and_read_back();
    hugging_face_folders();
    cut_short();
    bytes_changed();
    weights_that_lie();
    names_and_heads_of_others();
    weights_in_shards();
    files_beside_the_model();
    configurations_that_lie();
    places_that_cannot_be_written();
    remove_all(scratch);
    return test_end();
}
