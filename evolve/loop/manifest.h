/* SPDX-License-Identifier: MIT */
/* manifest.h -- what a run folder says of itself before it has done anything. */
#ifndef LOOP_MANIFEST_H
#define LOOP_MANIFEST_H

#include "evolve/loop/how.h"
#include "evolve/settings.h"
#include "base/json.h"

enum { LOOP_MANIFEST_MOST = 1 << 20 }; /* bytes */

/* Refuses a folder that holds a run. */
bool loop_manifest_absent(const char *folder, base_error *error);

/* Writes manifest.json; the folder's journal is locked by this process, so that no other one writes
 * into the same folder. Refuses a folder that holds a run. */
bool loop_manifest_write(const char *folder, const evolve_settings *settings,
                         const loop_options *options, base_error *error);

/* The manifest of the run in that folder. Refuses another format, and a manifest that was changed:
 * it is sealed, as a line of the journal is. NULL: error. base_json_free() it. */
base_json *loop_manifest_json(const char *folder, base_error *error);

/* Reads the settings of the run in that folder, to go on with it. Refuses another version of the
 * program or numeric mode as well: the results could not be continued bit for bit. */
bool loop_manifest_read(const char *folder, evolve_settings *settings, base_error *error);

#endif
