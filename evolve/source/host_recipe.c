/* SPDX-License-Identifier: MIT */
/* host_recipe.c -- how a network is trained: from phoenix.h's recipe, which a source fills in, to a
 * vision_plan.
 *
 * A recipe is what train() may choose; passes over the images, their parts and the seed are the
 * run's. So whatever a source says, each candidate sees as many images. */
#include "evolve/source/host_state.h"
#include "base/number.h"

/* phoenix.h's recipe, field by field. */
enum {
    OPTIMIZER,
    SCHEDULE,
    WARMUP,
    BATCH,
    FLIP,
    SHIFT,
    CUT,
    WHOLE, /* from here on doubles */
    RATE = WHOLE,
    MOMENTUM,
    WEIGHT_DECAY,
    LABEL_SMOOTHING,
    MIXUP,
    AVERAGE,
    FIELDS
};

static const struct {
    const char *name;
    double low, high;
} fields[FIELDS] = {
    [OPTIMIZER] = {"optimizer", 0, NN_OPTIMIZERS - 1},
    [SCHEDULE] = {"schedule", 0, NN_SCHEDULES - 1},
    [WARMUP] = {"warmup", 0, 1e9},
    [BATCH] = {"batch", 1, 65536},
    [FLIP] = {"flip", 0, 1},
    [SHIFT] = {"shift", 0, 64},
    [CUT] = {"cut", 0, 64},
    [RATE] = {"rate", 0, 10},
    [MOMENTUM] = {"momentum", 0, 0.999999},
    [WEIGHT_DECAY] = {"weight_decay", 0, 1},
    [LABEL_SMOOTHING] = {"label_smoothing", 0, 0.999999},
    [MIXUP] = {"mixup", 0, 1},
    [AVERAGE] = {"average", 0, 0.999999},
};

vision_plan source_usual_plan(const evolve_settings *s)
{
    vision_plan plan = {.epochs =
                            (int)(s->part == EVOLVE_FINAL ? s->final_epochs : s->image_epochs),
                        .batch = (int)s->image_batch,
                        .optimizer = nn_optimizer_default((nn_optimizer_kind)s->image_optimizer),
                        .schedule = {.kind = NN_COSINE, .warmup = 50},
                        .flip = s->flip != 0,
                        .shift = (int)s->shift,
                        .seed = (uint64_t)s->seed};
    plan.optimizer.rate = s->image_rate;
    plan.optimizer.weight_decay = s->image_decay;
    if (s->image_optimizer == NN_SGD) {
        plan.optimizer.momentum = 0.9;
        plan.optimizer.nesterov = true;
    }
    return plan;
}

static bool usual_recipe(source_host *h, source_call *call)
{
    const vision_plan plan = source_usual_plan(h->settings);
    const double values[FIELDS] = {
        [OPTIMIZER] = plan.optimizer.kind,
        [SCHEDULE] = plan.schedule.kind,
        [WARMUP] = (double)plan.schedule.warmup,
        [BATCH] = plan.batch,
        [FLIP] = plan.flip,
        [SHIFT] = plan.shift,
        [CUT] = plan.cut,
        [RATE] = plan.optimizer.rate,
        [MOMENTUM] = plan.optimizer.momentum,
        [WEIGHT_DECAY] = plan.optimizer.weight_decay,
        [LABEL_SMOOTHING] = plan.label_smoothing,
        [MIXUP] = plan.mixup,
        [AVERAGE] = plan.average,
    };
    for (int i = 0; i < FIELDS; i++) {
        language_value *field = language_field(call->result, fields[i].name);
        if (i < WHOLE)
            field->as.i = (int32_t)values[i];
        else
            field->as.d = values[i];
    }
    return true;
}

/* Another optimizer than the plan's begins as its library does. */
static void follow(const double values[FIELDS], vision_plan *plan)
{
    nn_optimizer_kind kind = (nn_optimizer_kind)values[OPTIMIZER];
    if (plan->optimizer.kind != kind)
        plan->optimizer = nn_optimizer_default(kind);
    plan->optimizer.rate = values[RATE];
    plan->optimizer.momentum = values[MOMENTUM];
    plan->optimizer.nesterov = kind == NN_SGD && values[MOMENTUM] > 0;
    plan->optimizer.weight_decay = values[WEIGHT_DECAY];
    plan->schedule.kind = (nn_schedule_kind)values[SCHEDULE];
    plan->schedule.warmup = (int64_t)values[WARMUP];
    plan->batch = (int)values[BATCH];
    plan->flip = values[FLIP] > 0;
    plan->shift = (int)values[SHIFT];
    plan->cut = (int)values[CUT];
    plan->label_smoothing = values[LABEL_SMOOTHING];
    plan->mixup = values[MIXUP];
    plan->average = values[AVERAGE];
}

language_failure source_host_recipe(source_host *h, const source_executor *source, const char *file,
                                    vision_plan *plan, language_diagnostic *diagnostic)
{
    static const char declaration[] = "recipe train(void)";
    double values[FIELDS];
    *plan = source_usual_plan(h->settings);
    source_presence presence = source->defines(source->user, "train", declaration);
    if (presence == SOURCE_ABSENT)
        return LANGUAGE_OK;
    if (presence == SOURCE_OTHER_TYPE)
        return source_fail(diagnostic, LANGUAGE_CHECK, file, "train: expected recipe train(void)");
    language_host bound = source_host_bound(h);
    language_value result;
    language_failure failure =
        source->call(source->user, &(language_invocation){.function = "train", .host = &bound},
                     &result, diagnostic);
    if (failure != LANGUAGE_OK)
        return failure;
    for (int i = 0; i < FIELDS; i++) {
        const language_value *field = language_field(&result, fields[i].name);
        char why[160];
        values[i] = i < WHOLE ? field->as.i : field->as.d;
        if (values[i] >= fields[i].low && values[i] <= fields[i].high)
            continue;
        base_print(why, sizeof why, "train() returned a recipe whose %s is %g: expected %g .. %g",
                   fields[i].name, values[i], fields[i].low, fields[i].high);
        return source_fail(diagnostic, LANGUAGE_RUN, file, why);
    }
    follow(values, plan);
    return LANGUAGE_OK;
}

SOURCE_HOST_FUNCTION(usual_recipe)

const language_host_function source_recipe_functions[] = {{"usual_recipe", call_usual_recipe}};
const int source_recipe_function_count = 1;
