/* SPDX-License-Identifier: MIT */
/* test_verify_t5.c -- bin/vectors/verify_t5.c on copies of a reference case with one thing changed:
 * each change must show, in the line of its name, and nothing else may.
 *
 * That the unchanged cases hold is test_t5_model.c's. */
#include "bin/vectors/verify.h"

#include "base/file.h"
#include "tests/test.h"
#include <dirent.h>
#include <unistd.h>

static char scratch[] = "/tmp/test_bin_verify_t5.XXXXXX", original[1024];

static const char *const files[] = {"config.json", "model.safetensors", "io.safetensors",
                                    "train.json", "generate.json"};
enum { FILES = sizeof files / sizeof *files };

static char *copies[FILES];
static size_t sizes[FILES];

static void write_file(const char *name, const char *bytes, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    FILE *file = fopen(path, "wb");
    bool good = file && fwrite(bytes, 1, size, file) == size;
    CHECK(file && fclose(file) == 0 && good, "%s: not written", path);
}

static void delete_file(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    unlink(path);
}

static bool load_case(void)
{
    const char *path = test_shared("golden/case1-tiny-relu/config.json");
    if (!path)
        return false;
    snprintf(original, sizeof original, "%.*s", (int)(strrchr(path, '/') - path), path);
    for (int i = 0; i < FILES; i++) {
        base_error error;
        char file[1100];
        snprintf(file, sizeof file, "%s/%s", original, files[i]);
        copies[i] = base_file_read(file, 1 << 26, &sizes[i], &error);
        CHECK(copies[i], "%s", error.text);
        if (!copies[i])
            return false;
        write_file(files[i], copies[i], sizes[i]);
    }
    return true;
}

/* ---- Running it ---- */

typedef struct seen {
    int lines, wrong;
    char names[512]; /* of the lines that are not ok, each with a space behind it */
} seen;

static void note(void *user, const verify_line *line)
{
    seen *s = user;
    size_t used = strlen(s->names);
    s->lines++;
    if (line->ok)
        return;
    s->wrong++;
    snprintf(s->names + used, sizeof s->names - used, "%s ", line->name);
}

/* expected: the names of the lines that must not be ok, or what the error must say. */
static void run(const char *what, bool readable, const char *expected)
{
    seen s = {0};
    base_error error = {""};
    bool good = verify_t5_case(scratch, note, &s, &error);
    CHECK(good == readable, "%s: %s", what, good ? "read" : error.text);
    if (readable)
        CHECK(strcmp(s.names, expected) == 0, "%s: not ok: %s", what, s.names);
    else
        CHECK(strstr(error.text, expected), "%s: %s", what, error.text);
}

/* One file with every `from` in it replaced by as long a `to`, or the first alone. */
static void change(int file, const char *from, const char *to, bool all, bool readable,
                   const char *expected)
{
    size_t length = strlen(from), places = 0;
    char *bytes = malloc(sizes[file]);
    memcpy(bytes, copies[file], sizes[file]);
    for (size_t i = 0; i + length <= sizes[file] && (all || places == 0); i++)
        if (memcmp(bytes + i, from, length) == 0) {
            memcpy(bytes + i, to, length);
            places++;
        }
    CHECK(strlen(to) == length && places > 0, "\"%s\" is not in %s", from, files[file]);
    write_file(files[file], bytes, sizes[file]);
    run(to, readable, expected);
    write_file(files[file], copies[file], sizes[file]);
    free(bytes);
}

/* ---- Changes ---- */

enum { CONFIG, WEIGHTS, IO, TRAIN, GENERATE };

static void changed_names(void)
{
    change(IO, "\"logits\"", "\"logitz\"", true, true, "logitz logits ");
    change(IO, "\"loss\"", "\"lose\"", true, true, "lose loss ");
    change(IO, "\"grad.shared.weight\"", "\"grad.sharex.weight\"", true, true,
           "grad.sharex.weight grad.shared.weight ");
    change(IO, "\"decoder_hidden_states.2\"", "\"decoder_hidden_states.3\"", true, true,
           "decoder_hidden_states.3 ");
    change(IO, "\"labels\"", "\"labelz\"", true, false, "labels");
    change(TRAIN, "\"weight_decay\"", "\"weight_decoy\"", false, true, "train.adamw.weight_decoy ");
    change(TRAIN, "\"adamw_clip\"", "\"adamw_clop\"", false, true, "");
    change(TRAIN, "torch.optim.AdamW", "torch.optim.AdamX", false, true, "train.adamw ");
    change(TRAIN, "\"losses\"", "\"louses\"", false, true, "train.adamw.louses ");
    change(TRAIN, "\"final_param_sum\"", "\"final_param_num\"", false, true,
           "train.adamw.final_param_num ");
    change(GENERATE, "\"margins\"", "\"margine\"", false, false, "margins");
}

/* The references are made without dropout, and so is the comparison, whatever the model has. */
static void dropout_is_off(void)
{
    change(CONFIG, "\"dropout_rate\": 0.0", "\"dropout_rate\": 0.9", false, true, "");
}

static void changed_numbers(void)
{
    change(TRAIN, "\"lr\": 0.001", "\"lr\": 0.002", false, true,
           "train.adamw.losses train.adamw.grad_norms train.adamw.final_param_l2 "
           "train.adamw.final_param_sum ");
    change(TRAIN, "1.2789877653121948", "1.2799987653121948", false, true, "train.adamw.losses ");
    change(TRAIN, "56.492636", "56.592636", false, true, "train.adamw.final_param_l2 ");
    change(TRAIN, "\"warmup_init\": false", "\"warmup_init\": true ", false, true,
           "train.adafactor_fixed_lr ");
    change(GENERATE, "-0.8205", "-0.8305", false, true, "generate.logprobs ");
    change(GENERATE, "1.91629", "1.92629", false, true, "generate.margins ");
    change(GENERATE, "true", "null", false, true, "generate.finished ");
    change(GENERATE, "\"pad_token_id\": 0", "\"pad_token_id\": 3", false, false, "pad_token_id");
    change(GENERATE, "\"max_new_tokens\": 20", "\"max_new_tokens\": 05", false, false, "expected");
    change(CONFIG, "\"num_heads\": 4", "\"num_heads\": 8", false, false, "model.safetensors");
}

/* Bytes of a tensor's data, found by its offset in the header. */
static void change_data(const char *name, size_t element, const void *value, size_t size,
                        bool readable, const char *expected)
{
    char *bytes = malloc(sizes[IO] + 1), key[64];
    memcpy(bytes, copies[IO], sizes[IO]);
    bytes[sizes[IO]] = '\0';
    size_t header = 0;
    for (int i = 7; i >= 0; i--)
        header = header << 8 | (unsigned char)bytes[i];
    snprintf(key, sizeof key, "\"%s\":{", name);
    const char *entry = strstr(bytes + 8, key);
    const char *offsets = entry ? strstr(entry, "\"data_offsets\":[") : NULL;
    CHECK(offsets, "no %s", name);
    if (offsets) {
        size_t start = (size_t)strtoul(offsets + strlen("\"data_offsets\":["), NULL, 10);
        memcpy(bytes + 8 + header + start + element * size, value, size);
        write_file(files[IO], bytes, sizes[IO]);
        run(name, readable, expected);
        write_file(files[IO], copies[IO], sizes[IO]);
    }
    free(bytes);
}

static void changed_data(void)
{
    static const unsigned char nan[4] = {0, 0, 0xC0, 0x7F}, large[8] = {100}, two[8] = {2},
                               zero[8] = {0},
                               negative[8] = {255, 255, 255, 255, 255, 255, 255, 255};
    change_data("logits", 77, nan, 4, true, "logits ");
    change_data("grad.shared.weight", 9, zero, 4, true, "grad.shared.weight ");
    change_data("encoder_hidden_states.1", 3, nan, 4, true, "encoder_hidden_states.1 ");
    change_data("decoder_input_ids", 0, two, 8, true, "decoder_input_ids ");
    change_data("decoder_input_ids", 0, large, 8, false, "decoder_input_ids");
    change_data("input_ids", 3, large, 8, false, "input_ids");
    change_data("labels", 3, negative, 8, false, "labels");
    change_data("attention_mask", 3, two, 8, false, "attention_mask");
    change_data("attention_mask", 3, zero, 8, false, "attention_mask");
}

static void changed_folders(void)
{
    write_file("beams.json", "{}", 2);
    run("a file more", true, "beams.json ");
    delete_file("beams.json");
    static const char *const expected[FILES] = {NULL, NULL, NULL, "train.json ", "generate.json "};
    for (int i = 0; i < FILES; i++) {
        delete_file(files[i]);
        run(files[i], expected[i] != NULL, expected[i] ? expected[i] : files[i]);
        write_file(files[i], copies[i], sizes[i] / 2);
        run(files[i], false, files[i]);
        write_file(files[i], copies[i], sizes[i]);
    }
    run("nothing", true, "");
}

static void buckets(const char *text, bool readable, const char *expected)
{
    seen s = {0};
    char path[128];
    base_error error = {""};
    snprintf(path, sizeof path, "%s/buckets", scratch);
    write_file("buckets", text, strlen(text));
    bool good = verify_buckets(path, note, &s, &error);
    CHECK(good == readable, "%s: %s", text, good ? "read" : error.text);
    CHECK(readable ? strcmp(s.names, expected) == 0 : strstr(error.text, expected) != NULL,
          "%s: %s%s", text, s.names, error.text);
    delete_file("buckets");
}

#define TABLE "\"num_buckets\":32,\"max_distance\":128,\"bidirectional\":false"

static void changed_buckets(void)
{
    buckets("{\"relative_position\":[-3,0],\"tables\":[{" TABLE ",\"buckets\":[3,0]}]}", true, "");
    buckets("{\"relative_position\":[-3,0],\"tables\":[{" TABLE ",\"buckets\":[3,1]}]}", true,
            "buckets 32 to distance 128 ");
    buckets("{\"relative_position\":[-3,0],\"tables\":[{" TABLE ",\"buckets\":[3,0],\"x\":1}]}",
            true, "x ");
    buckets("{\"y\":0,\"relative_position\":[0],\"tables\":[{" TABLE ",\"buckets\":[0]}]}", true,
            "y ");
    buckets("{\"relative_position\":[-3],\"tables\":[{" TABLE ",\"buckets\":[3,0]}]}", false,
            "as many");
    buckets("{\"relative_position\":[-3.5],\"tables\":[{" TABLE ",\"buckets\":[3]}]}", false,
            "relative_position");
    buckets("{\"relative_position\":[1],\"tables\":[{\"num_buckets\":2}]}", false, "num_buckets");
    buckets("{\"relative_position\":[1],\"tables\":[[1]]}", false, "num_buckets");
    buckets("{\"relative_position\":[],\"tables\":[]}", false, "lists");
    buckets("[]", false, "lists");
}

int main(void)
{
    if (!mkdtemp(scratch)) {
        perror(scratch);
        return 1;
    }
    if (load_case()) {
        changed_names();
        changed_numbers();
        dropout_is_off();
        changed_data();
        changed_folders();
    } else {
        SKIP("golden/case1-tiny-relu is not there");
    }
    changed_buckets();
    for (int i = 0; i < FILES; i++) {
        delete_file(files[i]);
        free(copies[i]);
    }
    rmdir(scratch);
    return test_end();
}
