/* SPDX-License-Identifier: MIT */
/* sources.c -- the programs that a run starts from, given or as the run keeps them. */
#include "evolve/loop/sources.h"
#include "base/file.h"
#include "base/list.h"
#include "base/memory.h"
#include "evolve/source/form.h"
#include "evolve/source/host.h"
#include "evolve/task.h"
#include <stdio.h>
#include <string.h>

/* first.c, first-2.c, first-3.c, ... */
static const char *name_of(int i, char name[32])
{
    snprintf(name, 32, i > 0 ? "first-%d.c" : "first.c", i + 1);
    return name;
}

/* A program that the edit rules know but for its comments and its layout is taken without them: as they write it, they
 * can refine it, and it is what a T5 is trained on. */
static bool take_rules_layout(const evolve_settings *settings, const language_program *program,
                              char **text, base_error *error)
{
    mutation_mutator mutator = evolve_mutator(settings);
    base_text plain = {0};
    if (mutation_mutator_admit(&mutator, *text, strlen(*text), NULL))
        return true;
    language_lay_out(program, &plain);
    bool ok = !plain.failed;
    if (ok && mutation_mutator_admit(&mutator, plain.data, plain.length, NULL)) {
        base_free(*text);
        ok = (*text = base_copy(plain.data, plain.length)) != NULL;
    }
    base_text_free(&plain);
    return ok || base_fail(error, "a source: no memory");
}

/* What it is worth, its score says. given: by the user, not the run's copy, which is as the journal's digest says. */
static bool check(const evolve_settings *settings, int i, bool given, char **text,
                  base_error *error)
{
    char name[32] = "the first source";
    if (i > 0)
        snprintf(name, sizeof name, "source %d", i + 1);
    language_diagnostic diagnostic;
    base_text asked = {0};
    language_program *program = source_parse(name, *text, strlen(*text), &diagnostic);
    bool ok = (program || base_fail(error, "%s", diagnostic.text)) &&
              (!given || take_rules_layout(settings, program, text, error)) &&
              (!evolve_writes(settings) ||
               source_form_ask((evolve_form)settings->form, *text, strlen(*text), &asked, error));
    language_program_free(program);
    base_text_free(&asked);
    return ok;
}

/* *is: there is an i-th source. malloc'ed; NULL: there is none, or an error. */
static char *read_own(const loop_options *options, const evolve_settings *settings, int i,
                      bool is_there, bool *is, base_error *error)
{
    char name[32], *text = NULL;
    size_t length;
    const char *given = i == 0 ? options->source : options->more ? options->more[i - 1] : NULL;
    *is = given ||
          (is_there && !options->source && base_file_exists_in(options->folder, name_of(i, name)));
    if (!*is)
        return NULL;
    char *path = given ? NULL : base_file_path(options->folder, name);
    if (given)
        text = base_copy(given, strlen(given));
    else if (path)
        text = base_file_read(path, SOURCE_MOST, &length, error);
    if (!text && !path)
        base_fail(error, "%s: no memory", options->folder);
    base_free(path);
    if (text && check(settings, i, given != NULL, &text, error))
        return text;
    base_free(text);
    return NULL;
}

static bool make_default(loop_sources *s, const evolve_settings *settings, base_error *error)
{
    base_text text = {0};
    source_default_source_of(settings, &text);
    s->first = text.failed ? NULL : base_copy(text.data, text.length);
    base_text_free(&text);
    return s->first || base_fail(error, "the default source: no memory");
}

bool loop_sources_read(loop_sources *s, const loop_options *options,
                       const evolve_settings *settings, bool is_there, base_error *error)
{
    s->first = read_own(options, settings, 0, is_there, &s->own, error);
    if (!s->own)
        return make_default(s, settings, error);
    bool ok = s->first != NULL, is = ok;
    for (int i = 0; ok && is; i++) {
        char *text = read_own(options, settings, i + 1, is_there, &is, error);
        if (!is)
            break;
        char **grown = text ? base_list_grow(s->more, (size_t)i, 2, sizeof *grown) : NULL;
        ok = text && (grown || base_fail(error, "%s: no memory", options->folder));
        if (ok) {
            s->more = grown;
            s->more[i] = text;
            s->more[i + 1] = NULL;
        } else {
            base_free(text);
        }
    }
    return ok;
}

bool loop_sources_keep(const loop_sources *s, const char *folder, base_error *error)
{
    char name[32];
    bool ok = !s->own || base_file_write_text(folder, name_of(0, name), s->first, NULL, error);
    for (int i = 0; ok && s->more && s->more[i]; i++)
        ok = base_file_write_text(folder, name_of(i + 1, name), s->more[i], NULL, error);
    return ok;
}

/* One behind the other, a NUL behind each. */
bool loop_sources_hash(const loop_sources *s, char hash[BASE_HASH_TEXT])
{
    base_text all = {0};
    for (int i = 0; s->more[i]; i++)
        base_text_add(&all, s->more[i], strlen(s->more[i]) + 1);
    const bool ok = !all.failed;
    if (ok)
        base_hash_text(all.data, all.length, hash);
    base_text_free(&all);
    return ok;
}

void loop_sources_free(loop_sources *s)
{
    for (int i = 0; s->more && s->more[i]; i++)
        base_free(s->more[i]);
    base_free(s->more);
    base_free(s->first);
    *s = (loop_sources){0};
}
