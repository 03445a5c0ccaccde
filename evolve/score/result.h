/* SPDX-License-Identifier: MIT */
/* result.h -- what became of one source, and how a worker and the journal write it down.
 *
 * A worker prints it as one sealed JSON object on one line, the same to the byte for the same
 * source, settings and seed. Behind the line of a network that is kept come its network.json, a zero
 * byte and its model.safetensors: the line has the digest of the first, which has that of the second.
 * The seal covers all but "seconds", "executor" and "sandbox", which may
 * differ between machines; whoever reads a result drops them. */
#ifndef SCORE_RESULT_H
#define SCORE_RESULT_H

#include "base/hash.h"
#include "base/json.h"
#include "evolve/settings.h"
#include <stdbool.h>
#include <stdint.h>

typedef enum score_status {
    SCORE_OK,
    SCORE_STOPPED, /* cannot have a score below the bound: the rest was not measured */
    SCORE_PARSE,   /* not a program */
    SCORE_CHECK,   /* a program that means nothing */
    SCORE_RUN,     /* went wrong while it ran, or its loss is not a number */
    SCORE_LIMIT,   /* more steps, memory or parameters than it may take */
    SCORE_TIMEOUT, /* "deadline": took too much of a processor's time and was ended */
    SCORE_STATUSES,
    /* No outcome of the source's, and never in a result that is printed or a journal: the machine failed
     * (a worker was killed, memory refused), and whoever wants the score has to ask again. */
    SCORE_LOST = SCORE_STATUSES
} score_status;

const char *score_status_name(score_status status);

typedef struct score_result {
    score_status status;
    char reason[256]; /* one line; empty where status is SCORE_OK */
    /* Lower is better. Of a T5: the mean loss a token (prequential.h), and the same in nats a pair,
     * comparable with the entropy floor. Of a network: the share of images it gets wrong, and their
     * mean cross-entropy. */
    double score, score_pair; /* of SCORE_STOPPED: the least that they can be */
    int64_t pairs;            /* of SCORE_STOPPED: how many were measured until then */
    float *losses;            /* each step's mean a token; malloc'ed, steps of them */
    int64_t steps;
    int64_t parameters, flops;
    int64_t peak_bytes; /* weights, gradients, optimizer state, results of the largest step */
    /* Of a network that was to be kept: the SHA-256 of its network.json ("": it was not), and the
     * files themselves (vision/model.h), which are malloc'ed; NULL where they were not sent along. */
    char model[BASE_HASH_TEXT];
    struct vision_model_files *kept;
    double seconds;
    const char *executor; /* "interpret" or "native"; NULL: nobody said. In static memory */
    const char *sandbox;  /* the level it was measured under; NULL: nobody said. In static memory */
} score_result;

void score_free(score_result *score); /* its losses and files */

/* The result as members of a JSON object (no braces) without `seconds`: what the journal holds. */
void score_members(const score_result *score, base_text *text);

/* Reads the members back, all but the losses: steps is 0. */
bool score_read(score_result *score, const base_json *object, const char *origin,
                base_error *error);

/* Whether a score that was read is one that a source can have under those settings; the losses are looked at in the
 * object. A seal says that nobody changed a line by accident, and nothing of whoever wrote it. */
bool score_possible(const score_result *score, const base_json *object,
                    const evolve_settings *settings, const char *origin, base_error *error);

/* Reads the losses as well, of a score that has them and was read from that object. */
bool score_read_losses(score_result *score, const base_json *object, const char *origin,
                       base_error *error);

/* What was asked: a result is that of a source under the settings of a score, by this version, against
 * a bound. All of it is in a result's "question", so that the answer to another one is not taken. */
typedef struct score_question {
    const char *text;
    size_t length;
    const evolve_settings *settings;
    double bound;
    const char
        *parent; /* SHA-256 of the network.json that it begins with; NULL or "": it does not */
} score_question;

/* The whole line that `phoenix evaluate` prints: {"source": SHA-256, "question": SHA-256, members,
 * "check", "seconds", "executor", "sandbox"}. What stands after "check" may differ from machine to
 * machine, and is not sealed. */
void score_result_print(const score_result *score, const score_question *question, base_text *line);

/* A worker's output: true where it is a whole, sealed result for that very question, with its network
 * where it names one. */
bool score_result_read(score_result *score, const char *output, size_t size,
                       const score_question *question, base_error *error);

/* A network's two files in the bytes that a worker writes and is given: network.json, a zero byte,
 * model.safetensors. They point into the bytes. False: the first has not that digest, or the second not the one that
 * the first names. */
bool score_network_split(struct vision_model_files *files, const char *bytes, size_t size,
                         const char *digest, base_error *error);

#endif
