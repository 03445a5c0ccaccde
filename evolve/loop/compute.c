/* compute.c -- see compute.h. */
#include "evolve/loop/compute.h"
#include <string.h>

void loop_compute_add(loop_compute *spent, const base_json *event)
{
    const char *kind = "";
    double flops = 0;
    base_json_get_string(event, "event", &kind, "journal", NULL);
    bool counted = base_json_get_number(event, "flops", &flops, "journal", NULL);
    if (strcmp(kind, "trained") == 0) {
        spent->training += flops;
        spent->incomplete = spent->incomplete || !(counted || base_json_get(event, "untrainable"));
    } else if (strcmp(kind, "proposed") == 0) {
        spent->generation += flops;
        spent->incomplete = spent->incomplete || !counted;
    } else if (strcmp(kind, "default") == 0 || strcmp(kind, "evaluated") == 0) {
        const base_json *reused = base_json_get(event, "reused");
        if (flops <= 0 || (reused && reused->kind == BASE_JSON_TRUE))
            return;
        spent->evaluation += flops;
        spent->evaluations++;
    }
}

double loop_compute_all(const loop_compute *spent)
{
    return spent->training + spent->generation + spent->evaluation;
}
