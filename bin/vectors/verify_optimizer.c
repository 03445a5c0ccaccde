/* SPDX-License-Identifier: MIT */
/* verify_optimizer.c -- the settings of an optimizer, from torch's and transformers' names. */
#include "bin/vectors/verify.h"

#include <string.h>
#include <strings.h>

/* Names of settings. Those without a place of their own must have the value that means "off". */
static const char *const names[] = {
    "optimizer",
    "lr",
    "momentum",
    "nesterov",
    "alpha",
    "betas",
    "eps",
    "beta1",
    "decay_rate",
    "weight_decay",
    "clip_norm",
    "clip_threshold",
    "scale_parameter",
    "relative_step",
    "warmup_init",
    "dampening",
    "centered",
    "amsgrad",
    "maximize",
};

/* Members of a case that are none of these belong to others, who then have to understand them. */
bool verify_is_optimizer_setting(const char *name)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* torch.optim.AdamW is adamw. */
static bool read_kind(const base_json *settings, nn_optimizer_kind *kind, base_error *error)
{
    const char *name;
    if (!base_json_get_string(settings, "optimizer", &name, "optimizer", error))
        return false;
    const char *dot = strrchr(name, '.');
    for (int i = 0; i < NN_OPTIMIZERS; i++)
        if (strcasecmp(nn_optimizer_names[i], dot ? dot + 1 : name) == 0) {
            *kind = (nn_optimizer_kind)i;
            return true;
        }
    return base_fail(error, "unknown optimizer \"%.80s\"", name);
}

/* A number where there is one; what stood there before where it is missing or null. */
static bool read_number(const base_json *settings, const char *name, double *number,
                        base_error *error)
{
    const base_json *member = base_json_get(settings, name);
    if (!member || member->kind == BASE_JSON_NULL)
        return true;
    if (member->kind != BASE_JSON_NUMBER)
        return base_fail(error, "optimizer's %s is no number", name);
    *number = member->number;
    return true;
}

static bool read_pair(const base_json *settings, const char *name, double *first, double *second,
                      base_error *error)
{
    const base_json *member = base_json_get(settings, name);
    if (!member)
        return true;
    if (member->kind != BASE_JSON_ARRAY || member->length != 2 ||
        member->child->kind != BASE_JSON_NUMBER || member->child->next->kind != BASE_JSON_NUMBER)
        return base_fail(error, "optimizer's %s is no pair of numbers", name);
    *first = member->child->number;
    *second = member->child->next->number;
    return true;
}

/* True or false; left as it is where the member is missing. */
static bool read_flag(const base_json *settings, const char *name, bool *flag, base_error *error)
{
    const base_json *member = base_json_get(settings, name);
    if (!member)
        return true;
    if (member->kind != BASE_JSON_TRUE && member->kind != BASE_JSON_FALSE)
        return base_fail(error, "optimizer's %s is neither true nor false", name);
    *flag = member->kind == BASE_JSON_TRUE;
    return true;
}

/* Settings that exist elsewhere and not here. */
static bool check_off(const base_json *settings, nn_optimizer_kind kind, base_error *error)
{
    static const char *const flags[] = {"warmup_init", "centered", "amsgrad", "maximize"};
    double dampening = 0, beta1 = 0;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        bool on = false;
        if (!read_flag(settings, flags[i], &on, error))
            return false;
        if (on)
            return base_fail(error, "optimizer's %s is not implemented", flags[i]);
    }
    if (!read_number(settings, "dampening", &dampening, error) ||
        !read_number(settings, "beta1", &beta1, error))
        return false;
    if (dampening != 0)
        return base_fail(error, "optimizer's dampening is not implemented");
    if (kind == NN_ADAFACTOR && beta1 != 0)
        return base_fail(error, "Adafactor's first moment (beta1) is not implemented");
    return true;
}

/* Starts from nn's defaults, which are torch's. RMSprop's alpha is what others call beta2, and
 * Adafactor's eps is a pair: one for the squares of gradients, one for the scale of parameters. */
bool verify_optimizer_config(const base_json *settings, nn_optimizer_config *config,
                             double *clip_norm, base_error *error)
{
    nn_optimizer_kind kind = NN_SGD;
    if (!read_kind(settings, &kind, error) || !check_off(settings, kind, error))
        return false;
    nn_optimizer_config c = nn_optimizer_default(kind);
    *clip_norm = 0;
    bool good = read_number(settings, "lr", &c.rate, error) &&
                read_number(settings, "momentum", &c.momentum, error) &&
                read_flag(settings, "nesterov", &c.nesterov, error) &&
                read_number(settings, "alpha", &c.beta2, error) &&
                read_pair(settings, "betas", &c.beta1, &c.beta2, error) &&
                read_number(settings, "weight_decay", &c.weight_decay, error) &&
                read_number(settings, "clip_norm", clip_norm, error) &&
                read_number(settings, "clip_threshold", &c.clip_threshold, error) &&
                read_number(settings, "decay_rate", &c.decay_rate, error) &&
                read_flag(settings, "scale_parameter", &c.scale_parameter, error) &&
                read_flag(settings, "relative_step", &c.relative_step, error);
    if (good)
        good = kind == NN_ADAFACTOR ? read_pair(settings, "eps", &c.eps1, &c.eps2, error)
                                    : read_number(settings, "eps", &c.eps, error);
    *config = c;
    return good;
}
