#!/bin/sh
# SPDX-License-Identifier: MIT
# the same bits: compilers, optimisation, C libraries, makes, kernel sets; and no warning anywhere
. "$(dirname "$0")/copy.sh"
passed=0 failed=0 skipped=0
wanted_model='' wanted_t5='' wanted_convolutions='' wanted_mixed='' wanted_small_table_2='' wanted_table_2=''

fail() {
    echo "FAILED $*"
    failed=$((failed + 1))
}

# have NAME TOOL: whether the tool is there; if not, says so.
have() {
    command -v "$2" >/dev/null 2>&1 && return 0
    echo "SKIPPED $1: $2 is not here"
    skipped=$((skipped + 1))
    return 1
}

# same NAME WHAT HASH: the first hash of a kind is what all the others have to be.
same() {
    eval "wanted=\$wanted_$2"
    [ -n "$wanted" ] || eval "wanted=\$3 wanted_$2=\$3"
    if [ -n "$3" ] && [ "$3" = "$wanted" ]; then
        passed=$((passed + 1))
    else
        fail "$1: $2 is ${3:-missing}, wanted $wanted"
    fi
}

# The whole chain, as the command has it: dataset, tokenizer, a short training, the model's file.
hash_of_model() {
    rm -rf model
    if ! $runner build/phoenix train --out model --d-model 32 --samples 64 --held-out 8 \
        --fidelity 1 >train.log 2>&1; then
        cat train.log >&2
        return
    fi
    sha256sum <model/model/model.safetensors | cut -d ' ' -f 1
}

# Trainings of 50 steps, with each kernel set that the build has (tests/evolve/source/test_train_hash.c, which says
# why the slow sets have no hash of one). The scalar one takes longest where fma is emulated, and so
# has a core for itself.
hashes_of_sets() {
    $runner build/hash scalar >hash.scalar 2>&1 &
    for set in $sets; do
        [ "$set" = scalar ] || $runner build/hash "$set" >"hash.$set" 2>&1
    done
    model=$(hash_of_model)
    wait
    same "$name" model "$model"
    for set in $sets; do
        for what in t5 convolutions mixed small_table_2 table_2; do
            hash=$(sed -n "s/^$what //p" "hash.$set")
            [ "$hash" = - ] || same "$name, $set" $what "$hash"
        done
    done
}

# build NAME RUNNER MAKE CC CFLAGS [ARGUMENTS OF MAKE...]: from clean, without a warning.
build() {
    name=$1 runner=$2 make=$3 cc=$4 flags=$5
    shift 5
    "$make" clean >/dev/null 2>&1
    log=$("$make" -j2 CC="$cc" CFLAGS="$flags" "$@" 2>&1)
    case $* in
    *OMP=*) flags="$flags -fopenmp" ;;
    esac
    # shellcheck disable=SC2086
    [ ! -x build/phoenix ] ||
        $cc -std=c11 -D_POSIX_C_SOURCE=200809L -I. $flags -pthread -o build/hash \
            tests/evolve/source/test_train_hash.c build/libphoenix.a -lm >hash.log 2>&1 || log="$log $(cat hash.log)"
    if [ ! -x build/hash ] || echo "$log" | grep -q 'warning:'; then
        fail "$name: does not build, or not without a warning"
        echo "$log" | grep -E 'error:|warning:' | head -n 10
    fi
    [ -x build/hash ] || return
    sets=$($runner build/hash sets)
    hashes_of_sets
}

build "gcc -O2" "" make gcc -O2
build "gcc -O0, without threads" "" make gcc -O0 THREADS=
build "gcc -O1, OpenMP" "" make gcc -O1 THREADS= OMP=-fopenmp
other=make
have "bmake" bmake && other=bmake
build "gcc -O3 -march=native, $other" "" $other gcc "-O3 -march=native"
have "clang" clang && build "clang -O3" "" make clang -O3
have "musl" musl-gcc && build "musl" "" make musl-gcc "-O2 -static"
have "aarch64" aarch64-linux-gnu-gcc && have "aarch64" qemu-aarch64-static &&
    build "aarch64 (NEON, under qemu)" qemu-aarch64-static make aarch64-linux-gnu-gcc "-O2 -static"

# What this machine has not been asked for above.
for set in sse2 avx2 avx512 neon; do
    [ -f "hash.$set" ] || have "kernel set $set" "(a processor with it)"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
