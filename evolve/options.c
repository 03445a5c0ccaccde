/* SPDX-License-Identifier: MIT */
/* options.c -- the table of run options: a row each, with who takes it.
 *
 * An option says how a run is carried out (on how many cores, behind which sandbox, by which executor)
 * and can never change its result; what can is a setting (settings.h). That is why a resumed run may
 * have other options than the one that was stopped, and must have the same settings. */
#include "evolve/options.h"
#include "base/json.h"
#include "evolve/sandbox/sandbox.h"

static const char *const executors[] = {"interpret", "native", NULL};
static const char *const colours[] = {"auto", "grey", "rgb", NULL};

#define AT(field)               offsetof(evolve_options, field)
#define FLAG(field)             EVOLVE_FLAG, AT(field), 0, 0, NULL
#define TEXT(field)             EVOLVE_TEXT, AT(field), 0, 0, NULL
#define WHOLE(field, low, high) EVOLVE_WHOLE, AT(field), low, high, NULL
#define NAMED(field, names)     EVOLVE_NAMED, AT(field), 0, 0, names
#define OF_PAIRS                CANDIDATES | EVOLVE_OF_PAIRS | EVOLVE_NOTED
#define OF_TABLES               CANDIDATES | EVOLVE_OF_IMAGES | EVOLVE_OF_TABLES | EVOLVE_NOTED
#define CANDIDATES              EVOLVE_OF_RUNS | EVOLVE_OF_EVALUATIONS | EVOLVE_PASSED
const evolve_field evolve_option_fields[] = {
    {"jobs", WHOLE(jobs, 1, 1024), EVOLVE_OF_RUNS | EVOLVE_OF_JOBS | EVOLVE_NOTED,
     "processes at once, each for one candidate or row"},
    {"threads", WHOLE(threads, 1, 64),
     EVOLVE_OF_RUNS | EVOLVE_OF_EVALUATIONS | EVOLVE_OF_THREADS | EVOLVE_NOTED,
     "threads of a computation"},
    {"launcher", TEXT(launcher), EVOLVE_OF_RUNS | EVOLVE_NOTED | EVOLVE_RARE,
     "command put in front of each evaluation, as \"srun -n1\""},
    {"executor", NAMED(executor, executors), CANDIDATES | EVOLVE_NOTED,
     "who runs a source; the result is the same"},
    {"sandbox", NAMED(sandbox, sandbox_names), CANDIDATES | EVOLVE_NOTED | EVOLVE_OF_EXPORT,
     "what holds a candidate; phoenix sandbox says which is best here"},
    {"cc", TEXT(cc), CANDIDATES | EVOLVE_OF_EXPORT | EVOLVE_RARE,
     "C compiler of the native executor (default: cc, or another)"},
    {"data", TEXT(data), OF_TABLES | EVOLVE_OF_EXPORT,
     "folder of the task's images, or a table (default: data/TASK)"},
    {"split", TEXT(split), CANDIDATES | EVOLVE_OF_IMAGES | EVOLVE_OF_EXPORT | EVOLVE_RARE,
     "which of EMNIST's sets, where a folder has several: letters, balanced, ..."},
    {"size", WHOLE(size, 0, 1024), CANDIDATES | EVOLVE_OF_IMAGES | EVOLVE_OF_EXPORT | EVOLVE_RARE,
     "scale pictures to that height and width; 0: as most of them are"},
    {"colours", NAMED(colours, colours),
     CANDIDATES | EVOLVE_OF_IMAGES | EVOLVE_OF_EXPORT | EVOLVE_RARE,
     "how pictures are read; auto: grey where all of them are"},
    {"pairs", TEXT(pairs), OF_PAIRS,
     "file of pairs of text, a JSON object per line; makes the task \"pairs\""},
    {"source-key", TEXT(source_key), OF_PAIRS | EVOLVE_RARE, "name of a pair's text in that file"},
    {"target-key", TEXT(target_key), OF_PAIRS | EVOLVE_RARE,
     "name of the text that is to be made of it"},
    {"pairs-sha256", TEXT(pairs_digest), OF_PAIRS | EVOLVE_RARE,
     "SHA-256 that this file must have"},
    {"corpus", TEXT(corpus), EVOLVE_OF_RUNS | EVOLVE_OF_CORPUS | EVOLVE_NOTED,
     "file of text, or folder of .c and .h files: the T5 learns to fill gaps in it before it "
     "learns to refine (of this program's tree: .)"},
    {"label", TEXT(label), OF_TABLES, "a table's column that is to be predicted"},
    {"without", TEXT(without), OF_TABLES | EVOLVE_RARE,
     "a table's columns to leave out, as \"name,ticket\""},
    {"patience", WHOLE(patience, 0, 1e9), EVOLVE_OF_RUNS | EVOLVE_RARE,
     "seconds of silence until a worker counts as lost (0: a minute, and 10 times --deadline)"},
    {"quiet", FLAG(quiet), EVOLVE_OF_RUNS | EVOLVE_OF_PROGRESS, "no progress"},
    {0},
};

void evolve_options_of_run(evolve_options *options, const struct base_json *manifest)
{
    const evolve_options given = *options;
    for (const evolve_field *f = evolve_option_fields; f->name; f++) {
        if (!(f->marks & (EVOLVE_OF_PAIRS | EVOLVE_OF_TABLES | EVOLVE_OF_CORPUS)))
            continue;
        const base_json *member = base_json_get(manifest, f->name);
        const char *here = *(const char *const *)(const void *)((const char *)&given + f->offset);
        bool keeps = f->marks & (EVOLVE_OF_TABLES | EVOLVE_OF_CORPUS) ||
                     f->offset == offsetof(evolve_options, pairs);
        if (member && member->kind == BASE_JSON_STRING && !(here && keeps))
            evolve_field_set(f, options, member->string, NULL);
    }
}
