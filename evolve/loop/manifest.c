/* SPDX-License-Identifier: MIT */
/* manifest.c -- the manifest names the format, the program and the arithmetic that made a run, so
 * that nobody continues it with another and calls the result the same. */
#include "evolve/loop/manifest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/seal.h"
#include <stdlib.h>
#include <string.h>

/* How the arithmetic of record rounds: fused multiply-add, sums in the orders of tensor/kernel.h. A
 * build that trades the promise of equal bits for speed would have to take another name. */
static const char numeric_mode[] = "fma-1";

bool loop_manifest_absent(const char *folder, base_error *error)
{
    char *path = base_file_path(folder, "manifest.json");
    if (!path)
        return base_fail(error, "%s: no memory", folder);
    bool there = base_file_exists(path);
    base_free(path);
    return !there || base_fail(error,
                               "%s: there is a run in this folder: go on with --resume, or name "
                               "another with --run",
                               folder);
}

bool loop_manifest_write(const char *folder, const evolve_settings *settings,
                         const loop_options *options, base_error *error)
{
    if (!loop_manifest_absent(folder, error))
        return false;
    base_text text = {0};
    base_text_print(&text,
                    "{\"format\":%d,\"version\":\"%s\",\"numeric_mode\":\"%s\",\n"
                    "\"settings\":",
                    LOOP_RUN_FORMAT, EVOLVE_VERSION, numeric_mode);
    evolve_settings_print(settings, &text);
    base_text_print(&text, ",\n");
    evolve_fields_print(evolve_option_fields, EVOLVE_NOTED, &options->run, &text);
    base_text_print(&text, "}");
    base_seal(&text);
    base_text_print(&text, "\n");
    bool ok =
        base_file_write_text(folder, "manifest.json", text.failed ? NULL : text.data, NULL, error);
    base_text_free(&text);
    return ok;
}

/* go_on: this program is to continue the run. To read a run, the format is enough. */
static bool same_program(const base_json *json, bool go_on, const char *path, base_error *error)
{
    int64_t format;
    const char *version, *mode;
    if (!base_json_get_int(json, "format", 0, INT32_MAX, &format, path, error) ||
        !base_json_get_string(json, "version", &version, path, error) ||
        !base_json_get_string(json, "numeric_mode", &mode, path, error))
        return false;
    bool same = strcmp(version, EVOLVE_VERSION) == 0 && strcmp(mode, numeric_mode) == 0;
    return (format == LOOP_RUN_FORMAT && (same || !go_on)) ||
           base_fail(error,
                     "%s: a run of phoenix %s (format %d, numeric mode %s): this is phoenix %s "
                     "(format %d, numeric mode %s), which cannot %s it",
                     path, version, (int)format, mode, EVOLVE_VERSION, LOOP_RUN_FORMAT,
                     numeric_mode, go_on ? "go on with" : "read");
}

/* The format is checked before the seal: a run of another format is to be named as such. */
static base_json *read_manifest(const char *folder, bool go_on, base_error *error)
{
    char *path = base_file_path(folder, "manifest.json");
    size_t size;
    if (!path) {
        base_fail(error, "%s: no memory", folder);
        return NULL;
    }
    if (!base_file_exists(path)) {
        base_fail(error, "%s: expected a run in this folder: it has no manifest.json", folder);
        base_free(path);
        return NULL;
    }
    char *text = base_file_read(path, LOOP_MANIFEST_MOST, &size, error);
    base_json *json = text ? base_json_parse(text, size, path, error) : NULL;
    bool ok = json && same_program(json, go_on, path, error) &&
              ((text[size - 1] == '\n' && base_sealed(text, size - 1)) ||
               base_fail(error, "%s: was changed: its check is wrong", path));
    base_free(text);
    base_free(path);
    if (ok)
        return json;
    base_json_free(json);
    return NULL;
}

base_json *loop_manifest_json(const char *folder, base_error *error)
{
    return read_manifest(folder, false, error);
}

bool loop_manifest_read(const char *folder, evolve_settings *settings, base_error *error)
{
    base_json *json = read_manifest(folder, true, error);
    bool ok = json && evolve_settings_read(settings, base_json_get(json, "settings"),
                                           "manifest.json", error);
    base_json_free(json);
    return ok;
}
