/* SPDX-License-Identifier: MIT */
/* report.h -- a run, or several, as one page: report.html, which opens from disk and asks nobody
 * for anything. Figures are inline SVG (svg.h), switches are CSS; there is no script.
 *
 * A page follows from the run's folder and the arguments alone: no date, and no seconds but those of
 * timing.jsonl, which are marked as the machine's. A run that goes on is shown so far, by a page that a
 * browser reads again every half minute. What models wrote is hostile, and escaped. */
#ifndef REPORT_H
#define REPORT_H

#include "base/error.h"

/* Writes the page of those runs (1 or more). path: NULL for report.html in the folder of the only
 * run, which then leads to the files beside it. figures: NULL, or a folder for each figure as .svg and its
 * numbers as .csv; it is made. program: as it is called in the commands that the page shows. The calling process must not have the journals open (lineage.h). */
bool report_write(const char *const *folders, int count, const char *path, const char *figures,
                  const char *program, base_error *error);

#endif
