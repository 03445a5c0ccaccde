/* SPDX-License-Identifier: MIT */
/* uses.h -- which settings there is any use for: by a command, and beside other settings.
 *
 * A row of the table of settings says, as bits of its marks, what it is of; a setting applies where
 * one of these things takes place. So --help shows what a command can use, and a setting that would
 * change nothing is refused with the reason, rather than taken without a word. */
#ifndef EVOLVE_USES_H
#define EVOLVE_USES_H

#include "evolve/settings.h"

enum {
    EVOLVE_USE_ANY = 1 << 4,            /* of whatever takes settings */
    EVOLVE_USE_SEARCH = 1 << 5,         /* of the loop */
    EVOLVE_USE_ELITISM = 1 << 6,        /* of strategies that could lose their best */
    EVOLVE_USE_EARLY_STOP = 1 << 7,     /* of the greedy strategy on T5s */
    EVOLVE_USE_POPULATION = 1 << 8,     /* of strategies that have one */
    EVOLVE_USE_SAMPLE = 1 << 9,         /* of ageing search */
    EVOLVE_USE_REFINING = 1 << 10,      /* of strategies that refine sources */
    EVOLVE_USE_WRITER = 1 << 11,        /* of a T5 that writes, and what it writes counts */
    EVOLVE_USE_RULES = 1 << 13,         /* of the papers' edits */
    EVOLVE_USE_CODE = 1 << 14,          /* of refinements of more than the architecture */
    EVOLVE_USE_PAIRS = 1 << 15,         /* of the dataset of refinements */
    EVOLVE_USE_T5 = 1 << 16,            /* of the training of T5s */
    EVOLVE_USE_STAGE = 1 << 17,         /* of a T5's training stage */
    EVOLVE_USE_SAMPLING = 1 << 18,      /* of what a T5 writes */
    EVOLVE_USE_FEW_SHOT = 1 << 19,      /* of a T5's score */
    EVOLVE_USE_FULL = 1 << 20,          /* of the last comparison of T5s */
    EVOLVE_USE_MODEL = 1 << 21,         /* of any training */
    EVOLVE_USE_CANDIDATE = 1 << 22,     /* of a score */
    EVOLVE_USE_NETWORK = 1 << 23,       /* of the training of networks for images */
    EVOLVE_USE_NETWORK_SCORE = 1 << 24, /* of a network's score */
    EVOLVE_USE_PART = 1 << 25,          /* of one evaluation alone */
    EVOLVE_USE_TEXTS = 1 << 12,         /* of pairs of one's own */
    EVOLVE_USE_INHERIT = 1 << 26,       /* of networks that begin where others end */

    /* A search takes these too where no T5 writes, and says that they change nothing: who compares
     * proposers gives all of them the same. */
    EVOLVE_USE_SPARE = EVOLVE_USE_STAGE | EVOLVE_USE_SAMPLING,

    /* what commands do */
    EVOLVE_USES_REFINE = EVOLVE_USE_ANY | EVOLVE_USE_RULES | EVOLVE_USE_CODE | EVOLVE_USE_PAIRS,
    EVOLVE_USES_TRAIN = EVOLVE_USES_REFINE | EVOLVE_USE_T5 | EVOLVE_USE_STAGE |
                        EVOLVE_USE_SAMPLING | EVOLVE_USE_WRITER | EVOLVE_USE_MODEL |
                        EVOLVE_USE_NETWORK | EVOLVE_USE_TEXTS,
    EVOLVE_USES_EVALUATE = EVOLVE_USES_REFINE | EVOLVE_USE_T5 | EVOLVE_USE_FEW_SHOT |
                           EVOLVE_USE_MODEL | EVOLVE_USE_CANDIDATE | EVOLVE_USE_NETWORK |
                           EVOLVE_USE_NETWORK_SCORE | EVOLVE_USE_PART,
    EVOLVE_USES_EVOLVE = EVOLVE_USES_TRAIN | EVOLVE_USES_EVALUATE | EVOLVE_USE_SEARCH |
                         EVOLVE_USE_ELITISM | EVOLVE_USE_EARLY_STOP | EVOLVE_USE_POPULATION |
                         EVOLVE_USE_SAMPLE | EVOLVE_USE_REFINING | EVOLVE_USE_FULL |
                         EVOLVE_USE_INHERIT
};

/* Of what a command does (EVOLVE_USES_...), what takes place with these settings. */
unsigned evolve_uses(const evolve_settings *settings, unsigned command);

/* Whether the setting applies then. The error says where it would, and begins "--NAME VALUE: ". */
bool evolve_use_check(const evolve_field *setting, const char *value,
                      const evolve_settings *settings, unsigned command, base_error *error);

#endif
