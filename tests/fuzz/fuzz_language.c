/* SPDX-License-Identifier: MIT */
/* fuzz_language.c -- any bytes as a source. What is refused must be refused in an orderly way; what
 * is accepted must keep its normal form, translate to plain C, and run within its limits, twice to
 * the same end by the same calls of the host.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/fuzz_language.c base/[a-z]*.c \
 *       refine/[a-z]*.c evolve/phoenix_h.c -lm
 *
 * The first byte says how much of a program is put around the bytes, so that the fuzzer need not
 * find it by chance: '0' nothing, '1' the include, '2' .. '5' a function, 'h' makes an interface of
 * them. Three mutations in four know what a token, a line and a name of phoenix.h are
 * (test_refine_mutate.h), and some begin anew with a source that the grammar derives. */
#include "refine/mutation/grammar.h"
#include "refine/native/native.h"
#include "tests/refine/test_refine_mutate.h"

#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t count, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t count, size_t most, unsigned seed);

extern const char *const source_phoenix_h[];

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

/* ---- phoenix.h, and a host for it ---- */

static base_text header; /* its text */
static language_interface *interface;

enum { MOST_FUNCTIONS = 200 };
static language_host_function functions[MOST_FUNCTIONS];
static int function_count;

/* Of one run of a function. */
typedef struct notes {
    uint64_t hash; /* of all that the host was called with */
    int calls;
} notes;

static char things[64]; /* what handles point at */

static void note(notes *n, const language_value *value)
{
    uint64_t bits = 0;
    if (value->kind == LANGUAGE_INT)
        bits = (uint32_t)value->as.i;
    else if (value->kind == LANGUAGE_DOUBLE)
        memcpy(&bits, &value->as.d, sizeof bits);
    else if (value->kind == LANGUAGE_HANDLE)
        bits = (uintptr_t)value->as.handle;
    for (int i = 0; value->kind == LANGUAGE_STRUCT && i < value->as.fields.count; i++)
        note(n, &value->as.fields.field[i]);
    n->hash = (n->hash ^ bits) * 1099511628211u + 1;
}

static void answer(const notes *n, language_value *value)
{
    if (value->kind == LANGUAGE_INT)
        value->as.i = (int32_t)(n->hash >> 40 & 63);
    else if (value->kind == LANGUAGE_DOUBLE)
        value->as.d = (double)(n->hash >> 40 & 63) / 8;
    else if (value->kind == LANGUAGE_HANDLE && n->hash >> 40 & 15)
        value->as.handle = &things[n->calls % 64];
    for (int i = 0; value->kind == LANGUAGE_STRUCT && i < value->as.fields.count; i++)
        answer(n, &value->as.fields.field[i]);
}

/* Every function of phoenix.h: the answer depends on what it was called with so far. */
static bool call(void *user, const language_value *arguments, int count, language_value *result,
                 language_failure *failure, char reason[200])
{
    notes *n = user;
    for (int i = 0; i < count; i++) {
        const char *thing = arguments[i].as.handle;
        require(arguments[i].kind != LANGUAGE_HANDLE || !thing ||
                    (thing >= things && thing < things + sizeof things),
                "a handle that the host never gave");
        note(n, &arguments[i]);
    }
    answer(n, result);
    *failure = n->hash & 1 ? LANGUAGE_RUN : LANGUAGE_LIMIT;
    snprintf(reason, 200, "enough");
    return ++n->calls < 100;
}

/* Each name that a '(' follows: the functions, and some words of the comments. */
static void find_functions(void)
{
    for (char *at = header.data; (at = strchr(at, '(')) && function_count < MOST_FUNCTIONS; at++) {
        char *start = at;
        while (start > header.data && mutate_is_word(start[-1]))
            start--;
        if (start < at)
            functions[function_count++] =
                (language_host_function){base_copy(start, (size_t)(at - start)), call};
    }
    require(function_count < MOST_FUNCTIONS, "phoenix.h has more functions than that");
}

static void begin(void)
{
    language_diagnostic diagnostic;
    if (interface)
        return;
    for (int i = 0; source_phoenix_h[i]; i++)
        base_text_add(&header, source_phoenix_h[i], strlen(source_phoenix_h[i]));
    interface = language_interface_new("phoenix.h", header.data, header.length, &diagnostic);
    require(interface, diagnostic.text);
    find_functions();
}

/* ---- what must hold ---- */

static void check_diagnostic(const language_diagnostic *diagnostic)
{
    require(diagnostic->failure != LANGUAGE_OK, "failed without a reason");
    require(diagnostic->line >= 1 && diagnostic->column >= 1, "failed nowhere");
    require(strncmp(diagnostic->text, "a.c:", 4) == 0, "no file in the message");
    for (const char *c = diagnostic->text; *c; c++)
        require(*c >= ' ' && *c <= '~', "a message of more than one line");
    require(strchr(diagnostic->snippet, '\n') && strchr(diagnostic->snippet, '^'), "no snippet");
}

/* A text that a program was written as has, where it is not too long for a source, the same normal form. */
static void require_same(const base_text *text, const base_text *normal, const char *what)
{
    language_diagnostic diagnostic;
    base_text again = {0};
    if (text->length <= LANGUAGE_MAX_SOURCE) {
        language_program *program =
            language_parse("a.c", text->data, text->length, interface, &diagnostic);
        require(program, diagnostic.text);
        language_normalise(program, &again);
        require(again.length == normal->length &&
                    memcmp(again.data, normal->data, again.length) == 0,
                what);
        language_program_free(program);
    }
    base_text_free(&again);
}

static void check_forms(const language_program *program)
{
    base_text normal = {0}, laid_out = {0};
    language_normalise(program, &normal);
    language_lay_out(program, &laid_out);
    require_same(&normal, &normal, "the normal form has another");
    require_same(&laid_out, &normal, "another layout is another program");
    base_text_free(&normal);
    base_text_free(&laid_out);
}

static void check_translation(const language_program *program)
{
    base_text c = {0};
    native_translate(program, 0, &c);
    for (size_t i = 0; i < c.length; i++)
        require((c.data[i] >= ' ' && c.data[i] <= '~') || c.data[i] == '\n', "C of strange bytes");
    base_text_free(&c);
}

static language_failure run(language_program *program, const char *function, int parameters,
                            language_value *result, notes *n, language_diagnostic *diagnostic)
{
    const language_value arguments[2] = {{.kind = LANGUAGE_HANDLE, .as.handle = &things[0]},
                                         {.kind = LANGUAGE_HANDLE, .as.handle = &things[1]}};
    const language_host host = {functions, function_count, n};
    const language_limits limits = {.steps = 5000, .memory = 64 * 1024, .call_depth = 50};
    *n = (notes){0};
    language_failure failure = language_run(
        program, &(language_invocation){function, arguments, parameters, &host, &limits}, result,
        diagnostic);
    require(failure == diagnostic->failure, "two failures");
    if (failure)
        check_diagnostic(diagnostic);
    require(!failure || failure == LANGUAGE_RUN || failure == LANGUAGE_LIMIT,
            "a failure out of turn");
    return failure;
}

static void check_run(language_program *program, const char *declaration, const char *function,
                      int parameters)
{
    language_value first, second;
    language_diagnostic one, two;
    notes here, there;
    if (!language_defines(program, declaration))
        return;
    language_failure failure = run(program, function, parameters, &first, &here, &one);
    require(run(program, function, parameters, &second, &there, &two) == failure, "another end");
    require(here.hash == there.hash && here.calls == there.calls, "other calls of the host");
    if (failure == LANGUAGE_OK && first.kind == LANGUAGE_DOUBLE)
        require(memcmp(&first.as.d, &second.as.d, sizeof(double)) == 0, "another result");
    else if (failure == LANGUAGE_OK && first.kind == LANGUAGE_HANDLE)
        require(first.as.handle == second.as.handle, "another handle");
    else if (failure != LANGUAGE_OK)
        require(strcmp(one.text, two.text) == 0, "another message");
}

static void check_program(language_program *program)
{
    check_forms(program);
    check_translation(program);
    check_run(program, "t5 *model(void)", "model", 0);
    check_run(program, "dataset *data(void)", "data", 0);
    check_run(program, "void train(t5 *model, dataset *data)", "train", 2);
    check_run(program, "double test(void)", "test", 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static const struct {
        const char *before, *after;
    } around[] = {
        {"", ""},
        {"#include \"phoenix.h\"\n", "\n"},
        {"#include \"phoenix.h\"\ndouble test(void)\n{\n", "\nreturn 1;\n}\n"},
        {"#include \"phoenix.h\"\nstatic int f(int a)\n{\nreturn a?f(a-1):1;\n}\n"
         "double test(void)\n{\nint a=3;\ndouble c=f(a);\nreturn\n",
         ";\n}\n"},
        {"#include \"phoenix.h\"\ndataset *data(void)\n{\ndataset *d=pairs(0,9);\n",
         "\nreturn d;\n}\n"},
        {"#include \"phoenix.h\"\nvoid train(t5 *model, dataset *data)\n{\n"
         "objective loss=cross_entropy();\nlearn(model,next(data,2),loss);\n",
         "\n}\n"},
    };
    language_diagnostic diagnostic;
    begin();
    if (count == 0)
        return 0;
    if (bytes[0] == 'h') { /* as an interface */
        language_interface_free(
            language_interface_new("a.c", (const char *)bytes + 1, count - 1, &diagnostic));
        return 0;
    }
    size_t which = bytes[0] % (sizeof around / sizeof *around);
    base_text text = {0};
    base_text_print(&text, "%s", around[which].before);
    base_text_add(&text, (const char *)bytes + 1, count - 1);
    base_text_print(&text, "%s", around[which].after);
    language_program *program =
        language_parse("a.c", text.data, text.length, interface, &diagnostic);
    if (program)
        check_program(program);
    else if (text.length <= LANGUAGE_MAX_SOURCE)
        check_diagnostic(&diagnostic);
    language_program_free(program);
    base_text_free(&text);
    return 0;
}

/* ---- mutations ---- */

/* A source of some scope, whole. */
static void derive(base_random *random, base_text *text)
{
    mutation_grammar g = mutation_grammar_of(1 + base_random_below(random, 15));
    mutation_tree tree = mutation_tree_sample(&g, random);
    base_text_print(text, "0");
    mutation_tree_print(&g, &tree, text);
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t count, size_t most, unsigned seed)
{
    base_random random = {seed, 0, 0};
    if (base_random_below(&random, 4) == 0)
        return LLVMFuzzerMutate(bytes, count, most);
    begin();
    base_text text = {0};
    if (base_random_below(&random, 256) == 0)
        derive(&random, &text);
    else
        base_text_add(&text, (const char *)bytes, count);
    mutate_text(&random, &text, header.data, header.length);
    bool fits = text.length > 0 && text.length <= most;
    if (fits)
        memcpy(bytes, text.data, text.length);
    size_t length = text.length;
    base_text_free(&text);
    return fits ? length : LLVMFuzzerMutate(bytes, count, most);
}
