#!/bin/sh
# SPDX-License-Identifier: MIT
# kill -9 of the driver at 20 random moments, resumed: the same bytes
. "$(dirname "$0")/copy.sh"
make -j2 >/dev/null
PHOENIX_SLOW=1 sh tests/run.sh tests/evolve/loop/test_run.c
