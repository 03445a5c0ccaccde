/* fuzz_language.c -- any bytes as a source. What is refused must be refused in an orderly way; what
 * is accepted must keep its normal form, and run within its limits, twice to the same end.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz_language.c base/[a-z]*.c \
 *       refine/[a-z]*.c -lm
 *
 * The first byte says how much of a program is put around the bytes, so that the fuzzer need not
 * find it by chance; and half of its mutations insert words of the language. */
#include "refine/language.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t count, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t count, size_t most, unsigned seed);

static const char header[] =
    "#ifndef H\n#define H\ntypedef struct t5 t5;\nenum { RELU, GELU };\n"
    "typedef struct t5_config { int d_model; double rate; } t5_config;\n"
    "t5_config t5_small(void);\nt5 *t5_new(t5_config config);\ndouble loss(t5 *model, int n);\n"
    "#endif\n";

static const char *const words[] = {
    "int",    "double", "struct",   "enum",       "typedef", "static",     "void",   "if",
    "else",   "for",    "while",    "do",         "break",   "return",     "a",      "b",
    "f",      "test",   "t5",       "t5_config",  "c",       "RELU",       "{",      "}",
    "(",      ")",      ";",        ",",          ".",       "?",          ":",      "+",
    "-",      "*",      "/",        "%",          "<",       "<=",         "==",     "!=",
    "&&",     "||",     "!",        "=",          "+=",      "*=",         "++",     "--",
    "0",      "1",      "2.5",      "2147483647", "d_model", "/*",         "*/",     "//",
    "\n",     "return", "continue", "(void)",     "(int)",   "int a;",     "a = 1;", "return 1;",
    "int b=", "if(a)",  "f(a)",     "a++",        "t5_new(", "t5_small()",
};

static bool small(void *user, const refine_value *arguments, int count, refine_value *result,
                  refine_failure *failure, char reason[200])
{
    (void)user, (void)arguments, (void)count, (void)failure, (void)reason;
    refine_field(result, "d_model")->as.i = 512;
    return true;
}

static bool new_model(void *user, const refine_value *arguments, int count, refine_value *result,
                      refine_failure *failure, char reason[200])
{
    static int model;
    (void)user, (void)count, (void)failure;
    snprintf(reason, 200, "no width");
    result->as.handle = &model;
    return refine_field(&arguments[0], "d_model")->as.i > 0;
}

static bool loss(void *user, const refine_value *arguments, int count, refine_value *result,
                 refine_failure *failure, char reason[200])
{
    (void)user, (void)count, (void)failure, (void)reason;
    result->as.d = arguments[1].as.i / 7.0;
    return true;
}

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void check_diagnostic(const refine_diagnostic *diagnostic)
{
    require(diagnostic->failure != REFINE_OK, "failed without a reason");
    require(diagnostic->line >= 1 && diagnostic->column >= 1, "failed nowhere");
    require(strncmp(diagnostic->text, "a.c:", 4) == 0, "no file in the message");
    for (const char *c = diagnostic->text; *c; c++)
        require(*c >= ' ' && *c <= '~', "a message of more than one line");
    require(strchr(diagnostic->snippet, '\n') && strchr(diagnostic->snippet, '^'), "no snippet");
}

static void check_normal_form(const refine_program *program, const refine_interface *interface)
{
    refine_diagnostic diagnostic;
    base_text once = {0}, twice = {0};
    refine_normalise(program, &once);
    if (once.length <= REFINE_MAX_SOURCE) {
        refine_program *again = refine_parse("a.c", once.data, once.length, interface, &diagnostic);
        require(again, diagnostic.text);
        refine_normalise(again, &twice);
        require(once.length == twice.length && memcmp(once.data, twice.data, once.length) == 0,
                "the normal form has another");
        refine_program_free(again);
    }
    base_text_free(&once);
    base_text_free(&twice);
}

static refine_failure run(refine_program *program, const char *function, refine_value *result,
                          refine_diagnostic *diagnostic)
{
    static const refine_host_function functions[] = {
        {"t5_small", small}, {"t5_new", new_model}, {"loss", loss}};
    const refine_host host = {functions, 3, NULL};
    const refine_limits limits = {.steps = 5000, .memory = 64 * 1024, .call_depth = 50};
    refine_failure failure =
        refine_run(program, function, NULL, 0, &host, &limits, result, diagnostic);
    require(failure == diagnostic->failure, "two failures");
    if (failure)
        check_diagnostic(diagnostic);
    require(!failure || failure == REFINE_RUN || failure == REFINE_LIMIT, "a failure out of turn");
    return failure;
}

static void check_run(refine_program *program)
{
    refine_value first, second;
    refine_diagnostic one, two;
    if (refine_defines(program, "t5 *model(void)"))
        run(program, "model", &first, &one);
    if (!refine_defines(program, "double test(void)"))
        return;
    refine_failure failure = run(program, "test", &first, &one);
    require(run(program, "test", &second, &two) == failure, "another end");
    if (failure == REFINE_OK)
        require(memcmp(&first.as.d, &second.as.d, sizeof(double)) == 0, "another result");
    else
        require(strcmp(one.text, two.text) == 0, "another message");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static const struct {
        const char *before, *after;
    } around[] = {
        {"", ""},
        {"#include \"h.h\"\n", "\n"},
        {"#include \"h.h\"\ndouble test(void)\n{\n", "\nreturn 1;\n}\n"},
        {"#include \"h.h\"\nstatic int f(int a)\n{\nreturn a?f(a-1):1;\n}\n"
         "double test(void)\n{\nint a=3;\ndouble c=f(a);\nreturn\n",
         ";\n}\n"},
    };
    refine_diagnostic diagnostic;
    if (count == 0)
        return 0;
    if (bytes[0] == 'h') { /* as an interface */
        refine_interface_free(
            refine_interface_new("a.c", (const char *)bytes + 1, count - 1, &diagnostic));
        return 0;
    }
    refine_interface *interface =
        refine_interface_new("h.h", header, sizeof header - 1, &diagnostic);
    base_text text = {0};
    base_text_print(&text, "%s", around[bytes[0] % 4].before);
    base_text_add(&text, (const char *)bytes + 1, count - 1);
    base_text_print(&text, "%s", around[bytes[0] % 4].after);
    refine_program *program = refine_parse("a.c", text.data, text.length, interface, &diagnostic);
    if (program) {
        check_normal_form(program, interface);
        check_run(program);
    } else if (text.length <= REFINE_MAX_SOURCE) {
        check_diagnostic(&diagnostic);
    }
    refine_program_free(program);
    base_text_free(&text);
    refine_interface_free(interface);
    return 0;
}

/* Every second time, a word where a random place is. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t count, size_t most, unsigned seed)
{
    if (seed % 2)
        return LLVMFuzzerMutate(bytes, count, most);
    const char *word = words[seed / 2 % (sizeof words / sizeof *words)];
    size_t length = strlen(word) + 1, at = count ? seed / 256 % count : 0;
    if (count + length > most)
        return LLVMFuzzerMutate(bytes, count, most);
    memmove(bytes + at + length, bytes + at, count - at);
    memcpy(bytes + at, word, length - 1);
    bytes[at + length - 1] = ' ';
    return count + length;
}
