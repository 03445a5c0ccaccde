/* SPDX-License-Identifier: MIT */
/* tokenizer.h -- byte-level BPE: text to token ids and back.
 *
 * Byte-pair encoding (Gage 1994; Sennrich et al. 2016, arXiv:1508.07909) over bytes, so that any
 * text can be written. The corpus that it is trained on is the program's own sources.
 *
 *   Pieces   Text is cut into pieces first, and merges never cross a piece: a line with its line
 *            feed at the end is one piece, except that every decimal digit is a piece of its own
 *            unless it follows a letter or an underscore (so 1024 is four tokens and "t5" is not
 *            torn). As a regular expression: (?:[^0-9\n]|(?<=[A-Za-z_])[0-9])+\n?|[0-9\n]
 *   Ids      0 <pad>, 1 </s>, 2 <unk> as in T5, then the 256 bytes, then the merges in the order in
 *            which they were learnt.
 *   Training merges the most frequent pair, of equals the one with the smaller ids, until the
 *            vocabulary is full or no pair occurs twice (bpe.c). Deterministic.
 *
 * It is saved as Hugging Face's tokenizer.json (model BPE, ByteLevel alphabet). Such files are read
 * where they are byte-level BPE with these pieces, with tokens 0, 1 and 2 special, and with 1 as
 * the end token; what would give other ids there than here is an error (tokenizer_json.c). One
 * thing is different: a text that spells a special token, "</s>", is a text here, not that token.
 *
 * The tokenizers of published T5s are read as well, and are as transformers has them: the unigram model of
 * T5 and Flan, CodeT5's byte-level BPE with GPT-2's pieces, ByT5's bytes.
 *
 *     t5_tokenizer *t = t5_tokenizer_train(texts, count, 512, &error);
 *     int ids[64], n = t5_tokenize(t, "x = 10;\n", 8, ids, 64);      (the last is T5_EOS)
 *     base_text text = {0};
 *     t5_detokenize(t, ids, n, &text);                               ("x = 10;\n" again) */
#ifndef T5_TOKENIZER_H
#define T5_TOKENIZER_H

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include <stddef.h>

enum { T5_PAD = 0, T5_EOS = 1, T5_UNK = 2 };

typedef struct t5_tokenizer t5_tokenizer;

enum { T5_LEAST_TOKENS = 3 + 256, T5_MOST_TOKENS = 1 << 20 };

/* Trains on `count` texts. vocab_size: T5_LEAST_TOKENS to T5_MOST_TOKENS; the result is smaller if
 * no pair is left that occurs twice. NULL: a size out of range, or no memory. */
t5_tokenizer *t5_tokenizer_train(const char *const *texts, size_t count, int vocab_size,
                                 base_error *error);
t5_tokenizer *t5_tokenizer_read(const char *path, base_error *error); /* tokenizer.json */
t5_tokenizer *t5_tokenizer_parse(const char *json, size_t length, const char *origin,
                                 base_error *error); /* the same from memory */

/* The tokenizer of a model's folder: tokenizer.json; else spiece.model (T5, Flan), vocab.json and merges.txt
 * (CodeT5), or, where tokenizer_config.json says ByT5Tokenizer, bytes. */
t5_tokenizer *t5_tokenizer_read_folder(const char *folder, base_error *error);
bool t5_tokenizer_write(const t5_tokenizer *tokenizer, const char *path, char hash[BASE_HASH_TEXT],
                        base_error *error);
void t5_tokenizer_free(t5_tokenizer *tokenizer);

/* Adds the special tokens <extra_id_0>, <extra_id_1>, ... behind all others. False: no memory; some may be there. */
bool t5_tokenizer_add_sentinels(t5_tokenizer *tokenizer, int count, base_error *error);

int t5_tokenizer_size(const t5_tokenizer *tokenizer); /* ids are 0 .. size-1 */

/* Writes the ids of a text, the end token (T5_EOS in ours) last, to ids[0..most-1] and returns their number.
 * A number above `most` means that they did not fit, and only `most` were written. INT_MAX: no
 * memory, or a text of 2 GiB or more. */
int t5_tokenize(const t5_tokenizer *tokenizer, const char *text, size_t length, int *ids, int most);

/* Appends the text of the ids up to the first end token. Special tokens and numbers that are no ids
 * stand for nothing. Afterwards text->data is a string, an empty one at least, unless memory ran
 * out. */
void t5_detokenize(const t5_tokenizer *tokenizer, const int *ids, int count, base_text *text);

#endif
