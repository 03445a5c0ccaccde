/* SPDX-License-Identifier: MIT */
/* fold.c -- a batch norm after a convolution is another convolution.
 *
 * Without training a batch norm is y = (x - mean) r g + shift, a line in x; and x is linear in the
 * weights of the convolution before it. So the two are one convolution, with weights w g r and
 * biases (b - mean) g r + shift: less to compute and to keep, and other roundings. */
#include "export/export.h"

#include <math.h>
#include <stdio.h>

/* Whether layer i is a batch norm that goes into the convolution before it: not where a sum asks for
 * what stands between them. */
static bool folds(const vision_architecture *net, int i)
{
    const vision_layer *l = net->layer + i;
    bool norm = i > 0 && l->kind == VISION_BATCH_NORM2D &&
                (l[-1].kind == VISION_CONV2D || l[-1].kind == VISION_DEPTHWISE2D);
    for (int j = i + 1; j < net->count && norm; j++)
        norm = net->layer[j].kind != VISION_RESIDUAL || net->layer[j].in != i;
    return norm;
}

/* How many of the first so many layers are left. */
static int left_of(const vision_architecture *net, int layers)
{
    int left = 0;
    for (int i = 0; i < layers; i++)
        left += !folds(net, i);
    return left;
}

static float *values_of(nn_params *params, int i, const char *what)
{
    char name[32];
    snprintf(name, sizeof name, "%d.%s", i, what);
    return nn_params_find(params, name)->val;
}

/* Copies the tensor of layer `from` to that of layer `to`, where there is one. */
static void copy(nn_params *source, int from, nn_params *target, int to, const char *what)
{
    char name[32];
    snprintf(name, sizeof name, "%d.%s", from, what);
    const tensor *t = nn_params_find(source, name);
    float *values = t ? values_of(target, to, what) : NULL;
    for (size_t i = 0; t && i < tensor_size(t); i++)
        values[i] = t->val[i];
}

/* Scales output channel by output channel of layer `to` by the batch norm at layer i. */
static bool fold(const vision_model *model, int i, nn_params *target, int to)
{
    const vision_layer *l = &model->net.layer[i - 1];
    nn_params *params = vision_network_params(model->network);
    nn_params *running = vision_network_running(model->network);
    const float *g = values_of(params, i, "weight"), *shift = values_of(params, i, "bias");
    const float *mean = values_of(running, i, "running_mean"),
                *variance = values_of(running, i, "running_var");
    float *weight = values_of(target, to, "weight"), *bias = values_of(target, to, "bias");
    bool depthwise = l->kind == VISION_DEPTHWISE2D;
    int each = (depthwise ? 1 : l->in) * l->kernel * l->kernel, out = depthwise ? l->in : l->out;
    bool finite = true;
    for (int o = 0; o < out; o++, weight += each) {
        double factor = (double)g[o] / sqrt((double)variance[o] + (double)1e-5F);
        for (int k = 0; k < each; k++) {
            weight[k] = (float)((double)weight[k] * factor);
            finite = finite && isfinite(weight[k]);
        }
        bias[o] = (float)(((double)bias[o] - (double)mean[o]) * factor + (double)shift[o]);
        finite = finite && isfinite(bias[o]);
    }
    return finite;
}

bool export_fold(const vision_model *model, vision_model *folded, base_error *error)
{
    nn_params *params = vision_network_params(model->network);
    nn_params *running = vision_network_running(model->network);
    *folded = *model;
    folded->net.count = 0;
    for (int i = 0; i < model->net.count; i++)
        if (!folds(&model->net, i)) {
            vision_layer *l = &folded->net.layer[folded->net.count++];
            *l = model->net.layer[i];
            if (l->kind == VISION_RESIDUAL)
                l->in = left_of(&model->net, l->in);
        }
    folded->network =
        vision_network_new(nn_params_context(params), &folded->net, model->input, 0, error);
    if (!folded->network)
        return false;
    nn_params *target = vision_network_params(folded->network);
    bool finite = true;
    for (int i = 0, to = 0; i < model->net.count; i++)
        if (folds(&model->net, i)) {
            finite = fold(model, i, target, to - 1) && finite;
        } else {
            copy(params, i, target, to, "weight");
            copy(params, i, target, to, "bias");
            copy(running, i, vision_network_running(folded->network), to, "running_mean");
            copy(running, i, vision_network_running(folded->network), to, "running_var");
            to++;
        }
    if (!finite) {
        export_fold_free(folded);
        return base_fail(error, "folding batch norms: a weight becomes infinite");
    }
    return true;
}

void export_fold_free(vision_model *folded)
{
    vision_network_free(folded->network);
    folded->network = NULL;
}
