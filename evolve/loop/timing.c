/* SPDX-License-Identifier: MIT */
/* timing.c -- seconds, host, processor, compiler and commit, each a line of JSON. Two times are comparable where
 * the machines agree; results are the same on all of them. */
#include "evolve/loop/timing.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/seal.h"
#include "evolve/settings.h"
#include "tensor/kernel.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

/* Seals the line, and frees it. */
static void append(const char *folder, base_text *line)
{
    char *path = base_file_path(folder, "timing.jsonl");
    FILE *file = path ? fopen(path, "a") : NULL;
    base_seal(line);
    base_text_print(line, "\n");
    if (file && !line->failed)
        fputs(line->data, file);
    if (file)
        fclose(file);
    base_text_free(line);
    base_free(path);
}

void loop_timing_note(const char *folder, const char *what, int episode, double seconds)
{
    base_text line = {0};
    base_text_print(&line, "{\"what\":\"%s\",\"episode\":%d,\"seconds\":%.3f}", what, episode,
                    seconds);
    append(folder, &line);
}

/* ---- the machine ---- */

#if defined __clang__ || !defined __GNUC__
#define COMPILER ""
#else
#define COMPILER "gcc "
#endif
#ifndef __VERSION__
#define __VERSION__ "?"
#endif

static void member(base_text *line, const char *name, const char *value)
{
    base_text_print(line, ",\"%s\":", name);
    base_json_put_string(line, value, strlen(value));
}

/* Linux says it in a file; elsewhere the system's word for its kind has to do. */
static void read_processor(char name[128], const char *otherwise)
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");
    snprintf(name, 128, "%s", otherwise);
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "model name", 10) == 0 && strchr(line, ':')) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(name, 128, "%.127s", strchr(line, ':') + 1 + (strchr(line, ':')[1] == ' '));
            break;
        }
    if (file)
        fclose(file);
}

void loop_timing_machine(const char *folder)
{
    base_text line = {0};
    struct utsname system = {.sysname = ""};
    char processor[128], text[512], began[32] = "";
    time_t now = time(NULL);
    struct tm utc;
    if (uname(&system) < 0)
        memset(&system, 0, sizeof system);
    if (gmtime_r(&now, &utc))
        strftime(began, sizeof began, "%Y-%m-%dT%H:%M:%SZ", &utc);
    read_processor(processor, system.machine);
    const tensor_kernels *kernels = tensor_kernels_pick(getenv("PHOENIX_KERNEL"));
    base_text_print(&line, "{\"what\":\"machine\"");
    member(&line, "began", began);
    member(&line, "host", system.nodename);
    snprintf(text, sizeof text, "%.99s %.99s %.99s", system.sysname, system.release,
             system.machine);
    member(&line, "system", text);
    member(&line, "processor", processor);
    member(&line, "kernels", kernels ? kernels->name : "");
    member(&line, "compiler", COMPILER __VERSION__);
    member(&line, "commit", evolve_commit);
    base_text_print(&line, "}");
    append(folder, &line);
}
