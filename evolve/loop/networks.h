/* SPDX-License-Identifier: MIT */
/* networks.h -- the trained networks of a run's candidates, which their children begin with (--inherit).
 *
 * Each is one file, FOLDER/networks/DIGEST: network.json, a zero byte, model.safetensors (vision/model.h), as a worker
 * writes and is given them. Its name is the SHA-256 of the first, which has that of the second, and the journal has
 * that name: so nobody begins with anything else. Only those of the first source and of what became the source are
 * kept. */
#ifndef LOOP_NETWORKS_H
#define LOOP_NETWORKS_H

#include "evolve/loop/candidate.h"
#include "vision/model.h"

bool loop_network_write(const char *folder, const char *digest, const vision_model_files *files,
                        base_error *error);

/* The bytes, malloc'ed, and where in them the two files lie: `files` owns nothing. False: there is no such file, or it
 * is not what its name says. */
char *loop_network_read(const char *folder, const char *digest, size_t *size,
                        vision_model_files *files, base_error *error);

/* Removes those of candidates first .. , but for what a source has. */
void loop_networks_forget(const char *folder, const loop_candidates *candidates, int first);

#endif
