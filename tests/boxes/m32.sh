# SPDX-License-Identifier: MIT
# Sourced by the suites in a folder of theirs: what has gcc build programs of 32 bits goes to m32, and what starts them to
# runner32 (nothing: the machine itself). Whether there is a library for them is for the caller to try.
m32=-m32 runner32=
# gcc-multilib and Debian's compilers for other machines exclude each other; without it, headers are looked for where it
# would have put a link to.
printf '#include <errno.h>\nint main(void) { return 0; }\n' >m32.c
gcc $m32 m32.c -o m32 2>/dev/null || m32="-m32 -isystem /usr/include/$(gcc -print-multiarch)"
# A kernel without 32-bit programs cannot start what the compiler builds for it.
# shellcheck disable=SC2034,SC2086
! gcc $m32 m32.c -o m32 2>/dev/null || ./m32 2>/dev/null || runner32=qemu-i386-static
