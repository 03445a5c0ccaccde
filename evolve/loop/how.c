/* SPDX-License-Identifier: MIT */
/* how.c -- an option that is left zero asks for the least: who embeds the loop names only what is wanted. */
#include "evolve/loop/how.h"

static void say_nothing(void *user, const char *text)
{
    (void)user;
    (void)text;
}

static void show_nothing(void *user, const char *what, int64_t done, int64_t total,
                         const char *detail)
{
    (void)user;
    (void)what;
    (void)done;
    (void)total;
    (void)detail;
}

loop_options loop_options_whole(const loop_options *options)
{
    loop_options whole = *options;
    if (!whole.run.launcher)
        whole.run.launcher = "";
    if (whole.run.jobs < 1)
        whole.run.jobs = 1;
    if (whole.run.threads < 1)
        whole.run.threads = 1;
    if (!whole.watch.say)
        whole.watch.say = say_nothing;
    if (!whole.watch.explain)
        whole.watch.explain = say_nothing;
    if (!whole.watch.progress)
        whole.watch.progress = show_nothing;
    return whole;
}
