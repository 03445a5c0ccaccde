#!/bin/sh
# the tests where half is written "0,5"
. "$(dirname "$0")/copy.sh"
: "${CC:=cc}"
make -j2 CC="$CC" >/dev/null || exit 1
cat >build/half.c <<'END'
#include <locale.h>
#include <stdio.h>
int main(void)
{
    return !setlocale(LC_ALL, "") || printf("%.1f\n", 0.5) < 0;
}
END
$CC -o build/half build/half.c || exit 1
localedef -i de_DE -f UTF-8 build/de_DE.UTF-8
unset LC_ALL LC_NUMERIC
LOCPATH=$copy/build LANG=de_DE.UTF-8 LC_MESSAGES=C
export LOCPATH LANG LC_MESSAGES
if [ "$(build/half)" != 0,5 ]; then
    echo "SKIPPED: no de_DE.UTF-8: localedef or its sources (package locales) are missing"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
# Left out, but for PHOENIX_SLOW=1: minutes of arithmetic without a number's text.
slow='/test_(gemm|conv|conv_ways|attention|kernel|cost|cheats|train_hash)\.c'
[ -z "${PHOENIX_SLOW:-}" ] || slow='^$'
# shellcheck disable=SC2046
CC=$CC sh tests/run.sh $(find tests -name 'test_*.c' | LC_ALL=C sort | grep -v -E "$slow") tests/cli.sh
