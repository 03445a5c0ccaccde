/* SPDX-License-Identifier: MIT */
/* test_trace.c -- what `phoenix trace` prints is what the library computes: the head's weights and output,
 * the losses, the gradient, the update; the same bytes each time, and 80 columns. */
#include "base/number.h"
#include "evolve/config.h"
#include "evolve/source/pairs.h"
#include "tensor/tensor.h"
#include "tests/bin/test_phoenix.h"
#include "tests/evolve/test_evolve_command.h"
#include <math.h>

static char *run(const char *arguments) { return phoenix_says(scratch, BOTH, 0, arguments); }

/* The numbers behind a word that begins a line, at most `most` of them; their count. */
static int numbers(const char *text, const char *word, double *value, int most)
{
    const char *at = strstr(text, word);
    int count = 0;
    if (!at)
        return 0;
    at += strlen(word);
    for (; count < most && *at && *at != '\n';) {
        char *end;
        value[count] = base_read_number(at, &end);
        count += end != at;
        at = end != at ? end : at + 1;
    }
    return count;
}

static void it_fits_and_is_the_same(void)
{
    static const char *const asked[] = {
        "trace", "trace --preset self-programming --d-model 64", "trace --pair 3 --task digits",
        "trace --scope all --pair 2 --optimizer adafactor --smoothing 0.1"};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        char *one = run(asked[i]), *two = run(asked[i]);
        size_t widest = 0;
        for (const char *line = one; *line; line += strcspn(line, "\n"), line += *line == '\n')
            widest = strcspn(line, "\n") > widest ? strcspn(line, "\n") : widest;
        CHECK(strcmp(one, two) == 0, "%s: another text", asked[i]);
        CHECK(widest <= 80, "%s: %zu columns", asked[i], widest);
        free(one);
        free(two);
    }
}

/* The mean of the labels' losses is the loss; a loss is -log of the probability beside it. */
static void losses_add_up(const char *text)
{
    double sum = 0, mean[1] = {0}, of[2];
    int count = 0;
    for (const char *at = strstr(text, "\n  label "); at;
         at = strstr(at + 1, "\n  label "), count++) {
        const char *quote =
            strchr(at + 10, '\''); /* of a token without a quote in it, or a line feed */
        CHECK(numbers(strchr(quote + 1, '\''), "'", of, 2) == 2 && fabs(-log(of[0]) - of[1]) < 2e-3,
              "label %d: %g %g", count, of[0], of[1]);
        sum += of[1];
    }
    CHECK(count > 3 && numbers(text, "\n  mean", mean, 1) && fabs(sum / count - mean[0]) < 1e-4,
          "%d labels: %g, %g", count, sum / count, mean[0]);
}

/* Where nothing is clipped off, the two ways to a slope differ by the loss's curvature over 1/128 and by the
 * rounding of two floats of about 8, 5e-7 each, over 1/64. */
static void gradient_is_a_slope(const char *arguments)
{
    double chain[1] = {0}, tried[1] = {1};
    char *text = run(arguments);
    CHECK(numbers(text, "by the chain rule", chain, 1) && numbers(text, "by trying", tried, 1) &&
              fabs(chain[0] - tried[0]) < 0.02 * fabs(chain[0]) + 1e-4 && fabs(chain[0]) > 1e-3,
          "%s: %g, %g", arguments, chain[0], tried[0]);
    losses_add_up(text);
    free(text);
}

/* Step 1 of AdamW moves each weight by the rate, times the parameter's root mean square where it is scaled,
 * against the gradient's sign; and decays it. */
static void update_is_the_optimizers(void)
{
    double slope[1] = {0}, rms[1] = {0}, weight[3] = {0};
    char *text = run("trace --weight-decay 0 --clip 0");
    CHECK(numbers(text, "by the chain rule", slope, 1) &&
              numbers(text, "root mean square", rms, 1) &&
              numbers(text, "the weight", weight, 2) == 2 &&
              fabs(weight[1] - weight[0] + copysign(0.02 * rms[0], slope[0])) < 2e-6,
          "%g %g %g %g", slope[0], rms[0], weight[0], weight[1]);
    free(text);
}

/* The head's output is that of tensor_attention, in the model of a folder. */
static void attention_is_the_librarys(void)
{
    base_error error = {""};
    evolve_settings settings = {0};
    free(run("train --out m --samples 8 --d-model 32 --held-out 1 --fidelity 0 --quiet"));
    char *text = run("trace m --head 3 --row 9 --pair 11");
    double shown[4] = {0};
    tensor_context *ctx = tensor_context_new();
    t5_tokenizer *tokenizer = NULL;
    t5_model *model = t5_folder_read(ctx, at("m/model"), false, &tokenizer, &error);
    CHECK(model && evolve_settings_preset(&settings, "quick", &error), "%s", error.text);
    if (!model)
        return;
    source_pairs *pairs = source_pairs_new(&settings, tokenizer, &error);
    t5_batch batch = {0};
    CHECK(pairs && source_pairs_add(pairs, 11, &batch, NULL, &error), "%s", error.text);
    const nn_params *params = t5_model_params(model);
    const char *names[] = {"layer_norm", "SelfAttention.q", "SelfAttention.k", "SelfAttention.v",
                           "SelfAttention.relative_attention_bias"};
    tensor *p[5], *x = tensor_embedding(nn_params_find(params, "shared.weight"), batch.source_ids,
                                        batch.source_rows);
    for (int i = 0; i < 5; i++) {
        char name[120];
        snprintf(name, sizeof name, "encoder.block.0.layer.0.%s.weight", names[i]);
        p[i] = nn_params_find(params, name);
    }
    int R = batch.source_rows, ids[2 * T5_MOST_SOURCE];
    for (int i = 0; i < 2 * R - 1; i++)
        ids[i] = t5_relative_bucket(i - (R - 1), true, 32, 128);
    tensor_set_grad(ctx, false);
    x = tensor_rmsnorm(x, p[0], 1e-6f);
    tensor_attention_task task = {batch.source, batch.source, 1, 8, false, 1};
    const tensor *y = tensor_attention(tensor_linear(x, p[1], NULL), tensor_linear(x, p[2], NULL),
                                       tensor_linear(x, p[3], NULL),
                                       tensor_embedding(p[4], ids, 2 * R - 1), &task);
    /* Shown with four decimals; sums of a float's rounding each over 36 rows are far below that. */
    CHECK(numbers(text, "\noutput", shown, 4) == 4, "%s", text);
    for (int d = 0; d < 4; d++)
        CHECK(fabs(shown[d] - (double)y->val[9 * 32 + 3 * 4 + d]) < 1e-4, "%d: %g, %g", d, shown[d],
              (double)y->val[9 * 32 + 3 * 4 + d]);
    free(text);
    t5_batch_free(&batch);
    source_pairs_free(pairs);
    t5_model_free(model);
    t5_tokenizer_free(tokenizer);
    tensor_context_free(ctx);
}

int main(void)
{
    if (!scratch_for_command())
        return test_end();
    it_fits_and_is_the_same();
    gradient_is_a_slope("trace");
    gradient_is_a_slope("trace --pair 5 --weight shared.weight --element 8800");
    gradient_is_a_slope("trace --seed 3 --weight decoder.block.1.layer.2.DenseReluDense.wo.weight");
    update_is_the_optimizers();
    attention_is_the_librarys();
    remove_all(scratch);
    return test_end();
}
