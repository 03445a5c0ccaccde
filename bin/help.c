/* SPDX-License-Identifier: MIT */
/* help.c -- what --help prints, from the same tables that the command line is read by.
 *
 * Settings and options are many, so --help has the short list and --help all has the rest; neither has
 * what the command cannot use. All of it fits the terminal. */
#include "bin/command.h"
#include "bin/terminal.h"
#include "evolve/uses.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NAME = 20, NARROW = 60 };

typedef struct page {
    base_text text;
    int columns, indent; /* of a description */
} page;

/* An option and what it is for: side by side, or the text below where the name is too long or the
 * terminal too narrow. */
static void put(page *p, const char *name, const char *what)
{
    int column = 4 + (int)strlen(name);
    base_text_print(&p->text, "  --%s", name);
    if (column + 1 < p->indent)
        base_text_print(&p->text, "%*s", p->indent - column, "");
    else
        base_text_print(&p->text, "\n%*s", p->indent, "");
    base_text_wrap(&p->text, what, p->indent, p->indent, p->columns);
    base_text_print(&p->text, "\n");
}

static void put_field(page *p, const evolve_field *field, const void *defaults)
{
    base_text what = {0};
    evolve_field_help(field, defaults, &what);
    if (what.failed)
        p->text.failed = true;
    else
        put(p, field->name, what.data);
    base_text_free(&what);
}

/* Of run options, those that the command takes; without `all` not the rare ones, whose number is returned. */
static int put_options(page *p, const command_line *line, const void *defaults, bool all)
{
    int left = 0;
    for (const evolve_field *f = evolve_option_fields; f->name; f++) {
        if (!(f->marks & line->run))
            continue;
        if (all || !(f->marks & EVOLVE_RARE))
            put_field(p, f, defaults);
        else
            left++;
    }
    return left;
}

/* The settings that the command has a use for as the preset starts; with `all`, those that it could have
 * one for. left: of the options that are not here. */
static void put_settings(page *p, const command_line *line, const evolve_settings *settings,
                         bool all, int left)
{
    base_text presets = {0};
    for (const char *const *name = evolve_settings_presets(); *name; name++)
        base_text_print(&presets, "%s%s", presets.length ? ", " : "", *name);
    base_text_print(&p->text, "\n");
    base_text_wrap(&p->text, "settings, where a preset, a task and a scope come first:", 0, 0,
                   p->columns);
    base_text_print(&p->text, "\n");
    base_text_print(&presets, "; default %s)", line->preset);
    base_text what = {0};
    base_text_print(&what, "starting values of all others (%s", presets.failed ? "" : presets.data);
    put(p, "preset", what.failed ? "" : what.data);
    base_text_free(&presets);
    base_text_free(&what);
    const char *group = NULL;
    for (const evolve_field *f = evolve_setting_fields; f->name; f++) {
        const char *begins = evolve_settings_group(f);
        group = begins ? begins : group;
        if (!(f->marks & (all ? line->uses : evolve_uses(settings, line->uses))))
            continue;
        if (!all && !(f->marks & EVOLVE_SHORT)) {
            left++;
            continue;
        }
        if (all && group)
            base_text_print(&p->text, "\n%s:\n", group);
        group = NULL;
        put_field(p, f, settings);
    }
    if (left)
        base_text_print(&p->text, "\n--help all has %d more settings and options.\n", left);
}

void command_help(const command_line *line, const command_values *values, bool all)
{
    int columns = terminal_columns(STDOUT_FILENO);
    page p = {.columns = columns < TERMINAL_COLUMNS ? columns : TERMINAL_COLUMNS};
    p.indent = p.columns < NARROW ? 6 : NAME;
    terminal_fold(&p.text, line->usage, p.columns);
    base_text_print(&p.text, "\n\n");
    base_text_wrap(&p.text, line->about, 0, 0, p.columns);
    base_text_print(&p.text, "\n\noptions:\n");
    for (const evolve_field *f = line->own; f && f->name; f++)
        put_field(&p, f, values->own);
    int left = line->run ? put_options(&p, line, values->run, all || !line->preset) : 0;
    put(&p, "help",
        line->preset ? "this text; --help all: with all settings and options" : "this text");
    if (line->preset)
        put_settings(&p, line, values->settings, all, left);
    if (!p.text.failed)
        fputs(p.text.data, stdout);
    base_text_free(&p.text);
}
