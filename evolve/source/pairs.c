/* train.c -- the default train(): batches of pairs in order, one optimizer, one schedule. */
#include "evolve/source/pairs.h"
#include "nn/safetensors.h"
#include "evolve/task.h"
#include "evolve/config.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENIZER_PAIRS = 1024, MOST_KEPT = 16384 };

/* The sources alone, one after another in `text`, and where each begins. */
static bool print_sources(const evolve_settings *settings, base_text *text,
                          const char *source[TOKENIZER_PAIRS])
{
    mutation_mutator mutator = evolve_mutator(settings);
    size_t start[TOKENIZER_PAIRS];
    for (uint64_t i = 0; i < TOKENIZER_PAIRS; i++) {
        mutation_drawn pair = mutator.kind->pair(&mutator, evolve_data_seed(settings), i);
        start[i] = text->length;
        mutator.kind->print(&mutator, &pair.source, text);
        base_text_add(text, "", 1);
    }
    for (size_t i = 0; i < TOKENIZER_PAIRS && !text->failed; i++)
        source[i] = text->data + start[i];
    return !text->failed;
}

t5_tokenizer *source_tokenizer(const evolve_settings *settings, base_error *error)
{
    base_text text = {0};
    const char *source[TOKENIZER_PAIRS];
    t5_tokenizer *tokenizer = NULL;
    if (print_sources(settings, &text, source))
        tokenizer = t5_tokenizer_train(source, TOKENIZER_PAIRS, (int)settings->vocabulary, error);
    else
        base_fail(error, "no memory for the tokenizer's %d sources", (int)TOKENIZER_PAIRS);
    base_text_free(&text);
    return tokenizer;
}

struct source_pairs {
    const t5_tokenizer *tokenizer;
    mutation_mutator mutator;
    uint64_t seed, first;
    uint64_t keeps; /* pairs from `first` on, whose tokens are kept once they have been made */
    t5_batch kept;  /* those that have been */
    base_text text;
    int source[T5_MOST_SOURCE], refined[T5_MOST_SOURCE];
};

source_pairs *source_pairs_new(const evolve_settings *settings, const t5_tokenizer *tokenizer,
                               base_error *error)
{
    source_pairs *pairs = calloc(1, sizeof *pairs);
    if (!pairs) {
        base_fail(error, "pairs: no memory");
        return NULL;
    }
    pairs->tokenizer = tokenizer;
    pairs->mutator = evolve_mutator(settings);
    pairs->seed = evolve_data_seed(settings);
    pairs->first = (uint64_t)settings->first_pair;
    pairs->keeps = settings->few_shot < MOST_KEPT ? (uint64_t)settings->few_shot : MOST_KEPT;
    return pairs;
}

void source_pairs_free(source_pairs *pairs)
{
    if (!pairs)
        return;
    base_text_free(&pairs->text);
    t5_batch_free(&pairs->kept);
    free(pairs);
}

static int tokens_of(source_pairs *pairs, const mutation_form *form, int *ids)
{
    base_text_clear(&pairs->text);
    pairs->mutator.kind->print(&pairs->mutator, form, &pairs->text);
    if (pairs->text.failed)
        return T5_MOST_SOURCE + 1;
    return t5_tokenize(pairs->tokenizer, pairs->text.data, pairs->text.length, ids, T5_MOST_SOURCE);
}

static bool make_pair(source_pairs *pairs, uint64_t index, t5_batch *batch, mutation_drawn *pair,
                      base_error *error)
{
    mutation_drawn drawn = pairs->mutator.kind->pair(&pairs->mutator, pairs->seed, index);
    int sources = tokens_of(pairs, &drawn.source, pairs->source);
    int labels = tokens_of(pairs, &drawn.refined, pairs->refined);
    if (sources > T5_MOST_SOURCE || labels > T5_MOST_SOURCE ||
        !t5_batch_add(batch, pairs->source, sources, pairs->refined, labels))
        return base_fail(error, "pair %llu: no memory", (unsigned long long)index);
    if (pair)
        *pair = drawn;
    return true;
}

bool source_pairs_add(source_pairs *pairs, uint64_t index, t5_batch *batch, mutation_drawn *pair,
                      base_error *error)
{
    uint64_t offset = index - pairs->first;
    if (index < pairs->first || offset >= pairs->keeps || pair)
        return make_pair(pairs, index, batch, pair, error);
    t5_batch *kept = &pairs->kept;
    while ((uint64_t)kept->count <= offset)
        if (!make_pair(pairs, pairs->first + (uint64_t)kept->count, kept, NULL, error))
            return false;
    const tensor_span *source = &kept->source[offset], *target = &kept->target[offset];
    return t5_batch_add(batch, kept->source_ids + source->start, source->rows,
                        kept->target_ids + target->start, target->rows) ||
           base_fail(error, "pair %llu: no memory", (unsigned long long)index);
}

struct source_training {
    t5_model *model;
    tensor_context *ctx;
    source_pairs *pairs;
    source_plan plan;
    int64_t batch;
    double clip;
    float smoothing;
    nn_schedule schedule;
    nn_optimizer *optimizer;
    t5_batch data;
    uint32_t *order; /* of the pairs in the epoch under way; NULL for one epoch: in order */
    int64_t ordered_epoch;
    int64_t steps, done;
    float *losses; /* mean a token, one a step */
    double *sums;  /* sum of the step's token losses, and how many tokens, two a step */
    int64_t flops;
    int *lengths;    /* of the batch's sources and targets, room for 2 * batch */
    float *row_loss; /* of the batch's labels */
    int row_capacity;
};

source_training *source_training_new(t5_model *model, source_pairs *pairs,
                                     const evolve_settings *settings, const source_plan *plan,
                                     base_error *error)
{
    if (plan->epochs > 1 && plan->count > UINT32_MAX) {
        base_fail(error, "training: %lld pairs: expected fewer than 2^32 where epochs are shuffled",
                  (long long)plan->count);
        return NULL;
    }
    source_training *t = calloc(1, sizeof *t);
    int64_t steps_an_epoch = (plan->count + settings->batch - 1) / settings->batch;
    int64_t steps = steps_an_epoch * plan->epochs;
    nn_optimizer_config config = evolve_optimizer(settings);
    if (t) {
        t->model = model;
        t->ctx = nn_params_tensor(t5_model_params(model), 0)->ctx;
        t->pairs = pairs;
        t->plan = *plan;
        t->batch = settings->batch;
        t->clip = settings->clip;
        t->smoothing = (float)settings->smoothing;
        t->schedule = evolve_schedule(settings, steps);
        t->steps = steps;
        t->losses = calloc((size_t)steps, sizeof *t->losses);
        t->sums = calloc((size_t)steps, 2 * sizeof *t->sums);
        t->lengths = calloc((size_t)t->batch, 2 * sizeof *t->lengths);
        t->ordered_epoch = -1;
        if (plan->epochs > 1)
            t->order = calloc((size_t)plan->count, sizeof *t->order);
        t->optimizer = nn_optimizer_new(t5_model_params(model), &config, error);
    }
    if (!t || !t->losses || !t->sums || !t->lengths || (plan->epochs > 1 && !t->order) ||
        !t->optimizer) {
        base_fail(error, "training: no memory for %lld steps", (long long)steps);
        source_training_free(t);
        return NULL;
    }
    t5_model_init(model, plan->seed);
    return t;
}

void source_training_free(source_training *t)
{
    if (!t)
        return;
    if (t->optimizer)
        nn_optimizer_free(t->optimizer);
    t5_batch_free(&t->data);
    free(t->order);
    free(t->losses);
    free(t->sums);
    free(t->lengths);
    free(t->row_loss);
    free(t);
}

int64_t source_training_steps(const source_training *t)
{
    return t->steps;
}

int64_t source_training_done(const source_training *t)
{
    return t->done;
}

const float *source_training_losses(const source_training *t)
{
    return t->losses;
}

/* Fisher and Yates; epoch 0 is in order: its pairs are independent draws already. */
static void put_in_order(source_training *t, int64_t epoch)
{
    for (int64_t i = 0; i < t->plan.count; i++)
        t->order[i] = (uint32_t)i;
    base_random r = {t->plan.seed, base_random_stream("shuffle", (uint64_t)epoch, 0, 0), 0};
    for (int64_t i = t->plan.count - 1; epoch > 0 && i > 0; i--) {
        uint32_t j = base_random_below(&r, (uint32_t)i + 1);
        uint32_t swap = t->order[i];
        t->order[i] = t->order[j];
        t->order[j] = swap;
    }
    t->ordered_epoch = epoch;
}

static bool fill_batch(source_training *t, base_error *error)
{
    int64_t steps_an_epoch = t->steps / t->plan.epochs;
    int64_t epoch = t->done / steps_an_epoch;
    int64_t first = t->done % steps_an_epoch * t->batch;
    int64_t last = first + t->batch < t->plan.count ? first + t->batch : t->plan.count;
    if (t->order && t->ordered_epoch != epoch)
        put_in_order(t, epoch);
    t5_batch_clear(&t->data);
    for (int64_t i = first; i < last; i++) {
        uint64_t offset = t->order ? t->order[i] : (uint64_t)i;
        if (!source_pairs_add(t->pairs, t->plan.first + offset, &t->data, NULL, error))
            return false;
    }
    if (t->data.target_rows > t->row_capacity) {
        float *more = realloc(t->row_loss, (size_t)t->data.target_capacity * sizeof *more);
        if (!more)
            return base_fail(error, "training: no memory for a batch");
        t->row_loss = more;
        t->row_capacity = t->data.target_capacity;
    }
    return true;
}

static int64_t flops_of_batch(source_training *t)
{
    int *source = t->lengths, *target = t->lengths + t->data.count;
    for (int i = 0; i < t->data.count; i++) {
        source[i] = t->data.source[i].rows;
        target[i] = t->data.target[i].rows;
    }
    return t5_config_step_flops(t5_model_config(t->model), source, target, t->data.count);
}

bool source_training_step(source_training *t, base_error *error)
{
    assert(t->done < t->steps);
    if (!fill_batch(t, error))
        return false;
    nn_params *params = t5_model_params(t->model);
    nn_zero_grad(params);
    uint64_t dropout = base_random_stream("dropout", (uint64_t)t->done, 0, 0);
    tensor_objective objective = {.smoothing = t->smoothing};
    t5_step(t->model, &t->data, &objective, t->plan.seed, dropout, t->row_loss);
    double sum = 0;
    for (int i = 0; i < t->data.target_rows; i++)
        sum += t->row_loss[i];
    t->sums[2 * t->done] = sum;
    t->sums[2 * t->done + 1] = t->data.target_rows;
    t->losses[t->done] = (float)(sum / t->data.target_rows);
    float scale = t->clip > 0 ? nn_clip_scale(nn_grad_norm(params), t->clip) : 1.0f;
    nn_optimizer_step(t->optimizer, nn_schedule_factor(&t->schedule, t->done), scale);
    t->flops += flops_of_batch(t);
    t->done++;
    return true;
}

static double total(const source_training *t, int which)
{
    double sum = 0;
    for (int64_t i = 0; i < t->done; i++)
        sum += t->sums[2 * i + which];
    return sum;
}

source_sum source_training_sum(const source_training *t)
{
    int64_t steps_an_epoch = t->steps / t->plan.epochs;
    int64_t epochs = t->done / steps_an_epoch, rest = t->done % steps_an_epoch * t->batch;
    return (source_sum){.loss = total(t, 0),
                        .tokens = (int64_t)total(t, 1),
                        .pairs = epochs * t->plan.count + rest};
}

double source_training_score(const source_training *t)
{
    source_sum sum = source_training_sum(t);
    return sum.loss / (double)sum.tokens;
}

double source_training_score_pair(const source_training *t)
{
    source_sum sum = source_training_sum(t);
    return sum.loss / (double)sum.pairs;
}

int64_t source_training_flops(const source_training *t)
{
    return t->flops;
}

size_t source_training_bytes(const source_training *t)
{
    size_t state, parameters = nn_params_size(t5_model_params(t->model));
    nn_optimizer_state(t->optimizer, &state);
    return (2 * parameters + state) * sizeof(float) + tensor_step_peak(t->ctx);
}

/* A training's file: every parameter under its name, the optimizer's state, the losses so far as
 * sums and token counts, and the operations so far. A double is stored as the nearest float, the
 * float nearest to the rest, and the rest of that; an integer by 21 bits at a time. */
static void split(double x, float parts[3])
{
    for (int i = 0; i < 3; i++) {
        parts[i] = (float)x;
        x -= (double)parts[i];
    }
}

static double join(const nn_safetensors_entry *entry, size_t first)
{
    double x = 0;
    for (size_t i = 3; i-- > 0;)
        x += (double)nn_safetensors_float(entry, first + i);
    return x;
}

bool source_training_save(const source_training *t, const char *path, char hash[BASE_HASH_TEXT],
                          base_error *error)
{
    const nn_params *params = t5_model_params(t->model);
    int count = nn_params_count(params);
    nn_safetensors_item *items = calloc((size_t)count + 3, sizeof *items);
    float flops[3], *sums = calloc((size_t)t->done * 6 + 1, sizeof *sums);
    if (!items || !sums) {
        free(items);
        free(sums);
        return base_fail(error, "%s: no memory", path);
    }
    for (int i = 0; i < count; i++) {
        const tensor *p = nn_params_tensor(params, i);
        items[i] = (nn_safetensors_item){
            .name = nn_params_name(params, i), .rank = p->rank, .data = p->val};
        for (int k = 0; k < p->rank; k++)
            items[i].shape[k] = p->dim[k];
    }
    size_t state_size;
    const float *state = nn_optimizer_state(t->optimizer, &state_size);
    items[count] = (nn_safetensors_item){
        .name = "optimizer.state", .rank = 1, .shape = {(int64_t)state_size}, .data = state};
    for (int64_t i = 0; i < 2 * t->done; i++)
        split(t->sums[i], &sums[3 * i]);
    items[count + 1] = (nn_safetensors_item){
        .name = "training.sums", .rank = 2, .shape = {t->done, 6}, .data = sums};
    for (int i = 0; i < 3; i++)
        flops[i] = (float)(t->flops >> 21 * i & 0x1fffff);
    items[count + 2] =
        (nn_safetensors_item){.name = "training.flops", .rank = 1, .shape = {3}, .data = flops};
    bool ok = nn_safetensors_write(path, items, count + 3, NULL, hash, error);
    free(items);
    free(sums);
    return ok;
}

static bool is_state(const char *name)
{
    return strcmp(name, "optimizer.state") == 0 || strcmp(name, "training.sums") == 0 ||
           strcmp(name, "training.flops") == 0;
}

static bool restore(source_training *t, const nn_safetensors *file, const char *path,
                    base_error *error)
{
    const nn_safetensors_entry *state = nn_safetensors_find(file, "optimizer.state");
    const nn_safetensors_entry *sums = nn_safetensors_find(file, "training.sums");
    const nn_safetensors_entry *flops = nn_safetensors_find(file, "training.flops");
    size_t state_size;
    float *to = nn_optimizer_state(t->optimizer, &state_size);
    if (!state || !sums || !flops || state->count != state_size || sums->count % 6 != 0 ||
        sums->count / 6 > (size_t)t->steps || flops->count != 3)
        return base_fail(error, "%s: expected the state of a training of this model", path);
    if (!nn_params_load(t5_model_params(t->model), file, path, is_state, error))
        return false;
    for (size_t i = 0; i < state_size; i++)
        to[i] = nn_safetensors_float(state, i);
    t->done = (int64_t)(sums->count / 6);
    for (int64_t i = 0; i < 2 * t->done; i++)
        t->sums[i] = join(sums, (size_t)(3 * i));
    t->flops = 0;
    for (int i = 0; i < 3; i++)
        t->flops |= (int64_t)nn_safetensors_float(flops, (size_t)i) << 21 * i;
    for (int64_t i = 0; i < t->done; i++)
        t->losses[i] = (float)(t->sums[2 * i] / t->sums[2 * i + 1]);
    nn_optimizer_set_steps(t->optimizer, t->done);
    return true;
}

bool source_training_load(source_training *t, const char *path, base_error *error)
{
    nn_safetensors *file = nn_safetensors_read(path, error);
    if (!file)
        return false;
    bool ok = restore(t, file, path, error);
    nn_safetensors_free(file);
    return ok;
}
