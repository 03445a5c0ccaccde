/* SPDX-License-Identifier: MIT */
/* sandbox.c -- phoenix sandbox: what this machine gives, said plainly. Each line is what a level
 * holds or does not hold, so that whoever runs programs that a model wrote knows the risk. */
#include "evolve/sandbox/sandbox.h"
#include "bin/command.h"
#include <stdio.h>
#include <unistd.h>

static const char *yes(bool is) { return is ? "yes" : "no"; }

static void print_landlock(int abi)
{
    if (abi < 1)
        puts("  Landlock          no");
    else
        printf("  Landlock          yes, ABI %d: files%s%s\n", abi, abi >= 4 ? ", TCP" : "",
               abi >= 6 ? ", signals" : "");
}

/* What the kernel has, and the level that a worker gets of it. */
static void print_layers(const sandbox_machine *machine)
{
    puts("this machine has");
    puts("  resource limits   yes");
    printf("  no_new_privs      %s\n", yes(machine->no_new_privs));
    printf("  seccomp filter    %s\n", yes(machine->filter));
    print_landlock(machine->landlock);
    printf("\n--sandbox, where it is not given, is %s\n", sandbox_names[machine->level]);
    if (machine->missing)
        printf("  strict is not to be had: %s\n", machine->missing);
}

/* What each level is good for, and where it ends. */
static void print_held(const sandbox_machine *machine)
{
    puts("\nlimits holds\n"
         "  memory, processor time, the size of files, the number of open files; no core dump;\n"
         "  descriptors that were not handed over; and, from outside, the time by the clock.\n"
         "limits does not hold\n"
         "  what means harm: it can read and write what you can, use the network, signal your\n"
         "  other programs, and leave processes behind.");
    if (machine->level != SANDBOX_STRICT)
        return;
    puts("\nstrict also holds\n"
         "  files, programs, processes, the network, signals to others, tracing, the memory of\n"
         "  others, machine code made while it runs, privileges, and every system call that is\n"
         "  not needed to compute. Whoever tries is killed, or told no.");
    if (geteuid() == 0)
        puts("  A worker that root starts is not root, but a user that nobody else is.");
    puts("strict does not hold\n"
         "  bugs of the kernel, side channels such as time and caches, and what is written to\n"
         "  standard output (the reader checks it).");
    if (geteuid() != 0)
        puts(
            "  Threads are bounded by one count for all your processes; as root, by one for each.");
    if (machine->landlock < 1)
        puts("  Without Landlock, native candidates and compilers get limits at most.");
}

int command_sandbox(int argc, char **argv)
{
    static const command_line command = {
        .usage = "phoenix sandbox",
        .about = "Says what holds a candidate on this machine, and what does not.",
    };
    int code = command_read(&command, &(command_values){0}, argc, argv);
    if (code >= 0)
        return code;
    sandbox_machine machine = sandbox_look();
    print_layers(&machine);
    print_held(&machine);
    return EXIT_DONE;
}
