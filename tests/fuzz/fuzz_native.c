/* SPDX-License-Identifier: MIT */
/* fuzz_native.c -- any bytes as what a candidate's process says. This end must never do more than
 * the program allows, and must come to an end: with a result, a failure that has a reason, or the
 * finding that nobody sane is at the other end.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/fuzz_native.c base/[a-z]*.c \
 *       refine/[a-z]*.c -lm
 *
 * Every second mutation puts the head of a message somewhere, with numbers that may be right. */
#include "base/random.h"
#include "refine/native/native.h"
#include "refine/native/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t count, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t count, size_t most, unsigned seed);

static const char header[] =
    "#ifndef H\n#define H\ntypedef struct t5 t5;\ntypedef struct data data;\n"
    "typedef struct t5_config { int d_model; double rate; } t5_config;\n"
    "t5_config t5_small(void);\nt5 *t5_new(t5_config config, data *of);\n"
    "data *pairs(t5 *model, int n);\nt5 *empty(void);\nvoid show(double x);\n"
    "#endif\n";

static const char source[] =
    "#include \"h\"\n"
    "t5 *test(void)\n{\n"
    "    t5_config c = t5_small();\n"
    "    t5 *first = t5_new(c, pairs(t5_new(c, pairs(empty(), 1)), c.d_model * 2));\n"
    "    show(c.rate / 0.5 + (int)(c.rate * 3));\n"
    "    return first;\n}\n";

typedef struct tape {
    const uint8_t *bytes;
    size_t left;
    int models, calls;
} tape;

static char things[64];

static bool hear(void *user, void *bytes, size_t size)
{
    tape *t = user;
    if (size > t->left)
        return false;
    memcpy(bytes, t->bytes, size);
    t->bytes += size;
    t->left -= size;
    return true;
}

static bool say(void *user, const void *bytes, size_t size)
{
    static volatile unsigned char last; /* all of it can be read */
    (void)user;
    for (size_t i = 0; i < size; i++)
        last = ((const unsigned char *)bytes)[i];
    return size == 0 || last == ((const unsigned char *)bytes)[size - 1];
}

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static bool is_thing(const void *handle)
{
    return !handle || ((const char *)handle >= things && (const char *)handle < things + 64);
}

static bool call(void *user, const language_value *arguments, int count, language_value *result,
                 language_failure *failure, char reason[200])
{
    tape *t = user;
    t->calls++;
    for (int i = 0; i < count; i++)
        require(arguments[i].kind != LANGUAGE_HANDLE || is_thing(arguments[i].as.handle),
                "a handle that the host never gave");
    if (result->kind == LANGUAGE_HANDLE)
        result->as.handle = &things[t->models++ % 64];
    *failure = t->calls % 2 ? LANGUAGE_RUN : LANGUAGE_LIMIT;
    snprintf(reason, 200, "enough");
    return t->calls < 40;
}

static const language_host_function functions[] = {
    {"t5_small", call}, {"t5_new", call}, {"pairs", call}, {"empty", call}, {"show", call}};

static language_program *program_of_source(void)
{
    static language_interface *interface;
    static language_program *program;
    language_diagnostic diagnostic;
    if (program)
        return program;
    interface = language_interface_new("h", header, sizeof header - 1, &diagnostic);
    require(interface, diagnostic.text);
    program = language_parse("a.c", source, sizeof source - 1, interface, &diagnostic);
    require(program, diagnostic.text);
    return program;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    language_diagnostic diagnostic;
    language_value result;
    tape t = {.bytes = bytes, .left = count};
    const native_channel channel = {say, hear, &t};
    const language_host host = {functions, 5, &t};
    language_limits limits = language_default_limits();
    native_process *process = native_process_new(&channel);
    limits.steps = 1000;
    language_failure failure =
        native_run(process, 0, program_of_source(),
                   &(language_invocation){"test", NULL, 0, &host, &limits}, &result, &diagnostic);
    require(failure == diagnostic.failure, "two failures");
    require((failure == LANGUAGE_OK) == !*diagnostic.text, "a failure without a reason");
    require(failure != LANGUAGE_OK || is_thing(result.as.handle), "a result out of nowhere");
    native_process_free(process);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t count, size_t most, unsigned seed)
{
    base_random random = {seed, 0, 0};
    uint32_t cell = base_random_below(&random, (uint32_t)(count / sizeof(native_wire_cell)) + 1);
    size_t at = cell * sizeof(native_wire_cell);
    native_wire_head head = {
        .kind = base_random_below(&random, 4),
        .what = base_random_below(&random, 8),
        .at = base_random_below(&random, 100),
        .cells = base_random_below(&random, 5),
    };
    if (head.at >= native_instructions(program_of_source()))
        head.at = NATIVE_WIRE_ENTRY;
    if (base_random_below(&random, 2) || at + sizeof head > most)
        return LLVMFuzzerMutate(bytes, count, most);
    memcpy(bytes + at, &head, sizeof head);
    return at + sizeof head > count ? at + sizeof head : count;
}
