#!/bin/sh
# SPDX-License-Identifier: MIT
# the long tests: whole runs by every strategy, kills, attempts to cheat, exported files by each compiler
set -u
cd "$(dirname "$0")/.." || exit 1
make >/dev/null || exit 1
WHICH=long sh tests/run.sh
