/* SPDX-License-Identifier: MIT */
/* team.c -- see team.h.
 *
 * All there is to agree on is one 64-bit word, the counter: which loop this is (the generation),
 * how many pieces it has, and which is the next that nobody has claimed. A thread claims a piece by
 * adding 1 to the counter, if it is still what the thread saw; so nobody can claim a piece of a
 * loop that has ended, and what else a loop consists of (body, argument) is stable while any piece
 * of it is claimed and not done.
 *
 * A helper without work looks at the counter for some microseconds, since the next loop of a
 * training step is not far; then it sleeps until it is woken. */
#include "tensor/team.h"
#include "base/memory.h"

#ifdef TENSOR_POSIX_THREADS

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE = 20000 /* looks before sleeping */, MOST_PIECES = 0xffff };

typedef struct helper {
    tensor_team *team;
    pthread_t thread;
    int worker;
} helper;

struct tensor_team {
    _Atomic uint64_t counter; /* generation << 32 | pieces << 16 | next */
    _Atomic int done;         /* pieces of this generation */
    tensor_team_body *body;
    void *argument;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t work;
    _Atomic int sleepers;
    bool stop;

    int helpers;
    helper helper[];
};

static inline int next_of(uint64_t counter) { return (int)(counter & MOST_PIECES); }

static inline int pieces_of(uint64_t counter) { return (int)(counter >> 16 & MOST_PIECES); }

static inline bool has_work(uint64_t counter) { return next_of(counter) < pieces_of(counter); }

/* Tells the processor that this is a waiting loop. */
static inline void pause_a_moment(void)
{
#if defined __GNUC__ && (defined __x86_64__ || defined __i386__)
    __builtin_ia32_pause();
#endif
}

/* Claims and does pieces until none is left to claim. */
static void take_part(tensor_team *team, int worker)
{
    uint64_t seen = atomic_load(&team->counter);
    while (has_work(seen)) {
        if (!atomic_compare_exchange_weak(&team->counter, &seen, seen + 1))
            continue;
        team->body(team->argument, next_of(seen), worker);
        atomic_fetch_add(&team->done, 1);
        seen = atomic_load(&team->counter);
    }
}

/* False: the team is being freed. The counter is looked at under the lock after sleepers was
 * raised, and the caller looks at sleepers after it set the counter, so one of the two sees the
 * other. */
static bool sleep_until_work(tensor_team *team)
{
    pthread_mutex_lock(&team->lock);
    atomic_fetch_add(&team->sleepers, 1);
    while (!team->stop && !has_work(atomic_load(&team->counter)))
        pthread_cond_wait(&team->work, &team->lock);
    atomic_fetch_sub(&team->sleepers, 1);
    bool go_on = !team->stop;
    pthread_mutex_unlock(&team->lock);
    return go_on;
}

static void *help(void *argument)
{
    const helper *self = argument;
    tensor_team *team = self->team;
    int looks = 0;
    for (;;) {
        if (has_work(atomic_load(&team->counter))) {
            take_part(team, self->worker);
            looks = 0;
        } else if (++looks < PATIENCE) {
            pause_a_moment();
        } else {
            if (!sleep_until_work(team))
                return NULL;
            looks = 0;
        }
    }
}

/* Signals are for the thread that the caller knows of: helpers are started with all of them
 * blocked. */
static void start_helpers(tensor_team *team, int wanted)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (team->helpers < wanted) {
        helper *h = &team->helper[team->helpers];
        *h = (helper){.team = team, .worker = team->helpers + 1};
        if (pthread_create(&h->thread, NULL, help, h) != 0)
            break;
        team->helpers++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

tensor_team *tensor_team_new(int helpers)
{
    tensor_team *team;
    size_t size = sizeof *team + (size_t)helpers * sizeof *team->helper;
    team = base_malloc_spare(size); /* without one, this thread does it all */
    if (!team)
        return NULL;
    memset(team, 0, size);
    pthread_mutex_init(&team->lock, NULL);
    pthread_cond_init(&team->work, NULL);
    start_helpers(team, helpers);
    return team;
}

void tensor_team_run(tensor_team *team, int pieces, tensor_team_body *body, void *argument)
{
    team->body = body;
    team->argument = argument;
    atomic_store(&team->done, 0);
    uint64_t generation = (atomic_load(&team->counter) >> 32) + 1;
    atomic_store(&team->counter, generation << 32 | (uint64_t)pieces << 16);
    if (atomic_load(&team->sleepers) > 0) {
        pthread_mutex_lock(&team->lock);
        pthread_cond_broadcast(&team->work);
        pthread_mutex_unlock(&team->lock);
    }
    take_part(team, 0);
    for (int looks = 0; atomic_load(&team->done) < pieces; looks++) {
        if (looks < PATIENCE)
            pause_a_moment();
        else
            sched_yield(); /* whoever has the last piece may be waiting for this processor */
    }
}

void tensor_team_free(tensor_team *team)
{
    if (!team)
        return;
    pthread_mutex_lock(&team->lock);
    team->stop = true;
    pthread_cond_broadcast(&team->work);
    pthread_mutex_unlock(&team->lock);
    for (int i = 0; i < team->helpers; i++)
        pthread_join(team->helper[i].thread, NULL);
    pthread_cond_destroy(&team->work);
    pthread_mutex_destroy(&team->lock);
    base_free(team);
}

#else
typedef int tensor_team_is_not_built; /* a translation unit is not to be empty */
#endif
