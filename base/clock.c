/* clock.c -- the monotonic clock of POSIX as one number, exact to some nanoseconds. */
#include "base/clock.h"

#include <time.h>

double base_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
