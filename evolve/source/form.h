/* SPDX-License-Identifier: MIT */
/* form.h -- how a T5 is asked for a refinement of a source, and what it answers.
 *
 *   whole  the source; the whole refined source, as in the papers
 *   edit   the source with numbered lines; which of them are replaced by what (script.h)
 *   named  the source with named lines; the refined source, lines that stay by name (named.h)
 *   plain  pairs of one's own: any text; any text (texts.h)
 *
 * Everything else in the tree sees texts of sources: pairs.c asks and answers in training, whoever
 * samples a T5 does it here. A model's folder says which form it was trained for. */
#ifndef SOURCE_FORM_H
#define SOURCE_FORM_H

#include "base/error.h"
#include "base/text.h"
#include "evolve/settings.h"
#include "refine/mutation/lines.h"
#include "t5/t5.h"

/* Appends what the T5 reads for that source. False: its lines cannot be told apart by a byte. */
bool source_form_ask(evolve_form form, const char *source, size_t length, base_text *asked,
                     base_error *error);

/* Appends what it is to write for that refinement. */
bool source_form_label(evolve_form form, const base_text *source, const base_text *refined,
                       base_text *label, base_error *error);

/* How an answer is read byte by byte; NULL: it is the refinement. */
const mutation_reading *source_form_reading(evolve_form form);

/* Appends the refinement that an answer means. False: it is none of that source; then what is
 * appended is a text that is no program and says why: "#error the edit replaces a line that is not there". */
bool source_form_answer(evolve_form form, const char *source, size_t length,
                        const base_text *answer, base_text *refined);

/* The same for whoever samples a T5: what it reads as tokens, behind a word (judge.h) or "", an end token last, of which
 * *count may be above T5_MOST_SOURCE (then they do not fit); and the refinement that a sample means, which becomes
 * *refined. A sample that is stuck means none. */
bool source_form_tokens(evolve_form form, const t5_tokenizer *tokenizer, const char *word,
                        const char *source, size_t length, int ids[T5_MOST_SOURCE], int *count,
                        base_error *error);
bool source_form_read(evolve_form form, const t5_tokenizer *tokenizer, const char *source,
                      size_t length, const t5_sample *sample, base_text *refined);

/* The length of a file's text without the line feed (or CR LF) at its end, which an editor put there: of plain
 * texts, for whose T5 it would be one more token. Of sources it stays. */
size_t source_form_length(evolve_form form, const char *text, size_t length);

/* The file `form` of a model's folder, which a model for whole sources does without. */
bool source_form_save(evolve_form form, const char *folder, base_error *error);
bool source_form_load(evolve_form *form, const char *folder, base_error *error);

#endif
