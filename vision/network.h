/* SPDX-License-Identifier: MIT */
/* network.h -- networks for images: a sequence of layers, checked, counted, printed and run.
 *
 * An architecture is a plain list of layers with their own numbers, as a program writes them down:
 * a linear layer says how many inputs it takes, and that is what it must get. So a list can be
 * wrong, and the first layer that does not fit is named, before any memory is taken.
 *
 *     vision_architecture net = {.count = 4, .layer = {
 *         {VISION_CONV2D, .in = 1, .out = 8, .kernel = 3, .stride = 1}, {VISION_RELU},
 *         {VISION_FLATTEN}, {VISION_LINEAR, .in = 8 * 26 * 26, .out = 10}}};
 *     vision_shape input = {1, 28, 28}, shapes[VISION_MAX_LAYERS];
 *     if (vision_shapes(&net, input, 10, shapes, &error))
 *         network = vision_network_new(ctx, &net, input, seed, &error); */
#ifndef VISION_NETWORK_H
#define VISION_NETWORK_H

#include "base/error.h"
#include "base/text.h"
#include "nn/params.h"

typedef enum vision_kind {
    VISION_CONV2D, /* in, out channels, kernel, stride, padding */
    VISION_RELU,
    VISION_GELU,
    VISION_MAX_POOL2D, /* kernel, stride */
    VISION_AVG_POOL2D,
    VISION_BATCH_NORM2D, /* in: channels */
    VISION_DROPOUT,      /* rate */
    VISION_FLATTEN,
    VISION_LINEAR,      /* in, out */
    VISION_DEPTHWISE2D, /* in: channels; kernel, stride, padding */
    VISION_RELU6,
    VISION_HARD_SWISH,
    VISION_GLOBAL_AVG_POOL2D,
    VISION_RESIDUAL, /* in: adds what `in` layers have given; 0: the images */
    VISION_KINDS
} vision_kind;

typedef struct vision_layer {
    vision_kind kind;
    int in, out, kernel, stride, padding;
    double rate;
} vision_layer;

/* "conv2d", as a source calls it. */
const char *vision_kind_name(vision_kind kind);

enum { VISION_MAX_LAYERS = 160 };
#define VISION_NORM_EPSILON 1e-5F /* of batch norms, torch's default */

typedef struct vision_architecture {
    int count;
    vision_layer layer[VISION_MAX_LAYERS];
} vision_architecture;

/* The shape of what one layer passes to the next: an image, or, where height and width are 0, a row
 * of `channels` numbers: behind flatten, and from the first layer on where the input is a table's. */
typedef struct vision_shape {
    int channels, height, width;
} vision_shape;

/* Fills shapes[i] with the shape of layer i's result, for i < count. False: a layer gets what it
 * does not take ("layer 7, linear: takes 6400 numbers and gets 36864"), a size is below 1, or the
 * last layer does not give one number per class. Nothing overflows: every product is checked, and a
 * layer too large to be counted is refused. */
bool vision_shapes(const vision_architecture *net, vision_shape input, int classes,
                   vision_shape shapes[VISION_MAX_LAYERS], base_error *error);

/* Floats of weights and biases. This and what follows takes an architecture that vision_shapes
 * accepts. */
int64_t vision_parameters(const vision_architecture *net);
/* Operations (a multiply-add is two) of one image in a training step, counted as if each
 * convolution were done directly: three times the forward pass's, but for the first layer, whose
 * input wants no gradient. */
int64_t vision_training_flops(const vision_architecture *net, vision_shape input);

/* What a trained network takes where it is used, one image at a time: the numbers it keeps (weights,
 * biases, and the running statistics of batch norms), the most that stand in memory at once (a
 * layer's input and result, and what a later sum asks for; what can be computed in place takes no
 * second place), and the operations of a forward pass. A number is 4 bytes as it is trained. */
typedef struct vision_footprint {
    int64_t weights, activations, flops;
} vision_footprint;

vision_footprint vision_footprint_of(const vision_architecture *net, vision_shape input);

/* Appends one line per layer in the form of the paper's Table 2, with the shapes of input and
 * result, parameters and operations of a forward pass, and a line of sums. Nothing is appended for
 * an architecture in which a layer does not fit. */
void vision_summary(const vision_architecture *net, vision_shape input, base_text *text);

/* ---- a network with weights ---- */

typedef struct vision_network vision_network;

/* Weights as torch draws them by default (Kaiming uniform, bound 1 / sqrt(fan_in)), from that seed,
 * with a stream for each tensor. NULL: no memory. The architecture must pass vision_shapes. */
vision_network *vision_network_new(tensor_context *ctx, const vision_architecture *net,
                                   vision_shape input, uint64_t seed, base_error *error);

/* One that only predicts: no memory for gradients, and weights of 0, to be filled in. */
vision_network *vision_network_blank(tensor_context *ctx, const vision_architecture *net,
                                     vision_shape input, base_error *error);
void vision_network_free(vision_network *network);
nn_params *vision_network_params(vision_network *network);
/* The running statistics of batch norms, which no gradient changes, in order of the layers:
 * "1.running_mean" and "1.running_var", of (channels) each. Without gradients. */
nn_params *vision_network_running(vision_network *network);
vision_shape vision_network_input(const vision_network *network);

/* Images (B,C,H,W), or rows (B,C), -> logits (B,classes). training: batch norm takes the batch's statistics and
 * updates the running ones (a batch with a single value per channel takes the running ones), and
 * dropout drops, with random numbers of (seed, stream), which should differ from step to step. gelu
 * is torch's, with erf; batch norm has torch's momentum 0.1 and eps 1e-5. Images of another shape
 * call the failure handler. */
tensor *vision_forward(vision_network *network, tensor *images, bool training, uint64_t seed,
                       uint64_t stream);

/* From now on vision_forward writes the result of layer i to results[i], VISION_MAX_LAYERS places;
 * nothing to that of a layer whose relu is computed with it. NULL: not wanted any more. */
void vision_keep_results(vision_network *network, tensor **results);

#endif
