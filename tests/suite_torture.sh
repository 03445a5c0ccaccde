#!/bin/sh
# SPDX-License-Identifier: MIT
# calls of the C library that fail, kill -9 and loss of power at any moment, flipped bits and cut files
#
#   FAULTS=N    at most so many failing calls for each command and each kind of call (1), spread evenly
#               from a beginning that SEED gives (1); all: each of them
#   KILLS=N     so many kills of a training over an old one, a run, and the same resumed (20)
#   POWER=N     the power goes at so many moments of each command that writes (1), and six things may be left
#               of what was not synced (tests/torture/power.c); all: at each moment
#   DAMAGES=N   so many flipped bits and cuts in the files of a run and of models (50)
#   ONLY="C K"  of the faults those in the command C, and of these those of the kind K
#   LOG=FILE    gets a line for each of the four: date, commit, what, how many, failed; of one that is stopped
#               (SIGINT, SIGTERM) for as many as there were
#
# `make torture` asks for hours of it. tests/torture/inject.c says which kinds of calls there are. After a
# failing call there is a message and exit code 1, or the right output; after that or a kill nothing that
# stood there before may be half-changed, and the same command again (with --resume for a run) has to
# give what an undisturbed one does. What is damaged is named.
# A part of which 0 is asked is left out, in the log too.
: "${FAULTS:=1}" "${KILLS:=20}" "${POWER:=1}" "${DAMAGES:=50}" "${SEED:=1}" "${ONLY:=}" "${LOG:=}"
set -u
cd "$(dirname "$0")/.." || exit 1
case $LOG in
"" | /*) ;;
*) LOG=$PWD/$LOG ;;
esac
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
tree=$PWD
program=${PHOENIX:-$PWD/build/phoenix}
passed=0 failed=0 skipped=0
work=$(mktemp -d "${TMPDIR:-/tmp}/phoenix-torture-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
inject=$work/inject.so preload=
if cc -shared -fPIC -O1 -o "$inject" tests/torture/inject.c -ldl >"$work/log" 2>&1 &&
    INJECT_AT=0 INJECT_LOG=$work/try LD_PRELOAD=$inject ls >/dev/null 2>&1 && [ -s "$work/try" ]; then
    preload="env LD_PRELOAD=$inject"
else
    echo "SKIPPED: this C library's calls cannot be made to fail"
    skipped=1
fi
phoenix="timeout 60 $preload $program" # a minute is a hang
mkdir -p "$work/ready"
cd "$work/ready" || exit 1

# ---- what stands there beforehand ----

# Under the filter of the strict sandbox a worker could not say that a call of its failed.
t5="--d-model 16 --held-out 4 --max-tokens 16"
run="--quiet --sandbox limits $t5 --few-shot 16 --samples 32 --fidelity 1 --episodes 1 --batches 1 --fresh-seeds 1 --final-times 1"
t5_run="$run --proposer rules --candidates 2"
images_run="--quiet --sandbox limits --task digits --images 16 --held-images 16 --final-epochs 1 --episodes 1
    --batches 1 --fresh-seeds 1 --proposer rules --candidates 2"
# shellcheck disable=SC2086
{
    $phoenix train --out t5 --samples 16 --fidelity 1 $t5
    $phoenix train --out network --task digits --final-epochs 1
    $phoenix evolve --run done $t5_run
    $phoenix evolve --run other $t5_run --elitism no
} >ready.log 2>&1 || cat ready.log
echo "P2 14 14 16 $(seq -s ' ' 196 | sed 's/[0-9]*\([0-9]\)/\1/g')" >picture.pgm
cp done/source.c t5.c
cp network/source.c network.c 2>/dev/null || cp network/model/source.c network.c
rm ready.log

# ---- the commands ----

# command NAME: runs it in the current folder. `again` is set where it is to be gone on with.
command() {
    # shellcheck disable=SC2086
    case $1 in
    refine) $phoenix refine --count 2 ;;
    train-t5) $phoenix train --out t5 --samples 16 --fidelity 1 --seed 2 $t5 ;;
    train-network) $phoenix train --out network --task digits --final-epochs 1 --seed 2 ;;
    generate) $phoenix generate t5/model --count 1 --max-tokens 8 ;;
    beams) $phoenix generate t5/model --count 1 --max-tokens 8 --beams 2 ;;
    predict) $phoenix predict network/model picture.pgm ;;
    export) $phoenix export network/model --out network.c ;;
    pairs) $phoenix refine --count 200 --out pairs.jsonl ;;
    evaluate-t5) $phoenix evaluate t5.c --few-shot 16 --d-model 16 --sandbox limits ;;
    evaluate-native) $phoenix evaluate t5.c --few-shot 16 --executor native --d-model 16 --sandbox limits ;;
    evaluate-network) $phoenix evaluate network.c --task digits --images 16 --held-images 16 --sandbox limits ;;
    evolve) $phoenix evolve --run new ${again:-$t5_run} ;;
    evolve-t5) $phoenix evolve --run new ${again:-$run --candidates 2 --early-stop yes} ;;
    evolve-images) $phoenix evolve --run new ${again:-$images_run} ;;
    evolve-native) $phoenix evolve --run new ${again:-$images_run --executor native} ;;
    verify) $phoenix verify done ;;
    report) $phoenix report done ;;
    reports) $phoenix report done other --out pages/both.html --figures ;;
    compare) $phoenix compare done --against other --csv compared.csv ;;
    why) $phoenix why done last ;;
    diff) $phoenix diff done default last ;;
    esac
}
commands="refine generate beams predict export why diff compare report reports evaluate-t5 evaluate-network
    evaluate-native verify train-t5 train-network evolve evolve-t5 evolve-images evolve-native"
kinds="malloc open read write short-read short-write fsync rename mkdir close fcntl mmap fork pipe unlink ftruncate"

# files LIST: what stands in the current folder, without what tells the time, what the next that writes
# there sweeps, and what could not be moved over from an old model (base/folder.h), which nobody removes.
files() {
    find . -type f ! -name timing.jsonl ! -name manifest.json ! -name '*.tmp' ! -path '*.tmp/*' ! -path '*.old/*' -exec sha256sum {} + | sort -k 2 >"$1"
}

# of LIST OTHER: the lines of LIST whose file is in OTHER.
of() { awk 'FNR == NR { there[$2]; next } $2 in there' "$2" "$1"; }

fresh() {
    rm -rf "$work/now"
    cp -R "$work/ready" "$work/now"
    cd "$work/now" || exit 1
}

# number BELOW: the next of a sequence that SEED gives, in $drawn.
state=$((SEED * 7919 + 17))
number() {
    state=$(((state * 1103515245 + 12345) % 2147483648))
    drawn=$(((state / 65536) * 32768 + (state % 65536) / 2))
    drawn=$((drawn % $1))
}

fail() {
    failed=$((failed + 1))
    echo "FAILED $name, $what: $*"
    tail -n 3 ../err | cut -c 1-300
}

# once NAME N: with a fault at the N-th call; sets code.
once() {
    INJECT_AT=$2
    command "$1" >../printed 2>../err
    code=$?
    sed 's/,"check":.*//' ../printed >../out # without seconds, executor and sandbox of a score
    INJECT_AT=0
}

# undisturbed: what $name prints and leaves, to hold others against.
undisturbed() {
    what="undisturbed"
    fresh
    files ../before
    rm -f ../log
    INJECT_CALL=none
    once "$name" 0
    [ $code -eq 0 ] || fail "exit code $code"
    files ../right
    cp ../out ../right.out
    mv ../log ../calls 2>/dev/null
}

# halves: whether the files that stood there before are neither as before nor as afterwards.
halves() {
    files ../after
    of ../after ../before >../kept
    of ../right ../before >../replaced
    ! cmp -s ../kept ../before && ! cmp -s ../kept ../replaced
}

# mended: the same once more gives what an undisturbed one does.
mended() {
    again=
    [ ! -f new/manifest.json ] || again="--resume --quiet"
    once "$name" 0
    again=
    files ../after
    if [ $code -eq 0 ] && cmp -s ../after ../right; then
        passed=$((passed + 1))
    else
        fail "done again: exit code $code: $(diff ../right ../after | head -n 4)"
    fi
}

# part NAME COUNT: the end of a part, in which so many things went wrong.
failed_before=0 killed=0 losses=0 damages=0
part() {
    [ "$2" -gt 0 ] || return
    echo "$1: $2, $((failed - failed_before)) failed"
    [ -z "$LOG" ] || echo "$(date -u +%Y-%m-%d),$commit,$1,$2,$((failed - failed_before))" >>"$LOG"
    failed_before=$failed
}

# stopped: what has been done of the part that is under way counts.
stopped() {
    case $doing in
    "failing calls") part "$doing" $((passed + failed)) ;;
    kills) part "$doing" $killed ;;
    "losses of power") part "$doing" $losses ;;
    *) part "$doing" $damages ;;
    esac
    exit 1
}
trap stopped HUP INT TERM

# ---- calls that fail ----

doing="failing calls"
fault() {
    what="$kind $1"
    fresh
    rm -f ../log
    once "$name" "$1"
    [ -s ../log ] || return # the call did not come: other workers were faster
    if [ $code -eq 0 ]; then
        files ../after
        if cmp -s ../after ../right && cmp -s ../out ../right.out; then
            passed=$((passed + 1))
        else
            fail "exit code 0, and not the right output: $(diff ../right ../after | head -n 4)"
        fi
    elif [ $code -ne 1 ]; then
        fail "exit code $code"
    elif [ ! -s ../err ]; then
        fail "exit code 1 without a word"
    elif halves; then
        fail "files are neither as before nor as after it: $(diff ../before ../kept | head -n 4)"
    else
        mended
    fi
}

export INJECT_CALL INJECT_AT INJECT_LOG
INJECT_LOG=$work/log INJECT_AT=0 again=
# shellcheck disable=SC2086
set -- $ONLY
[ -n "$preload" ] && [ "$FAULTS" != 0 ] || commands=
for name in ${1:-$commands}; do
    undisturbed
    for kind in ${2:-$kinds}; do
        INJECT_CALL=$kind
        calls=$(awk -v kind="$kind" '$1 == kind && $2 > most { most = $2 } END { print most + 0 }' ../calls)
        [ "$calls" -gt 0 ] || continue
        step=1
        [ "$FAULTS" = all ] || step=$(((calls + FAULTS - 1) / FAULTS))
        number $step
        place=$((1 + drawn))
        while [ $place -le "$calls" ]; do
            fault $place
            place=$((place + step))
        done
    done
done
part "$doing" $((passed + failed))

# ---- kills ----

# One is started, killed when a part of its time has passed that is drawn, and so again until one is done
# before that; a run is gone on with. Its workers end by themselves.
printf 'echo $$ >%s\nexec %s "$@"\n' "$work/process" "$program" >"$work/named"
[ "$KILLS" -eq 0 ] || phoenix="sh $work/named"
doing=kills
for name in train-t5 train-network evolve-t5 evolve-images report; do
    [ "$KILLS" -gt 0 ] || break
    began=$(date +%s%N)
    undisturbed
    took=$((($(date +%s%N) - began) / 1000000)) # milliseconds
    kills=0
    while [ $kills -lt $((KILLS / 5)) ]; do
        fresh
        for time in 1 2; do
            number $((took + 1))
            what="killed after $drawn ms"
            again=
            [ ! -f new/manifest.json ] || again="--resume --quiet"
            rm -f ../process
            command "$name" >../printed 2>../err &
            child=$!
            sleep "$(printf '%d.%03d' $((drawn / 1000)) $((drawn % 1000)))"
            # One that had not begun yet, or had ended, was not killed.
            kill -9 "$(cat ../process 2>/dev/null)" 2>/dev/null && killed=$((killed + 1))
            wait $child 2>/dev/null
            kills=$((kills + 1))
        done
        if halves; then
            fail "files are neither as before nor as after it: $(diff ../before ../kept | head -n 4)"
        else
            mended
        fi
    done
done
part "$doing" $killed

# ---- the power goes ----

# lost MOMENT HOW: what may be left then is gone on with.
lost() {
    rm -rf "$work/now"
    power=$("$work/power" ../log "$work/now" ../ready "$work/now" "$1" "$2" 2>&1) || {
        fail "$power"
        return
    }
    cd "$work/now" || exit 1
    if halves; then
        fail "files are neither as before nor as after it: $(diff ../before ../kept | head -n 4)"
        return
    fi
    [ ! -f new/manifest.json ] || $phoenix verify new --files >../printed 2>../err
    code=$?
    [ $code -le 1 ] || fail "verify ends with exit code $code"
    if [ "$1" -eq "$ended" ] && [ "$2" -eq 0 ]; then # it had said that it was done
        files ../after
        cmp -s ../after ../right || fail "what it ended with is gone: $(diff ../right ../after | head -n 4)"
    fi
    mended
}

doing="losses of power"
calls=open,openat,creat,write,writev,pwrite64,pwritev,copy_file_range,fallocate,fsync,fdatasync,ftruncate,truncate
calls=$calls,rename,renameat,renameat2,mkdir,mkdirat,unlink,unlinkat,rmdir,link,linkat,symlink,symlinkat
# shellcheck disable=SC2046
if [ "$POWER" = 0 ]; then
    set --
elif strace -f -o "$work/log" true 2>/dev/null &&
    cc -std=c11 -D_POSIX_C_SOURCE=200809L -O1 -I"$tree" -o "$work/power" "$tree/tests/torture/power.c" \
        "$tree"/base/*.c -lm >"$work/try" 2>&1; then
    set -- train-t5 train-network evolve-t5 evolve-images evolve-native report reports export pairs compare
else
    echo "SKIPPED: the power stays: strace is not here, or may not trace"
    skipped=$((skipped + 1))
    set --
fi
for name in "$@"; do
    phoenix="timeout 60 $program"
    undisturbed
    fresh
    phoenix="timeout 600 strace -f -y -xx -s 1000000000 -o $work/log -e trace=$calls $program"
    once "$name" 0
    phoenix="timeout 60 $program"
    what="while strace looks on"
    [ $code -eq 0 ] || {
        fail "exit code $code"
        continue
    }
    "$work/power" ../log "$work/now" ../ready >../moments 2>../err || {
        what="the log" code=$?
        fail "is not understood"
        continue
    }
    ended=$(tail -n 1 ../moments | cut -d ' ' -f 1)
    count=$(wc -l <../moments)
    step=1
    [ "$POWER" = all ] || step=$(((count + POWER - 1) / POWER))
    number $step
    awk -v first=$drawn -v step=$step -v count="$count" 'NR % step == first || NR == count' ../moments >../some
    while read -r moment operation; do
        number 100000
        for how in 0 1 2 3 $((4 + drawn)) $((100004 + drawn)); do
            what="power lost after $moment ($operation), $how"
            losses=$((losses + 1))
            lost "$moment" "$how"
        done
    done <../some
done
part "$doing" $losses

# ---- flipped bits and cut files ----

# One byte of a file is changed, or the file ends early; the command that reads it has to name it.
name=verify doing="flips and cuts"
[ "$DAMAGES" -eq 0 ] || undisturbed
for file in done/journal.jsonl done/manifest.json done/timing.jsonl done/source.c done/episode-0/losses.csv \
    done/episode-0/source.c done/episode-0/model/model.safetensors done/episode-0/model/config.json \
    done/episode-0/model/tokenizer.json; do
    [ -f "$file" ] && list="${list:-} $file"
done
# shellcheck disable=SC2086
set -- ${list:-}
[ $# -gt 0 ] || DAMAGES=0
while [ $damages -lt "$DAMAGES" ]; do
    damages=$((damages + 1))
    fresh
    number $#
    eval "file=\${$((drawn + 1))}"
    size=$(wc -c <"$file")
    number "$size"
    place=$drawn
    number 3
    if [ $drawn -eq 0 ]; then
        what="$file cut to $place bytes"
        head -c "$place" ../ready/"$file" >"$file"
    else
        number 8
        what="$file, bit $drawn of byte $place flipped"
        byte=$(od -An -tu1 -j "$place" -N 1 "$file" | tr -d ' ')
        printf "\\$(printf %o $((byte ^ (1 << drawn))))" |
            dd of="$file" bs=1 seek="$place" conv=notrunc 2>/dev/null
    fi
    command verify >../out 2>../err
    code=$?
    if [ $code -eq 1 ] && grep -q "${file#done/}" ../out ../err; then
        passed=$((passed + 1))
    else
        fail "exit code $code, and its name is not said"
    fi
done
part "$doing" $damages

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
