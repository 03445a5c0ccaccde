/* SPDX-License-Identifier: MIT */
/* timing.h -- a run's timing.jsonl: seconds, and the machine that they are of. It stands outside the journal,
 * since equal runs have equal journals; each line is sealed, nothing depends on them, and losing one loses
 * nothing, so that errors here are not errors. */
#ifndef LOOP_TIMING_H
#define LOOP_TIMING_H

/* Appends {"what","episode","seconds"}. */
void loop_timing_note(const char *folder, const char *what, int episode, double seconds);

/* Appends {"what":"machine","began" (UTC),"host","system","processor","kernels","compiler","commit"}; what is not
 * known is "". Each start of a run adds one. */
void loop_timing_machine(const char *folder);

#endif
