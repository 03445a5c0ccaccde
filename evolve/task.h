/* task.h -- the images of a task. */
#ifndef EVOLVE_TASK_H
#define EVOLVE_TASK_H

#include "evolve/settings.h"
#include "vision/images.h"
#include "vision/network.h"

/* Reads the task's set of images: the tree's digits, or those in the folder (NULL: data/TASK, where
 * make data puts them). For the T5 itself there is nothing to read. */
bool evolve_task_read(const evolve_settings *settings, const char *folder, vision_set *set,
                      base_error *error);

/* Of the images in settings->set. */
vision_shape evolve_task_shape(const evolve_settings *settings);

#endif
