#!/bin/sh
# the tests under valgrind (those that it can run in minutes)
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
    tests/test_base_*.c tests/test_nn_*.c tests/test_refine_*.c tests/test_bin_verify_ops.c \
    tests/test_t5_batch.c tests/test_t5_config.c tests/test_t5_faults.c tests/test_t5_folder.c \
    tests/test_tensor_attention.c tests/test_tensor_context.c tests/test_tensor_embedding.c \
    tests/test_tensor_matmul.c tests/test_tensor_norm.c tests/test_tensor_softmax.c \
    tests/test_evolve_diff.c tests/test_evolve_host.c tests/test_evolve_journal.c \
    tests/test_evolve_pool.c tests/test_evolve_settings.c tests/test_evolve_summary.c \
    tests/test_evolve_lineage.c tests/test_evolve_search.c tests/test_evolve_statistics.c \
    tests/test_evolve_svg.c tests/test_vision_inflate.c
