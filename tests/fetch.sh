#!/bin/sh
# SPDX-License-Identifier: MIT
# vision/fetch.sh on a list of its own, of files on this machine: what is right arrives, what is not
# leaves nothing. The last line is the sum.
set -u
cd "$(dirname "$0")/.." || exit 1
fetch=$PWD/vision/fetch.sh digits=$PWD/vision/digits
top=$(mktemp -d "${TMPDIR:-/tmp}/phoenix-fetch-XXXXXX") || exit 1
trap 'rm -rf "$top"' EXIT
trap 'exit 1' HUP INT TERM
work=$top/a\ folder # of which a list's addresses, which end at blanks, have to be written otherwise
mkdir "$work"
passed=0 failed=0 skipped=0
for tool in curl sha256sum unzip zip; do
    if ! command -v $tool >/dev/null 2>&1; then
        echo "SKIPPED: $tool is not here"
        echo "0 passed, 0 failed, 1 skipped"
        exit 0
    fi
done

check() { # what, and a command that must succeed
    what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $what"
        cat "$work/out"
    fi
}

line() { # FOLDER FILE [MEMBER...]: one of the list, with the sum that the file has
    folder=$1 file=$2
    shift 2
    echo "$folder $(sha256sum <"$file" | cut -d ' ' -f 1) file://$(echo "$file" | sed 's/ /%20/g') $*"
}

run() { # fetches; the exit code is in $code
    sh "$fetch" "$work/data" "$work/list" >"$work/out" 2>&1
    code=$?
}

holds() { # FOLDER FILE...: these and no others
    folder=$work/data/$1
    shift
    [ "$(ls -A "$folder" 2>/dev/null | sort | tr '\n' ' ')" = "$(printf '%s ' "$@" | sed 's/^ $//')" ]
}

images=train-images-idx3-ubyte.gz labels=train-labels-idx1-ubyte.gz
mkdir "$work/set"
cp "$digits/$images" "$digits/$labels" "$work/set"
(cd "$work" && zip -q set.zip "set/$images" "set/$labels" && tar cf - set | gzip >set.tar.gz)

{
    echo "# a comment"
    line plain "$digits/$images"
    line plain "$digits/$labels"
    line zip "$work/set.zip" "set/$labels"
    line tar "$work/set.tar.gz" "set/$images" "set/$labels"
} >"$work/list"
run
check "all is right: exit code 0" [ $code -eq 0 ]
check "single files" holds plain $images $labels
check "a file out of a zip" holds zip $labels
check "files out of a tar" holds tar $images $labels
check "the bytes are the same" cmp -s "$digits/$images" "$work/data/tar/$images"

run
check "again: all is there" [ "$code $(grep -c 'is there' "$work/out")" = "0 4" ]
echo x >>"$work/data/plain/$labels"
run
check "a file that was changed is fetched again" cmp -s "$digits/$labels" "$work/data/plain/$labels"

rm -rf "$work/data"
{
    line sum "$digits/$images" | sed 's/ [0-9a-f]/ f/'
    line gone "$digits/$images" | sed 's/file:[^ ]*/&.gone/'
    line member "$work/set.tar.gz" set/other
    line zip "$work/set.zip" "set/$labels"
} >"$work/list"
run
check "what fails is counted" [ "$code $(grep -c '^FAILED' "$work/out")" = "1 3" ]
check "a wrong sum is named" grep -q 'SHA-256' "$work/out"
check "a wrong sum leaves nothing" holds sum
check "what is not there leaves nothing" holds gone
check "a member that is not there leaves nothing" holds member
check "the next one is fetched all the same" holds zip $labels
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
