/* SPDX-License-Identifier: MIT */
/* fuzz_spiece.c -- any bytes as a SentencePiece model: refused with its name, or a tokenizer whose ids are its own and
 * fit what was said beforehand, for any text.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/fuzz_spiece.c t5/[a-z]*.c base/[a-z]*.c -lm
 *
 * The bytes up to the last zero are the model, those behind it the text. */
#include "t5/tokenizer_internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void require(bool condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    base_error error = {""};
    const char *model = (const char *)bytes, *text = model + count;
    while (text > model && text[-1] != '\0')
        text--;
    size_t length = (size_t)(model + count - text);
    t5_tokenizer *t =
        t5_spiece_parse(model, text > model ? (size_t)(text - model) - 1 : 0, 2, "fuzz", &error);
    if (!t) {
        require(strncmp(error.text, "fuzz:", 5) == 0);
        return 0;
    }
    int wanted = t5_tokenize(t, text, length, NULL, 0);
    int *ids = malloc(((size_t)wanted + 1) * sizeof *ids);
    require(ids && wanted >= 1 && t5_tokenize(t, text, length, ids, wanted) == wanted);
    for (int i = 0; i < wanted; i++)
        require(ids[i] >= 0 && ids[i] < t5_tokenizer_size(t));
    require(ids[wanted - 1] == T5_EOS);
    base_text back = {0};
    t5_detokenize(t, ids, wanted, &back);
    require(back.data != NULL);
    base_text_free(&back);
    free(ids);
    t5_tokenizer_free(t);
    return 0;
}
