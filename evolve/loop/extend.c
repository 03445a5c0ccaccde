/* SPDX-License-Identifier: MIT */
/* extend.c -- the printed settings of a run are replaced in two sealed lines, the journal's first and the manifest. */
#include "evolve/loop/extend.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/seal.h"
#include "evolve/loop/journal.h"
#include "evolve/loop/manifest.h"
#include <string.h>

/* What is said of settings, before and after. */
typedef struct change {
    base_text before, after;
} change;

/* Appends a sealed object, given without its line feed, with the settings changed. False: it has neither
 * the old nor the new ones. */
static bool reseal(const change *c, const char *object, size_t length, base_text *resealed)
{
    const char *at = strstr(object, c->before.data), *done = strstr(object, c->after.data);
    size_t end = base_seal_begins(length);
    if (done && done < object + end) {
        base_text_add(resealed, object, length);
        return true;
    }
    if (!at || at >= object + end)
        return false;
    const char *rest = at + c->before.length;
    base_text_add(resealed, object, (size_t)(at - object));
    base_text_add(resealed, c->after.data, c->after.length);
    base_text_add(resealed, rest, (size_t)(object + end - rest));
    base_text_add(resealed, "}", 1);
    base_seal(resealed);
    return true;
}

/* Replaces a file of the run by one whose first object, of so many bytes and a line feed, has the new
 * settings. */
static bool rewrite(const change *c, const char *folder, const char *name, const char *bytes,
                    size_t first, size_t size, base_error *error)
{
    base_text text = {0};
    bool ok = reseal(c, bytes, first, &text) ||
              base_fail(error, "%s/%s: the settings of this run were expected in it", folder, name);
    base_text_add(&text, bytes + first, size - first);
    ok = ok && base_file_write_text(folder, name, text.failed ? NULL : text.data, NULL, error);
    base_text_free(&text);
    return ok;
}

/* How many events there are before those of the ending; -1: one cannot be read. */
static int before_the_ending(const loop_journal *journal, base_error *error)
{
    int count = loop_journal_recorded(journal);
    for (int i = 0; i < count; i++) {
        loop_event event;
        if (!loop_journal_event(journal, i, &event, error))
            return -1;
        if (event.kind >= LOOP_KEPT)
            return i;
    }
    return count;
}

static bool rewrite_journal(const change *c, const char *folder, base_error *error)
{
    loop_journal *journal = loop_journal_open(folder, error);
    int count = journal ? before_the_ending(journal, error) : -1;
    size_t size;
    char *lines = count > 0 ? loop_journal_lines(journal, count, &size, error) : NULL;
    bool ok = count == 0; /* a run that has not begun */
    if (lines)
        ok = rewrite(c, folder, "journal.jsonl", lines, strcspn(lines, "\n"), size, error);
    base_free(lines);
    loop_journal_close(journal);
    return ok;
}

static bool rewrite_manifest(const change *c, const char *folder, base_error *error)
{
    char *path = base_file_path(folder, "manifest.json");
    size_t size;
    char *bytes = path ? base_file_read(path, LOOP_MANIFEST_MOST, &size, error) : NULL;
    bool ok = path || base_fail(error, "%s: no memory", folder);
    ok = ok && bytes && rewrite(c, folder, "manifest.json", bytes, size - 1, size, error);
    base_free(bytes);
    base_free(path);
    return ok;
}

bool loop_extend(const char *folder, int64_t episodes, base_error *error)
{
    evolve_settings settings;
    change c = {{0}, {0}};
    if (!loop_manifest_read(folder, &settings, error))
        return false;
    if (episodes < settings.episodes)
        return base_fail(error, "%s: expected at least the %d episodes that the run has", folder,
                         (int)settings.episodes);
    if (episodes == settings.episodes)
        return true;
    evolve_settings_print(&settings, &c.before);
    settings.episodes = episodes;
    evolve_settings_print(&settings, &c.after);
    bool ok = (!(c.before.failed || c.after.failed) || base_fail(error, "%s: no memory", folder)) &&
              rewrite_journal(&c, folder, error) && rewrite_manifest(&c, folder, error);
    base_text_free(&c.before);
    base_text_free(&c.after);
    return ok;
}
