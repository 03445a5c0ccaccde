#!/bin/sh
# libFuzzer on every parser, fifteen seconds each
. "$(dirname "$0")/copy.sh"
passed=0 failed=0 skipped=0
if ! command -v clang >/dev/null 2>&1 ||
    ! echo 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n){return d && n > 99;}' |
        clang -fsanitize=fuzzer,address -x c - -o probe 2>/dev/null; then
    echo "SKIPPED: clang's libFuzzer is not here"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
make evolve/phoenix_h.c refine/candidate_h.c >/dev/null
for source in tests/fuzz_*.c; do
    name=$(basename "$source" .c)
    # The kernels are left out where a target does not reach them: clang takes minutes over them.
    modules="base/*.c"
    case $name in
    fuzz_language) modules="base/*.c refine/*.c evolve/phoenix_h.c" ;;
    fuzz_native) modules="base/*.c refine/*.c" ;;
    fuzz_tokenizer) modules="base/*.c t5/tokenizer*.c t5/bpe.c" ;;
    fuzz_safetensors) modules="base/*.c nn/safetensors.c" ;;
    fuzz_inflate) modules="base/*.c vision/inflate.c" ;;
    fuzz_images) modules="base/*.c vision/images.c vision/inflate.c" ;;
    esac
    # shellcheck disable=SC2086
    if ! clang -std=c11 -D_POSIX_C_SOURCE=200809L -I. -O1 -g -ffp-contract=off \
        -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o "$name" "$source" $modules \
        -lm >build.log 2>&1; then
        echo "FAILED $name: does not build"
        grep -E 'error|undefined' build.log | head -n 5
        failed=$((failed + 1))
    elif timeout 120 ./"$name" -max_total_time=15 -timeout=10 -rss_limit_mb=4096 >run.log 2>&1; then
        passed=$((passed + 1))
    else
        echo "FAILED $name:"
        tail -n 20 run.log
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
