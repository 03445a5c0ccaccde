/* SPDX-License-Identifier: MIT */
/* test_native.c -- the native executor: the same result as the interpreter's for random
 * programs, hostile bytes from a candidate, compilers that fail, candidates that misbehave.
 *
 *   test_evolve_native [PROGRAMS [COMPILER [FIRST]]]   the comparison alone, of so many programs */
#include "evolve/score/native.h"
#include "base/clock.h"
#include "evolve/score/evaluate.h"
#include "evolve/source/host.h"
#include "evolve/sandbox/pool.h"
#include "tests/evolve/test_evolve.h"
#include "tests/refine/test_refine_generate.h"
#include "tests/refine/test_refine_programs.h"
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

enum { SEED = 20, BATCH = 128 };

static score_native_how how_with(const char *cc)
{
    return (score_native_how){.cc = cc, .level = SANDBOX_BEST, .seconds = 60, .deadline = 60};
}

static bool have_compiler(void)
{
    char path[1024];
    base_error error = {""};
    bool have = score_native_compiler(NULL, path, &error);
    if (!have)
        SKIP("%s", error.text);
    return have;
}

/* A process that has nobody to talk to ends; none may be left. */
static void end(score_native *native)
{
    if (!native)
        return;
    pid_t process = native->process;
    score_native_free(native);
    waitpid(process, NULL, 0);
}

/* ---- a host that writes down what it is told ---- */

typedef struct notes {
    uint64_t hash; /* of all that it was called with */
    int calls;
    char models[8];
} notes;

static void note(notes *n, const language_value *value)
{
    uint64_t bits = 0;
    if (value->kind == LANGUAGE_INT)
        bits = (uint32_t)value->as.i;
    else if (value->kind == LANGUAGE_DOUBLE)
        memcpy(&bits, &value->as.d, sizeof bits);
    for (int i = 0; value->kind == LANGUAGE_STRUCT && i < value->as.fields.count; i++)
        note(n, &value->as.fields.field[i]);
    n->hash = (n->hash ^ bits) * 1099511628211u + 1;
}

static bool small(void *user, const language_value *arguments, int count, language_value *result,
                  language_failure *failure, char reason[200])
{
    (void)arguments, (void)failure, (void)reason;
    ((notes *)user)->calls++;
    for (int i = 0; i < result->as.fields.count; i++)
        if (result->as.fields.field[i].kind == LANGUAGE_INT)
            result->as.fields.field[i].as.i = 8 * i + 1;
        else
            result->as.fields.field[i].as.d = 0.1 * i;
    return count == 0;
}

static bool make(void *user, const language_value *arguments, int count, language_value *result,
                 language_failure *failure, char reason[200])
{
    notes *n = user;
    note(n, &arguments[0]);
    n->calls++;
    int32_t d_ff = language_field(&arguments[0], "d_ff")->as.i;
    if (d_ff % 11 == 3) {
        snprintf(reason, 200, "d_ff %d", (int)d_ff);
        *failure = d_ff > 50 ? LANGUAGE_LIMIT : LANGUAGE_RUN;
        return false;
    }
    result->as.handle = d_ff % 11 == 5 ? NULL : &n->models[(uint32_t)d_ff % 8];
    return count == 1;
}

static const language_host_function functions[] = {{"t5_small", small}, {"t5_new", make}};

static language_host host_of(notes *n)
{
    memset(n, 0, sizeof *n);
    return (language_host){functions, 2, n};
}

/* ---- the two executors ---- */

typedef struct trial {
    language_program *program;
    language_limits limits;
    base_text text;
} trial;

static int outcomes[LANGUAGE_LIMIT + 1];

/* Small limits, so that each is met at many different places. */
static language_limits limits_of(uint64_t number)
{
    base_random random = {SEED, number, 1000000};
    language_limits limits = language_default_limits();
    if (base_random_below(&random, 4) == 0)
        limits.steps = 1 + base_random_below(&random, 2000);
    if (base_random_below(&random, 4) == 0)
        limits.memory = 8 * (size_t)(1 + base_random_below(&random, 300));
    if (base_random_below(&random, 4) == 0)
        limits.call_depth = 1 + (int)base_random_below(&random, 12);
    return limits;
}

/* Runs one program both ways. The process is ended where it is of no more use. */
static void compare(const trial *t, int number, const score_executable *executable,
                    const score_native_how *how, score_native **native)
{
    notes here, there;
    language_host host = host_of(&here), remote = host_of(&there);
    language_diagnostic want, got;
    language_value a = {0}, b = {0};
    base_error error = {""};
    if (!*native)
        *native = score_native_start(executable, how, &error);
    CHECK(*native, "%s", error.text);
    if (!*native)
        return;
    language_failure failure = language_run(
        t->program, &(language_invocation){"model", NULL, 0, &host, &t->limits}, &a, &want);
    language_failure other =
        native_run((*native)->talk, number, t->program,
                   &(language_invocation){"model", NULL, 0, &remote, &t->limits}, &b, &got);
    ptrdiff_t model = a.as.handle ? (char *)a.as.handle - here.models : -1;
    ptrdiff_t twin = b.as.handle ? (char *)b.as.handle - there.models : -1;
    outcomes[failure]++;
    CHECK(failure == other && strcmp(want.text, got.text) == 0 && here.hash == there.hash &&
              here.calls == there.calls && model == twin,
          "interpreted: %d %s, native: %d %s\n%s", (int)failure, want.text, (int)other, got.text,
          t->text.data);
    if (other != LANGUAGE_OK) {
        end(*native);
        *native = NULL;
    }
}

static void compare_batch(trial *trials, int count, const char *cc)
{
    base_text c = {0};
    base_error error = {""};
    score_executable executable;
    score_native *native = NULL;
    score_native_how how = how_with(cc);
    size_t instructions = 0;
    native_translate_begin(&c);
    for (int i = 0; i < count; i++) {
        native_translate(trials[i].program, i, &c);
        instructions += native_instructions(trials[i].program);
    }
    native_translate_end(count, &c);
    bool compiled = score_native_compile(&executable, &c, instructions, &how, &error);
    CHECK(compiled, "%s", error.text);
    for (int i = 0; i < count && compiled; i++)
        compare(&trials[i], i, &executable, &how, &native);
    end(native);
    if (compiled)
        score_native_remove(&executable);
    for (int i = 0; i < count; i++) {
        language_program_free(trials[i].program);
        base_text_free(&trials[i].text);
    }
    base_text_free(&c);
}

/* The same outcome, the same reason at the same place, the same calls of the host with the same
 * bits. Two programs in three are as generated; the others are changed at random places. */
static void executors_agree(int count, const char *cc, int first)
{
    trial trials[BATCH];
    int accepted = 0;
    for (int i = 0; i < count; i++) {
        trial *t = &trials[accepted % BATCH];
        language_diagnostic diagnostic;
        uint64_t number = (uint64_t)first + (uint64_t)i;
        memset(t, 0, sizeof *t);
        generate_program(SEED, number, &t->text);
        if (i % 3 == 2)
            mutate_program(SEED + 1, number, &t->text);
        t->limits = limits_of(number);
        t->program = source_parse("random.c", t->text.data, t->text.length, &diagnostic);
        if (t->program && !language_defines(t->program, "t5 *model(void)")) {
            language_program_free(t->program);
            t->program = NULL;
        }
        if (!t->program) {
            if (diagnostic.failure != LANGUAGE_OK)
                outcomes[diagnostic.failure]++;
            base_text_free(&t->text);
        } else if (++accepted % BATCH == 0) {
            compare_batch(trials, BATCH, cc);
        }
    }
    compare_batch(trials, accepted % BATCH, cc);
    printf("%d programs: %d ok, %d parse, %d check, %d run, %d limit\n", count,
           outcomes[LANGUAGE_OK], outcomes[LANGUAGE_PARSE], outcomes[LANGUAGE_CHECK],
           outcomes[LANGUAGE_RUN], outcomes[LANGUAGE_LIMIT]);
    CHECK(count < 200 ||
              (outcomes[LANGUAGE_OK] >= count / 20 && outcomes[LANGUAGE_RUN] >= count / 20 &&
               outcomes[LANGUAGE_LIMIT] >= count / 40),
          "the programs are all alike");
}

/* ---- and C itself ---- */

static bool run_command(const char *command)
{
    int status = system(command);
    return status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* phoenix.h's functions in C, doing what small() and make() above do. */
static void put_host(const language_value *config, base_text *c)
{
    base_text_print(c, "#include \"phoenix.h\"\n#include <stdint.h>\n#include <stdio.h>\n"
                       "#include <string.h>\nstatic uint64_t hash;\nstatic int calls;\n"
                       "static char models[8];\n"
                       "static void note(uint64_t bits)\n{\n"
                       "    hash = (hash ^ bits) * 1099511628211u + 1;\n}\n"
                       "static void note_double(double d)\n{\n    uint64_t bits;\n"
                       "    memcpy(&bits, &d, sizeof bits);\n    note(bits);\n}\n"
                       "t5_config t5_small(void)\n{\n    t5_config c;\n    calls++;\n");
    for (int i = 0; i < config->as.fields.count; i++)
        base_text_print(c, "    c.%s = %s%d;\n", config->as.fields.names[i],
                        config->as.fields.field[i].kind == LANGUAGE_INT ? "1 + 8 * " : "0.1 * ", i);
    base_text_print(c, "    return c;\n}\nt5 *t5_new(t5_config c)\n{\n    calls++;\n");
    for (int i = 0; i < config->as.fields.count; i++)
        base_text_print(c,
                        config->as.fields.field[i].kind == LANGUAGE_INT
                            ? "    note((uint32_t)c.%s);\n"
                            : "    note_double(c.%s);\n",
                        config->as.fields.names[i]);
    base_text_print(c, "    note(0);\n    return c.d_ff %% 11 == 5 ? 0 : "
                       "(t5 *)(void *)&models[(uint32_t)c.d_ff %% 8];\n}\n");
}

static void put_main(const int *numbers, int count, base_text *c)
{
    for (int i = 0; i < count; i++)
        base_text_print(c, "t5 *model_%d(void);\n", numbers[i]);
    base_text_print(c, "int main(void)\n{\n    t5 *m;\n");
    for (int i = 0; i < count; i++)
        base_text_print(c,
                        "    hash = calls = 0;\n    m = model_%d();\n"
                        "    printf(\"%d %%016llx %%d %%d\\n\", (unsigned long long)hash, calls, "
                        "m ? (int)((char *)(void *)m - models) : -1);\n",
                        numbers[i], numbers[i]);
    base_text_print(c, "    return 0;\n}\n");
}

static language_value shape; /* of a t5_config, for put_host() */

static bool keep_shape(void *user, const language_value *arguments, int count,
                       language_value *result, language_failure *failure, char reason[200])
{
    bool ok = small(user, arguments, count, result, failure, reason);
    if (ok && !shape.as.fields.count) {
        shape = *result;
        shape.as.fields.field = malloc((size_t)result->as.fields.count * sizeof *result);
        for (int i = 0; i < result->as.fields.count; i++)
            shape.as.fields.field[i] = result->as.fields.field[i];
    }
    return ok;
}

/* A program's text as a file of C, its functions renamed so that many can be linked together; and
 * what the interpreter makes of it, as a line that the compiled program has to print. False: it is
 * refused, or goes wrong. */
static bool write_plain(const language_interface *phoenix, int number, base_text *expected)
{
    static const language_host_function keeping[] = {{"t5_small", keep_shape}, {"t5_new", make}};
    base_text text = {0};
    notes n;
    language_host host = host_of(&n);
    host.functions = keeping;
    language_diagnostic diagnostic;
    language_limits limits = language_default_limits();
    language_value model;
    generate_program(SEED + 2, (uint64_t)number, &text);
    language_program *program =
        language_parse("plain.c", text.data, text.length, phoenix, &diagnostic);
    bool ok =
        program && language_run(program, &(language_invocation){"model", NULL, 0, &host, &limits},
                                &model, &diagnostic) == LANGUAGE_OK;
    language_program_free(program);
    if (ok) {
        char name[32];
        base_text file = {0};
        base_text_print(&file, "#define model model_%d\n", number);
        for (int i = 0; i < 4; i++)
            base_text_print(&file, "#define use%d use%d_%d\n", i, i, number);
        base_text_print(&file, "%s", text.data);
        snprintf(name, sizeof name, "p%d.c", number);
        char *path = base_file_path(scratch, name);
        ok = spill(path, file.data, file.length);
        free(path);
        base_text_free(&file);
        base_text_print(expected, "%d %016llx %d %d\n", number, (unsigned long long)n.hash, n.calls,
                        model.as.handle ? (int)((char *)model.as.handle - n.models) : -1);
    }
    base_text_free(&text);
    return ok;
}

/* Texts that are accepted and go well, given to a compiler as they are: no warning, and the same
 * calls of the host with the same bits. So the language is C, and both executors are right. */
static void c_agrees(int count, const char *cc, const char *flags)
{
    base_text expected = {0}, c = {0}, command = {0};
    int *numbers = malloc((size_t)count * sizeof *numbers), written = 0;
    language_interface *phoenix = source_interface_new();
    char here[1024], *output;
    size_t size;
    for (int number = 0; written < count && number < 20 * count; number++)
        if (write_plain(phoenix, number, &expected))
            numbers[written++] = number;
    CHECK(written == count && getcwd(here, sizeof here), "%d programs", written);
    put_host(&shape, &c); /* its names are the interface's */
    language_interface_free(phoenix);
    put_main(numbers, written, &c);
    CHECK(spill(at("host.c"), c.data, c.length), "host.c");
    base_text_print(
        &command,
        "cd '%s' && for f in p*.c; do %s -std=c11 -Wall -Wextra -Werror %s -I '%s/evolve/source' "
        "-c $f -o $f.o || exit 1; done >log 2>&1 && "
        "%s -std=c11 %s -I '%s/evolve/source' host.c p*.c.o -o all >>log 2>&1 && ./all >out",
        scratch, cc, flags, here, cc, flags, here);
    bool ran = run_command(command.data);
    output = slurp(at("log"), &size);
    CHECK(ran, "%s: %.2000s", cc, output);
    free(output);
    output = slurp(at("out"), &size);
    for (char *a = expected.data, *b = output; written && *a;) {
        size_t m = strcspn(a, "\n") + 1, n = strcspn(b, "\n") + 1;
        CHECK(m == n && memcmp(a, b, m) == 0, "%s: %.*s, interpreted: %.*s", cc, (int)n - 1, b,
              (int)m - 1, a);
        a += m;
        b += *b ? n : 0;
    }
    free(output);
    free(numbers);
    base_text_free(&expected);
    base_text_free(&c);
    base_text_free(&command);
}

/* ---- bytes from a candidate ---- */

typedef struct tape {
    unsigned char bytes[4096];
    size_t size, next;
    score_native *native; /* records what it says; NULL: plays */
} tape;

static bool swallow(void *user, const void *bytes, size_t size)
{
    tape *t = user;
    return !t->native || write(t->native->to, bytes, size) == (ssize_t)size;
}

static bool play(void *user, void *bytes, size_t size)
{
    tape *t = user;
    if (t->native) {
        char *to = bytes;
        for (size_t got = 0; got < size;) {
            ssize_t n = read(t->native->from, to + got, size - got);
            if (n <= 0)
                return false;
            got += (size_t)n;
        }
        memcpy(t->bytes + t->size, bytes, size);
        t->size += size;
        return true;
    }
    if (size > t->size - t->next)
        return false;
    memcpy(bytes, t->bytes + t->next, size);
    t->next += size;
    return true;
}

static language_failure hear(tape *t, language_program *program, bool *broken, char text[256])
{
    notes n;
    language_host host = host_of(&n);
    language_limits limits = language_default_limits();
    language_diagnostic diagnostic;
    language_value value;
    const native_channel channel = {swallow, play, t};
    native_process *process = native_process_new(&channel);
    t->next = 0;
    limits.steps = 100;
    language_failure failure =
        native_run(process, 0, program, &(language_invocation){"model", NULL, 0, &host, &limits},
                   &value, &diagnostic);
    *broken = native_process_broken(process);
    memcpy(text, diagnostic.text, 256);
    CHECK(!*broken || failure == LANGUAGE_LIMIT, "broken and %d", (int)failure);
    CHECK((failure == LANGUAGE_OK) == !*text && !strchr(text, '\n'), "%d, \"%s\"", (int)failure,
          text);
    native_process_free(process);
    return failure;
}

/* A real talk, then every truncation and every flipped bit of it: each is refused, or is what some
 * program of that text might have said. The sanitizers have a look at the rest. */
static void hostile_bytes_are_refused(const char *source, language_failure want)
{
    base_error error = {""};
    language_diagnostic diagnostic;
    score_native_how how = how_with(NULL);
    bool broken;
    char text[256];
    language_program *program = source_parse("t.c", source, strlen(source), &diagnostic);
    static tape real;
    memset(&real, 0, sizeof real);
    real.native = score_native_open("t.c", source, strlen(source), &how, &error);
    CHECK(program && real.native, "%s%s", diagnostic.text, error.text);
    if (!program || !real.native)
        return;
    CHECK(hear(&real, program, &broken, text) == want && !broken, "%s", text);
    end(real.native);
    real.native = NULL;
    CHECK(real.size > 0 && hear(&real, program, &broken, text) == want, "played back: %s", text);
    int refused = 0;
    for (size_t size = 0; size < real.size; size++) {
        tape cut = real;
        cut.size = size;
        hear(&cut, program, &broken, text);
        CHECK(broken, "cut after %zu bytes: %s", size, text);
    }
    for (size_t bit = 0; bit < 8 * real.size; bit++) {
        tape other = real;
        other.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        hear(&other, program, &broken, text);
        refused += broken;
    }
    CHECK(refused > 64, "%d of %zu flipped bits are refused", refused, 8 * real.size);
    base_random random = {SEED, 7, 0};
    for (int i = 0; i < 2000; i++) {
        tape other = real;
        for (size_t k = 0; k < sizeof other.bytes; k += 4) {
            uint32_t word = base_random_below(&random, 4);
            memcpy(other.bytes + k, &word, 4);
        }
        other.size = sizeof other.bytes;
        hear(&other, program, &broken, text);
    }
    language_program_free(program);
}

/* ---- compilers ---- */

static void nothing_is_left(void)
{
    DIR *folder = opendir(scratch);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        CHECK(strncmp(entry->d_name, "phoenix-cc", 10) != 0, "%s is left", entry->d_name);
    if (folder)
        closedir(folder);
}

static void does_not_compile(const char *c, const char *cc, double seconds, const char *piece)
{
    base_text text = {0};
    base_error error = {""};
    score_executable executable;
    score_native_how how = how_with(cc);
    how.seconds = seconds;
    base_text_print(&text, "%s", c);
    double started = base_clock();
    CHECK(!score_native_compile(&executable, &text, 0, &how, &error) && strstr(error.text, piece) &&
              !strchr(error.text, '\n'),
          "\"%s\", want \"%s\"", error.text, piece);
    /* once linked statically, once not */
    CHECK(base_clock() - started < 2 * seconds + 5, "took %g s", base_clock() - started);
    base_text_free(&text);
    nothing_is_left();
}

/* 2^36 tokens out of a page. */
static void put_bomb(base_text *c)
{
    base_text_print(c, "#define A0 1 + 1\n");
    for (int i = 1; i < 36; i++)
        base_text_print(c, "#define A%d A%d + A%d\n", i, i - 1, i - 1);
    base_text_print(c, "int main(void)\n{\n    return A35;\n}\n");
}

/* A worker that is killed while its compiler runs: neither cc nor what it has started goes on. Each
 * of them holds the pipe's writing end. */
static void a_killed_worker_takes_cc_along(void)
{
    int witness[2];
    char byte;
    CHECK(pipe(witness) == 0, "no pipe");
    pid_t worker = fork();
    if (worker == 0) {
        base_text bomb = {0};
        score_executable executable;
        score_native_how how = how_with(NULL);
        how.level = SANDBOX_NONE;
        put_bomb(&bomb);
        score_native_compile(&executable, &bomb, 0, &how, NULL);
        _exit(1);
    }
    close(witness[1]);
    struct pollfd end_of_all = {.fd = witness[0], .events = POLLIN};
    CHECK(poll(&end_of_all, 1, 300) == 0, "the compiler has not run for long");
    kill(worker, SIGKILL);
    waitpid(worker, NULL, 0);
    CHECK(poll(&end_of_all, 1, 5000) == 1 && read(witness[0], &byte, 1) == 0, "cc goes on");
    close(witness[0]);
}

static void compilers_fail(void)
{
    base_error error = {""};
    char path[1024];
    does_not_compile("this is not C\n", NULL, 20, "exited with 1");
    does_not_compile("int main(void)\n{\n    return f();\n}\n", NULL, 20, "exited with");
    does_not_compile("int x;\n", "/nonexistent/cc", 20, "--cc /nonexistent/cc: expected a program");
    does_not_compile("int x;\n", "no-such-compiler", 20, "--cc no-such-compiler: not found");
    does_not_compile("int main(void)\n{\n    return 0;\n}\n", "true", 20, "candidate");
    does_not_compile("int main(void)\n{\n    return 0;\n}\n", "false", 20, "exited with 1");
    base_text bomb = {0};
    put_bomb(&bomb);
    does_not_compile(bomb.data, NULL, 1, ""); /* of its memory it runs out, or of its time */
    base_text_free(&bomb);
    char *before = base_copy(getenv("PATH"), strlen(getenv("PATH")));
    setenv("PATH", "/nonexistent", 1);
    CHECK(!score_native_compiler(NULL, path, &error) &&
              strstr(error.text, "there is no C compiler"),
          "%s", error.text);
    setenv("PATH", before, 1);
    free(before);
}

/* ---- candidates that are no translation of ours ---- */

/* Starts C as it is. It has to be refused within its deadline, by its end or its silence. */
static void does_not_start(const char *c, sandbox_level level)
{
    base_text text = {0};
    base_error error = {""};
    score_executable executable;
    score_native_how how = how_with(NULL);
    how.level = level;
    how.deadline = 1;
    base_text_print(&text, "%s", c);
    double started = base_clock();
    if (!score_native_compile(&executable, &text, 0, &how, &error)) {
        SKIP("%s", error.text);
    } else {
        score_native *native = score_native_start(&executable, &how, &error);
        CHECK(!native && *error.text, "started");
        CHECK(base_clock() - started < 30, "took %g s", base_clock() - started);
        end(native);
        score_native_remove(&executable);
    }
    base_text_free(&text);
    nothing_is_left();
}

static void candidates_misbehave(void)
{
    does_not_start("int main(void)\n{\n    return 0;\n}\n", SANDBOX_BEST);
    does_not_start("#include <stdio.h>\nint main(void)\n{\n    puts(\"hello, I am ready\");\n"
                   "    return 0;\n}\n",
                   SANDBOX_BEST);
    does_not_start("#include <unistd.h>\nint main(void)\n{\n    for (;;)\n        sleep(9);\n}\n",
                   SANDBOX_LIMITS);
    does_not_start("int main(void)\n{\n    return *(volatile int *)0;\n}\n", SANDBOX_BEST);
}

/* ---- sources ---- */

/* `phoenix evaluate` both ways: the same sealed bytes, whatever becomes of the source. */
static void same_result(const char *source, score_status want)
{
    evolve_settings settings = tiny_settings();
    score_native_how how = how_with(NULL);
    base_error error = {""};
    score_result a, b;
    base_text members[2] = {{0}};
    score_request request = {.file = "test.c",
                             .text = source,
                             .length = strlen(source),
                             .settings = &settings,
                             .threads = 1};
    score_of_source(&request, &a);
    request.native = score_native_open("test.c", source, strlen(source), &how, &error);
    score_of_source(&request, &b);
    CHECK(!*error.text, "%s", error.text);
    CHECK((request.native != NULL) == (want != SCORE_PARSE && want != SCORE_CHECK),
          "%s: compiled or not", score_status_name(want));
    score_members(&a, &members[0]);
    score_members(&b, &members[1]);
    CHECK(b.status == want && strcmp(members[0].data, members[1].data) == 0, "%s\n%s",
          members[0].data, members[1].data);
    end(request.native);
    for (int i = 0; i < 2; i++)
        base_text_free(&members[i]);
    score_free(&a);
    score_free(&b);
}

static void sources_have_the_same_result(void)
{
    base_text source = {0};
    source_default_source(&source);
    same_result(source.data, SCORE_OK);
    base_text_free(&source);
    same_result(tiny_source(64, ""), SCORE_OK);
    same_result("hello\n", SCORE_PARSE);
    same_result(tiny_source(64, "    nothing();\n"), SCORE_CHECK);
    same_result(tiny_source(64, "    config.d_ff = config.d_ff / (config.num_layers - 1);\n"),
                SCORE_RUN);
    same_result(tiny_source(0, ""), SCORE_RUN);
    same_result(tiny_source(64, "    config.dropout_rate = 1e308 * config.d_ff;\n"), SCORE_RUN);
    same_result(tiny_source(64, "    while (config.d_ff > 0) {\n    }\n"), SCORE_LIMIT);
    same_result(tiny_source(16000000, ""), SCORE_LIMIT);
}

/* The table of the language's own tests, whose results are known. */
static void known_programs_have_their_results(void)
{
    static trial trials[LANGUAGE_TEST_PROGRAMS];
    for (int i = 0; i < LANGUAGE_TEST_PROGRAMS; i++) {
        trial *t = &trials[i];
        language_diagnostic diagnostic;
        base_text_print(&t->text, "#include \"phoenix.h\"\n%s%s", language_test_programs[i].text,
                        strstr(language_test_programs[i].text, "*model(void)\n")
                            ? ""
                            : "t5 *model(void)\n{\n    t5_config config = t5_small();\n"
                              "    config.d_ff = test();\n    return t5_new(config);\n}\n");
        t->limits = language_default_limits();
        t->program = source_parse("known.c", t->text.data, t->text.length, &diagnostic);
        CHECK(t->program, "%s: %s", language_test_programs[i].name, diagnostic.text);
        if (!t->program)
            return;
    }
    compare_batch(trials, LANGUAGE_TEST_PROGRAMS, NULL);
}

int main(int argc, char **argv)
{
    if (!scratch_make())
        return 1;
    setenv("TMPDIR", scratch, 1);
    if (argc > 3 && strcmp(argv[1], "plain") == 0) {
        c_agrees(atoi(argv[2]), argv[3], argc > 4 ? argv[4] : "");
    } else if (argc > 1) {
        executors_agree(atoi(argv[1]), argc > 2 ? argv[2] : NULL, argc > 3 ? atoi(argv[3]) : 0);
    } else if (have_compiler()) {
        char path[1024];
        base_error error;
        executors_agree(300, NULL, 0);
        known_programs_have_their_results();
        sources_have_the_same_result();
        hostile_bytes_are_refused(tiny_source(64, ""), LANGUAGE_OK);
        hostile_bytes_are_refused(tiny_source(64, "    config.d_ff /= config.num_layers - 1;\n"),
                                  LANGUAGE_RUN);
        compilers_fail();
        candidates_misbehave();
        nothing_is_left();
        a_killed_worker_takes_cc_along(); /* and leaves its folder */
        if (score_native_compiler(NULL, path, &error))
            c_agrees(24, path, "");
    }
    remove_all(scratch);
    return test_end();
}
