/* contrast.h -- several arms against one, seed by seed: what `phoenix compare` says.
 *
 * An arm is a way to do something and what came of it with each of some seeds; lower is better.
 * Value i of every arm is of the same seed. */
#ifndef EVOLVE_CONTRAST_H
#define EVOLVE_CONTRAST_H

#include "evolve/statistics.h"
#include "evolve/svg.h"

typedef struct evolve_arm {
    const char *name;
    const double *value;
} evolve_arm;

typedef struct evolve_contrast {
    double median;            /* of the arm */
    double difference;        /* mean of arm less reference, by seed: above 0 is worse */
    evolve_interval interval; /* its 95 % bootstrap interval */
    double p;                 /* that there is a difference: sign flips */
    double adjusted;          /* the same by Holm, for all the arms that were looked at */
    double delta;             /* Cliff's: above 0 is worse */
    double same;              /* p that they are the same to within the margin */
} evolve_contrast;

/* Of each arm against the reference, n values each. */
void evolve_contrasts(const evolve_arm *reference, const evolve_arm *arms, int count, int n,
                      double margin, evolve_contrast *results);

/* A heading, and a line for each arm. */
void evolve_contrasts_print(const evolve_arm *reference, const evolve_arm *arms, int count, int n,
                            double margin, const evolve_contrast *results, base_text *text);

/* The same as a figure: the differences with their intervals, one arm below the other, and the
 * margin around 0. name and title as evolve_svg_begin's; the rest of svg is set here, but for its
 * text. */
void evolve_contrasts_draw(const evolve_arm *reference, const evolve_arm *arms, int count, int n,
                           double margin, const evolve_contrast *results, const char *name,
                           const char *title, evolve_svg *svg);

#endif
