#!/bin/sh
# SPDX-License-Identifier: MIT
# candidates on other hosts: Slurm, GNU parallel, MPI, ssh; nodes and drivers lost on the way
. "$(dirname "$0")/copy.sh"
make -j2 >/dev/null
phoenix=$copy/build/phoenix
passed=0 failed=0 skipped=0

check() { # what; the rest: a command
    what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $what"
    fi
}

skip() {
    skipped=$((skipped + 1))
    echo "SKIPPED $1"
}

# ---- runs whose candidates are known ----

# An event's line: the object without its last brace, sealed as evolve/loop/journal.h says.
seal() {
    printf '%s,"check":"%.8s"}\n' "$1" "$(printf '%s' "$1" | sha256sum)"
}

# A batch of so many programs, each with a d_ff of its own, as a model would have proposed it.
proposals() {
    awk -v n="$1" 'BEGIN {
        printf "{\"seq\":3,\"event\":\"proposed\",\"episode\":0,\"batch\":0,\"texts\":["
        for (i = 0; i < n; i++)
            printf "%s\"#include \\\"phoenix.h\\\"\\n\\nt5 *model(void)\\n{\\n" \
                "    t5_config config = t5_small();\\n    config.num_layers = 1;\\n" \
                "    config.num_decoder_layers = 1;\\n    config.num_heads = 2;\\n" \
                "    config.d_kv = 8;\\n    config.d_ff = %d;\\n    return t5_new(config);\\n}\\n\"",
                i ? "," : "", 16 + i
        printf "],\"flops\":0"
    }'
}

# start FOLDER CANDIDATES: a run that has trained its model and proposed; what follows is scoring.
start() {
    "$phoenix" evolve --run "$1" --quiet --d-model 16 --samples 64 --few-shot 16 --batch 8 \
        --episodes 1 --batches 1 --candidates "$2" --held-out 16 --fidelity 0 --fresh-seeds 2 \
        --max-tokens 8 --deadline 20 >/dev/null || exit 1
    head -n 3 "$1/journal.jsonl" >"$1/begin"
    seal "$(proposals "$2")" >>"$1/begin"
    mv "$1/begin" "$1/journal.jsonl"
    rm "$1/source.c" "$1/summary.txt" "$1/timing.jsonl"
}

lines() {
    wc -l <"$1/journal.jsonl"
}

# until_lines FOLDER COUNT: waits for the journal to have so many, ten minutes at most.
until_lines() {
    tries=0
    while [ "$(lines "$1")" -lt "$2" ] && [ $tries -lt 6000 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    check "$1: $2 lines in ten minutes" [ $tries -lt 6000 ]
}

resume() { # FOLDER, options; in the background, its process in $driver
    folder=$1
    shift
    "$phoenix" evolve --run "$folder" --resume --quiet "$@" >"$folder.out" 2>&1 &
    driver=$!
}

finish() { # waits for the driver: the journal has to be that of the local run
    folder=$1
    wait $driver
    check "$folder: ends well: $(tail -n 1 "$folder.out")" [ $? -eq 0 ]
    check "$folder: the journal of a local run" cmp "$folder/journal.jsonl" "$2/journal.jsonl"
    "$phoenix" verify "$folder" --files --quiet >"$folder.out" 2>&1
    check "$folder: verified: $(tail -n 1 "$folder.out")" [ $? -eq 0 ]
}

start many 200
start few 8
cp -R many many-local
resume many-local --jobs 2
wait $driver
cp -R few few-local
resume few-local --jobs 2
wait $driver
compared=$(grep -c '"event":"compared"' many-local/journal.jsonl)
check "200 candidates scored here" [ "$(grep -c '"status":"ok"' many-local/journal.jsonl)" -eq $((201 + compared)) ]

# ---- one launcher after another, a handful of candidates ----

# try NAME COMMAND LAUNCHER: if the command is here.
try() {
    if ! command -v "$2" >/dev/null 2>&1; then
        skip "$1: no $2 here"
        return
    fi
    cp -R few "$1"
    resume "$1" --jobs 2 --launcher "$3"
    finish "$1" few-local
}

root=
[ "$(id -u)" -ne 0 ] || root=--allow-run-as-root
try mpirun mpirun "mpirun $root --oversubscribe -n 1"
try parallel parallel "parallel --will-cite --pipe --block 2M -j1"
if command -v bwrap >/dev/null 2>&1 && ! bwrap --ro-bind / / --dev /dev --unshare-all true 2>/dev/null; then
    skip "container: bwrap may not make one here"
else
    try container bwrap "bwrap --ro-bind / / --dev /dev --unshare-all"
fi

# A server of our own, on this machine only, for two "hosts".
if PATH=$PATH:/usr/sbin command -v sshd >/dev/null 2>&1; then
    mkdir server
    chmod 700 server
    ssh-keygen -q -t ed25519 -N '' -f server/host
    ssh-keygen -q -t ed25519 -N '' -f server/user
    [ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
    cat >server/server <<END
Port 17022
ListenAddress 127.0.0.1
HostKey $copy/server/host
PidFile $copy/server/pid
AuthorizedKeysFile $copy/server/user.pub
StrictModes no
UsePAM no
PasswordAuthentication no
END
    cat >server/client <<END
Host w1 w2
HostName 127.0.0.1
Port 17022
IdentityFile $copy/server/user
StrictHostKeyChecking no
UserKnownHostsFile $copy/server/known
BatchMode yes
LogLevel ERROR
END
    "$(PATH=$PATH:/usr/sbin command -v sshd)" -f "$copy/server/server" -E "$copy/server/log"
    tries=0
    until ssh -F server/client w1 true 2>/dev/null || [ $tries -ge 50 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    if [ $tries -lt 50 ]; then
        try ssh ssh "ssh -F $copy/server/client w1"
        cp docs/on-a-free-host.sh server/
        try hosts flock "env HOSTS=w1,w2 SSH_OPTIONS=-F$copy/server/client sh server/on-a-free-host.sh"
    else
        skip "ssh: a server of our own does not answer: $(tail -n 1 server/log)"
    fi
    [ ! -s server/pid ] || kill "$(cat server/pid)"
else
    skip "ssh: no sshd here"
fi

# ---- 200 candidates through a Slurm of two nodes ----

slurm=$PHOENIX_SHARED/cluster/start-slurm.sh
SLURM_TEST_DIR=$copy/slurm SLURM_TEST_NODES=2 SLURM_TEST_PORT=17300
export SLURM_TEST_DIR SLURM_TEST_NODES SLURM_TEST_PORT
if [ ! -f "$slurm" ] || ! command -v srun >/dev/null 2>&1 || ! sh "$slurm" >slurm.log 2>&1; then
    skip "Slurm: $([ -f "$slurm" ] && tail -n 1 slurm.log 2>/dev/null || echo "no $slurm")"
else
    trap 'sh "$slurm" stop; rm -rf "$copy"' EXIT
    eval "$(sh "$slurm" env)"
    launcher="srun -n1 -c1 --exact --quiet --input=all"

    resume many --jobs 4 --launcher "$launcher"
    until_lines many 40
    kill -KILL $driver # the driver
    wait $driver 2>/dev/null
    resume many --jobs 4 --launcher "$launcher"
    until_lines many 80
    scontrol update nodename=n2 state=down reason=test # a node, with the work it has
    until_lines many 110
    scontrol update nodename=n2 state=resume 2>/dev/null # it may have come back by itself
    until_lines many 130
    kill -KILL "$(cat slurm/slurmd.n2.pid)" # its daemon: what is sent there is lost
    until_lines many 150
    sh "$slurm" >>slurm.log 2>&1
    finish many many-local
    check "both nodes had work" [ "$(sed -n 's/.*NodeList=\(n[12]\) .*/\1/p' slurm/jobcomp.log |
        sort -u | wc -l)" -eq 2 ]
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
