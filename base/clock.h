/* SPDX-License-Identifier: MIT */
/* clock.h -- time that only goes forward, on the wall and at work. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/* Seconds since some moment in the past; setting the system's date does not change it. For durations,
 * deadlines and progress alone: no result may depend on it. */
double base_clock(void);

/* Seconds that processors have worked for this process, all its threads together. It stands still
 * while the process is stopped, or waits for a processor. May be called by a signal's handler. */
double base_clock_worked(void);

#endif
