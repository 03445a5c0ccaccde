#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a command on a free one of several hosts, by ssh: one command a host at a time.
#
#   HOSTS=red,green,blue phoenix evolve --jobs 3 --launcher "sh on-a-free-host.sh" ...
#
# A host is free while nobody here holds its lock file (flock is part of util-linux). SSH_OPTIONS,
# split at blanks, goes before the host's name.
locks=${TMPDIR:-/tmp}/phoenix-hosts-$(id -u)
mkdir -p "$locks"
while :; do
    for host in $(echo "$HOSTS" | tr , ' '); do
        # 99: somebody is there. Anything else is how the command ended.
        # shellcheck disable=SC2086
        flock --nonblock --conflict-exit-code 99 "$locks/$host" \
            ssh $SSH_OPTIONS -o BatchMode=yes "$host" "$@"
        code=$?
        [ $code -eq 99 ] || exit $code
    done
    sleep 0.2
done
