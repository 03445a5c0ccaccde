/* SPDX-License-Identifier: MIT */
/* form.c -- the forms of one refinement, so that whoever trains or samples a T5 need not know which.
 *
 * All that is not a T5 works on whole sources: candidates, diffs, the journal, the report. So an answer is
 * turned into a source at once, where it is decoded, and an edit that does not apply, or an answer that
 * nothing may follow, becomes a text which fails to parse with its reason. It is then refused like any
 * other text that is no program, without a second kind of failure. */
#include "evolve/source/form.h"
#include "base/file.h"
#include "base/memory.h"
#include "refine/mutation/named.h"
#include "refine/mutation/script.h"
#include <stdlib.h>
#include <string.h>

/* How a source is asked for, a refinement answered, and an answer read; NULL: the text as it is. And what the
 * file `form` of a model's folder says; NULL: there is none. */
static const struct {
    bool (*ask)(const char *source, size_t length, base_text *asked, base_error *error);
    bool (*label)(const char *source, size_t length, const char *refined, size_t refined_length,
                  base_text *label, base_error *error);
    const mutation_reading *reading;
    const char *file;
} forms[] = {
    [EVOLVE_PROGRAM] = {NULL, NULL, NULL, NULL},
    [EVOLVE_EDIT] = {mutation_script_number, mutation_script_of, &mutation_script, "edit\n"},
    [EVOLVE_BY_NAME] = {mutation_named_source, mutation_named_of, &mutation_named, "named\n"},
    [EVOLVE_PLAIN] = {NULL, NULL, NULL, "text\n"},
};

bool source_form_ask(evolve_form form, const char *source, size_t length, base_text *asked,
                     base_error *error)
{
    if (forms[form].ask)
        return forms[form].ask(source, length, asked, error);
    base_text_add(asked, source, length);
    return true;
}

bool source_form_label(evolve_form form, const base_text *source, const base_text *refined,
                       base_text *label, base_error *error)
{
    if (forms[form].label)
        return forms[form].label(source->data, source->length, refined->data, refined->length,
                                 label, error);
    base_text_add(label, refined->data, refined->length);
    return true;
}

const mutation_reading *source_form_reading(evolve_form form) { return forms[form].reading; }

bool source_form_answer(evolve_form form, const char *source, size_t length,
                        const base_text *answer, base_text *refined)
{
    base_error why;
    bool applies = true;
    if (!forms[form].reading)
        base_text_add(refined, answer->data, answer->length);
    else
        applies = mutation_edit_apply(forms[form].reading, source, length, answer->data,
                                      answer->length, refined, &why);
    if (!applies)
        base_text_print(refined, "#error %s\n", why.text);
    refined->failed = refined->failed || answer->failed;
    return applies;
}

size_t source_form_length(evolve_form form, const char *text, size_t length)
{
    if (form != EVOLVE_PLAIN || length == 0 || text[length - 1] != '\n')
        return length;
    length--;
    return length - (length > 0 && text[length - 1] == '\r');
}

bool source_form_tokens(evolve_form form, const t5_tokenizer *tokenizer, const char *word,
                        const char *source, size_t length, int ids[T5_MOST_SOURCE], int *count,
                        base_error *error)
{
    base_text asked = {0};
    base_text_print(&asked, "%s", word);
    bool ok = source_form_ask(form, source, length, &asked, error) &&
              (!asked.failed || base_fail(error, "a source as tokens: no memory"));
    if (ok)
        *count = t5_tokenize(tokenizer, asked.data, asked.length, ids, T5_MOST_SOURCE);
    base_text_free(&asked);
    return ok;
}

bool source_form_read(evolve_form form, const t5_tokenizer *tokenizer, const char *source,
                      size_t length, const t5_sample *sample, base_text *refined)
{
    base_text answer = {0};
    base_text_clear(refined);
    base_text_add(refined, "", 0);
    if (sample->stuck)
        base_text_print(refined, "#error no token may follow the %d that were written\n",
                        sample->count);
    else
        t5_detokenize(tokenizer, sample->ids, sample->count, &answer);
    bool applies = !sample->stuck && source_form_answer(form, source, length, &answer, refined);
    base_text_free(&answer);
    return applies;
}

bool source_form_save(evolve_form form, const char *folder, base_error *error)
{
    return !forms[form].file || base_file_write_text(folder, "form", forms[form].file, NULL, error);
}

bool source_form_load(evolve_form *form, const char *folder, base_error *error)
{
    char *path = base_file_path(folder, "form");
    size_t size = 0;
    *form = EVOLVE_PROGRAM;
    if (!path)
        return base_fail(error, "%s: no memory", folder);
    bool ok = true;
    if (base_file_exists(path)) {
        char *text = base_file_read(path, 16, &size, error);
        *form = EVOLVE_PLAIN;
        while (text && *form > EVOLVE_PROGRAM && strcmp(text, forms[*form].file) != 0)
            (*form)--;
        ok = text && (*form > EVOLVE_PROGRAM ||
                      base_fail(error,
                                "%s: expected \"edit\", \"named\" or \"text\", the form of a T5's "
                                "answers",
                                path));
        base_free(text);
    }
    base_free(path);
    return ok;
}
