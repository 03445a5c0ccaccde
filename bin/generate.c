/* generate.c -- phoenix generate: refined versions of a source. */
#include "base/diff.h"
#include "bin/command.h"
#include "base/number.h"
#include "evolve/source/host.h"
#include "t5/t5.h"
#include <stdio.h>
#include <stdlib.h>

typedef struct task {
    const char *source;
    size_t length;
    bool diff;
    t5_request request; /* its source is still to be tokenized */
} task;

static void print_sample(const task *r, const t5_tokenizer *tokenizer, const t5_sample *sample,
                         int number)
{
    base_text text = {0}, diff = {0};
    base_text_add(&text, "", 0);
    t5_detokenize(tokenizer, sample->ids, sample->count, &text);
    base_print_to(stdout, "/* version %d: log-probability %.4f%s */\n", number,
                  sample->log_probability, sample->finished ? "" : ", cut off");
    if (r->diff && text.data)
        base_diff(r->source, text.data, &diff);
    const base_text *shown = r->diff ? &diff : &text;
    if (!shown->failed && shown->data)
        fwrite(shown->data, 1, shown->length, stdout);
    base_text_free(&text);
    base_text_free(&diff);
}

static bool generate(t5_model *model, const t5_tokenizer *tokenizer, const task *r,
                     base_error *error)
{
    static int ids[T5_MOST_SOURCE];
    t5_request request = r->request;
    t5_sample *samples = calloc((size_t)request.count, sizeof *samples);
    if (!samples)
        return base_fail(error, "no memory");
    request.source = ids;
    request.source_count = t5_tokenize(tokenizer, r->source, r->length, ids, T5_MOST_SOURCE);
    bool ok = t5_generate(model, &request, samples, error);
    if (ok) {
        for (int i = 0; i < request.count; i++)
            print_sample(r, tokenizer, &samples[i], i + 1);
        t5_samples_free(samples, request.count);
    }
    free(samples);
    return ok;
}

int command_generate(int argc, char **argv)
{
    const char *operands[2] = {NULL};
    int64_t count = 8, most = 128, seed = 1, top_k = 0, beams = 1, threads = 1;
    double temperature = 1, top_p = 1;
    bool greedy = false, diff = false;
    const option own[] = {
        {"count", OPTION_WHOLE, &count, 1, 4096, "how many versions"},
        {"max-tokens", OPTION_WHOLE, &most, 1, 4096, "of a version"},
        {"seed", OPTION_WHOLE, &seed, 0, 1e15, "of the sampling"},
        {"temperature", OPTION_REAL, &temperature, 0.01, 100, "of the sampling"},
        {"top-k", OPTION_WHOLE, &top_k, 0, 65536, "only the k likeliest tokens (0: all)"},
        {"top-p", OPTION_REAL, &top_p, 0.001, 1, "only the likeliest tokens to this share"},
        {"beams", OPTION_WHOLE, &beams, 1, 256, "beam search with so many beams"},
        {"greedy", OPTION_FLAG, &greedy, 0, 0, "the likeliest token each time"},
        {"diff", OPTION_FLAG, &diff, 0, 0, "print only the lines that changed"},
        {"threads", OPTION_WHOLE, &threads, 1, 64, "threads"},
        {0},
    };
    const options spec = {
        .usage = "phoenix generate MODEL [SOURCE|-] [options]",
        .about = "Prints versions of a source (default: the papers' default source) as the model "
                 "in folder\nMODEL (config.json, model.safetensors, tokenizer.json) writes them.",
        .own = own,
        .operands = operands,
        .least_operands = 1,
        .most_operands = 2,
    };
    int code = options_read(&spec, argc, argv);
    if (code >= 0)
        return code;
    base_error error;
    size_t length = 0;
    char *text = operands[1] ? read_source(operands[1], &length, &error) : NULL;
    if (operands[1] && !text)
        return complain(EXIT_FAILED, "%s", error.text);
    base_text default_source = {0};
    source_default_source(&default_source);
    task r = {.source = text ? text : default_source.data,
              .length = text ? length : default_source.length,
              .diff = diff,
              .request = {.count = (int)count,
                          .most = (int)most,
                          .sampling = {.greedy = greedy,
                                       .temperature = temperature,
                                       .top_k = (int)top_k,
                                       .top_p = top_p,
                                       .beams = (int)beams,
                                       .length_penalty = 1},
                          .seed = (uint64_t)seed,
                          .stream = base_random_stream("generate", 0, 0, 0)}};
    tensor_context *ctx = tensor_context_new();
    t5_tokenizer *tokenizer = NULL;
    t5_model *model = NULL;
    bool ok = ctx || base_fail(&error, "no memory, or PHOENIX_KERNEL names a set that is not here");
    if (ok) {
        tensor_set_threads(ctx, (int)threads);
        model = t5_folder_read(ctx, operands[0], false, &tokenizer, &error);
        ok = model && generate(model, tokenizer, &r, &error);
    }
    t5_model_free(model);
    t5_tokenizer_free(tokenizer);
    tensor_context_free(ctx);
    base_text_free(&default_source);
    free(text);
    return ok ? EXIT_DONE : complain(EXIT_FAILED, "%s", error.text);
}
