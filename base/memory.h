/* SPDX-License-Identifier: MIT */
/* memory.h -- malloc, with one place that hears when there is none.
 *
 * A program that is refused memory can still do something, and often it is the wrong thing: a text that
 * lacks a part, a search that takes another way, a candidate that is said to want too much. So all memory
 * of the library is asked for here. What a refusal means is the program's to say: without a handler
 * these functions return NULL as malloc does, and whoever called passes an error on; the phoenix
 * command sets a handler that says what was refused and ends the process, so that nothing which it
 * prints, writes or seals was ever made with less memory than it asked for.
 *
 * All of it is given back by base_free(), here and by who embeds the library: it need not be malloc's. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* NULL: refused, and the handler has returned or there is none. The sizes may be 0. */
void *base_malloc(size_t size);
void *base_calloc(size_t count, size_t size); /* zeroed */
void *base_realloc(void *old, size_t size);   /* on a refusal, old stays as it is */
void base_free(void *memory);                 /* NULL: nothing */

/* Memory that the caller can do without, to the same end: its refusal is nobody's business. */
void *base_malloc_spare(size_t size);

/* Says that the system refused memory to a function of the C library: counts it, calls the handler. */
void base_memory_refused(size_t size);

/* How often this process was refused memory that it could not do without. What was worked out while
 * the count rose may be something else than what was asked for. */
size_t base_memory_refusals(void);

/* One handler for the process, as memory is the process's; NULL, as at the beginning: none. It is
 * called with the bytes that were asked for, on whichever thread asked, and may return. */
typedef void base_memory_handler(size_t size);
void base_memory_on_refusal(base_memory_handler *handler);

/* Where memory comes from: a pool in fast RAM, a static array, a count of what is in use. Both are called
 * on whichever thread asks. resize: as realloc(), aligned for any type, for sizes above 0; NULL: refused,
 * and old stays as it is. release: of what resize gave, never of NULL. */
typedef struct base_allocator {
    void *(*resize)(void *user, void *old, size_t size);
    void (*release)(void *user, void *memory);
    void *user;
} base_allocator;

/* From now on, for the whole process; NULL: the C library's, as at the beginning. Call it while the library
 * holds no memory, for what was given by one cannot be given back to another. It is copied. */
void base_memory_use(const base_allocator *allocator);

#endif
