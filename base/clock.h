/* clock.h -- time that only goes forward. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/* Seconds since some moment in the past; setting the system's date does not change it. For durations,
 * deadlines and progress alone: no result may depend on it. */
double base_clock(void);

#endif
