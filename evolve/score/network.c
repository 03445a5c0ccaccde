/* SPDX-License-Identifier: MIT */
/* network.c -- a network's score: what its source builds, trained on a part of the task's images and
 * measured on another.
 *
 * The score is the share of the held-out images that it gets wrong, or of the variance of held-out
 * numbers that it does not explain, so lower is better, as everywhere. The settings may ask for the
 * mean cross-entropy of the training's steps, or of their last quarter, instead; then no image is
 * held out. The run's seed says which images those are, the same for every candidate. Budgets are
 * checked before anything is trained: operations, memory and parameters follow from the list of
 * layers. */
#include "evolve/score/network.h"
#include "base/memory.h"
#include "evolve/task.h"
#include "vision/inherit.h"
#include "vision/model.h"
#include "vision/train.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Images in the batches that measure; any number gives the same sums. */
enum { MEASURED = 64 };

/* The two parts; whole sets are one part each, of which only the first has an order of its own. */
typedef struct parts {
    vision_split split;
    vision_part train, measured;
    int *whole; /* 0 .. for the larger of two whole sets */
} parts;

static bool whole_sets(parts *p, const vision_set *set, base_error *error)
{
    int most = set->train.count > set->test.count ? set->train.count : set->test.count;
    p->whole = base_malloc((size_t)most * sizeof *p->whole);
    for (int i = 0; p->whole && i < most; i++)
        p->whole[i] = i;
    p->train = (vision_part){&set->train, p->whole, set->train.count};
    p->measured = (vision_part){&set->test, p->whole, set->test.count};
    return p->whole || base_fail(error, "no memory for the places of %d images", most);
}

/* Of a set that has fewer than both want together, each gets its share. */
static bool disjoint_parts(parts *p, const evolve_settings *s, const vision_set *set,
                           base_error *error)
{
    const vision_images *images = &set->train;
    int64_t train = s->images, held_out = s->held_images, both = train + held_out;
    if (both > images->count) {
        train = (int64_t)((double)images->count * (double)train / (double)both);
        held_out = images->count - train;
    }
    if (train < 1 || held_out < 1)
        return base_fail(error, "a set of %d images: expected at least 2", images->count);
    if (!vision_split_draw(&p->split, images, (int)train, (int)held_out, evolve_data_seed(s),
                           error))
        return false;
    p->train = p->split.train;
    p->measured = p->split.held_out;
    return true;
}

static bool parts_make(parts *p, const evolve_settings *s, const vision_set *set, base_error *error)
{
    return s->part == EVOLVE_FINAL ? whole_sets(p, set, error) : disjoint_parts(p, s, set, error);
}

static void parts_free(parts *p)
{
    vision_split_free(&p->split);
    base_free(p->whole);
}

/* All but the memory, which takes some planning. */
static void count(const vision_architecture *net, vision_shape shape, const vision_plan *plan,
                  int images, score_cost *cost)
{
    *cost = (score_cost){.parameters = vision_parameters(net),
                         .steps = vision_steps(plan, images),
                         .flops = INT64_MAX};
    double flops = (double)vision_training_flops(net, shape) * images * plan->epochs;
    if (flops < 9e18)
        cost->flops = vision_training_flops(net, shape) * images * plan->epochs;
}

static bool plan_memory(const vision_architecture *net, const evolve_settings *s,
                        const vision_set *set, const vision_plan *plan, score_cost *cost,
                        base_error *error)
{
    size_t bytes;
    if (!vision_training_bytes(net, evolve_task_shape(set), plan, evolve_memory_bytes(s), &bytes,
                               error))
        return false;
    cost->peak_bytes = (int64_t)bytes;
    return true;
}

bool score_network_cost(const vision_architecture *net, const vision_plan *plan,
                        const evolve_settings *settings, const vision_set *set, score_cost *cost,
                        base_error *error)
{
    parts p = {.whole = NULL};
    bool ok = parts_make(&p, settings, set, error);
    if (ok)
        count(net, evolve_task_shape(set), plan, p.train.count, cost);
    parts_free(&p);
    return ok && plan_memory(net, settings, set, plan, cost, error);
}

/* What the network takes where it is used, against what there is. */
static bool within_device(const vision_architecture *net, const evolve_settings *s,
                          const vision_set *set, base_error *error)
{
    vision_footprint f = vision_footprint_of(net, evolve_task_shape(set));
    const int64_t each = s->budget_int8 ? 1 : 4;
    if (s->budget_flash > 0 && f.weights > s->budget_flash / each)
        return base_fail(error, "its weights take %" PRId64 " bytes: --budget-flash is %" PRId64,
                         each * f.weights, s->budget_flash);
    if (s->budget_ram > 0 && f.activations > s->budget_ram / each)
        return base_fail(error, "its activations take %" PRId64 " bytes: --budget-ram is %" PRId64,
                         each * f.activations, s->budget_ram);
    return !(s->budget_flops > 0 && (double)f.flops > s->budget_flops) ||
           base_fail(error, "an image takes %.4g operations: --budget-flops is %.4g",
                     (double)f.flops, s->budget_flops);
}

/* Typed rejections with their figures: a network that is too large is refused, not trained for
 * hours. */
static bool within_budget(const vision_architecture *net, const evolve_settings *s,
                          const vision_set *set, const vision_plan *plan, int images,
                          score_result *score, base_error *error)
{
    score_cost cost;
    count(net, evolve_task_shape(set), plan, images, &cost);
    score->parameters = cost.parameters;
    if (cost.parameters > s->max_parameters)
        return base_fail(error, "%" PRId64 " parameters: at most %" PRId64 " in this run",
                         cost.parameters, s->max_parameters);
    if (!within_device(net, s, set, error))
        return false;
    /* The last comparison trains what the search has admitted, however long it takes. */
    if (s->part == EVOLVE_SEARCH && (double)cost.flops > s->max_flops)
        return base_fail(error, "its training takes %.4g operations: at most %.4g in this run",
                         (double)cost.flops, s->max_flops);
    if (!plan_memory(net, s, set, plan, &cost, error))
        return false;
    score->flops = cost.flops;
    score->peak_bytes = cost.peak_bytes;
    return true;
}

/* The caller's step(), and whether it has ended the training. */
typedef struct watch {
    const score_request *request;
    bool stopped;
} watch;

static bool goes_on(void *user, int64_t step, int64_t steps, double loss)
{
    watch *w = user;
    const score_request *r = w->request;
    w->stopped = r->step && !r->step(r->user, step, steps, loss);
    return !w->stopped && isfinite(loss);
}

/* The trained network's files, for a result that keeps it. */
static bool keep(vision_network *network, const vision_architecture *net, const parts *p,
                 const vision_normal *normal, const vision_result *result,
                 const score_request *request, score_result *score, base_error *error)
{
    const vision_set *set = request->images;
    vision_model model = {.network = network,
                          .net = *net,
                          .input = evolve_task_shape(set),
                          .classes = set->train.classes,
                          .normal = *normal,
                          .result = *result,
                          .trained = p->train.count,
                          .seed = request->settings->seed,
                          .version = EVOLVE_VERSION,
                          .names = set->names,
                          .columns = set->columns,
                          .pictures = set->pictures};
    strcpy(model.task, evolve_task_names[request->settings->task]);
    vision_set_hash(set, model.data);
    score->kept = base_malloc(sizeof *score->kept);
    if (!score->kept)
        return base_fail(error, "no memory for the network's files");
    if (!vision_model_pack(&model, request->text, request->length, score->kept, error))
        return false;
    base_hash_text(score->kept->json.data, score->kept->json.length, score->model);
    return true;
}

/* Weights of the parent that it was made from. The parts are drawn with the run's seed. */
static bool begin_with_parent(vision_network *network, const vision_architecture *net,
                              const score_request *request, base_error *error)
{
    static const char *const origin[2] = {"the parent's network.json",
                                          "the parent's model.safetensors"};
    const uint64_t seed = (uint64_t)request->settings->seed;
    vision_model parent;
    int64_t taken;
    if (!vision_model_unpack(&parent, nn_params_context(vision_network_params(network)),
                             request->parent, origin, error))
        return false;
    bool ok = vision_inherit(network, net, parent.network, &parent.net, seed, &taken, error);
    vision_model_free(&parent);
    return ok;
}

/* The mean over the last steps, added in double in their order. */
static double mean_of_last(const float *losses, int64_t steps, int64_t last)
{
    double sum = 0;
    for (int64_t i = steps - last; i < steps; i++)
        sum += (double)losses[i];
    return sum / (double)last;
}

static bool train_and_measure(vision_network *network, const vision_architecture *net,
                              const parts *p, const vision_plan *plan, const score_request *request,
                              score_result *score, base_error *error)
{
    vision_normal normal = vision_normal_of(&p->train);
    vision_result result;
    int64_t steps = vision_steps(plan, p->train.count);
    score->losses = base_malloc(((size_t)steps + 1) * sizeof *score->losses);
    if (!score->losses)
        return base_fail(error, "no memory for %" PRId64 " losses", steps);
    if (!vision_train(network, &p->train, &normal, plan, score->losses, &score->steps, error))
        return false;
    const evolve_settings *settings = request->settings;
    bool held_out = settings->score == EVOLVE_BY_HELD_OUT || settings->part == EVOLVE_FINAL;
    if (!held_out && !request->keep) { /* nothing has to be measured */
        steps = score->steps;
        bool all = settings->score == EVOLVE_MEAN;
        score->score = mean_of_last(score->losses, steps, all ? steps : (steps + 3) / 4);
        score->score_pair = score->score;
        return true;
    }
    if (!vision_measure(network, &p->measured, &normal, MEASURED, &result, error))
        return false;
    score->score = 1 - result.accuracy;
    score->score_pair = result.loss;
    return !request->keep || !isfinite(result.loss) ||
           keep(network, net, p, &normal, &result, request, score, error);
}

score_status score_of_network(const vision_architecture *net, const vision_plan *by,
                              const score_request *request, score_result *score, base_error *error)
{
    const evolve_settings *settings = request->settings;
    const vision_set *set = request->images;
    watch w = {request, false};
    vision_plan plan = *by;
    plan.step = goes_on;
    plan.user = &w;
    parts p = {.whole = NULL};
    tensor_context *ctx = tensor_context_open(request->threads, error);
    vision_network *network = NULL;
    bool ok = ctx && parts_make(&p, settings, set, error) &&
              within_budget(net, settings, set, &plan, p.train.count, score, error);
    if (ok) {
        tensor_set_step_limit(ctx, evolve_memory_bytes(settings));
        network =
            vision_network_new(ctx, net, evolve_task_shape(set), (uint64_t)settings->seed, error);
        ok = network && (!request->parent || begin_with_parent(network, net, request, error)) &&
             train_and_measure(network, net, &p, &plan, request, score, error);
    }
    vision_network_free(network);
    tensor_context_free(ctx);
    parts_free(&p);
    if (ok && isfinite(score->score_pair))
        return SCORE_OK;
    if (w.stopped) {
        base_fail(error, "the training was ended");
        return SCORE_STOPPED;
    }
    if (ok || !*error->text) { /* the training was ended, or its result is no number */
        base_fail(error, "the loss is not a number");
        return SCORE_RUN;
    }
    return SCORE_LIMIT;
}
