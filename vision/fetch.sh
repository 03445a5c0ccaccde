#!/bin/sh
# SPDX-License-Identifier: MIT
# Downloads the public sets of images, a folder each: fetch.sh [FOLDER [LIST]]. LIST: what is
# downloaded, from where, and its SHA-256 (fetch.list beside this script). What is there already stays.
# A file has its name only when it is whole and has that sum.
set -u
data=${1:-data}
list=${2:-$(dirname "$0")/fetch.list}
failed=0

part= # a half file or folder
trap '[ -z "$part" ] || rm -rf "$part"' EXIT
trap 'exit 1' HUP INT TERM

fail() {
    echo "FAILED $*" >&2
    failed=$((failed + 1))
}

sum() { # the SHA-256 of a file, by what the system has
    if command -v sha256sum >/dev/null 2>&1; then
        sha256sum <"$1"
    elif command -v shasum >/dev/null 2>&1; then
        shasum -a 256 <"$1"
    elif command -v sha256 >/dev/null 2>&1; then
        sha256 <"$1"
    else
        openssl dgst -sha256 -r <"$1"
    fi | cut -d ' ' -f 1
}

download() { # ADDRESS FILE
    if command -v curl >/dev/null 2>&1; then
        curl -fsSL -o "$2" "$1"
    elif command -v wget >/dev/null 2>&1; then
        wget -q -O "$2" "$1"
    else
        echo "neither curl nor wget is here" >&2
        return 1
    fi
}

unpack() { # ARCHIVE FOLDER MEMBER...
    archive=$1 into=$2
    shift 2
    case $archive in
    *.zip) unzip -q "$archive" "$@" -d "$into" ;;
    *) gzip -dc "$archive" | (cd "$into" && tar xf - "$@") ;;
    esac
}

there() { # FOLDER FILE...: all of them
    for each in "$@"; do
        [ -f "$folder/$(basename "$each")" ] || return 1
    done
}

# One line of the list. Nothing in the folder but whole files, under their names.
fetch() { # SUM ADDRESS [MEMBER...]
    wanted=$1 address=$2
    shift 2
    name=$(basename "$address")
    if [ $# -gt 0 ]; then
        there "$@" && echo "$folder: is there" && return
    elif [ -f "$folder/$name" ] && [ "$(sum "$folder/$name")" = "$wanted" ]; then
        echo "$folder/$name: is there"
        return
    fi
    part=$folder/part.$$
    if ! mkdir -p "$part"; then
        fail "$folder: cannot be made"
    elif ! download "$address" "$part/$name"; then
        fail "$folder/$name: cannot be downloaded from $address"
    elif found=$(sum "$part/$name") && [ "$found" != "$wanted" ]; then
        fail "$folder/$name: from $address has the SHA-256 $found, expected $wanted"
    elif [ $# -eq 0 ]; then
        mv -f "$part/$name" "$folder/$name" && echo "$folder/$name"
    elif ! unpack "$part/$name" "$part" "$@"; then
        fail "$folder: $name cannot be unpacked (it takes unzip, or gzip and tar)"
    else
        for member in "$@"; do
            if mv -f "$part/$member" "$folder/"; then
                echo "$folder/$(basename "$member")"
            else
                fail "$folder: $name holds no $member"
            fi
        done
    fi
    rm -rf "$part"
    part=
}

while read -r folder line; do
    case $folder in
    '' | '#'*) continue ;;
    esac
    folder=$data/$folder
    # shellcheck disable=SC2086
    fetch $line </dev/null
done <"$list" || exit 1
[ "$failed" -eq 0 ] || echo "$failed of the downloads failed" >&2
[ "$failed" -eq 0 ]
