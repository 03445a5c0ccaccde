/* SPDX-License-Identifier: MIT */
/* model.h -- a trained network as a folder, written and read.
 *
 *   model.safetensors   weights and running statistics, under torch's names: "0.weight", "0.bias",
 *                       "1.running_mean", "1.running_var"
 *   network.json        the layers, the images that they take, how pixels become numbers, the names
 *                       of the classes, what was measured, and the SHA-256 of the other two files
 *   source.c            the program that the network was built by
 *
 * A network that was saved and loaded gives the same bits as before, batch norm included. The JSON
 * names the other files by their digests and is written last: of two saves to one folder, a mixture
 * is refused. A folder may come from anywhere: each number is checked before memory is taken for
 * what it asks for, and no more is read than the layers need.
 *
 *     vision_model model;
 *     if (!vision_model_load(&model, ctx, "runs/1/model", &error))
 *         return complain(error.text);
 *     (vision_forward(model.network, ...), pixels by model.normal; vision_running for batch norms)
 *     vision_model_free(&model); */
#ifndef VISION_MODEL_H
#define VISION_MODEL_H

#include "base/hash.h"
#include "base/text.h"
#include "vision/network.h"
#include "vision/train.h"

enum { VISION_MODEL_WORD = VISION_NAME };

/* What is known of a trained network. The caller of a save fills it in, but for the digest of the
 * source; a load fills in all. */
typedef struct vision_model {
    vision_network *network; /* a load's: owned by the model. A save's: the caller's */
    vision_architecture net;
    vision_shape input;
    int classes;          /* 1 .. VISION_MAX_CLASSES */
    vision_normal normal; /* of the first input.channels channels, or inputs of rows */
    vision_result result; /* of images that the training did not see */
    int64_t trained;      /* images that the network was trained on */
    int64_t seed;         /* of the training */
    char task[VISION_MODEL_WORD], version[VISION_MODEL_WORD]; /* of the program that trained it */
    char source[BASE_HASH_TEXT], data[BASE_HASH_TEXT];        /* of source.c; vision_set_hash() */
    char (*names)[VISION_MODEL_WORD]; /* of the classes; NULL: they are numbers. As network */
    vision_columns *columns; /* of a table: how its rows become inputs; NULL: images. As network */
    bool pictures; /* trained on pictures that were made to fit, as others are to be (vision_fit) */
} vision_model;

/* The two files as bytes, to be sent by a worker or stored: network.json, and model.safetensors.
 * All zero is nothing; freed by vision_model_files_free. */
typedef struct vision_model_files {
    base_text json, weights;
} vision_model_files;

/* Makes the bytes. source: the text of source.c. False: no memory. */
bool vision_model_pack(const vision_model *model, const char *source, size_t length,
                       vision_model_files *files, base_error *error);
void vision_model_files_free(vision_model_files *files);

/* Reads the bytes back; origin names the two in messages. ctx must outlive the model. False: the
 * error says what is wrong where, and there is nothing to free. */
bool vision_model_unpack(vision_model *model, tensor_context *ctx, const vision_model_files *files,
                         const char *const origin[2], base_error *error);

/* Whether the JSON can be read and the weights are those that it names. */
bool vision_model_check(const vision_model_files *files, const char *const origin[2],
                        base_error *error);

/* Writes all three files to a folder, which is made if it is not there; network.json last. */
bool vision_model_store(const vision_model_files *files, const char *source, size_t length,
                        const char *folder, base_error *error);

/* Pack and store. */
bool vision_model_save(const vision_model *model, const char *source, size_t length,
                       const char *folder, base_error *error);

/* Reads folder/network.json, or where that is not there folder/model/network.json, as a run and a
 * training leave it, and model.safetensors beside it. source.c is not read. */
bool vision_model_load(vision_model *model, tensor_context *ctx, const char *folder,
                       base_error *error);
void vision_model_free(vision_model *model); /* of a model that was loaded */

/* Whether it answers with a number. And that number, of what the network gives: y deviation + mean. */
bool vision_model_is_regression(const vision_model *model);
float vision_model_value(const vision_model *model, float y);

/* As many images at once, at most `most`, as leave their layers' results within a gigabyte: a small file can
 * describe a network that takes more for one, which is an error. file is for the message. */
bool vision_model_batch(const vision_model *model, int most, const char *file, int *batch,
                        base_error *error);

/* Whether the images, and their labels where they have some, are such as the network was trained
 * on; file is for the message. */
bool vision_model_takes(const vision_model *model, const vision_images *images, const char *file,
                        base_error *error);

#endif
