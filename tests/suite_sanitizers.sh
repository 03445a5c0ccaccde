#!/bin/sh
# the tests under the address and undefined-behaviour sanitizers
. "$(dirname "$0")/copy.sh"
ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1:handle_abort=1
UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
# The sanitizers' runtime has ways of its own to hang (looking for leaks it stops all threads), and CI
# did once not come out of this suite.
LIMIT=600 HANGS=again
# Long ones whose code others run as well: whole runs and trainings, over and over.
LEFT_OUT="tests/evolve/source/test_cheats.c tests/evolve/loop/test_strategies.c tests/evolve/loop/test_stop.c
    tests/evolve/source/test_train_hash.c"
export ASAN_OPTIONS UBSAN_OPTIONS LIMIT HANGS LEFT_OUT
# The sanitizers keep a shadow of the address space, which an address space shuffled by too many bits
# (vm.mmap_rnd_bits of newer kernels) may collide with: the program then dies or never ends.
plain=
if setarch -R true >/dev/null 2>&1; then
    plain="setarch -R"
fi
$plain make -j2 test CC=gcc \
    CFLAGS="-O2 -g -fsanitize=address,undefined -fno-sanitize-recover=all" \
    LDFLAGS="-fsanitize=address,undefined"
