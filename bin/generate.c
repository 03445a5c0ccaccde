/* SPDX-License-Identifier: MIT */
/* generate.c -- phoenix generate: refined versions of a source, or what a T5 makes of any text. Version i of
 * a seed is the same however many are asked for, since each is drawn from random numbers of its own. */
#include "base/diff.h"
#include "base/file.h"
#include "base/memory.h"
#include "bin/command.h"
#include "base/number.h"
#include "evolve/source/form.h"
#include "evolve/source/host.h"
#include "t5/t5.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct request {
    const char *operands[2]; /* the model's folder, the source's file */
    const char *source;      /* the text, or the line under way */
    size_t length;
    uint64_t line; /* its number, from 0 */
    int64_t cut;   /* versions of lines that were cut off */
    int64_t count, most, seed, top_k, beams;
    double temperature, top_p;
    bool greedy, diff, lines;
    evolve_form form;  /* of the model's answers, by its folder */
    t5_packed *packed; /* of the model, for many lines; NULL: for one source */
} request;

#define AT(field) offsetof(request, field)
static const evolve_field own[] = {
    {"count", WHOLE(count, 1, 4096), "how many versions"},
    {"max-tokens", WHOLE(most, 1, 4096), "most tokens of a version"},
    {"seed", WHOLE(seed, 0, 1e15), "seed of the sampling"},
    {"temperature", REAL(temperature, 0.01, 100), "temperature of the sampling"},
    {"top-k", WHOLE(top_k, 0, 65536), "only the k likeliest tokens (0: all)"},
    {"top-p", REAL(top_p, 0.001, 1), "only the likeliest tokens that have this share"},
    {"beams", WHOLE(beams, 1, 256), "beam search with so many beams"},
    {"greedy", FLAG(greedy), "the likeliest token each time"},
    {"diff", FLAG(diff), "print only the lines that changed"},
    {"lines", FLAG(lines), "each line is a text of its own: print a line with one version of it"},
    {0},
};

static const command_line command = {
    .usage = "phoenix generate MODEL [SOURCE|-] [options]",
    .about =
        "Prints versions of a source (default: the papers' default source) as the model in "
        "folder\nMODEL (config.json, model.safetensors, tokenizer.json) writes them, or the one in "
        "MODEL/model, or the\none that a run trained last. Of a model of your own pairs (phoenix "
        "train --pairs) the source is any "
        "text.",
    .own = own,
    .run = EVOLVE_OF_THREADS,
    .least_operands = 1,
    .most_operands = 2,
    .takes = FOLDER_T5,
};

/* What a model writes need not be a program, nor end in time; both are said, and it is shown all the
 * same. What is no edit of the source changes nothing in it, and is shown as what it is. */
static void print_sample(request *r, const t5_tokenizer *tokenizer, const t5_sample *sample,
                         int number)
{
    base_text text = {0}, diff = {0};
    bool is_diff = source_form_read(r->form, tokenizer, r->source, r->length, sample, &text) &&
                   r->diff && text.data;
    if (!r->lines)
        base_print_to(stdout, "/* version %d: log-probability %.4f%s */\n", number,
                      sample->log_probability, sample->finished ? "" : ", cut off");
    r->cut += !sample->finished;
    if (is_diff)
        base_diff(r->source, text.data, &diff);
    const base_text *written = is_diff ? &diff : &text;
    base_text shown = {0};
    if (written->data)
        base_text_add_visible(&shown, written->data, written->length);
    if (shown.data)
        fwrite(shown.data, 1, shown.length, stdout);
    if (r->lines || r->form == EVOLVE_PLAIN)
        putchar('\n');
    base_text_free(&text);
    base_text_free(&diff);
    base_text_free(&shown);
}

/* Every sample is drawn from random numbers of its own, so that `count` does not change the first. */
static bool generate(t5_model *model, const t5_tokenizer *tokenizer, request *r, base_error *error)
{
    static int ids[T5_MOST_SOURCE];
    t5_request asked = {.source = ids,
                        .count = (int)r->count,
                        .most = (int)r->most,
                        .sampling = {.greedy = r->greedy,
                                     .temperature = r->temperature,
                                     .top_k = (int)r->top_k,
                                     .top_p = r->top_p,
                                     .beams = (int)r->beams,
                                     .length_penalty = 1},
                        .seed = (uint64_t)r->seed,
                        .stream = base_random_stream("generate", r->line, 0, 0),
                        .packed = r->packed};
    t5_sample *samples = base_calloc((size_t)r->count, sizeof *samples);
    if (!samples)
        return base_fail(error, "no memory");
    bool ok = source_form_tokens(r->form, tokenizer, "", r->source, r->length, ids,
                                 &asked.source_count, error) &&
              t5_generate(model, &asked, samples, error);
    if (ok) {
        for (int i = 0; i < asked.count; i++)
            print_sample(r, tokenizer, &samples[i], i + 1);
        t5_samples_free(samples, asked.count);
    }
    base_free(samples);
    return ok;
}

static bool generate_lines(t5_model *model, const t5_tokenizer *tokenizer, request *r,
                           base_error *error)
{
    const char *at = r->source, *end = at + r->length;
    r->count = 1;
    r->packed = t5_packed_new(model, error);
    bool ok = r->packed;
    for (; ok && base_next_line(&at, end, &r->source, &r->length); r->line++)
        ok = generate(model, tokenizer, r, error);
    t5_packed_free(r->packed);
    fflush(stdout);
    if (ok && r->cut > 0)
        fprintf(stderr, "%lld of %lld versions were cut off at --max-tokens\n", (long long)r->cut,
                (long long)r->line);
    return ok;
}

static bool generate_all(t5_model *model, const t5_tokenizer *tokenizer, request *r,
                         base_error *error)
{
    if (r->form == EVOLVE_PLAIN && !r->operands[1])
        return base_fail(error, "%s: is a model of pairs: a text was expected, in a FILE or by -",
                         r->operands[0]);
    if (r->lines)
        return generate_lines(model, tokenizer, r, error);
    r->length = source_form_length(r->form, r->source, r->length);
    return generate(model, tokenizer, r, error);
}

int command_generate(int argc, char **argv)
{
    request r = {.count = 8, .most = 128, .seed = 1, .beams = 1, .temperature = 1, .top_p = 1};
    evolve_options options = {.threads = 1};
    const command_values values = {.own = &r, .run = &options, .operands = r.operands};
    int code = command_read(&command, &values, argc, argv);
    if (code >= 0)
        return code;
    static const char *const of_sampling[] = {"temperature", "top-k", "top-p", "beams"};
    for (size_t i = 0; i < sizeof of_sampling / sizeof *of_sampling; i++)
        if ((r.greedy || (r.beams > 1 && i < 3)) &&
            command_has(&command, argc, argv, of_sampling[i]))
            return complain(EXIT_USAGE, "--%s: would change nothing beside --%s: nothing is drawn",
                            of_sampling[i], r.greedy ? "greedy" : "beams");
    base_error error;
    char *text = r.operands[1] ? read_source(r.operands[1], &r.length, &error) : NULL;
    if (r.operands[1] && !text)
        return complain(EXIT_FAILED, "%s", error.text);
    base_text default_source = {0};
    source_default_source(&default_source);
    r.source = text ? text : default_source.data;
    r.length = text ? r.length : default_source.length;
    char *folder = model_folder(r.operands[0]);
    bool ok = folder || base_fail(&error, "no memory");
    tensor_context *ctx = ok ? tensor_context_open((int)options.threads, &error) : NULL;
    t5_tokenizer *tokenizer = NULL;
    t5_model *model = ctx ? t5_folder_read(ctx, folder, false, &tokenizer, &error) : NULL;
    ok = model && source_form_load(&r.form, folder, &error) &&
         generate_all(model, tokenizer, &r, &error);
    t5_model_free(model);
    t5_tokenizer_free(tokenizer);
    tensor_context_free(ctx);
    base_text_free(&default_source);
    base_free(folder);
    base_free(text);
    return ok ? EXIT_DONE : complain(EXIT_FAILED, "%s", error.text);
}
