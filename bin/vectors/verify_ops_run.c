/* SPDX-License-Identifier: MIT */
/* verify_ops_run.c -- how each op of nn_ops.json is run with this library.
 *
 * Attributes that are missing have torch's defaults. Where an op works along one axis, or on each
 * element, its tensors may have any number of axes: they are taken as (before, axis, after). */
#include "bin/vectors/verify_trial.h"

#include <stdio.h>
#include <string.h>

/* The end of most ops: y is compared, and gradients are those of sum(y * loss_weight). */
static void weigh(verify_trial *t, tensor *y)
{
    verify_make(t, "out", "y", y->val, tensor_size(y), VERIFY_TOLERANCE);
    tensor *weight = verify_leaf(t, "in.loss_weight", y->rank, y->dim, false);
    tensor_backward(tensor_sum(tensor_mul(y, weight)));
}

/* A file may say that there is a bias, and list one; if it says either, both have to agree. */
static tensor *bias_if_any(verify_trial *t)
{
    const base_json *flag = verify_attribute(t, "bias");
    tensor *bias = verify_find(t, "param.bias") ? verify_row(t, "param.bias") : NULL;
    if (flag && (flag->kind == BASE_JSON_TRUE) != (bias != NULL))
        verify_give_up(t, "attribute bias and the list of tensors disagree");
    return bias;
}

static void run_convolution(verify_trial *t,
                            tensor *(*convolve)(tensor *x, tensor *weight, tensor *bias, int stride,
                                                int padding))
{
    tensor *weight = verify_natural(t, "param.weight", true), *bias = bias_if_any(t);
    int kernel = weight->rank == 4 ? weight->dim[2] : 0;
    if (verify_integer(t, "kernel", kernel) != kernel)
        verify_give_up(t, "attribute kernel is not the size of param.weight");
    weigh(t, convolve(verify_natural(t, "in.x", true), weight, bias, verify_integer(t, "stride", 1),
                      verify_integer(t, "padding", 0)));
}

static void run_conv2d(verify_trial *t) { run_convolution(t, tensor_conv2d); }

static void run_conv2d_relu(verify_trial *t) { run_convolution(t, tensor_conv2d_relu); }

static void run_pool(verify_trial *t, tensor *(*pool)(tensor *x, int kernel, int stride))
{
    int kernel = verify_integer(t, "kernel", 2);
    verify_only_number(t, "padding", 0);
    verify_only_word(t, "mode", "floor");
    weigh(t, pool(verify_natural(t, "in.x", true), kernel, verify_integer(t, "stride", kernel)));
}

static void run_maxpool2d(verify_trial *t) { run_pool(t, tensor_max_pool2d); }

static void run_avgpool2d(verify_trial *t) { run_pool(t, tensor_avg_pool2d); }

static void run_linear(verify_trial *t)
{
    tensor *x = verify_rows(t, "in.x", 0), *weight = verify_natural(t, "param.weight", true);
    weigh(t, tensor_linear(x, weight, bias_if_any(t)));
}

static void run_linear_relu(verify_trial *t)
{
    tensor *x = verify_rows(t, "in.x", 0), *weight = verify_natural(t, "param.weight", true);
    weigh(t, tensor_linear_relu(x, weight, bias_if_any(t)));
}

/* An op on each element takes any shape as one row of all of them. */
static void run_relu(verify_trial *t) { weigh(t, tensor_relu(verify_row(t, "in.x"))); }

static void run_tanh(verify_trial *t) { weigh(t, tensor_tanh(verify_row(t, "in.x"))); }

static void run_gelu_new(verify_trial *t)
{
    verify_only_word(t, "approximate", "tanh");
    weigh(t, tensor_gelu_new(verify_row(t, "in.x")));
}

static void run_gelu_erf(verify_trial *t)
{
    verify_only_word(t, "approximate", "none");
    weigh(t, tensor_gelu_erf(verify_row(t, "in.x")));
}

/* Any shape is (before, axis, after) as far as one axis is concerned. */
static void run_along_axis(verify_trial *t, tensor *(*op)(tensor *x, int axis))
{
    const nn_safetensors_entry *entry = verify_need(t, "in.x");
    int axis = verify_integer(t, "dim", -1);
    if (axis < 0)
        axis += entry->rank;
    if (axis < 0 || axis >= entry->rank)
        verify_give_up(t, "attribute dim is no axis of in.x");
    int dim[3] = {verify_product(t, entry, 0, axis), verify_dimension(t, entry, axis),
                  verify_product(t, entry, axis + 1, entry->rank)};
    weigh(t, op(verify_leaf(t, "in.x", 3, dim, true), 1));
}

static void run_softmax(verify_trial *t) { run_along_axis(t, tensor_softmax); }

static void run_log_softmax(verify_trial *t) { run_along_axis(t, tensor_log_softmax); }

/* logits (rows, classes), target (rows): the loss is a mean, so it is not weighed. */
static void run_cross_entropy(verify_trial *t)
{
    const nn_safetensors_entry *target = verify_need(t, "in.target");
    tensor *logits = verify_rows(t, "in.logits", 0);
    verify_only_word(t, "reduction", "mean");
    verify_only_number(t, "ignore_index", -100);
    if (target->count != (size_t)logits->dim[0])
        verify_give_up(t, "in.target does not have one number for each row of in.logits");
    tensor_objective objective = {.smoothing = (float)verify_number(t, "label_smoothing", 0)};
    tensor *loss = tensor_cross_entropy(logits, verify_integers(t, target), &objective, NULL);
    verify_make(t, "out", "loss", loss->val, 1, VERIFY_TOLERANCE);
    tensor_backward(loss);
}

/* Over the axes that the weight has, the last ones. */
static void run_layernorm(verify_trial *t)
{
    verify_attribute(t, "normalized_shape");
    tensor *weight = verify_row(t, "param.weight"), *x = verify_rows(t, "in.x", weight->dim[0]);
    weigh(t, tensor_layernorm(x, weight, verify_row(t, "param.bias"),
                              (float)verify_number(t, "eps", 1e-5)));
}

static void run_t5_rmsnorm(verify_trial *t)
{
    weigh(t, tensor_rmsnorm(verify_rows(t, "in.x", 0), verify_row(t, "param.weight"),
                            (float)verify_number(t, "eps", 1e-6)));
}

/* The running statistics are updated in place: what stands in the arrays afterwards is an output, in
 * either mode. */
static void run_batchnorm2d(verify_trial *t)
{
    const base_json *mode = verify_attribute(t, "mode");
    bool train = mode && mode->kind == BASE_JSON_STRING && strcmp(mode->string, "train") == 0;
    if (!train)
        verify_only_word(t, "mode", "eval");
    const nn_safetensors_entry *mean = verify_need(t, "in.running_mean"),
                               *var = verify_need(t, "in.running_var");
    tensor *x = verify_natural(t, "in.x", true), *weight = verify_row(t, "param.weight");
    size_t channels = tensor_size(weight);
    if (mean->count != channels || var->count != channels)
        verify_give_up(t, "the running statistics do not have one number for each weight");
    float *running_mean = verify_values(t, mean), *running_var = verify_values(t, var);
    tensor *y = tensor_batchnorm2d(x, weight, verify_row(t, "param.bias"), running_mean,
                                   running_var, train, (float)verify_number(t, "momentum", 0.1),
                                   (float)verify_number(t, "eps", 1e-5));
    verify_make(t, "out", "running_mean", running_mean, channels, VERIFY_TOLERANCE);
    verify_make(t, "out", "running_var", running_var, channels, VERIFY_TOLERANCE);
    weigh(t, y);
}

static void run_embedding(verify_trial *t)
{
    const nn_safetensors_entry *ids = verify_need(t, "in.ids");
    int count = verify_product(t, ids, 0, ids->rank);
    weigh(t, tensor_embedding(verify_natural(t, "param.weight", true), verify_integers(t, ids),
                              count));
}

static void run_matmul(verify_trial *t)
{
    verify_attribute(t, "a_shape");
    verify_attribute(t, "b_shape");
    weigh(t, tensor_matmul(verify_natural(t, "in.a", true), verify_natural(t, "in.b", true)));
}

/* ---- optimizers ---- */

/* The loss of the parameters as they are. */
typedef tensor *objective(verify_trial *t);

/* A parameter with the values of param.<name>. */
static void parameter(verify_trial *t, const char *name, int rank, const int *dim)
{
    if (!nn_param(t->params, name, rank, dim))
        verify_give_up(t, "no memory");
}

static void set_parameters(verify_trial *t)
{
    base_error error;
    if (!nn_params_allocate(t->params, true, &error))
        verify_give_up(t, "%s", error.text);
    for (int i = 0; i < nn_params_count(t->params); i++) {
        char name[64];
        snprintf(name, sizeof name, "param.%s", nn_params_name(t->params, i));
        const nn_safetensors_entry *entry = verify_need(t, name);
        tensor *p = nn_params_tensor(t->params, i);
        if (entry->count != tensor_size(p))
            verify_give_up(t, "%s has %zu elements, expected %zu", name, entry->count,
                           tensor_size(p));
        memcpy(p->val, verify_values(t, entry), entry->count * sizeof(float));
    }
}

/* The optimizer that the attributes describe. Returns the norm to clip gradients to, 0: none. */
static double set_optimizer(verify_trial *t)
{
    base_error error;
    nn_optimizer_config config;
    double clip_norm = 0;
    for (const base_json *member = t->attrs->child; member; member = member->next)
        if (verify_is_optimizer_setting(member->name))
            verify_use(t, member);
    if (!verify_optimizer_config(t->attrs, &config, &clip_norm, &error))
        verify_give_up(t, "%s", error.text);
    t->optimizer = nn_optimizer_new(t->params, &config, &error);
    if (!t->optimizer)
        verify_give_up(t, "%s", error.text);
    return clip_norm;
}

/* Makes kind.name of parameter i out of `count` blocks like the parameters', one after another. */
static void make_parameter(verify_trial *t, const char *kind, int i, const float *blocks,
                           size_t count, double tolerance)
{
    const tensor *p = nn_params_tensor(t->params, i);
    size_t size = tensor_size(p), start = (size_t)(p->val - nn_params_values(t->params));
    float *values = tensor_step_memory(t->data, count * size * sizeof *values);
    for (size_t j = 0; j < count; j++)
        memcpy(values + j * size, blocks + j * nn_params_size(t->params) + start,
               size * sizeof *values);
    verify_make(t, kind, nn_params_name(t->params, i), values, count * size, tolerance);
}

/* What comes out are the losses before step 1, ..., after the last step; the gradients before step
 * 1; and of each parameter either the values at all these times or the last ones, whichever the
 * file has. */
static void train(verify_trial *t, objective *loss_of)
{
    int most = verify_integer(t, "steps", 20), count = nn_params_count(t->params);
    if (most < 0 || most > 100000)
        verify_give_up(t, "attribute steps is %d", most);
    size_t steps = (size_t)most, size = nn_params_size(t->params);
    double clip_norm = set_optimizer(t);
    float *losses = tensor_step_memory(t->data, (steps + 1) * sizeof *losses);
    float *history = tensor_step_memory(t->data, (steps + 1) * size * sizeof *history);
    for (size_t step = 0; step <= steps; step++) {
        memcpy(history + step * size, nn_params_values(t->params), size * sizeof *history);
        nn_zero_grad(t->params);
        tensor *loss = loss_of(t);
        losses[step] = *loss->val;
        tensor_backward(loss);
        tensor_step_end(t->ctx);
        for (int i = 0; i < count && step == 0; i++)
            make_parameter(t, "grad", i, nn_params_gradients(t->params), 1, VERIFY_TOLERANCE);
        float scale = clip_norm > 0 ? nn_clip_scale(nn_grad_norm(t->params), clip_norm) : 1;
        nn_optimizer_step(t->optimizer, 1, scale);
    }
    verify_make(t, "out", "loss", losses, steps + 1, VERIFY_TRAJECTORY_TOLERANCE);
    for (int i = 0; i < count; i++) {
        char name[64];
        snprintf(name, sizeof name, "out.%s", nn_params_name(t->params, i));
        const nn_safetensors_entry *entry = verify_find(t, name);
        bool last = entry && entry->count == tensor_size(nn_params_tensor(t->params, i));
        make_parameter(t, "out", i, last ? history + steps * size : history, last ? 1 : steps + 1,
                       VERIFY_TRAJECTORY_TOLERANCE);
    }
}

/* 0.5 x^T A x - b^T x */
static tensor *quadratic(verify_trial *t)
{
    tensor *x = nn_params_find(t->params, "x"), *a = t->given[0], *b = t->given[1];
    tensor *square = tensor_scale(tensor_mul(tensor_linear(x, a, NULL), x), 0.5F);
    return tensor_sum(tensor_sub(square, tensor_mul(x, b)));
}

static void run_optim_quadratic(verify_trial *t)
{
    const nn_safetensors_entry *x = verify_need(t, "param.x");
    int n = verify_product(t, x, 0, x->rank);
    parameter(t, "x", 2, (int[]){1, n});
    set_parameters(t);
    t->given[0] = verify_leaf(t, "in.A", 2, (int[]){n, n}, false);
    t->given[1] = verify_leaf(t, "in.b", 1, &n, false);
    train(t, quadratic);
}

/* mean cross entropy of w2 tanh(w1 x + b1) + b2 */
static tensor *mlp_loss(verify_trial *t)
{
    tensor *w1 = nn_params_find(t->params, "w1"), *b1 = nn_params_find(t->params, "b1");
    tensor *w2 = nn_params_find(t->params, "w2"), *b2 = nn_params_find(t->params, "b2");
    tensor *hidden = tensor_tanh(tensor_linear(t->given[0], w1, b1));
    return tensor_cross_entropy(tensor_linear(hidden, w2, b2), t->target, NULL, NULL);
}

static void run_optim_mlp(verify_trial *t)
{
    static const char *const names[] = {"w1", "b1", "w2", "b2"};
    for (int i = 0; i < 4; i++) {
        char name[64];
        snprintf(name, sizeof name, "param.%s", names[i]);
        const nn_safetensors_entry *entry = verify_need(t, name);
        int dim[2] = {0, 0};
        if (entry->rank != 2 - i % 2)
            verify_give_up(t, "%s has rank %d", name, entry->rank);
        for (int j = 0; j < entry->rank; j++)
            dim[j] = verify_dimension(t, entry, j);
        parameter(t, names[i], entry->rank, dim);
    }
    set_parameters(t);
    const nn_safetensors_entry *target = verify_need(t, "in.target");
    tensor *x = verify_natural(t, "in.x", false);
    if (x->rank != 2 || target->count != (size_t)x->dim[0])
        verify_give_up(t, "in.target does not have one number for each row of in.x");
    t->given[0] = x;
    t->target = verify_integers(t, target);
    train(t, mlp_loss);
}

/* How the description of an op's gradients begins. */
#define WEIGHTED     "sum(out.y * in.loss_weight)"
#define BEFORE_STEPS "the loss at param." /* ... (before step 1) */

static const struct {
    const char *name;
    void (*run)(verify_trial *t);
    const char *gradient_of;
} ops[] = {
    {"conv2d", run_conv2d, WEIGHTED},
    {"conv2d_relu", run_conv2d_relu, WEIGHTED},
    {"maxpool2d", run_maxpool2d, WEIGHTED},
    {"avgpool2d", run_avgpool2d, WEIGHTED},
    {"linear", run_linear, WEIGHTED},
    {"linear_relu", run_linear_relu, WEIGHTED},
    {"relu", run_relu, WEIGHTED},
    {"tanh", run_tanh, WEIGHTED},
    {"gelu_new", run_gelu_new, WEIGHTED},
    {"gelu_erf", run_gelu_erf, WEIGHTED},
    {"softmax", run_softmax, WEIGHTED},
    {"log_softmax", run_log_softmax, WEIGHTED},
    {"cross_entropy", run_cross_entropy, "out.loss"},
    {"layernorm", run_layernorm, WEIGHTED},
    {"t5_rmsnorm", run_t5_rmsnorm, WEIGHTED},
    {"batchnorm2d", run_batchnorm2d, WEIGHTED},
    {"embedding", run_embedding, WEIGHTED},
    {"matmul", run_matmul, WEIGHTED},
    {"optim_quadratic", run_optim_quadratic, BEFORE_STEPS},
    {"optim_mlp", run_optim_mlp, BEFORE_STEPS},
};

void verify_run_op(verify_trial *t)
{
    const base_json *gradient_of = base_json_get(t->entry, "gradient_of");
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        if (strcmp(ops[i].name, t->op) != 0)
            continue;
        const char *expected = ops[i].gradient_of;
        if (gradient_of && (gradient_of->kind != BASE_JSON_STRING ||
                            strncmp(gradient_of->string, expected, strlen(expected)) != 0))
            verify_give_up(t, "gradient_of: not implemented but for \"%s\"", expected);
        ops[i].run(t);
        return;
    }
    verify_give_up(t, "unknown op");
}
