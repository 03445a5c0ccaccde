/* SPDX-License-Identifier: MIT */
/* begin.c -- what a run begins with: settings, first sources, data and experience, the folder that it takes,
 * and the event that says what they were, so that a run is never gone on with by others. */
#include "evolve/loop/begin.h"
#include "base/file.h"
#include "base/memory.h"
#include "evolve/loop/folder.h"
#include "evolve/loop/learnt.h"
#include "evolve/loop/manifest.h"
#include "evolve/loop/propose.h"
#include "evolve/loop/tell.h"
#include "evolve/loop/timing.h"
#include "evolve/source/host.h"
#include "evolve/task.h"
#include <stdio.h>
#include <string.h>

bool loop_no_memory(const loop_state *r, base_error *error)
{
    return base_fail(error, "%s: no memory", r->options->folder);
}

bool loop_note(loop_state *r, loop_event *event, const base_text *text, base_error *error)
{
    return text->failed ? loop_no_memory(r, error) : loop_journal_note(r->journal, event, error);
}

/* A corpus; and images, or pairs of text, which a score takes no more of than there are. */
static bool read_data(loop_state *r, base_error *error)
{
    if (!evolve_task_read(&r->settings, &r->options->run, &r->set, error) ||
        !source_texts_of_task(&r->settings, &r->options->run, &r->texts, error) ||
        !source_corpus_of_run(&r->settings, &r->options->run, &r->corpus, error))
        return false;
    if (*r->set.note)
        r->options->watch.say(r->options->watch.user, r->set.note);
    if (r->texts) {
        source_texts_settle(r->texts, &r->settings);
        r->own.run.pairs_digest = r->texts->hash;
    }
    return true;
}

/* malloc'ed; NULL: no memory. */
static char *text_of(void (*print)(const evolve_settings *settings, base_text *text),
                     const evolve_settings *settings)
{
    base_text text = {0};
    print(settings, &text);
    char *copy = text.failed ? NULL : base_copy(text.data, text.length);
    base_text_free(&text);
    return copy;
}

/* The file of experience that was named; NULL: there is none. */
static const char *named_experience(const loop_state *r)
{
    const char *given = r->options->experience;
    return given && strcmp(given, "none") != 0 ? given : NULL;
}

/* The file that was named, or the program's own; of a run that has begun, the copy that it keeps. */
static bool read_experience(loop_state *r, bool is_there, base_error *error)
{
    const char *file = named_experience(r);
    const bool learns = evolve_learns(&r->settings);
    if (file) {
        r->experience = search_experience_open(file, error);
        return r->experience &&
               (learns || base_fail(error, "--experience: only --proposer counts, critic, tilted, "
                                           "taught and actor learn from it"));
    }
    if (!is_there) {
        if (!learns || r->options->experience) /* "none" */
            return true;
        r->experience = search_experience_own(error);
        return r->experience != NULL;
    }
    return loop_experience_kept(r->options->folder, &r->experience, error);
}

/* The bytes whose digest the first event has, and not what the file may be by now. */
static bool keep_experience(const loop_state *r, base_error *error)
{
    return !r->experience || base_file_write_text(r->options->folder, "experience.csv",
                                                  r->experience->file, NULL, error);
}

/* Of what the journal has. */
static bool is_other_experience(const loop_state *r, const loop_event *started)
{
    const char *own = r->experience ? r->experience->hash : "";
    return strcmp(started->experience ? started->experience : "", own) != 0;
}

static void other_experience(const loop_state *r, base_error *error)
{
    const char *file = named_experience(r);
    base_fail(error, "%s%s: the experience is not that which the run began with",
              file ? file : r->options->folder, file ? "" : "/experience.csv");
}

/* The settings once more, and the digests of the experience and of the images: a journal can be read
 * without its manifest. */
static bool note_start(loop_state *r, base_error *error)
{
    char hash[BASE_HASH_TEXT] = "", first[BASE_HASH_TEXT] = "", more[BASE_HASH_TEXT] = "";
    char image[64];
    base_text settings = {0};
    evolve_settings_print(&r->settings, &settings);
    loop_event event = {
        .kind = LOOP_STARTED, .version = EVOLVE_VERSION, .settings = {.text = settings.data}};
    if (r->texts)
        event.pairs = r->texts->hash;
    if (r->corpus)
        event.corpus = r->corpus->hash;
    if (evolve_subject_of(&r->settings) == EVOLVE_NETWORKS) {
        const vision_images *images = &r->set.train;
        vision_set_hash(&r->set, hash);
        snprintf(image, sizeof image, "[%d,%d,%d]", images->channels, images->height,
                 images->width);
        event.images = hash;
        event.image.text = image;
        event.classes = images->classes;
    }
    if (r->experience)
        event.experience = r->experience->hash;
    if (r->sources.own) {
        base_hash_text(r->sources.first, strlen(r->sources.first), first);
        event.first = first;
    }
    if (r->sources.more) {
        settings.failed = settings.failed || !loop_sources_hash(&r->sources, more);
        event.more = more;
    }
    bool ok = loop_note(r, &event, &settings, error);
    base_text_free(&settings);
    if (!ok && event.json && is_other_experience(r, &event))
        other_experience(r, error);
    if (!ok && event.json)
        loop_first_is(&event, r->sources.own ? r->sources.first : NULL, r->options->folder, error);
    if (!ok && event.json && strcmp(event.more ? event.more : "", more) != 0)
        base_fail(error, "%s: the sources after the first are not those which the run began with",
                  r->options->folder);
    if (!ok && event.json && r->corpus &&
        strcmp(event.corpus ? event.corpus : "", r->corpus->hash) != 0)
        base_fail(error, "%s: the corpus is not that which the run began with",
                  r->options->run.corpus);
    if (!ok && *hash && event.json && event.images && strcmp(event.images, hash) != 0) {
        const char *data = r->options->run.data;
        base_fail(error, "%s: the %s%s%s are not those that the run began with", r->options->folder,
                  evolve_items_of(&r->settings), data ? " in " : "", data ? data : "");
    }
    return ok;
}

/* The settings, and the first source that follows from them: a folder is made for what can be. */
static bool read_settings(loop_state *r, base_error *error)
{
    const char *folder = r->options->folder;
    bool is_there = r->options->resume || r->options->replay;
    if (is_there && !loop_manifest_read(folder, &r->settings, error))
        return false;
    bool own_writer = evolve_subject_of(&r->settings) == EVOLVE_T5S;
    if (!own_writer)
        r->generator_source = text_of(source_generator_source, &r->settings);
    if (!own_writer && !r->generator_source)
        return loop_no_memory(r, error);
    return loop_sources_read(&r->sources, r->options, &r->settings, is_there, error) &&
           (is_there ||
            loop_propose_check(&r->settings, r->sources.first, r->sources.more, error)) &&
           read_data(r, error) && read_experience(r, is_there, error) &&
           (is_there || loop_folder_take(folder, r->options->fresh, &r->made, &r->taken, error));
}

/* What a driver that was killed was writing. The journal is locked, so nobody writes there now. */
static void sweep(const loop_state *r)
{
    base_text path = {0};
    base_file_sweep(r->options->folder);
    static const char *const inside[] = {"model", "networks"};
    for (int i = 0; i < 2; i++) {
        base_text_clear(&path);
        base_text_print(&path, "%s/%s", r->options->folder, inside[i]);
        if (!path.failed && base_file_exists(path.data))
            base_file_sweep(path.data);
    }
    for (int i = 0; i < r->settings.episodes; i++) {
        base_text_clear(&path);
        base_text_print(&path, "%s/episode-%d", r->options->folder, i);
        if (path.failed || !base_file_exists(path.data))
            break;
        base_file_sweep(path.data);
        base_text_print(&path, "/model");
        if (!path.failed)
            base_file_sweep(path.data);
    }
    base_text_free(&path);
}

/* The journal is locked by now. Where it has events, the manifest of their run is lost, and what is there is not of
 * this process. */
static bool write_beginning(loop_state *r, base_error *error)
{
    const char *folder = r->options->folder;
    if (!loop_manifest_absent(folder, error))
        return false;
    r->begun = loop_journal_recorded(r->journal) == 0;
    return keep_experience(r, error) && loop_sources_keep(&r->sources, folder, error) &&
           loop_manifest_write(folder, &r->settings, r->options, error);
}

bool loop_begin(loop_state *r, base_error *error)
{
    const char *folder = r->options->folder;
    if (!read_settings(r, error) ||
        !(r->journal = r->options->replay ? loop_journal_read(folder, error)
                                          : loop_journal_open(folder, error)) ||
        (!r->options->resume && !r->options->replay && !write_beginning(r, error)))
        return false;
    loop_experience_narrow(r->experience, &r->settings);
    if (r->options->resume)
        sweep(r);
    if (!r->options->replay) {
        loop_timing_machine(folder);
        loop_tell_run(&r->options->watch, &r->settings, r->options->fresh ? folder : NULL);
    }
    if (r->options->resume)
        loop_tell_resume(&r->options->watch, loop_journal_recorded(r->journal));
    r->scorer = loop_scorer_new(r->journal, r->options, &r->settings);
    r->episodes = base_calloc((size_t)r->settings.episodes, sizeof *r->episodes);
    if (!r->scorer || !r->episodes)
        return loop_no_memory(r, error);
    if (evolve_writes(&r->settings) &&
        !(r->generator =
              loop_generator_new(r->options, &r->settings, r->corpus, r->journal, error)))
        return false;
    return note_start(r, error);
}
