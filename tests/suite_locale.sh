#!/bin/sh
# the tests where half is written "0,5"
. "$(dirname "$0")/copy.sh"
LOCPATH=$copy/build LC_ALL=de_DE.UTF-8
mkdir -p build
localedef -i de_DE -f UTF-8 build/de_DE.UTF-8 2>/dev/null
cat >build/half.c <<'END'
#include <locale.h>
#include <stdio.h>
int main(void)
{
    return setlocale(LC_ALL, "") && printf("%.1f\n", 0.5) > 0 ? 0 : 1;
}
END
cc build/half.c -o build/half
if [ "$(LOCPATH=$LOCPATH LC_ALL=$LC_ALL build/half)" != 0,5 ]; then
    echo "SKIPPED: de_DE.UTF-8 cannot be made here: localedef or its sources (package locales) are missing"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
export LOCPATH LC_ALL
# Left out: minutes of arithmetic that neither reads nor prints a number.
make -j2 >/dev/null
# shellcheck disable=SC2046
CC=cc CFLAGS="-std=c11 -D_POSIX_C_SOURCE=200809L -I. -O2 -ffp-contract=off" sh tests/run.sh $(
    find tests -name 'test_*.c' | LC_ALL=C sort |
        grep -v -E '/tensor/test_(gemm|attention|conv|conv_ways|kernel)\.c'
)
