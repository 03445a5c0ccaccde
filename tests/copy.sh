# SPDX-License-Identifier: MIT
# Sourced by the suites: a copy of the tree to build in another way, removed at the end. Leaves the shell
# in the copy. What `make` has built comes along: make/rules.sh builds it again where the flags differ.

# check NAME COMMAND...: counts it, in passed or failed; what it said is in one.log.
check() {
    name=$1
    shift
    if "$@" >one.log 2>&1; then
        passed=$((passed + 1))
    else
        code=$?
        failed=$((failed + 1))
        echo "FAILED: $name: exit code $code"
        tail -n 5 one.log
    fi
}

# add_logs WHAT LOG...: adds the sums that the logs end with to passed, failed and skipped, and shows their lines
# about WHAT ("programs").
add_logs() {
    what=$1
    shift
    for log in "$@"; do
        sum=$(tail -n 1 "$log")
        case $sum in
        [0-9]*" passed, "[0-9]*" failed, "[0-9]*" skipped")
            grep -E "$what:|FAILED|SKIPPED" "$log" | sed "s|^|${log%.log}: |" | head -n 20
            # shellcheck disable=SC2086
            set -- $sum
            passed=$((passed + $1)) failed=$((failed + $3)) skipped=$((skipped + $5))
            ;;
        *)
            echo "FAILED ${log%.log}: no result"
            tail -n 5 "$log"
            failed=$((failed + 1))
            ;;
        esac
    done
}

# Before a program that was built with a sanitizer: their shadow of the address space may collide with one that is
# shuffled by many bits (vm.mmap_rnd_bits of newer kernels); the program then dies or never ends.
plain=
# shellcheck disable=SC2034
! setarch -R true >/dev/null 2>&1 || plain="setarch -R"

cd "$(dirname "$0")/.." || exit 1
tree=$(pwd)
copy=$(mktemp -d "${TMPDIR:-/tmp}/phoenix.XXXXXX") || exit 1
trap 'rm -rf "$copy"' EXIT
trap 'exit 1' INT TERM
tar cf - --exclude=./build/tests --exclude=./runs --exclude=./.git . | (cd "$copy" && tar xf -)
: "${PHOENIX_SHARED:=$tree/../shared}"
export PHOENIX_SHARED
cd "$copy" || exit 1
