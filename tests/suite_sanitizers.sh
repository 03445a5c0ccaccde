#!/bin/sh
# SPDX-License-Identifier: MIT
# the tests, and commands changed at random, under the address and undefined-behaviour sanitizers, where half is written "0,5"
#
# What is printed and read is to be the same in every locale, so that all of it is done in one that has a decimal comma.
#
# COMMANDS=N: so many commands (100); TESTS=no: without the tests; LOG=FILE (a whole path): as commands.sh has it.
: "${COMMANDS:=100}" "${TESTS:=yes}" "${LOG:=}"
. "$(dirname "$0")/copy.sh"
ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1:handle_abort=1
UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
# The sanitizers' runtime has ways of its own to hang (looking for leaks it stops all threads), and CI
# did once not come out of this suite.
LIMIT=900 HANGS=again
# Long ones whose code others run as well: whole runs and trainings, over and over.
LEFT_OUT="tests/evolve/source/test_cheats.c tests/evolve/loop/test_strategies.c tests/evolve/loop/test_stop.c
    tests/evolve/source/test_train_hash.c tests/evolve/source/test_differential.c tests/evolve/loop/test_learning.c
    tests/evolve/loop/test_winners.c tests/evolve/loop/test_pretraining.c tests/evolve/loop/test_inherit.c
    tests/evolve/score/test_native.c tests/export/test_t5.c tests/evolve/loop/test_run.c"
WHICH=all
export ASAN_OPTIONS UBSAN_OPTIONS LIMIT HANGS LEFT_OUT WHICH
comma=0
if printf '%s\n' '#include <locale.h>' '#include <stdio.h>' \
    'int main(void) { return !setlocale(LC_ALL, "") || printf("%.1f\n", 0.5) < 0; }' >half.c && cc -o half half.c &&
    localedef -i de_DE -f UTF-8 ./de_DE.UTF-8 && [ "$(LOCPATH=$copy LC_ALL=de_DE.UTF-8 ./half)" = 0,5 ]; then
    unset LC_ALL LC_NUMERIC
    LOCPATH=$copy LANG=de_DE.UTF-8 LC_MESSAGES=C
    export LOCPATH LANG LC_MESSAGES
else
    echo "SKIPPED: no de_DE.UTF-8: localedef or its sources (package locales) are missing"
    comma=1
fi
flags="-O2 -g -fsanitize=address,undefined -fno-sanitize-recover=all"
what="test" files=2
[ "$TESTS" = yes ] || what="all" files=1
$plain make -j2 "$what" CC=gcc CFLAGS="$flags" LDFLAGS="-fsanitize=address,undefined" | tee tests.log
export tree COMMANDS LOG
PHOENIX=$PWD/build/phoenix $plain sh tests/torture/commands.sh | tee commands.log
awk '/^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { last[FILENAME] = $0 }
    END {
        for (file in last) { split(last[file], n, " "); good += n[1]; bad += n[3]; left += n[5]; files++ }
        print good + 0 " passed, " bad + (files < wanted) " failed, " left + comma " skipped"
        exit bad > 0 || files < wanted
    }' wanted=$files comma=$comma tests.log commands.log
