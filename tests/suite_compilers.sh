#!/bin/sh
# other compilers, C libraries, makes: no warning, and the same model to the bit
. "$(dirname "$0")/copy.sh"
passed=0 failed=0 skipped=0
wanted=

# The model that every build has to arrive at: a short training, its weights hashed.
hash_of_training() {
    rm -rf hash-of-training
    if ! $1 build/phoenix train --out hash-of-training --d-model 32 --samples 64 --held-out 8 \
        --fidelity 1 >train.log 2>&1; then
        cat train.log >&2
        return 1
    fi
    sha256sum <hash-of-training/model/model.safetensors
}

# build NAME RUNNER MAKE ARGUMENTS...: builds from clean without a warning, compares the hash.
build() {
    name=$1 runner=$2
    shift 2
    "$1" clean >/dev/null 2>&1
    log=$("$@" 2>&1)
    if [ ! -x build/phoenix ] || echo "$log" | grep -q 'warning:'; then
        echo "FAILED $name: does not build, or not without a warning"
        echo "$log" | grep -E 'error|warning:' | head -n 10
        failed=$((failed + 1))
        return
    fi
    got=$(hash_of_training "$runner")
    [ -n "$wanted" ] || wanted=$got
    if [ -n "$got" ] && [ "$got" = "$wanted" ]; then
        passed=$((passed + 1))
    else
        echo "FAILED $name: trained weights are ${got:-missing}, wanted $wanted"
        failed=$((failed + 1))
    fi
}

# have NAME TOOL: whether the tool is there; if not, says so.
have() {
    command -v "$2" >/dev/null 2>&1 && return 0
    echo "SKIPPED $1: $2 is not here"
    skipped=$((skipped + 1))
    return 1
}

build "gcc -O2" "" make -j2 CC=gcc
build "gcc -O0, without threads" "" make -j2 CC=gcc CFLAGS=-O0 THREADS=
build "gcc -O1, OpenMP" "" make -j2 CC=gcc CFLAGS=-O1 THREADS= OMP=-fopenmp
build "gcc -O3 -march=native" "" make -j2 CC=gcc "CFLAGS=-O3 -march=native"
have "clang -O2" clang && build "clang -O2" "" make -j2 CC=clang
have "bmake" bmake && build "bmake" "" bmake -j2 CC=gcc
have "musl" musl-gcc && build "musl" "" make -j2 CC=musl-gcc "CFLAGS=-O2 -static"
have "aarch64" aarch64-linux-gnu-gcc && have "aarch64" qemu-aarch64-static &&
    build "aarch64 (NEON, under qemu)" qemu-aarch64-static \
        make -j2 CC=aarch64-linux-gnu-gcc "CFLAGS=-O2 -static"

make clean >/dev/null 2>&1
make -j2 CC=gcc >/dev/null 2>&1
for kernel in sse2 avx2 avx512; do
    PHOENIX_KERNEL=$kernel build/phoenix train --out k --d-model 32 --samples 8 --held-out 8 \
        --fidelity 0 >train.log 2>&1 || {
        echo "SKIPPED kernel set $kernel: not on this machine"
        skipped=$((skipped + 1))
        rm -rf k
        continue
    }
    rm -rf k
    got=$(PHOENIX_KERNEL=$kernel hash_of_training "")
    if [ "$got" = "$wanted" ]; then
        passed=$((passed + 1))
    else
        echo "FAILED kernel set $kernel: trained weights are $got, wanted $wanted"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
