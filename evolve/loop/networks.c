/* SPDX-License-Identifier: MIT */
/* networks.c -- files that are named by what they hold. To write one that is there, or to remove one that is gone,
 * changes nothing: a resumed run does both. */
#include "evolve/loop/networks.h"
#include "base/file.h"
#include "base/memory.h"
#include <string.h>
#include <unistd.h>

/* FOLDER/networks/NAME; NULL: no memory. */
static char *path_of(const char *folder, const char *name)
{
    char *inside = base_file_path(folder, "networks");
    char *path = inside ? base_file_path(inside, name) : NULL;
    base_free(inside);
    return path;
}

bool loop_network_write(const char *folder, const char *digest, const vision_model_files *files,
                        base_error *error)
{
    const base_bytes parts[] = {{files->json.data, files->json.length},
                                {"", 1},
                                {files->weights.data, files->weights.length}};
    char *inside = base_file_path(folder, "networks"), *path = path_of(folder, digest);
    bool ok = (inside && path) || base_fail(error, "%s: no memory for a network", folder);
    ok = ok && base_file_make_folder(inside, error) &&
         base_file_write(path, parts, sizeof parts / sizeof *parts, NULL, error);
    base_free(inside);
    base_free(path);
    return ok;
}

char *loop_network_read(const char *folder, const char *digest, size_t *size,
                        vision_model_files *files, base_error *error)
{
    char *path = path_of(folder, digest);
    char *bytes = path ? base_file_read(path, SIZE_MAX, size, error) : NULL;
    if (!path)
        base_fail(error, "%s: no memory for a network", folder);
    if (bytes && !score_network_split(files, bytes, *size, digest, error)) {
        base_error why = *error;
        base_fail(error, "%s: %s", path, why.text);
        base_free(bytes);
        bytes = NULL;
    }
    base_free(path);
    return bytes;
}

/* Whether one that was or is the source has it. */
static bool is_of_source(const loop_candidates *candidates, const char *digest)
{
    for (int i = 0; i < candidates->count; i++)
        if ((i == 0 || candidates->list[i].accepted) &&
            strcmp(candidates->list[i].score.model, digest) == 0)
            return true;
    return false;
}

void loop_networks_forget(const char *folder, const loop_candidates *candidates, int first)
{
    for (int i = first; i < candidates->count; i++) {
        const char *digest = candidates->list[i].score.model;
        char *path = *digest && !is_of_source(candidates, digest) ? path_of(folder, digest) : NULL;
        if (path)
            unlink(path);
        base_free(path);
    }
}
