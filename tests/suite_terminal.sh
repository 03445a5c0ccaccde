#!/bin/sh
# SPDX-License-Identifier: MIT
# What a run says fits the terminal: in tmux, at 80x24, 40x20 and 200x50, through a small run that is
# interrupted, resumed and resized while it goes on, no line is wrapped, and the terminal is never
# silent for longer than two seconds. Skipped where there is no tmux.
set -u
cd "$(dirname "$0")/.." || exit 1
phoenix=$PWD/build/phoenix
if ! command -v tmux >/dev/null 2>&1; then
    echo "SKIPPED: there is no tmux here"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/phoenix-terminal-XXXXXX") || exit 1
socket=
terminal() {
    tmux -S "$socket" -f /dev/null "$@"
}
trap '[ -z "$socket" ] || terminal kill-server 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
. tests/verdict.sh
unset TMUX COLUMNS LINES

# open NAME WIDTH HEIGHT: a shell in a terminal whose server is its own, since the last one may still be ending.
open() {
    [ -z "$socket" ] || terminal kill-server 2>/dev/null
    socket=$work/$1.socket
    terminal new-session -d -s run -x "$2" -y "$3" "cd '$work' && PS1='> ' ENV= sh" || exit 1
    terminal set-option -g history-limit 20000 >/dev/null
}

small="--d-model 32 --few-shot 64 --samples 1024 --held-out 8 --fidelity 2 --episodes 2 --batches 1
    --candidates 4 --fresh-seeds 2 --max-tokens 24 --seed 1"

# seen: all that the terminal has shown, line by line; joined: the same, wrapped lines put together.
seen() {
    terminal capture-pane -p -S - -t run
}
joined() {
    terminal capture-pane -p -J -S - -t run | sed 's/ *$//'
}

# A line that the terminal wrapped is two lines of one and one of the other.
wrapped() {
    seen | sed 's/ *$//' >"$work/seen"
    joined >"$work/joined"
    diff "$work/seen" "$work/joined" | sed -n '2,4p'
}

# wait_for PATTERN: a minute at most.
wait_for() {
    for _ in $(seq 600); do
        seen | grep -q -e "$1" && return 0
        sleep 0.1
    done
    echo "$1 has not come: $(seen | grep . | tail -n 3)"
    return 1
}

type_in() {
    terminal send-keys -t run "$1" Enter
}

for size in 80x24 40x20 200x50; do
    width=${size%x*} height=${size#*x}
    open "$size" "$width" "$height"
    run="'$phoenix' evolve --run $size"
    # An interrupt ends the loop of a shell, too.
    # shellcheck disable=SC2086
    type_in "clear; while :; do $run $(echo $small) --samples 100000; done"
    wrong=$(wait_for "0: training [1-9]")
    rows=$(seen | grep -c "0: training")
    [ "$rows" -eq 1 ] || wrong="$wrong; $rows rows of progress"
    verdict "$size: progress is one row" "$wrong"
    terminal send-keys -t run C-c
    wrong=$(wait_for "go on with")
    type_in "echo prompt \$((40 + 2))"
    wrong=$wrong$(wait_for "prompt 42")
    [ "$(joined | grep -c "go on with")" -eq 1 ] || wrong="$wrong; it went on"
    verdict "$size: a loop around it can be left" "$wrong"
    verdict "$size: no line of an interrupted run is wrapped" "$(wrapped)"
    joined | grep -q "interrupted; go on with:" || verdict "$size: the interrupt is said" "it is not"
    rm -rf "${work:?}/$size"

    # Interrupted, resumed, resized while it runs.
    # shellcheck disable=SC2086
    type_in "clear; $run $(echo $small)"
    wrong=$(wait_for "0: training [1-9]")
    terminal send-keys -t run C-c
    wrong="$wrong$(wait_for "go on with")"
    type_in "$run --resume; echo ended \$?"
    wrong="$wrong$(wait_for "run goes on")"
    terminal resize-window -t run -x $((width - 7)) -y "$height"
    sleep 1
    terminal resize-window -t run -x "$width" -y "$height"
    wrong="$wrong$(wait_for "ended 0")"
    verdict "$size: interrupted and resumed" "$wrong"
    for word in "lower is better" "nats" "few-shot" "floor" "A pair is" "verdict\|no candidate was better" \
        "what was found" "report"; do
        joined | tr '\n' ' ' | tr -s ' ' | grep -q "$word" || verdict "$size: it says $word" "it does not"
    done
    wrong=$(joined | grep -c "pairs  *loss  *floor  *distance")
    [ "$wrong" -eq 2 ] || verdict "$size: a table has its columns" "$wrong of 2 have"
    type_in "clear; $run-2 --proposer rules --d-model 16 --few-shot 16 --episodes 1 --batches 1 --candidates 2 --fresh-seeds 2; echo ended \$?"
    wrong=$(wait_for "ended 0")
    verdict "$size: no line of a run is wrapped" "$wrong$(wrapped | grep -v phoenix)"
    type_in "clear; '$phoenix' help evolve all; echo ended \$?"
    wrong=$(wait_for "ended 0")
    verdict "$size: no line of help is wrapped" "$wrong$(wrapped | grep -v phoenix)"
done

# ---- two seconds ----

# One worker takes some seconds: a launcher that sleeps stands for a large model.
open slow 80 24
printf '#!/bin/sh\nsleep 5\nexec "$@"\n' >"$work/slow"
chmod +x "$work/slow"
type_in "clear; '$phoenix' evolve --run slow-run --launcher '$work/slow' --proposer rules --d-model 16 --few-shot 16 --episodes 1 --batches 1 --candidates 1 --fresh-seeds 0"
wrong=$(wait_for "evaluating")
before=$(seen) same=0
for _ in 1 2; do
    sleep 2
    now=$(seen)
    [ "$now" != "$before" ] || same=$((same + 1))
    before=$now
done
[ "$same" -eq 0 ] || wrong="$wrong; two seconds without a sign"
verdict "a slow evaluation shows that it goes on" "$wrong"

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
