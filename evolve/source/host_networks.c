/* SPDX-License-Identifier: MIT */
/* host_networks.c -- networks for images as a source builds them: a list of layers, one call each.
 *
 * Whether a layer's numbers fit is decided when the list is complete (vision_shapes); here they are
 * only kept, up to a limit. */
#include "evolve/source/host_state.h"
#include "base/memory.h"
#include "vision/images.h"
#include <stdlib.h>

enum { MOST_NETWORKS = 16 };

/* ---- the task's images ---- */

static bool needs_images(const source_host *h, source_call *call)
{
    if (h->images && h->images->columns)
        return source_refuse(call, "the task has rows of a table: inputs() and outputs() say how "
                                   "many numbers there are");
    return h->images || source_refuse(call, "the task has no images");
}

/* Functions of phoenix.h: they refuse with a reason, which becomes the candidate's, or fill in
 * call->result. These four give a number of the task's images. */
#define IMAGE(member)                                             \
    static bool image_##member(source_host *h, source_call *call) \
    {                                                             \
        bool ok = needs_images(h, call);                          \
        call->result->as.i = ok ? h->images->train.member : 0;    \
        return ok;                                                \
    }
IMAGE(channels)
IMAGE(height)
IMAGE(width)
IMAGE(classes)

/* Good for images and for rows: how many numbers one example has. */
static bool inputs(source_host *h, source_call *call)
{
    if (!h->images)
        return source_refuse(call, "the task has no inputs");
    const vision_images *x = &h->images->train;
    call->result->as.i = x->channels * (x->height ? x->height * x->width : 1);
    return true;
}

static bool outputs(source_host *h, source_call *call)
{
    if (!h->images)
        return source_refuse(call, "the task has no outputs");
    call->result->as.i = h->images->train.classes;
    return true;
}

/* ---- layers ---- */

static bool network_new(source_host *h, source_call *call)
{
    if (h->models == MOST_NETWORKS)
        return source_refuse_limit(call, "more than %d networks", MOST_NETWORKS);
    vision_architecture *net = base_calloc(1, sizeof *net);
    if (!net)
        return source_refuse_limit(call, "no memory for a network");
    h->models++;
    return source_host_add(h, call, SOURCE_NETWORK, net);
}

/* Appends a layer. The list has room for VISION_MAX_LAYERS, so that no program can make it long. */
static bool add(source_host *h, source_call *call, vision_layer layer)
{
    vision_architecture *net = source_host_find(h, call, 0, SOURCE_NETWORK);
    if (!net)
        return false;
    if (net->count == VISION_MAX_LAYERS)
        return source_refuse_limit(call, "more than %d layers", VISION_MAX_LAYERS);
    net->layer[net->count++] = layer;
    return true;
}

static int whole(const source_call *call, int argument) { return call->arguments[argument].as.i; }

/* The result is the number of channels, so that a source can write c = conv2d(net, c, ...) over and over. */
static bool conv2d(source_host *h, source_call *call)
{
    call->result->as.i = whole(call, 2);
    return add(h, call,
               (vision_layer){.kind = VISION_CONV2D,
                              .in = whole(call, 1),
                              .out = whole(call, 2),
                              .kernel = whole(call, 3),
                              .stride = whole(call, 4),
                              .padding = whole(call, 5)});
}

static bool depthwise2d(source_host *h, source_call *call)
{
    call->result->as.i = whole(call, 1);
    return add(h, call,
               (vision_layer){.kind = VISION_DEPTHWISE2D,
                              .in = whole(call, 1),
                              .kernel = whole(call, 2),
                              .stride = whole(call, 3),
                              .padding = whole(call, 4)});
}

static bool linear(source_host *h, source_call *call)
{
    call->result->as.i = whole(call, 2);
    return add(h, call,
               (vision_layer){.kind = VISION_LINEAR, .in = whole(call, 1), .out = whole(call, 2)});
}

static bool pool(source_host *h, source_call *call, vision_kind kind)
{
    return add(h, call,
               (vision_layer){.kind = kind, .kernel = whole(call, 1), .stride = whole(call, 2)});
}

static bool max_pool2d(source_host *h, source_call *call)
{
    return pool(h, call, VISION_MAX_POOL2D);
}

static bool avg_pool2d(source_host *h, source_call *call)
{
    return pool(h, call, VISION_AVG_POOL2D);
}

static bool batch_norm2d(source_host *h, source_call *call)
{
    return add(h, call, (vision_layer){.kind = VISION_BATCH_NORM2D, .in = whole(call, 1)});
}

static bool dropout(source_host *h, source_call *call)
{
    return add(h, call, (vision_layer){.kind = VISION_DROPOUT, .rate = call->arguments[1].as.d});
}

/* Layers without numbers. */
#define PLAIN(name, KIND)                                           \
    static bool name(source_host *h, source_call *call)             \
    {                                                               \
        return add(h, call, (vision_layer){.kind = VISION_##KIND}); \
    }
PLAIN(relu, RELU)
PLAIN(relu6, RELU6)
PLAIN(hard_swish, HARD_SWISH)
PLAIN(gelu, GELU)
PLAIN(flatten, FLATTEN)
PLAIN(global_avg_pool2d, GLOBAL_AVG_POOL2D)

/* A place is the number of layers before it. */
static bool mark(source_host *h, source_call *call)
{
    const vision_architecture *net = source_host_find(h, call, 0, SOURCE_NETWORK);
    call->result->as.i = net ? net->count : 0;
    return net != NULL;
}

static bool residual(source_host *h, source_call *call)
{
    return add(h, call, (vision_layer){.kind = VISION_RESIDUAL, .in = whole(call, 1)});
}

SOURCE_HOST_FUNCTION(image_channels)
SOURCE_HOST_FUNCTION(image_height)
SOURCE_HOST_FUNCTION(image_width)
SOURCE_HOST_FUNCTION(image_classes)
SOURCE_HOST_FUNCTION(inputs)
SOURCE_HOST_FUNCTION(outputs)
SOURCE_HOST_FUNCTION(network_new)
SOURCE_HOST_FUNCTION(conv2d)
SOURCE_HOST_FUNCTION(depthwise2d)
SOURCE_HOST_FUNCTION(linear)
SOURCE_HOST_FUNCTION(relu)
SOURCE_HOST_FUNCTION(relu6)
SOURCE_HOST_FUNCTION(hard_swish)
SOURCE_HOST_FUNCTION(gelu)
SOURCE_HOST_FUNCTION(max_pool2d)
SOURCE_HOST_FUNCTION(avg_pool2d)
SOURCE_HOST_FUNCTION(global_avg_pool2d)
SOURCE_HOST_FUNCTION(batch_norm2d)
SOURCE_HOST_FUNCTION(dropout)
SOURCE_HOST_FUNCTION(flatten)
SOURCE_HOST_FUNCTION(mark)
SOURCE_HOST_FUNCTION(residual)

const language_host_function source_network_functions[] = {
    {"image_channels", call_image_channels},
    {"image_height", call_image_height},
    {"image_width", call_image_width},
    {"image_classes", call_image_classes},
    {"inputs", call_inputs},
    {"outputs", call_outputs},
    {"network_new", call_network_new},
    {"conv2d", call_conv2d},
    {"depthwise2d", call_depthwise2d},
    {"linear", call_linear},
    {"relu", call_relu},
    {"relu6", call_relu6},
    {"hard_swish", call_hard_swish},
    {"gelu", call_gelu},
    {"max_pool2d", call_max_pool2d},
    {"avg_pool2d", call_avg_pool2d},
    {"global_avg_pool2d", call_global_avg_pool2d},
    {"batch_norm2d", call_batch_norm2d},
    {"dropout", call_dropout},
    {"flatten", call_flatten},
    {"mark", call_mark},
    {"residual", call_residual},
};
const int source_network_function_count =
    sizeof source_network_functions / sizeof *source_network_functions;
