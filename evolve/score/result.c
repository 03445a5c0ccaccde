/* SPDX-License-Identifier: MIT */
/* result.c -- a result crosses two borders, a worker's pipe and the journal, as the same members of a
 * JSON object; floats as the nine digits that read back as the same float, and a seal over all of it
 * that two machines have to agree on. */
#include "evolve/score/result.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/seal.h"
#include "evolve/sandbox/sandbox.h"
#include "evolve/task.h"
#include "vision/model.h"
#include <float.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
    [SCORE_OK] = "ok",       [SCORE_STOPPED] = "stopped",  [SCORE_PARSE] = "parse",
    [SCORE_CHECK] = "check", [SCORE_RUN] = "run",          [SCORE_LIMIT] = "limit",
    [SCORE_LOST] = "lost",   [SCORE_TIMEOUT] = "deadline",
};

const char *score_status_name(score_status status) { return names[status]; }

void score_free(score_result *score)
{
    base_free(score->losses);
    score->losses = NULL;
    if (score->kept)
        vision_model_files_free(score->kept);
    base_free(score->kept);
    score->kept = NULL;
}

/* A stopped candidate has only a lower bound: it is written under other names than a score. */
static const char *const names_of_score[2][2] = {{"score", "score_pair"},
                                                 {"at_least", "at_least_pair"}};

/* What of a result is the same on every machine: status, reason, cost, score and losses. */
void score_members(const score_result *score, base_text *text)
{
    base_text_print(text, "\"status\":\"%s\",\"reason\":", names[score->status]);
    base_json_put_string(text, score->reason, strlen(score->reason));
    base_text_print(text,
                    ",\"parameters\":%" PRId64 ",\"flops\":%" PRId64 ",\"peak_bytes\":%" PRId64,
                    score->parameters, score->flops, score->peak_bytes);
    bool stopped = score->status == SCORE_STOPPED;
    if (score->status != SCORE_OK && !stopped)
        return;
    base_text_print(text, ",\"%s\":", names_of_score[stopped][0]);
    base_json_put_number(text, score->score);
    base_text_print(text, ",\"%s\":", names_of_score[stopped][1]);
    base_json_put_number(text, score->score_pair);
    if (stopped)
        base_text_print(text, ",\"pairs\":%" PRId64, score->pairs);
    if (*score->model)
        base_text_print(text, ",\"model\":\"%s\"", score->model);
    base_text_print(text, ",\"losses\":[");
    for (int64_t i = 0; i < score->steps; i++)
        base_text_print(text, "%s%.9g", i ? "," : "", (double)score->losses[i]);
    base_text_print(text, "]");
}

static bool losses_possible(const base_json *losses, int64_t most, const char *origin,
                            base_error *error)
{
    if (!losses || losses->kind != BASE_JSON_ARRAY)
        return base_fail(error, "%s: expected an array \"losses\"", origin);
    if ((double)losses->length > (double)most)
        return base_fail(error, "%s: %zu losses are more than the %" PRId64 " steps that there are",
                         origin, losses->length, most);
    for (const base_json *loss = losses->child; loss; loss = loss->next)
        if (loss->kind != BASE_JSON_NUMBER || !(loss->number >= 0 && loss->number <= FLT_MAX))
            return base_fail(error, "%s: expected numbers from 0 on, of a float, in \"losses\"",
                             origin);
    return true;
}

/* Apart from score_read(), since they are most of a journal's bytes and few readers want them. */
bool score_read_losses(score_result *score, const base_json *object, const char *origin,
                       base_error *error)
{
    const base_json *losses = base_json_get(object, "losses");
    if (score->status != SCORE_OK && score->status != SCORE_STOPPED)
        return true;
    if (!losses_possible(losses, INT64_MAX, origin, error))
        return false;
    score->steps = (int64_t)losses->length;
    score->losses = base_malloc((losses->length + 1) * sizeof *score->losses);
    if (!score->losses)
        return base_fail(error, "%s: no memory", origin);
    int64_t i = 0;
    for (const base_json *loss = losses->child; loss; loss = loss->next, i++)
        score->losses[i] = (float)loss->number;
    return true;
}

bool score_read(score_result *score, const base_json *object, const char *origin, base_error *error)
{
    memset(score, 0, sizeof *score);
    const char *status, *reason;
    if (!base_json_get_string(object, "status", &status, origin, error) ||
        !base_json_get_string(object, "reason", &reason, origin, error) ||
        !base_json_get_int(object, "parameters", 0, INT64_MAX, &score->parameters, origin, error) ||
        !base_json_get_int(object, "flops", 0, INT64_MAX, &score->flops, origin, error) ||
        !base_json_get_int(object, "peak_bytes", 0, INT64_MAX, &score->peak_bytes, origin, error))
        return false;
    int s = 0;
    while (s < SCORE_STATUSES && strcmp(names[s], status) != 0)
        s++;
    if (s == SCORE_STATUSES)
        return base_fail(error, "%s: \"%s\" is no status", origin, status);
    score->status = (score_status)s;
    base_print(score->reason, sizeof score->reason, "%s", reason);
    bool stopped = s == SCORE_STOPPED;
    if (s != SCORE_OK && !stopped)
        return true;
    const char *const *name = names_of_score[stopped];
    const char *model = "";
    if (base_json_get(object, "model") &&
        (!base_json_get_string(object, "model", &model, origin, error) ||
         (!base_hash_is_text(model) && !base_fail(error, "%s: \"model\" is no SHA-256", origin))))
        return false;
    base_print(score->model, sizeof score->model, "%s", model);
    return base_json_get_number(object, name[0], &score->score, origin, error) &&
           base_json_get_number(object, name[1], &score->score_pair, origin, error) &&
           ((score->score >= 0 && score->score_pair >= 0) ||
            base_fail(error, "%s: \"%s\" is below 0, which no cross-entropy is", origin,
                      name[0])) &&
           (!stopped ||
            base_json_get_int(object, "pairs", 0, INT64_MAX, &score->pairs, origin, error));
}

/* Of a training in full the number of steps is known from the data alone. */
static int64_t most_steps(const evolve_settings *s)
{
    if (s->part == EVOLVE_FINAL)
        return INT64_MAX;
    return evolve_subject_of(s) == EVOLVE_NETWORKS ? s->images * s->image_epochs : s->few_shot;
}

bool score_possible(const score_result *score, const base_json *object,
                    const evolve_settings *settings, const char *origin, base_error *error)
{
    const bool stopped = score->status == SCORE_STOPPED;
    if (score->status != SCORE_OK && !stopped)
        return true;
    const bool measured = settings->score == EVOLVE_BY_HELD_OUT || settings->part == EVOLVE_FINAL;
    const bool is_share = measured && evolve_subject_of(settings) == EVOLVE_NETWORKS &&
                          !evolve_task_is_table(settings);
    if (!stopped && *score->reason)
        return base_fail(error, "%s: a score, and a \"reason\" why there is none", origin);
    if (score->parameters > settings->max_parameters)
        return base_fail(error, "%s: %" PRId64 " parameters: at most %" PRId64 " in this run",
                         origin, score->parameters, settings->max_parameters);
    if (is_share && score->score > 1)
        return base_fail(error, "%s: \"score\" is a share of images, and above 1", origin);
    return losses_possible(base_json_get(object, "losses"), most_steps(settings), origin, error);
}

/* What was asked: the source, and everything that may change the answer (version, settings, score to
 * beat). An answer to another question is not taken for this one's. */
static void hashes_of(const score_question *question, char source[BASE_HASH_TEXT],
                      char whole[BASE_HASH_TEXT])
{
    base_text text = {0};
    base_hash_text(question->text, question->length, source);
    base_text_print(&text, "%s %s %.17g {", EVOLVE_VERSION, source, question->bound);
    evolve_fields_print(evolve_setting_fields, EVOLVE_SCORED, question->settings, &text);
    if (question->parent && *question->parent)
        base_text_print(&text, " from %s", question->parent);
    base_hash_text(text.failed ? "" : text.data, text.failed ? 0 : text.length, whole);
    base_text_free(&text);
}

/* The seal ends the object; what may differ between machines is put behind it, inside the same line. */
void score_result_print(const score_result *score, const score_question *question, base_text *line)
{
    char source[BASE_HASH_TEXT], whole[BASE_HASH_TEXT];
    hashes_of(question, source, whole);
    base_text_print(line, "{\"source\":\"%s\",\"question\":\"%s\",", source, whole);
    score_members(score, line);
    base_text_print(line, "}");
    base_seal(line);
    if (!line->failed)
        line->data[--line->length] = '\0';
    base_text_print(line, ",\"seconds\":%.3f", score->seconds);
    if (score->executor)
        base_text_print(line, ",\"executor\":\"%s\"", score->executor);
    if (score->sandbox)
        base_text_print(line, ",\"sandbox\":\"%s\"", score->sandbox);
    base_text_print(line, "}\n");
}

/* Cuts `,"seconds":...}` off the end, so that what remains is the sealed object. Inside a string
 * its quotes would be escaped. */
static bool sealed_part(const char *line, size_t length, base_text *object)
{
    static const char member[] = ",\"seconds\":";
    size_t at = length >= sizeof member ? length - sizeof member + 1 : 0;
    while (at > 0 && strncmp(line + at, member, sizeof member - 1) != 0)
        at--;
    if (at == 0)
        return false;
    base_text_add(object, line, at);
    base_text_print(object, "}");
    return !object->failed && base_sealed(object->data, object->length);
}

bool score_network_split(vision_model_files *files, const char *bytes, size_t size,
                         const char *digest, base_error *error)
{
    static const char *const origin[2] = {"network.json", "model.safetensors"};
    char is[BASE_HASH_TEXT];
    const char *end = size > 0 ? memchr(bytes, '\0', size) : NULL;
    if (!end)
        return base_fail(error, "expected a network: network.json, a zero byte, model.safetensors");
    const size_t length = (size_t)(end - bytes);
    *files = (vision_model_files){
        .json = {.data = (char *)(uintptr_t)bytes, .length = length},
        .weights = {.data = (char *)(uintptr_t)(end + 1), .length = size - length - 1}};
    base_hash_text(bytes, length, is);
    return (strcmp(is, digest) == 0 ||
            base_fail(error, "%s: is not the one that was meant", origin[0])) &&
           vision_model_check(files, origin, error);
}

/* The network behind the line. */
static bool read_kept(score_result *score, const char *bytes, size_t size, base_error *error)
{
    vision_model_files files;
    if (!*score->model)
        return size == 0 || base_fail(error, "expected one line, one JSON object");
    if (!score_network_split(&files, bytes, size, score->model, error))
        return false;
    score->kept = base_calloc(1, sizeof *score->kept);
    if (!score->kept)
        return base_fail(error, "no memory for a worker's network");
    base_text_add(&score->kept->json, files.json.data, files.json.length);
    base_text_add(&score->kept->weights, files.weights.data, files.weights.length);
    return (!score->kept->json.failed && !score->kept->weights.failed) ||
           base_fail(error, "no memory for a worker's network");
}

/* A worker may die in the middle of a line, or print what is not its own: only a whole sealed result
 * for that very text counts. */
bool score_result_read(score_result *score, const char *output, size_t size,
                       const score_question *question, base_error *error)
{
    const char *origin = "worker's result";
    memset(score, 0, sizeof *score);
    const char *feed = output ? memchr(output, '\n', size) : NULL;
    if (!feed)
        return base_fail(error, "expected one line, one JSON object");
    base_text object = {0};
    size_t line = (size_t)(feed - output);
    bool is_whole = sealed_part(output, line, &object);
    if (!is_whole)
        base_fail(error, "expected a sealed JSON object");
    /* Only what is sealed is believed; the sandbox is of the whole line. */
    base_json *all = is_whole ? base_json_parse(output, line, origin, error) : NULL;
    base_json *json = all ? base_json_parse(object.data, object.length, origin, error) : NULL;
    base_text_free(&object);
    if (!json) {
        base_json_free(all);
        return false;
    }
    char source[BASE_HASH_TEXT], whole[BASE_HASH_TEXT];
    const char *of_source, *of_question;
    const base_json *sandbox = base_json_get(all, "sandbox");
    hashes_of(question, source, whole);
    bool ok = base_json_get_string(json, "source", &of_source, origin, error) &&
              base_json_get_string(json, "question", &of_question, origin, error) &&
              (strcmp(of_source, source) == 0 ||
               base_fail(error, "%s: it is another source's", origin)) &&
              (strcmp(of_question, whole) == 0 ||
               base_fail(error, "%s: it is of other settings or seed", origin)) &&
              score_read(score, json, origin, error) &&
              score_possible(score, json, question->settings, origin, error) &&
              score_read_losses(score, json, origin, error) &&
              read_kept(score, feed + 1, size - line - 1, error);
    for (int i = SANDBOX_NONE; sandbox && sandbox->kind == BASE_JSON_STRING && i <= SANDBOX_STRICT;
         i++)
        if (strcmp(sandbox_names[i], sandbox->string) == 0)
            score->sandbox = sandbox_names[i];
    if (!ok)
        score_free(score);
    base_json_free(json);
    base_json_free(all);
    return ok;
}
