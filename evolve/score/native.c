/* SPDX-License-Identifier: MIT */
/* native.c -- the compiled program is a process that can do nothing but ask: it has two pipes, and
 * what it asks for is done here. So the compiler, and what it made, are held like the text of the
 * source itself: as something that may do anything, in a box that lets it do nothing. */
#include "evolve/score/native.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "evolve/source/host.h"
#include "evolve/sandbox/pool.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- finding a compiler ---- */

static bool is_program(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

/* The path of a program of that name, as a shell finds it. */
static bool look_in_path(const char *name, char path[1024])
{
    const char *search = getenv("PATH");
    for (const char *at = search ? search : "/usr/bin:/bin"; *at;) {
        size_t length = strcspn(at, ":");
        int need = snprintf(path, 1024, "%.*s/%s", (int)length, at, name);
        if (length > 0 && *at == '/' && need < 1024 && is_program(path))
            return true;
        at += length + (at[length] == ':');
    }
    return false;
}

bool score_native_compiler(const char *named, char path[1024], base_error *error)
{
    static const char *const known[] = {"cc", "gcc", "clang", "tcc"};
    if (named && strchr(named, '/')) { /* as a whole path: cc is started in another folder */
        char here[1024];
        if (*named == '/' || !getcwd(here, sizeof here))
            here[0] = '\0';
        int need = snprintf(path, 1024, "%s%s%s", here, *here ? "/" : "", named);
        return (need < 1024 && is_program(path)) ||
               base_fail(error, "--cc %s: expected a program", named);
    }
    if (named)
        return look_in_path(named, path) || base_fail(error, "--cc %s: not found in PATH", named);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (look_in_path(known[i], path))
            return true;
    return base_fail(error, "there is no C compiler in PATH");
}

/* ---- compiling ---- */

#define SOURCE  "candidate.c"
#define PROGRAM "candidate"

enum {
    LONG = 2000, /* instructions: from here on cc does not optimise; its time then grows linearly */
};

static sandbox_policy compiler_box(const score_executable *executable, const char *const *readable,
                                   const score_native_how *how)
{
    return (sandbox_policy){
        .level = how->level,
        .profile = SANDBOX_COMPILER,
        .limits = {.memory = (uint64_t)2 << 30,
                   .file = (uint64_t)64 << 20,
                   .processor = (uint64_t)how->seconds + 1,
                   .files = 256,
                   .threads = 16},
        .keep = 3,
        .folder = executable->folder,
        .readable = readable,
    };
}

static bool conclude(const sandbox_job *job, const char *cc, base_error *error)
{
    char line[160];
    base_first_line(job->errors, line, sizeof line);
    if (job->end == SANDBOX_DEADLINE)
        return base_fail(error, "%.200s: took more than %.0f s", cc, job->deadline);
    if (job->end == SANDBOX_FLOODED)
        return base_fail(error, "%.200s: wrote more than %d bytes", cc, SANDBOX_POOL_OUTPUT);
    if (job->end == SANDBOX_KILLED)
        return base_fail(error, "%.200s: ended by signal %d", cc, job->code);
    return job->code == 0 ||
           base_fail(error, "%.200s: exited with %d: %s", cc, job->code, *line ? line : "no word");
}

/* One run of cc. The file it makes is opened for good: whoever gets at the folder later changes
 * nothing. */
static bool run_cc(score_executable *executable, char *cc, const char *level, bool is_static,
                   const score_native_how *how, base_error *error)
{
    char home[1024];
    snprintf(home, sizeof home, "%s", cc);
    *strrchr(home, '/') = '\0'; /* a compiler outside of the system's folders may read its own */
    const char *const readable[] = {home, NULL};
    sandbox_policy box = compiler_box(executable, readable, how);
    char *argv[] = {cc, "-std=c11", (char *)level, "-w", "-o", PROGRAM, SOURCE, NULL, NULL};
    if (is_static)
        argv[7] = "-static";
    sandbox_job job = {.argv = argv, .deadline = how->seconds, .sandbox = &box, .program = -1};
    bool ok = sandbox_pool_run(&job, 1, 1, NULL, NULL, NULL, error) && conclude(&job, cc, error);
    base_free(job.output);
    char *path = ok ? base_file_path(executable->folder, PROGRAM) : NULL;
    if (path) {
        executable->is_static = is_static;
        int file = open(path, O_RDONLY | O_CLOEXEC);
        executable->file = fcntl(file, F_DUPFD_CLOEXEC, 5); /* below are the candidate's */
        close(file);
        ok = executable->file >= 0 && fchmod(executable->file, 0755) == 0;
        if (!ok)
            base_fail(error, "%s: %s", path, strerror(errno));
    } else if (ok) {
        ok = base_fail(error, "cc: no memory");
    }
    base_free(path);
    return ok;
}

/* Nobody needs it to outlive a power cut, as base_file_write() would have it. */
static bool write_source(const char *path, const base_text *c, base_error *error)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return base_fail(error, "%s: %s", path, strerror(errno));
    bool ok = base_file_write_all(file, c->data, c->length, path, error);
    return close(file) == 0 && ok;
}

/* Where a library or a compiler has no static linking, strict cannot be had, and "best" is limits:
 * a loader opens files. */
static bool make_program(score_executable *executable, const base_text *c, size_t instructions,
                         const score_native_how *how, base_error *error)
{
    char cc[1024];
    char *path = base_file_path(executable->folder, SOURCE);
    bool ok = (path && !c->failed) || base_fail(error, "cc: no memory");
    ok = ok && score_native_compiler(how->cc, cc, error) && write_source(path, c, error);
    base_free(path);
    if (!ok)
        return false;
    const char *level = instructions < LONG ? "-O1" : "-O0";
    return run_cc(executable, cc, level, true, how, error) ||
           (how->level != SANDBOX_STRICT && run_cc(executable, cc, level, false, how, error));
}

bool score_native_compile(score_executable *executable, const base_text *c, size_t instructions,
                          const score_native_how *how, base_error *error)
{
    *executable = (score_executable){.file = -1};
    if (!base_temporary_folder("phoenix-cc", executable->folder, sizeof executable->folder, error))
        return false;
    if (make_program(executable, c, instructions, how, error))
        return true;
    score_native_remove(executable);
    return false;
}

void score_native_remove(score_executable *executable)
{
    if (executable->file >= 0)
        close(executable->file);
    executable->file = -1;
    if (executable->folder[0])
        base_remove_folder(executable->folder);
    executable->folder[0] = '\0';
}

/* ---- running ---- */

static bool send_all(void *user, const void *bytes, size_t size)
{
    const score_native *native = user;
    return base_file_write_all(native->to, bytes, size, "candidate", NULL);
}

static bool receive_all(void *user, void *bytes, size_t size)
{
    const score_native *native = user;
    return base_file_read_all(native->from, bytes, size);
}

sandbox_policy score_native_box(const score_executable *executable, const score_native_how *how)
{
    sandbox_policy box = {
        .level = how->level,
        .profile = SANDBOX_CANDIDATE,
        .limits = {.memory = (uint64_t)128 << 20,
                   .stack = (uint64_t)8 << 20,
                   .file = 1 << 20,
                   .processor = (uint64_t)how->deadline + 1,
                   .files = 16,
                   .threads = 1},
        .keep = 3,
    };
    if (!executable->is_static && box.level == SANDBOX_BEST)
        box.level = SANDBOX_LIMITS;
    return box;
}

/* In the child: its pipes become standard input and output, standard error is nowhere. An alarm
 * that was set stays set when the program is executed: so one that nobody ends is not there for ever. */
static void become_candidate(const score_executable *executable, const sandbox_policy *box,
                             int from, int to, unsigned seconds)
{
    char path[600];
    char *argv[] = {path, NULL};
    base_error error;
    snprintf(path, sizeof path, "%s/" PROGRAM, executable->folder);
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (dup2(from, 0) != 0 || dup2(to, 1) != 1 || nowhere < 0 || dup2(nowhere, 2) != 2)
        _exit(127);
    signal(SIGALRM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    alarm(seconds);
    sandbox_exec(box, executable->file, argv, &error);
    _exit(127);
}

static void close_all(const int ends[4])
{
    for (int i = 0; i < 4; i++)
        if (ends[i] >= 0)
            close(ends[i]);
}

/* What "best" comes to for a candidate. */
static sandbox_level level_of(const sandbox_policy *box)
{
    if (box->level != SANDBOX_BEST)
        return box->level;
    sandbox_machine machine = sandbox_look();
    if (machine.level == SANDBOX_STRICT && machine.landlock < 1)
        return SANDBOX_LIMITS;
    return machine.level;
}

static bool spawn(score_native *native, const score_executable *executable,
                  const score_native_how *how, base_error *error)
{
    int ends[4] = {-1, -1, -1, -1}; /* it reads, we write; we read, it writes */
    sandbox_policy box = score_native_box(executable, how);
    bool piped = base_pipe(ends, 5) && base_pipe(ends + 2, 5);
    pid_t process = piped ? fork() : -1;
    if (process == 0)
        become_candidate(executable, &box, ends[0], ends[3], (unsigned)how->deadline * 4 + 1);
    if (process < 0) {
        base_fail(error, "candidate: cannot start: %s", strerror(errno));
        close_all(ends);
        return false;
    }
    close(ends[0]);
    close(ends[3]);
    native->process = process;
    native->to = ends[1];
    native->from = ends[2];
    native->level = level_of(&box);
    return true;
}

score_native *score_native_start(const score_executable *executable, const score_native_how *how,
                                 base_error *error)
{
    score_native *native = base_calloc(1, sizeof *native);
    const native_channel channel = {send_all, receive_all, native};
    if (native)
        native->talk = native_process_new(&channel);
    if (!native || !native->talk) {
        base_free(native);
        base_fail(error, "candidate: no memory");
        return NULL;
    }
    native->from = native->to = -1;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    if (!spawn(native, executable, how, error)) {
        score_native_free(native);
        return NULL;
    }
    if (!native_process_ready(native->talk)) {
        kill(native->process, SIGKILL);
        while (waitpid(native->process, NULL, 0) < 0 && errno == EINTR)
            continue;
        base_fail(error, "candidate: the compiled program does not start under this sandbox");
        score_native_free(native);
        return NULL;
    }
    return native;
}

bool score_native_settle(score_native *native, base_error *error)
{
    int old[2] = {native->to, native->from};
    if (dup2(old[0], 3) != 3 || dup2(old[1], 4) != 4)
        return base_fail(error, "candidate: %s", strerror(errno));
    for (int i = 0; i < 2; i++)
        close(old[i]); /* 5 or above */
    native->to = 3;
    native->from = 4;
    return true;
}

void score_native_free(score_native *native)
{
    if (!native)
        return;
    if (native->from >= 0)
        close(native->from);
    if (native->to >= 0)
        close(native->to);
    native_process_free(native->talk);
    base_free(native);
}

/* ---- one source ---- */

static source_presence native_defines(void *user, const char *function, const char *declaration)
{
    source_executor same = source_interpreter(((score_native_source *)user)->program);
    return same.defines(same.user, function, declaration);
}

static language_failure native_call(void *user, const language_invocation *call,
                                    language_value *result, language_diagnostic *diagnostic)
{
    const score_native_source *source = user;
    const score_native *native = source->native;
    return native_run(native->talk, native->program, source->program, call, result, diagnostic);
}

source_executor score_native_executor(score_native_source *source)
{
    return (source_executor){source, native_defines, native_call};
}

static score_native *compile_and_start(const language_program *program, const score_native_how *how,
                                       base_error *error)
{
    base_text c = {0};
    score_executable executable;
    score_native *native = NULL;
    native_translate_begin(&c);
    native_translate(program, 0, &c);
    native_translate_end(1, &c);
    if (score_native_compile(&executable, &c, native_instructions(program), how, error)) {
        native = score_native_start(&executable, how, error);
        score_native_remove(&executable);
    }
    base_text_free(&c);
    return native;
}

score_native *score_native_open(const char *file, const char *text, size_t length,
                                const score_native_how *how, base_error *error)
{
    language_diagnostic diagnostic;
    score_native *native = NULL;
    error->text[0] = '\0';
    language_program *program = source_parse(file, text, length, &diagnostic);
    if (program)
        native = compile_and_start(program, how, error);
    language_program_free(program);
    return native;
}
