/* SPDX-License-Identifier: MIT */
/* print_ids.c -- for tests/suite_tokenizers.sh: what the tokenizer of a folder makes of each line of a file, and what
 * it makes of that, as a JSON object a line: {"ids": [...], "text": "..."}. */
#include "base/file.h"
#include "base/json.h"
#include "t5/tokenizer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    static int ids[1 << 16];
    base_error error = {"two arguments were expected: a folder, and a file of lines"};
    size_t size = 0;
    char *text = argc == 3 ? base_file_read(argv[2], (size_t)1 << 28, &size, &error) : NULL;
    t5_tokenizer *t = text ? t5_tokenizer_read_folder(argv[1], &error) : NULL;
    if (!t) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    base_text line = {0}, back = {0};
    for (char *at = text, *feed; (feed = strchr(at, '\n')); at = feed + 1) {
        int count = t5_tokenize(t, at, (size_t)(feed - at), ids, 1 << 16);
        base_text_clear(&line);
        base_text_clear(&back);
        base_text_print(&line, "{\"ids\":[");
        for (int i = 0; i < count; i++)
            base_text_print(&line, "%s%d", i ? "," : "", ids[i]);
        t5_detokenize(t, ids, count, &back);
        base_text_print(&line, "],\"text\":");
        base_json_put_string(&line, back.data, back.length);
        base_text_print(&line, "}\n");
        fputs(line.data, stdout);
    }
    base_text_free(&line);
    base_text_free(&back);
    t5_tokenizer_free(t);
    free(text);
    return 0;
}
