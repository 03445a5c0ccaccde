/* SPDX-License-Identifier: MIT */
/* train.c -- training a network for images, the memory that takes, and measuring its accuracy.
 *
 * A step makes all that it needs in the step arena: images, labels, losses, results, the tape.
 * Beside that a training has only the order of the images, a permutation that is drawn anew for
 * each epoch. So steps never call malloc; and as all steps of one batch size take the same memory,
 * one step in a context that plans (shapes and sizes, no arithmetic) tells what the whole training
 * will take (vision_training_bytes).
 *
 * Nothing random has a state: the order is a function of (seed, epoch), an image's flip and shift
 * of (seed, epoch, place), dropout of (seed, epoch, first place of the batch). */
#include "vision/train.h"

#include "base/memory.h"
#include "base/random.h"
#include "tensor/context.h"
#include "vision/batch.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One training, from its plan to its last step. */
typedef struct training {
    vision_network *network;
    const vision_plan *plan;
    tensor_context *ctx;
    vision_pixels pixels;
    nn_schedule schedule;
    nn_optimizer *optimizer;
    int *order; /* of the images in the current epoch; planning: NULL */
    int images;
    int64_t steps, done;
    float *losses;  /* one for each step; NULL: not wanted */
    bool stopped;   /* by the plan's step() */
    float share;    /* of a mixed batch's images, what is their own */
    float *average; /* of the parameters, then of the running statistics; NULL: none */
} training;

/* Steps of one epoch: the last batch holds what is left, and may be smaller. */
static int64_t steps_an_epoch(const vision_plan *plan, int images)
{
    return ((int64_t)images + plan->batch - 1) / plan->batch;
}

int64_t vision_steps(const vision_plan *plan, int images)
{
    return plan->epochs * steps_an_epoch(plan, images);
}

/* ---- a step ---- */

/* A new order, and the epoch's stream for flips and shifts. */
static void begin_epoch(training *t, int64_t epoch)
{
    vision_shuffle(t->order, t->images, t->plan->seed,
                   base_random_stream("order", (uint64_t)epoch, 0, 0));
    t->pixels.draws = (base_random){.seed = t->plan->seed,
                                    .stream = base_random_stream("augment", (uint64_t)epoch, 0, 0)};
}

/* (B,C,H,W) for images, (B,inputs) for rows of a table; values are filled in later. */
static tensor *new_images(const vision_network *network, tensor_context *ctx, int count)
{
    vision_shape s = vision_network_input(network);
    if (s.height == 0)
        return tensor_new(ctx, 2, (const int[]){count, s.channels});
    return tensor_new(ctx, 4, (const int[]){count, s.channels, s.height, s.width});
}

static double mean_of(const float *losses, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += (double)losses[i];
    return sum / count;
}

/* Of one number a row: the mean of (y - target)^2. */
static tensor *squared_error(const training *t, tensor *y, int first, int count, double *loss)
{
    const bool planning = tensor_planning(t->ctx);
    tensor *targets = tensor_new(t->ctx, 2, (const int[]){count, 1});
    if (!planning)
        vision_pixels_targets(&t->pixels, targets->val, count, t->order, first);
    if (!planning && t->plan->mixup > 0)
        vision_mix(targets->val, 1, count, t->share);
    tensor *away = tensor_sub(y, targets);
    tensor *mean = tensor_scale(tensor_sum(tensor_mul(away, away)), 1 / (float)count);
    *loss = planning ? 0 : (double)mean->val[0];
    return mean;
}

/* Of classes: the mean cross-entropy, of mixed images so much of it at their own labels and the rest at their
 * partners'. *loss gets the same without label smoothing (planning: 0). losses: room for count. */
static tensor *entropy(const training *t, tensor *logits, const int *labels, float *losses,
                       int count, double *loss)
{
    const tensor_objective objective = {.smoothing = (float)t->plan->label_smoothing};
    const bool planning = tensor_planning(t->ctx);
    tensor *own = tensor_cross_entropy(logits, labels, &objective, losses);
    *loss = planning ? 0 : mean_of(losses, count);
    if (!(t->plan->mixup > 0))
        return own;
    int *partner = tensor_step_memory(t->ctx, (size_t)count * sizeof *partner);
    for (int i = 0; i < count; i++)
        partner[i] = labels[count - 1 - i];
    const float rest = 1 - t->share;
    tensor *others = tensor_cross_entropy(logits, partner, &objective, losses);
    *loss = planning ? 0 : (double)t->share * *loss + (double)rest * mean_of(losses, count);
    own = tensor_scale(own, t->share);
    return tensor_add(own, tensor_scale(others, rest));
}

/* Mixes the batch, with a share that is drawn for it. */
static void mix(training *t, tensor *images, int64_t epoch, int first)
{
    base_random random = {t->plan->seed,
                          base_random_stream("mixup", (uint64_t)epoch, (uint64_t)first, 0), 0};
    t->share = vision_mixup_share(t->plan->mixup, &random);
    vision_mix(images->val, tensor_size(images) / (size_t)images->dim[0], images->dim[0], t->share);
}

/* The step after `done` others: forward, backward, update. Returns the batch's mean cross-entropy, or squared error,
 * before the update (planning: 0). The loss that is minimised has label smoothing, the one returned
 * has not. */
static double train_step(training *t)
{
    const vision_plan *plan = t->plan;
    nn_params *params = vision_network_params(t->network);
    int64_t a_epoch = steps_an_epoch(plan, t->images), epoch = t->done / a_epoch;
    int first = (int)(t->done % a_epoch) * plan->batch, left = t->images - first;
    int count = left < plan->batch ? left : plan->batch;
    bool planning = tensor_planning(t->ctx);
    if (first == 0 && !planning)
        begin_epoch(t, epoch);

    tensor *images = new_images(t->network, t->ctx, count);
    int *labels = tensor_step_memory(t->ctx, (size_t)count * sizeof *labels);
    float *losses = tensor_step_memory(t->ctx, (size_t)count * sizeof *losses);
    vision_pixels_fill(&t->pixels, images, t->order, first);
    if (planning)
        memset(labels, 0, (size_t)count * sizeof *labels); /* the loss checks their range */
    else if (!t->pixels.part->images->targets)
        vision_pixels_labels(&t->pixels, labels, count, t->order, first);

    if (plan->mixup > 0 && !planning)
        mix(t, images, epoch, first);

    nn_zero_grad(params);
    uint64_t stream = base_random_stream("step", (uint64_t)epoch, (uint64_t)first, 0);
    tensor *logits = vision_forward(t->network, images, true, plan->seed, stream);
    const bool numbers = planning ? logits->dim[1] == 1 : t->pixels.part->images->targets != NULL;
    double loss;
    tensor_backward(numbers ? squared_error(t, logits, first, count, &loss)
                            : entropy(t, logits, labels, losses, count, &loss));
    tensor_step_end(t->ctx);
    nn_optimizer_step(t->optimizer, nn_schedule_factor(&t->schedule, t->done), 1);
    return loss;
}

/* ---- the average ---- */

/* The two blocks that are averaged, and their sizes. */
static void averaged_blocks(const training *t, float *block[2], size_t size[2])
{
    nn_params *params[2] = {vision_network_params(t->network), vision_network_running(t->network)};
    for (int i = 0; i < 2; i++) {
        block[i] = nn_params_values(params[i]);
        size[i] = nn_params_size(params[i]);
    }
}

/* An exponential moving average of the weights, which is what the network has in the end:
 *
 *     a <- a + (1 - d) (w - a),   d = min(average, (1 + n) / (10 + n)) after step n
 *
 * The second term makes early steps weigh more, so that the average soon forgets the first weights. */
static void take_average(training *t)
{
    double n = (double)t->done, early = (1 + n) / (10 + n);
    float *block[2], *a = t->average;
    float share = (float)(1 - (early < t->plan->average ? early : t->plan->average));
    size_t size[2];
    averaged_blocks(t, block, size);
    for (int b = 0; b < 2; b++)
        for (size_t i = 0; i < size[b]; i++, a++)
            *a += share * (block[b][i] - *a);
}

/* The network's values to the average, or back. */
static void copy_average(training *t, bool back)
{
    float *block[2], *a = t->average;
    size_t size[2];
    averaged_blocks(t, block, size);
    for (int b = 0; b < 2; a += size[b++])
        for (size_t i = 0; i < size[b]; i++)
            *(back ? &block[b][i] : &a[i]) = back ? a[i] : block[b][i];
}

/* Floats of the average: 0 where the plan wants none. */
static size_t average_size(const training *t)
{
    float *block[2];
    size_t size[2];
    averaged_blocks(t, block, size);
    return t->plan->average > 0 ? size[0] + size[1] : 0;
}

/* For tensor_guarded. A plan's step() is called when the step's memory has been given back, so it
 * may run the network itself. */
static void all_steps(void *argument)
{
    training *t = argument;
    const vision_plan *plan = t->plan;
    while (t->done < t->steps && !t->stopped) {
        double loss = train_step(t);
        if (t->average)
            take_average(t);
        int64_t step = t->done++;
        if (t->losses)
            t->losses[step] = (float)loss;
        t->stopped = plan->step && !plan->step(plan->user, step, t->steps, loss);
    }
}

/* ---- a training ---- */

static bool check_plan(const vision_plan *plan, int images, base_error *error)
{
    if (images < 1 || plan->epochs < 1 || plan->batch < 1)
        return base_fail(error,
                         "training: %d epochs of %d images, %d at a time: expected at least 1 of "
                         "each",
                         plan->epochs, images, plan->batch);
    if (!(plan->average >= 0 && plan->average < 1))
        return base_fail(error, "training: average is %g, expected at least 0 and below 1",
                         plan->average);
    if (!(plan->mixup >= 0 && plan->mixup <= 1))
        return base_fail(error, "training: mixup is %g, expected 0 to 1", plan->mixup);
    if (plan->shift < 0 || plan->shift > VISION_MAX_SIDE)
        return base_fail(error, "training: shift is %d, expected 0 to %d", plan->shift,
                         (int)VISION_MAX_SIDE);
    return (plan->cut >= 0 && plan->cut <= VISION_MAX_SIDE) ||
           base_fail(error, "training: cut is %d, expected 0 to %d", plan->cut,
                     (int)VISION_MAX_SIDE);
}

/* Sets up all but the order and the pixels, which planning does without. The schedule ends with the
 * last step, whatever `total` the plan has. */
static bool begin(training *t, vision_network *network, const vision_plan *plan, int images,
                  base_error *error)
{
    if (!check_plan(plan, images, error))
        return false;
    nn_params *params = vision_network_params(network);
    *t = (training){.network = network,
                    .plan = plan,
                    .ctx = nn_params_context(params),
                    .schedule = plan->schedule,
                    .images = images,
                    .steps = vision_steps(plan, images)};
    t->schedule.total = t->steps;
    t->optimizer = nn_optimizer_new(params, &plan->optimizer, error);
    return t->optimizer != NULL;
}

static void end(training *t)
{
    nn_optimizer_free(t->optimizer);
    base_free(t->order);
    base_free(t->average);
}

/* A failure within the steps (shapes, the step limit) ends the training with its message; the
 * network then has the weights of the last whole step. */
static bool run(training *t, base_error *error)
{
    char reason[256];
    if (!tensor_guarded(t->ctx, all_steps, t, reason))
        return base_fail(error, "training: step %lld of %lld: %s", (long long)t->done + 1,
                         (long long)t->steps, reason);
    return true;
}

bool vision_train(vision_network *network, const vision_part *part, const vision_normal *normal,
                  const vision_plan *plan, float *losses, int64_t *steps, base_error *error)
{
    training t;
    *steps = 0;
    if (!begin(&t, network, plan, part->count, error))
        return false;
    vision_pixels_begin(&t.pixels, part, normal);
    t.pixels.flip = plan->flip;
    t.pixels.shift = plan->shift;
    t.pixels.cut = plan->cut;
    t.losses = losses;
    t.order = base_malloc((size_t)part->count * sizeof *t.order);
    size_t averaged = average_size(&t);
    if (averaged && (t.average = base_malloc(averaged * sizeof *t.average)))
        copy_average(&t, false);
    bool ok = t.order && (t.average || !averaged)
                  ? run(&t, error)
                  : base_fail(error, "training: no memory for the order of %d images", part->count);
    if (ok && t.average)
        copy_average(&t, true);
    if (t.stopped) {
        if (error)
            error->text[0] = '\0';
        ok = false;
    }
    *steps = t.done;
    end(&t);
    return ok;
}

/* ---- what it takes ---- */

/* Weights, gradients, optimizer state and the step arena at its fullest. */
static size_t bytes_of(const training *t)
{
    size_t state, parameters = nn_params_size(vision_network_params(t->network));
    nn_optimizer_state(t->optimizer, &state);
    return (2 * parameters + state + average_size(t)) * sizeof(float) + tensor_step_peak(t->ctx);
}

/* Runs the first step of an epoch of one full batch, the largest there is, in a context of its own
 * that plans: it has no threads, and its values are never touched. The limit of the arena stops the
 * planning of a network whose step would not fit anyway. */
bool vision_training_bytes(const vision_architecture *net, vision_shape input,
                           const vision_plan *plan, size_t most, size_t *bytes, base_error *error)
{
    const uint64_t weights = 2 * sizeof(float) * (uint64_t)vision_parameters(net);
    if (weights >= most)
        return base_fail(error, "training: weights and gradients take %llu bytes: at most %zu",
                         (unsigned long long)weights, most);
    vision_plan once = *plan;
    once.epochs = 1;
    once.step = NULL;
    training t = {.optimizer = NULL};
    tensor_context *ctx = tensor_context_open(1, error);
    if (!ctx)
        return false;
    tensor_set_planning(ctx, true);
    tensor_set_step_limit(ctx, most);
    vision_network *network = vision_network_new(ctx, net, input, 0, error);
    bool ok = network && begin(&t, network, &once, plan->batch, error) && run(&t, error);
    if (ok) {
        *bytes = bytes_of(&t);
        ok = *bytes <= most ||
             base_fail(error, "training: takes %zu bytes: at most %zu", *bytes, most);
    }
    end(&t);
    vision_network_free(network);
    tensor_context_free(ctx);
    return ok;
}

/* ---- measuring ---- */

typedef struct measuring {
    vision_network *network;
    tensor_context *ctx;
    vision_pixels pixels;
    int batch;
    vision_result
        *result; /* until the end, loss is the sum over the images; NULL: logits are wanted */
    float *logits;
    int no_number; /* the last whose logits are not finite, as those of finite weights may be; -1: none */
} measuring;

/* The class with the largest logit; of equals the first. */
int vision_largest(const float *logits, int classes)
{
    int best = 0;
    for (int i = 1; i < classes; i++)
        if (logits[i] > logits[best])
            best = i;
    return best;
}

/* The logits of images first .. first + count - 1, of the step. */
static tensor *run_batch(const measuring *m, int first, int count)
{
    tensor *images = new_images(m->network, m->ctx, count);
    vision_pixels_fill(&m->pixels, images, NULL, first);
    return vision_forward(m->network, images, false, 0, 0);
}

/* Adds rows first .. first + count - 1 to the sum of (y - target)^2, both normalised. */
static void measure_numbers(const measuring *m, int first, int count)
{
    float *targets = tensor_step_memory(m->ctx, (size_t)count * sizeof *targets);
    vision_pixels_targets(&m->pixels, targets, count, NULL, first);
    const tensor *y = run_batch(m, first, count);
    for (int i = 0; i < count; i++) {
        const double away = (double)y->val[i] - (double)targets[i];
        m->result->loss += away * away;
    }
    tensor_step_end(m->ctx);
}

/* Number i of a part, normalised. */
static double target_of(const vision_pixels *pixels, int i)
{
    float target;
    vision_pixels_targets(pixels, &target, 1, NULL, i);
    return (double)target;
}

/* The variance of a part's numbers, normalised: vision_squares_about_mean() without memory for them. */
static double variance_of(const vision_pixels *pixels)
{
    const int count = pixels->part->count;
    double sum = 0, squares = 0;
    for (int i = 0; i < count; i++)
        sum += target_of(pixels, i);
    for (int i = 0; i < count; i++) {
        const double away = target_of(pixels, i) - sum / count;
        squares += away * away;
    }
    return squares / count;
}

/* Adds images first .. first + count - 1 to the result. */
static void measure_batch(const measuring *m, int first, int count)
{
    vision_result *result = m->result;
    if (m->pixels.part->images->targets) {
        measure_numbers(m, first, count);
        return;
    }
    int *labels = tensor_step_memory(m->ctx, (size_t)count * sizeof *labels);
    float *losses = tensor_step_memory(m->ctx, (size_t)count * sizeof *losses);
    vision_pixels_labels(&m->pixels, labels, count, NULL, first);
    tensor *logits = run_batch(m, first, count);
    tensor_cross_entropy(logits, labels, NULL, losses);
    for (int i = 0; i < count; i++) {
        int classes = logits->dim[1];
        result->loss += (double)losses[i];
        result->right +=
            vision_largest(logits->val + (size_t)i * (size_t)classes, classes) == labels[i];
    }
    tensor_step_end(m->ctx);
}

/* For tensor_guarded. Without gradients: nothing is recorded. The last of several batches takes up to three images
 * more, since less than four alone may be summed in another order (tensor/conv.c). */
static void measure_all(void *argument)
{
    measuring *m = argument;
    tensor_set_grad(m->ctx, false);
    int all = m->pixels.part->count;
    for (int first = 0, count; first < all; first += count) {
        count = all - first;
        if (count >= m->batch + (m->batch >= 4 ? 4 : 0))
            count = m->batch;
        if (m->result) {
            measure_batch(m, first, count);
        } else {
            const tensor *logits = run_batch(m, first, count);
            size_t classes = (size_t)logits->dim[1];
            memcpy(m->logits + (size_t)first * classes, logits->val,
                   (size_t)count * classes * sizeof *m->logits);
            tensor_step_end(m->ctx);
            for (size_t i = 0; i < (size_t)count * classes; i++)
                if (!isfinite(m->logits[(size_t)first * classes + i]))
                    m->no_number = first + (int)(i / classes);
        }
    }
    tensor_set_grad(m->ctx, true);
}

/* All of a part, through measure_all. */
static bool go_through(measuring *m, const vision_part *part, const vision_normal *normal,
                       base_error *error)
{
    char reason[256];
    m->ctx = nn_params_context(vision_network_params(m->network));
    if (part->count < 1 || m->batch < 1)
        return base_fail(error, "measuring: %d images, %d at a time: expected at least 1",
                         part->count, m->batch);
    vision_pixels_begin(&m->pixels, part, normal);
    return tensor_guarded(m->ctx, measure_all, m, reason) ||
           base_fail(error, "measuring: %s", reason);
}

bool vision_classify(vision_network *network, const vision_part *part, const vision_normal *normal,
                     int batch, float *logits, base_error *error)
{
    measuring m = {.network = network, .batch = batch, .logits = logits, .no_number = -1};
    return go_through(&m, part, normal, error) &&
           (m.no_number < 0 ||
            base_fail(error, "the network's answer to number %d is too large for a float",
                      m.no_number));
}

bool vision_measure(vision_network *network, const vision_part *part, const vision_normal *normal,
                    int batch, vision_result *result, base_error *error)
{
    measuring m = {.network = network, .batch = batch, .result = result};
    *result = (vision_result){.count = part->count};
    if (!go_through(&m, part, normal, error))
        return false;
    result->loss /= part->count;
    result->accuracy = (double)result->right / part->count;
    if (part->images->targets) {
        result->variance = variance_of(&m.pixels);
        result->accuracy = vision_explained(result->loss, result->variance);
    }
    return true;
}
