/* spent.c -- see spent.h. */
#include "evolve/spent.h"
#include <string.h>

void evolve_spent_add(evolve_spent *spent, const base_json *event)
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

double evolve_spent_all(const evolve_spent *spent)
{
    return spent->training + spent->generation + spent->evaluation;
}
