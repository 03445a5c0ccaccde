#!/bin/sh
# SPDX-License-Identifier: MIT
# The rooms from base to vision as one file: inference and training for who wants no library.
#
#   sh make/amalgamate.sh SRC FOLDER     FOLDER/phoenix.c and FOLDER/phoenix.h
#
# phoenix.h has the public headers, phoenix.c the others and then all .c files. What several files have under
# one name for themselves is told apart by macros: around a file, `#define fail own_tensor_conv_fail`. Such
# names are found by how the tree is formatted: what begins in the first column declares. A file that has
# a struct's field of that name as well keeps it, and the others give way.
set -eu
export LC_ALL=C
src=$1 to=$2
mkdir -p "$to"
cd "$src"
case $to in /*) ;; *) to=$OLDPWD/$to ;; esac
trap 'rm -f "$to/phoenix.h.$$" "$to/phoenix.c.$$"' EXIT # which are there no more where all went well
trap 'exit 1' HUP INT TERM

# shellcheck disable=SC2046
# A microcontroller with newlib has no folders, processes or clocks: none is ever there.
bare='#if defined __NEWLIB__ && !defined __unix__ && !defined PHOENIX_BARE
#define PHOENIX_BARE 1
#endif
#ifdef PHOENIX_BARE
#include <sys/types.h>
typedef struct DIR DIR;
struct dirent {
    char d_name[1];
};
static inline DIR *opendir(const char *path) { return (void)path, errno = ENOENT, (DIR *)0; }
static inline struct dirent *readdir(DIR *folder) { return (void)folder, (struct dirent *)0; }
static inline int closedir(DIR *folder) { return (void)folder, 0; }
static inline int dirfd(DIR *folder) { return (void)folder, -1; }
static inline int scandir(const char *path, struct dirent ***list, int (*wanted)(const struct dirent *),
                          int (*order)(const struct dirent **, const struct dirent **))
{
    return (void)path, (void)list, (void)wanted, (void)order, errno = ENOENT, -1;
}
#define lstat stat
#ifndef PRId64 /* which newlib hides where another stdint.h is used than its own */
#define PRId64 "lld"
#define PRIu64 "llu"
#endif
#define CLOCK_MONOTONIC 0
#define CLOCK_PROCESS_CPUTIME_ID 0
static inline int clock_gettime(int which, struct timespec *now)
{
    const clock_t ticks = clock();
    now->tv_sec = (time_t)(ticks / CLOCKS_PER_SEC);
    now->tv_nsec = (long)(ticks % CLOCKS_PER_SEC) * (long)(1000000000 / CLOCKS_PER_SEC);
    return (void)which, 0;
}
#endif'

awk -v bare="$bare" -v out="$to/phoenix.c.$$" -v api="$to/phoenix.h.$$" -v public="$(sh make/headers.sh list . | tr '\n' ' ')" \
    -v training='nn/adafactor.c nn/optimizer.c nn/schedule.c vision/batch.c vision/train.c base/seal.c base/diff.c' '
    function ours(path) {return path ~ /^(base|tensor|nn|t5|vision)\//}

    # The lines of a file, kept; counts[path] of them.
    function load(path,   n, line) {
        if (path in counts) return
        while ((getline line <path) > 0) {
            if (line ~ /^\/\* SPDX-/) continue
            text[path, ++n] = line
            if (line ~ /^#ifndef [A-Z0-9_]*_H$/ && path !~ /_body\.h$/) whole[path] = 1
        }
        close(path)
        counts[path] = n
    }
    function included(line) {
        if (line !~ /^#include "/) return ""
        gsub(/^#include "|"$/, "", line)
        return line
    }

    # Appends to body[key, 1 ...] the lines of a file, with bodies and lists that it includes in their places.
    function expand(key, path,   i, name) {
        load(path)
        for (i = 1; i <= counts[path]; i++) {
            name = included(text[path, i])
            if (name == "")
                body[key, ++lines[key]] = text[path, i]
            else {
                load(name)
                if (!(name in whole)) expand(key, name)
            }
        }
    }
    # A header once, after those that it includes; its includes of the system go to system[].
    function header(path, file,   i, name) {
        if (path in done) return
        load(path)
        if (path ~ /\.h$/ && !(path in whole)) return
        done[path] = 1
        for (i = 1; i <= counts[path]; i++) {
            name = included(text[path, i])
            if (name != "") header(name, file)
        }
        if (path !~ /\.h$/) return
        expand(path, path)
        for (i = 1; i <= lines[path]; i++)
            if (body[path, i] !~ /^#include </) print body[path, i] >file
    }

    # ---- names that a file declares for itself ----
    function own(file, name) {
        if (name !~ /^[A-Za-z_][A-Za-z0-9_]*$/ || name ~ /^__/ || (file, name) in has) return
        has[file, name] = 1
        list[file] = list[file] " " name
        files_with[name]++
    }
    function last(file, line) {
        gsub(/__attribute__[(][(][a-z_]*[)][)]/, "", line)
        sub(/ *[[(=;,{].*/, "", line)
        sub(/.*[ *]/, "", line)
        own(file, line)
    }
    function declared(file,   i, j, n, line, part, listing, numbers) {
        for (i = 1; i <= lines[file]; i++) {
            line = body[file, i]
            if (line ~ /^#define [A-Za-z_]/) {
                split(line, part, /[ (]/)
                own(file, part[2])
                macro[file, part[2]] = 1
                continue
            }
            if (line ~ /^(typedef )?enum/) listing = 1
            if (listing) {
                n = line
                gsub(/\/\*[^*]*\*\//, "", n)
                if (n ~ /}/) listing = 0
                sub(/.*[{]/, "", n)
                sub(/[}].*/, "", n)
                n = split(n, part, ",")
                for (j = 1; j <= n; j++) {
                    sub(/^ */, "", part[j])
                    sub(/[^A-Za-z0-9_].*/, "", part[j])
                    own(file, part[j])
                }
            }
            if (line ~ /^static const (char|float|double) /) numbers = 1
            if (numbers)
                for (n = line; match(n, /[A-Za-z_][A-Za-z0-9_]*([[][]])? =/); n = substr(n, RSTART + RLENGTH))
                    last(file, substr(n, RSTART, RLENGTH))
            if (line ~ /;/) numbers = 0
            if (line ~ /^typedef .*;$/ && line !~ /[{(]/) last(file, line)
            if (line ~ /^typedef .*[a-z_]\(/ || line ~ /^(typedef )?(struct|union) [a-z_]+ [{]/) last(file, line)
            if (line ~ /^[}] [A-Za-z_]+( =|\[|;)/) last(file, line)
            if (line ~ /^static / && line !~ /^static (const )?(struct|union|enum) [{]/) last(file, line)
        }
    }
    function has_field(file, name,   i) {
        for (i = 1; i <= lines[file]; i++)
            if (index(body[file, i], name) && body[file, i] ~ ("(->|[^.]\\.)" name "([^A-Za-z0-9_]|$)")) return 1
        return 0
    }

    BEGIN {
        print "/* SPDX-License-Identifier: MIT */" >api
        print "/* phoenix.h -- made from the public headers of phoenix by make/amalgamate.sh. */" >api
        print "#ifndef PHOENIX_H\n#define PHOENIX_H" >api
        n = split(public, part, " ")
        for (i = 1; i <= n; i++) if (ours(part[i])) {
            load(part[i])
            for (j = 1; j <= counts[part[i]]; j++)
                if (text[part[i], j] ~ /^#include </ && !(text[part[i], j] in told)) {
                    told[text[part[i], j]] = 1
                    print text[part[i], j] >api
                }
        }
        print "#ifdef __cplusplus\nextern \"C\" {\n#endif" >api
        for (i = 1; i <= n; i++) if (ours(part[i])) header(part[i], api)
        print "#ifdef __cplusplus\n}\n#endif\n#endif" >api

        print "/* SPDX-License-Identifier: MIT */" >out
        print "/* phoenix.c -- made from the rooms base, tensor, nn, t5 and vision of phoenix by make/amalgamate.sh." >out
        print " *\n *     cc -c phoenix.c                           with threads: -pthread -DTENSOR_POSIX_THREADS" >out
        print " *     cc -DPHOENIX_INFERENCE -Os -c phoenix.c   without what trains */" >out
        # As files of the tree ask for it, which is too late here.
        print "#ifndef _GNU_SOURCE\n#define _GNU_SOURCE\n#endif\n#ifndef _FILE_OFFSET_BITS\n#define _FILE_OFFSET_BITS 64\n#endif" >out
        # gcc contracts to fma where no -std is given, and bits would differ.
        print "#if defined __clang__\n#pragma STDC FP_CONTRACT OFF\n#elif defined __GNUC__ && !defined __TINYC__" >out
        print "#pragma GCC optimize(\"fp-contract=off\")\n#endif\n#include \"phoenix.h\"" >out
        for (f = 1; f < ARGC; f++) {
            load(ARGV[f])
            expand(ARGV[f], ARGV[f])
            declared(ARGV[f])
        }
        # Of the system, what any C11 library has comes first: no macro below is to meet it.
        split("assert ctype errno float inttypes limits locale math setjmp signal stdarg stdbool stddef stdint stdio stdlib string time", part, " ")
        for (i = 1; i in part; i++) print "#include <" part[i] ".h>" >out
        print bare >out
        for (f = 1; f < ARGC; f++) header(ARGV[f], out)
        for (f = 1; f < ARGC; f++) {
            file = ARGV[f]
            unit = file
            sub(/\.c$/, "", unit)
            gsub(/\//, "_", unit)
            print "/* ---- " file " ---- */" >out
            leave = training ~ ("(^|[ \n])" file "([ \n]|$)")
            if (leave) print "#ifndef PHOENIX_INFERENCE" >out
            n = split(list[file], part, " ")
            for (i = 1; i <= n; i++)
                if (files_with[part[i]] > 1 && !((file, part[i]) in macro)) {
                    if (!has_field(file, part[i]))
                        print "#define " part[i] " own_" unit "_" part[i] >out
                    else if (part[i] in keeps) {
                        print "amalgamate: " part[i] " of " file " and of " keeps[part[i]] ": both have a field of that name" >"/dev/stderr"
                        exit 1
                    } else
                        keeps[part[i]] = file
                }
            for (i = 1; i <= lines[file]; i++) {
                absent = body[file, i] ~ /^#include <(dirent|sys\/wait|sys\/syscall)\.h>/
                if (absent) print "#ifndef PHOENIX_BARE" >out
                print body[file, i] >out
                if (absent) print "#endif" >out
            }
            for (i = 1; i <= n; i++)
                if (files_with[part[i]] > 1 || (file, part[i]) in macro) print "#undef " part[i] >out
            if (leave) print "#endif" >out
        }
    }' $(ls base/*.c tensor/*.c nn/*.c t5/*.c vision/*.c | grep -v -x 'vision/digits.c')
mv "$to/phoenix.h.$$" "$to/phoenix.h"
mv "$to/phoenix.c.$$" "$to/phoenix.c"
