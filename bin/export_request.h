/* SPDX-License-Identifier: MIT */
/* export_request.h -- what phoenix export is asked for: between export.c and export_t5.c. */
#ifndef BIN_EXPORT_REQUEST_H
#define BIN_EXPORT_REQUEST_H

#include "base/text.h"
#include "evolve/options.h"

enum { EXPORT_LONGEST = 1024, EXPORT_OPERANDS = 257 };

typedef struct export_request {
    const char *operands[EXPORT_OPERANDS]; /* the model's folder; of a T5, files of texts */
    const char *out, *prefix;              /* prefix NULL: net, or t5 */
    const char *weights;                   /* of a T5, a file of their own */
    const char *onnx;
    bool fold, check, int8, lines;
    int64_t task; /* of --task; 0: not given */
    int64_t most; /* tokens of an answer; 0: not given */
    evolve_options run;
    char header[EXPORT_LONGEST]; /* out, its ending h */
    char command[4 * EXPORT_LONGEST];
} export_request;

bool export_write_text(const char *path, const base_text *text, base_error *error);

/* The T5 in a folder, as what is asked for. */
bool export_t5_folder(const export_request *request, const char *folder, base_error *error);

#endif
