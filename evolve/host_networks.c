/* host_networks.c -- networks for images as a source builds them: a list of layers, one call each.
 *
 * What a layer's numbers are worth is found when the whole list is there (vision_shapes); here they
 * are only kept, and kept few. */
#include "evolve/host_state.h"
#include "vision/images.h"
#include <stdlib.h>

enum { MOST_NETWORKS = 16 };

/* ---- the task's images ---- */

static bool needs_images(const evolve_host *h, evolve_call *call)
{
    return h->settings->set || evolve_refuse(call, "the task has no images");
}

static bool image_channels(evolve_host *h, evolve_call *call)
{
    if (!needs_images(h, call))
        return false;
    call->result->as.i = h->settings->set->train.channels;
    return true;
}

static bool image_height(evolve_host *h, evolve_call *call)
{
    if (!needs_images(h, call))
        return false;
    call->result->as.i = h->settings->set->train.height;
    return true;
}

static bool image_width(evolve_host *h, evolve_call *call)
{
    if (!needs_images(h, call))
        return false;
    call->result->as.i = h->settings->set->train.width;
    return true;
}

static bool image_classes(evolve_host *h, evolve_call *call)
{
    if (!needs_images(h, call))
        return false;
    call->result->as.i = h->settings->set->train.classes;
    return true;
}

/* ---- layers ---- */

static bool network_new(evolve_host *h, evolve_call *call)
{
    if (h->models == MOST_NETWORKS)
        return evolve_refuse_limit(call, "more than %d networks", MOST_NETWORKS);
    vision_architecture *net = calloc(1, sizeof *net);
    if (!net)
        return evolve_refuse_limit(call, "no memory for a network");
    h->models++;
    return evolve_host_add(h, call, EVOLVE_NETWORK, net);
}

static bool add(evolve_host *h, evolve_call *call, vision_layer layer)
{
    vision_architecture *net = evolve_host_find(h, call, 0, EVOLVE_NETWORK);
    if (!net)
        return false;
    if (net->count == VISION_MAX_LAYERS)
        return evolve_refuse_limit(call, "more than %d layers", VISION_MAX_LAYERS);
    net->layer[net->count++] = layer;
    return true;
}

static int whole(const evolve_call *call, int argument)
{
    return call->arguments[argument].as.i;
}

static bool conv2d(evolve_host *h, evolve_call *call)
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

static bool linear(evolve_host *h, evolve_call *call)
{
    call->result->as.i = whole(call, 2);
    return add(h, call,
               (vision_layer){.kind = VISION_LINEAR, .in = whole(call, 1), .out = whole(call, 2)});
}

static bool pool(evolve_host *h, evolve_call *call, vision_kind kind)
{
    return add(h, call,
               (vision_layer){.kind = kind, .kernel = whole(call, 1), .stride = whole(call, 2)});
}

static bool max_pool2d(evolve_host *h, evolve_call *call)
{
    return pool(h, call, VISION_MAX_POOL2D);
}

static bool avg_pool2d(evolve_host *h, evolve_call *call)
{
    return pool(h, call, VISION_AVG_POOL2D);
}

static bool batch_norm2d(evolve_host *h, evolve_call *call)
{
    return add(h, call, (vision_layer){.kind = VISION_BATCH_NORM2D, .in = whole(call, 1)});
}

static bool dropout(evolve_host *h, evolve_call *call)
{
    return add(h, call, (vision_layer){.kind = VISION_DROPOUT, .rate = call->arguments[1].as.d});
}

static bool relu(evolve_host *h, evolve_call *call)
{
    return add(h, call, (vision_layer){.kind = VISION_RELU});
}

static bool gelu(evolve_host *h, evolve_call *call)
{
    return add(h, call, (vision_layer){.kind = VISION_GELU});
}

static bool flatten(evolve_host *h, evolve_call *call)
{
    return add(h, call, (vision_layer){.kind = VISION_FLATTEN});
}

EVOLVE_HOST_FUNCTION(image_channels)
EVOLVE_HOST_FUNCTION(image_height)
EVOLVE_HOST_FUNCTION(image_width)
EVOLVE_HOST_FUNCTION(image_classes)
EVOLVE_HOST_FUNCTION(network_new)
EVOLVE_HOST_FUNCTION(conv2d)
EVOLVE_HOST_FUNCTION(linear)
EVOLVE_HOST_FUNCTION(relu)
EVOLVE_HOST_FUNCTION(gelu)
EVOLVE_HOST_FUNCTION(max_pool2d)
EVOLVE_HOST_FUNCTION(avg_pool2d)
EVOLVE_HOST_FUNCTION(batch_norm2d)
EVOLVE_HOST_FUNCTION(dropout)
EVOLVE_HOST_FUNCTION(flatten)

const refine_host_function evolve_network_functions[] = {
    {"image_channels", call_image_channels},
    {"image_height", call_image_height},
    {"image_width", call_image_width},
    {"image_classes", call_image_classes},
    {"network_new", call_network_new},
    {"conv2d", call_conv2d},
    {"linear", call_linear},
    {"relu", call_relu},
    {"gelu", call_gelu},
    {"max_pool2d", call_max_pool2d},
    {"avg_pool2d", call_avg_pool2d},
    {"batch_norm2d", call_batch_norm2d},
    {"dropout", call_dropout},
    {"flatten", call_flatten},
};
const int evolve_network_function_count =
    sizeof evolve_network_functions / sizeof *evolve_network_functions;
