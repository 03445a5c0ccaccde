#!/bin/sh
# SPDX-License-Identifier: MIT
# libFuzzer on every parser and on a candidate's talk, about two minutes in all
#
# Each has FUZZ_SECONDS (10; `make fuzz` gives ten minutes), or less if FUZZ_RUNS executions are enough. FUZZ_ONLY="png table"
# leaves the others out. What is found is left in build/. LOG=FILE (a whole path) gets a line for each target, as
# suite_torture.sh writes them.
: "${FUZZ_SECONDS:=10}" "${FUZZ_RUNS:=-1}" "${FUZZ_ONLY:=}" "${LOG:=}"
. "$(dirname "$0")/copy.sh"
passed=0 failed=0 skipped=0
commit=$(git -C "$tree" rev-parse --short HEAD 2>/dev/null || echo unknown)
if ! command -v clang >/dev/null 2>&1 ||
    ! echo 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n){return d && n > 99;}' |
        clang -fsanitize=fuzzer,address -x c - -o probe 2>/dev/null; then
    echo "SKIPPED: clang's libFuzzer is not here"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
make >make.log 2>&1 || tail -n 5 make.log
made="build/evolve/source/phoenix_h.c build/refine/native/candidate_h.c"
tables=" vision/table.c vision/columns.c vision/csv.c"
mkdir -p "$tree/build" none language script network picture texts spiece table
for row in '1,red' '1.5,' 'NA,"a, ""b"""' '-2e3,green'; do
    { echo 'n,c,y' && yes -- "$row,0" | head -n 9 && yes -- "$row,1" | head -n 9; } >"table/$row"
    tr , ';' <"table/$row" >"table/$row;"
done
printf 'y,n,c\n%s' "$(printf '%s\n' 1.5,1,a 2e3,2,b -3,3, 4,4,a 5,NA,b 6,6,a 7.25,7,a 8,8,b 9,9,b 0,1,a)" >table/numbers
printf 'n,c,y\n%s' "$(printf '%s\n' 1,a,0 2,b,1 3,,1 4,a,0 NA,b,1 6,a,0 7,a,1 8,b,0 9,b,1 1,a,1)" >table/all
build/phoenix train --data table/all --task table --label y --final-epochs 1 --out rows >/dev/null 2>&1 &&
    cp rows/model/network.json network/rows.json || failed=1
build/phoenix train --data table/numbers --task regression --label y --final-epochs 1 --out numbers >/dev/null 2>&1 &&
    cp numbers/model/network.json network/numbers.json || failed=1
build/phoenix train --task digits --final-epochs 1 --out digits >/dev/null 2>&1 &&
    cp digits/model/network.json network/ || failed=1
for kind in "P2 2 1 9 0 9" "P3 1 1 255 1 2 3" "P5 2 2 255 abcd" "P6 1 1 65535 abcdef"; do
    echo "$kind" | tr -d '\n' >"picture/${kind%% *}"
done
printf '{"source":"%s","target":"b"}\n' a b c d >texts/four
printf '{"source":"\\u00e9","target":"\\n"}\r\n{"source":"a","target":""}\n{"source":"","target":"b"}' >texts/three
# A SentencePiece model of six pieces with a charsmap, and a text behind it.
printf '\012\016\012\005<pad>\025\000\000\000\000\030\003\012\015\012\004</s>\025\000\000\000\000\030\003' >spiece/six
printf '\012\016\012\005<unk>\025\000\000\000\000\030\002\012\013\012\004\342\226\201a\025\000\000\300\277' >>spiece/six
printf '\012\010\012\001b\025\000\000\000\300\012\011\012\002ab\025\000\000\100\300\022\002\030\001' >>spiece/six
printf '\032\020\022\016\010\000\000\000\000\005\000\000a\000\000\000b\000\000a ab ba x' >>spiece/six
cc -std=c11 -D_POSIX_C_SOURCE=200809L -I. -O1 -o seeds tests/fuzz/seeds.c base/*.c refine/*/*.c $made -lm &&
    ./seeds language script || failed=1
# What was freed is kept for as long as an execution takes: 256 MB of it are mostly page faults.
export ASAN_OPTIONS=quarantine_size_mb=8

# one SOURCE: builds a target and runs it; how often it was executed goes to NAME.count, after what went wrong nothing.
one() {
    name=$(basename "$1" .c)
    # The kernels are left out where a target does not reach them: clang takes minutes over them.
    modules="base/*.c" seeds=none flags=
    case $name in
    fuzz_language)
        # Its mutations know the words: to look for them in comparisons takes half the time.
        modules="base/*.c refine/*/*.c $made" seeds=language
        flags=-fno-sanitize-coverage=trace-cmp
        ;;
    fuzz_native) modules="base/*.c refine/*/*.c $made" flags=-fno-sanitize-coverage=trace-cmp ;;
    fuzz_script) modules="base/*.c refine/mutation/lines.c refine/mutation/named.c refine/mutation/script.c" seeds=script ;;
    fuzz_tokenizer | fuzz_spiece)
        modules="base/*.c t5/tokenizer*.c t5/bpe.c t5/pieces.c t5/spiece.c t5/unicode.c t5/unigram.c"
        [ $name = fuzz_tokenizer ] || seeds=spiece
        [ $name = fuzz_spiece ] || flags="-O2 -fno-sanitize-coverage=trace-cmp" # as fuzz_language
        ;;
    fuzz_safetensors) modules="base/*.c nn/safetensors.c" ;;
    fuzz_inflate) modules="base/*.c vision/inflate.c" ;;
    # The weights' side of it is the library's as it is: only the reader is instrumented.
    fuzz_model) modules="base/*.c vision/model.c vision/columns.c vision/shape.c build/libphoenix.a -pthread" seeds=network ;;
    fuzz_picture) modules="base/*.c vision/picture.c vision/png.c vision/fit.c vision/images.c vision/inflate.c$tables" seeds=picture ;;
    fuzz_png) modules="base/*.c vision/png.c vision/images.c vision/inflate.c$tables" ;;
    fuzz_texts) modules="base/*.c evolve/source/texts.c build/libphoenix.a -pthread" seeds=texts ;;
    fuzz_table) modules="base/*.c vision/images.c vision/inflate.c$tables" seeds=table ;;
    fuzz_images) modules="base/*.c vision/images.c vision/inflate.c$tables" ;;
    esac
    # shellcheck disable=SC2086
    if ! clang -std=c11 -D_POSIX_C_SOURCE=200809L -I. -O1 -g -ffp-contract=off \
        -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all $flags -o "$name" "$1" \
        $modules -lm >"$name.log" 2>&1; then
        echo "FAILED $name: does not build"
        grep -E 'error|undefined' "$name.log" | head -n 5
    elif timeout $((FUZZ_SECONDS + 120)) $plain ./"$name" -max_total_time="$FUZZ_SECONDS" -runs="$FUZZ_RUNS" -timeout=10 \
        -rss_limit_mb=4096 -artifact_prefix="$tree/build/$name-" $seeds \
        >"$name.log" 2>&1; then
        line=$(sed -n 's/^#\([0-9]*\).*DONE *\(cov: [0-9]*\).*exec.s: \([0-9]*\).*/\1 executions, \3 a second, \2/p' "$name.log")
        echo "$name: $line"
        echo "${line%% *}" >"$name.count"
    else
        echo "FAILED $name:"
        tail -n 20 "$name.log"
    fi
}

targets=$(basename -s .c tests/fuzz/fuzz_*.c)
[ -z "$FUZZ_ONLY" ] || targets=$(printf 'fuzz_%s\n' $FUZZ_ONLY)

# Takes the next target that the other lane has not taken.
lane() {
    for target in $targets; do
        mkdir "$target.taken" 2>/dev/null && one "tests/fuzz/$target.c"
    done
}
lane &
lane &
wait
for target in $targets; do
    count=$(cat "$target.count" 2>/dev/null) && bad=0 || bad=1
    passed=$((passed + 1 - bad)) failed=$((failed + bad))
    [ -z "$LOG" ] || echo "$(date -u +%Y-%m-%d),$commit,executions of $target,${count:-0},$bad" >>"$LOG"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
