/* SPDX-License-Identifier: MIT */
/* libphoenix.h -- the library's public headers, in the order in which one builds on another.
 *
 * What is not reached from here is not installed, and not exported by the shared library. Installed
 * headers are included as <phoenix/t5/t5.h>, this one as <phoenix/libphoenix.h>, and each is C++ as
 * well (make/headers.sh adds the linkage). In the tree itself, C++ includes this one. */
#ifndef LIBPHOENIX_H
#define LIBPHOENIX_H

#ifdef __cplusplus
extern "C" {
#endif

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/random.h"
#include "tensor/tensor.h"
#include "nn/optimizer.h"
#include "nn/params.h"
#include "nn/safetensors.h"
#include "t5/t5.h"
#include "vision/model.h"
#include "vision/train.h"
#include "export/export.h"
#include "refine/language/language.h"
#include "refine/mutation/dataset.h"
#include "refine/mutation/mutator.h"
#include "refine/mutation/sample.h"
#include "evolve/sandbox/sandbox.h"
#include "evolve/settings.h"
#include "evolve/task.h"
#include "evolve/score/evaluate.h"
#include "evolve/loop/run.h"
#include "evolve/report/report.h"
#include "evolve/report/verify.h"

#ifdef __cplusplus
}
#endif

#endif
