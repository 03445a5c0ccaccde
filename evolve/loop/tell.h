/* SPDX-License-Identifier: MIT */
/* tell.h -- what a run says to somebody who has read no paper: before each of its parts a paragraph on
 * what is done and why, with its words explained where they come first. None of it is a result. */
#ifndef LOOP_TELL_H
#define LOOP_TELL_H

#include "evolve/loop/how.h"
#include "evolve/settings.h"

/* chosen: the folder, if it was not named but chosen; NULL otherwise. */
void loop_tell_run(const loop_watch *watch, const evolve_settings *settings, const char *chosen);
void loop_tell_resume(const loop_watch *watch, int64_t events);

/* Before the first source is scored; origin: what it is called, "default" or "first". */
void loop_tell_score(const loop_watch *watch, const evolve_settings *settings, const char *origin);

/* Before a training stage, and between its training and what is measured of it. */
void loop_tell_training(const loop_watch *watch, const evolve_settings *settings, int episode);
void loop_tell_measures(const loop_watch *watch, const evolve_settings *settings, int episode);

/* Before a reprogramming stage, and before the last comparison. */
void loop_tell_candidates(const loop_watch *watch, const evolve_settings *settings, int episode);
void loop_tell_comparison(const loop_watch *watch, const evolve_settings *settings);

#endif
