/* export.c -- phoenix export: a trained network as one C file and its header. */
#include "base/file.h"
#include "bin/command.h"
#include "export/export.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 1024 };

typedef struct request {
    const char *operands[1]; /* the model's folder */
    const char *out, *prefix;
    bool fold;
    char header[LONGEST]; /* out, its ending h */
    char command[4 * LONGEST];
} request;

#define AT(field) offsetof(request, field)
static const evolve_field own[] = {
    {"out", TEXT(out), "the C file that is written; its header beside it (net.c, net.h)"},
    {"prefix", TEXT(prefix), "what its names begin with (net)"},
    {"fold", FLAG(fold), "fold batch norms into the convolutions before them: smaller, other bits"},
    {0},
};

static const command_line command = {
    .usage = "phoenix export MODEL --out FILE.c [options]",
    .about = "Writes the network in folder MODEL as one C99 file and its header, which need no "
             "library: weights\nas constants, a buffer that the caller lends, the same bits as "
             "phoenix predict. MODEL is a run's\nfolder, what phoenix train left, or the folder of "
             "network.json itself.",
    .own = own,
    .least_operands = 1,
    .most_operands = 1,
};

static bool write_text(const char *path, const base_text *text, base_error *error)
{
    const base_bytes part = {text->data, text->length};
    return base_file_write(path, &part, 1, NULL, error);
}

static bool write_model(const request *r, const vision_model *model, base_error *error)
{
    const char *slash = strrchr(r->header, '/');
    const export_options options = {.prefix = r->prefix,
                                    .header = slash ? slash + 1 : r->header,
                                    .command = r->command,
                                    .fold = r->fold};
    base_text source = {0}, header = {0};
    export_cost cost;
    bool ok = export_network(model, &options, &source, &header, &cost, error) &&
              write_text(r->header, &header, error) && write_text(r->out, &source, error);
    if (ok)
        printf("%s, %s: %zu bytes of weights, a buffer of %zu bytes, %lld multiply-adds an image\n",
               r->out, r->header, cost.flash, cost.ram, (long long)cost.multiply_adds);
    base_text_free(&source);
    base_text_free(&header);
    return ok;
}

static bool export_folder(const request *r, base_error *error)
{
    vision_model model;
    tensor_context *ctx = tensor_context_open(1, error);
    bool ok = ctx && vision_model_load(&model, ctx, r->operands[0], error);
    if (ok) {
        ok = write_model(r, &model, error);
        vision_model_free(&model);
    }
    tensor_context_free(ctx);
    return ok;
}

static void note_command(request *r, int argc, char **argv)
{
    size_t used = (size_t)snprintf(r->command, sizeof r->command, "phoenix");
    for (int i = 0; i < argc && used < sizeof r->command; i++)
        used += (size_t)snprintf(r->command + used, sizeof r->command - used, " %s", argv[i]);
}

int command_export(int argc, char **argv)
{
    static request r = {.prefix = "net"};
    const command_values values = {.own = &r, .operands = r.operands};
    int code = command_read(&command, &values, argc, argv);
    if (code >= 0)
        return code;
    size_t length = r.out ? strlen(r.out) : 0;
    if (length < 3 || length >= LONGEST || strcmp(r.out + length - 2, ".c") != 0)
        return complain(EXIT_USAGE, "--out FILE.c was expected (phoenix export --help says more)");
    memcpy(r.header, r.out, length + 1);
    r.header[length - 1] = 'h';
    note_command(&r, argc, argv);
    base_error error;
    return export_folder(&r, &error) ? EXIT_DONE : complain(EXIT_FAILED, "%s", error.text);
}
