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

cd "$(dirname "$0")/.." || exit 1
tree=$(pwd)
copy=$(mktemp -d "${TMPDIR:-/tmp}/phoenix.XXXXXX") || exit 1
trap 'rm -rf "$copy"' EXIT
trap 'exit 1' INT TERM
tar cf - --exclude=./build/tests --exclude=./runs --exclude=./.git . | (cd "$copy" && tar xf -)
: "${PHOENIX_SHARED:=$tree/../shared}"
export PHOENIX_SHARED
cd "$copy" || exit 1
