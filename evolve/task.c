/* task.c -- see task.h. */
#include "evolve/task.h"
#include <stddef.h>

/* What is known of the published sets: where make data puts them, how many classes they have, and
 * whether their images lie on their side. */
static const struct {
    const char *folder;
    int classes; /* 0: as many as there are labels */
    bool transposed;
} tasks[] = {
    [EVOLVE_MNIST] = {"data/mnist", 10, false},
    [EVOLVE_FASHION_MNIST] = {"data/fashion-mnist", 10, false},
    [EVOLVE_EMNIST] = {"data/emnist", 62, true},
    [EVOLVE_CIFAR_10] = {"data/cifar-10", 10, false},
    [EVOLVE_IMAGES] = {NULL, 0, false},
};

bool evolve_task_read(const evolve_settings *settings, const char *folder, vision_set *set,
                      base_error *error)
{
    if (settings->task == EVOLVE_SELF)
        return true;
    if (settings->task == EVOLVE_DIGITS)
        return vision_digits(set, error);
    if (!folder)
        folder = tasks[settings->task].folder;
    if (!folder)
        return base_fail(error, "--task images: --data FOLDER was expected with it");
    return vision_read_folder(set, folder, tasks[settings->task].classes,
                              tasks[settings->task].transposed, error);
}

vision_shape evolve_task_shape(const evolve_settings *settings)
{
    const vision_images *images = &settings->set->train;
    return (vision_shape){images->channels, images->height, images->width};
}
