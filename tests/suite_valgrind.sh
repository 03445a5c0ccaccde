#!/bin/sh
# SPDX-License-Identifier: MIT
# the tests under valgrind (those that it can run in minutes; the sanitizers have them all)
. "$(dirname "$0")/copy.sh"
if ! command -v valgrind >/dev/null 2>&1; then
    echo "SKIPPED: valgrind is not here"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
# valgrind knows no AVX-512, and runs one thread at a time.
PHOENIX_KERNEL=avx2
WRAP="timeout 600 valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite"
export PHOENIX_KERNEL WRAP
make -j2 THREADS= >/dev/null
CC=cc CFLAGS="-std=c11 -D_POSIX_C_SOURCE=200809L -I. -O1 -g -ffp-contract=off" sh tests/run.sh \
    tests/base/test_*.c tests/nn/test_*.c tests/refine/language/test_*.c tests/refine/mutation/test_[deflms]*.c \
    tests/bin/test_verify_ops.c \
    tests/t5/test_batch.c tests/t5/test_config.c tests/t5/test_faults.c tests/t5/test_folder.c \
    tests/tensor/test_context.c tests/tensor/test_embedding.c \
    tests/tensor/test_matmul.c tests/tensor/test_norm.c tests/tensor/test_softmax.c \
    tests/evolve/source/test_host.c tests/evolve/score/test_refused.c tests/evolve/loop/test_journal.c \
    tests/evolve/sandbox/test_pool.c tests/evolve/test_settings.c tests/evolve/loop/test_summary.c \
    tests/evolve/report/test_lineage.c tests/evolve/search/test_search.c tests/evolve/search/test_statistics.c \
    tests/evolve/report/test_svg.c tests/vision/test_inflate.c
