/* tasks: pyro.h under an RTOS, or anywhere with several tasks
 *
 * WHO OWNS IT
 *   One task owns the daemon, and all that was lent to it: it opens it, polls,
 *   runs every handler, callback and timer. There is no lock in the library
 *   and none is needed round it. The task's loop is
 *
 *       for (;;) pyro_poll(&node, -1);        waits until something happens
 *
 *   Its stack is what pyro_poll takes (`make costs`), the deepest handler's
 *   and, for each nested call, what `make firmware` prints as stack_level. Its
 *   priority decides how fast answers are; a handler that takes long delays
 *   all others, so it defers its reply (pyro_defer), has a worker do it, and
 *   finishes when that is done.
 *
 * HOW THE OTHERS REACH IT
 *   Two functions may be called by other tasks and by interrupts:
 *     pyro_post(&ring, value)  puts one word into a ring, which the next poll
 *                              hands to the ring's function, in the owner's
 *                              task. false: the ring is full; nothing waits
 *     pyro_wake(&node)         ends the owner's wait, so that this poll is now
 *   A ring has one producer: give each task and each interrupt its own. The
 *   word is a number, or a pointer to what the producer does not touch until
 *   it gets it back. What a handler reads and another task writes otherwise
 *   needs what the RTOS has for that; better post it and let the owner keep
 *   it, as the readings below.
 *
 * CALLS FROM OTHER TASKS
 *   A task that wants something called posts a pointer to a job and waits for
 *   its own semaphore. The owner begins the request; its callback gives the
 *   semaphore. The task sleeps, the owner goes on serving.
 *
 * WHAT THE PORT NEEDS
 *   `wait` blocks on what the network stack and the UARTs signal (a task
 *   notification, an event group), for at most the time it is given. `wake`
 *   gives the same signal: xTaskNotifyGive, k_sem_give, sem_post, or from an
 *   interrupt their FromISR forms. pyro_wake_open is called once, by the owner
 *   and before the other tasks begin. `now` is the tick count in milliseconds.
 *   PYRO_LOAD_ACQ and PYRO_STORE_REL need one-byte atomics: gcc and clang have
 *   them on every processor.
 *
 * THIS PROGRAM
 *   proves it with threads, under the thread sanitizer as well: a task that
 *   owns the daemon, one that measures, one that makes calls; `main` is a
 *   computer elsewhere, with a daemon of its own.
 *
 * usage: tasks READINGS CALLS */
#define _GNU_SOURCE 1 /* pthread_tryjoin_np */
#define PYRO_POSIX
#define PYRO_IMPLEMENTATION
#include "../../pyro.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

/* A call that another task wants. The owner's from post until `done`. */
struct job {
    pyro_request rq;
    int32_t      number;
    int32_t      answer;
    pyro_err     err;
    bool         stop; /* instead: the owner ends */
    sem_t        done;
};

/* What the owner has; no other task looks at it while that runs. */
static struct owner {
    pyro_daemon node;
    pyro_proxy  elsewhere;
    int32_t     readings; /* attributes of its object */
    int32_t     last;
    bool        stop;
} owner;

static PYRO_ROOM(2, 6, 256, 2) room;
static uintptr_t reading_slots[16];
static uintptr_t job_slots[4];
static pyro_ring readings_ring;
static pyro_ring jobs_ring;
static int32_t   n_readings, n_calls;
static char      elsewhere_uri[64];
static sem_t     opened;
static char      owner_address[64];

/* ------------------------------------------------------------------------
 * The owner's task
 * ------------------------------------------------------------------------ */

static void on_reading(void *user, uintptr_t value)
{
    (void)user;
    owner.readings++;
    owner.last = (int32_t)value;
}

static void on_answer(void *user, pyro_request *rq, pyro_err err,
                      pyro_reader *result)
{
    struct job *job = (struct job *)user;

    (void)rq;
    (void)result;
    job->err = err;
    sem_post(&job->done);
}

static void on_job(void *user, uintptr_t value)
{
    struct job *job = (struct job *)value;

    (void)user;
    owner.stop = job->stop;
    if (job->stop) return;
    job->err = pyro_begin(&job->rq, &owner.elsewhere, "twice");
    if (job->err == PYRO_OK) {
        pyro_put_int(&job->rq.args, job->number);
        job->err =
            pyro_send(&job->rq, pyro_to_i32(&job->answer), on_answer, job);
    }
    if (job->err != PYRO_OK) sem_post(&job->done);
}

static const pyro_attr meter_attrs[] = {
    PYRO_ATTR_I32(struct owner, readings, PYRO_READONLY),
    PYRO_ATTR_I32(struct owner, last, PYRO_READONLY),
};
static const pyro_class meter_class = { "Meter", NULL,
                                        0,       PYRO_ATTRS(meter_attrs),
                                        NULL,    0 };

static void add_ring(pyro_ring *ring, void (*fn)(void *, uintptr_t),
                     uintptr_t *values, uint8_t size)
{
    ring->fn = fn;
    ring->values = values;
    ring->size = size;
    pyro_ring_add(&owner.node, ring);
}

static void *owner_task(void *unused)
{
    pyro_err err = pyro_open(&owner.node, PYRO_ROOM_OF(room), NULL);

    if (!err) err = pyro_listen(&owner.node, pyro_posix(), "127.0.0.1:0");
    if (!err) err = pyro_export(&owner.node, &meter_class, &owner, "meter");
    if (!err)
        err = pyro_proxy_open(&owner.elsewhere, &owner.node, elsewhere_uri);
    if (!err) err = pyro_wake_open(&owner.node);
    if (!err)
        err = pyro_listening(&owner.node, 0, owner_address,
                             sizeof owner_address);
    if (err) {
        fprintf(stderr, "tasks: %s\n", pyro_err_text(err));
        exit(1);
    }
    add_ring(&readings_ring, on_reading, reading_slots, 16);
    add_ring(&jobs_ring, on_job, job_slots, 4);
    sem_post(&opened); /* from here on the others may post and wake */
    while (!owner.stop) pyro_poll(&owner.node, -1);
    pyro_close(&owner.node);
    return unused;
}

/* ------------------------------------------------------------------------
 * The others
 * ------------------------------------------------------------------------ */

/* Measures; might be an interrupt if it did not try again. */
static void *sensor_task(void *unused)
{
    for (int32_t i = 1; i <= n_readings; i++) {
        while (!pyro_post(&readings_ring, (uintptr_t)i))
            sched_yield(); /* an interrupt would count it as lost */
        pyro_wake(&owner.node);
    }
    return unused;
}

/* Has calls made, one after the other. Returns how many answers were right. */
static void *calling_task(void *right)
{
    static struct job job;

    sem_init(&job.done, 0, 0);
    for (job.number = 1; job.number <= n_calls; job.number++) {
        if (!pyro_post(&jobs_ring, (uintptr_t)&job))
            continue; /* cannot be: it waits for each */
        pyro_wake(&owner.node);
        sem_wait(&job.done);
        if (job.err == PYRO_OK && job.answer == 2 * job.number)
            ++*(int32_t *)right;
    }
    job.stop = true;
    return &job;
}

/* ------------------------------------------------------------------------
 * A computer elsewhere
 * ------------------------------------------------------------------------ */

static PYRO_ROOM(2, 6, 256, 1) bench_room;
static pyro_daemon bench;

static void bench_twice(void *self, pyro_call *call)
{
    (void)self;
    pyro_put_int(&call->result, 2 * pyro_get_i64(&call->args));
}

static const pyro_method bench_methods[] = { { "twice", bench_twice, "i", "i",
                                               0 } };
static const pyro_class  bench_class = { "Bench", PYRO_METHODS(bench_methods),
                                         NULL,    0,
                                         NULL,    0 };

/* Serves until the meter has all readings, asking it again and again. */
static pyro_err watch(int32_t *readings, int32_t *last)
{
    char       uri[80];
    pyro_proxy meter;
    pyro_err   err;

    snprintf(uri, sizeof uri, "PYRO://%s/meter", owner_address);
    err = pyro_proxy_open(&meter, &bench, uri);
    while (!err && *readings < n_readings)
        err = pyro_getattr(&meter, "readings", pyro_to_i32(readings));
    if (!err) err = pyro_getattr(&meter, "last", pyro_to_i32(last));
    pyro_proxy_close(&meter);
    return err;
}

int main(int argc, char **argv)
{
    pthread_t tasks[3];
    int32_t   right = 0, readings = 0, last = 0;
    char      address[40];
    void     *stop;
    pyro_err  err;

    if (argc != 3) {
        fprintf(stderr, "usage: tasks READINGS CALLS\n");
        return 2;
    }
    n_readings = atoi(argv[1]);
    n_calls = atoi(argv[2]);
    err = pyro_open(&bench, PYRO_ROOM_OF(bench_room), NULL);
    if (!err) err = pyro_listen(&bench, pyro_posix(), "127.0.0.1:0");
    if (!err) err = pyro_export(&bench, &bench_class, &bench, "bench");
    if (!err) err = pyro_listening(&bench, 0, address, sizeof address);
    if (err) return 1;
    snprintf(elsewhere_uri, sizeof elsewhere_uri, "PYRO://%s/bench", address);
    sem_init(&opened, 0, 0);
    pthread_create(&tasks[0], NULL, owner_task, NULL);
    sem_wait(&opened);
    pthread_create(&tasks[1], NULL, sensor_task, NULL);
    pthread_create(&tasks[2], NULL, calling_task, &right);
    err = watch(&readings, &last);
    while (pthread_tryjoin_np(tasks[2], &stop) != 0)
        pyro_poll(&bench, 10); /* their calls are still served */
    pthread_join(tasks[1], NULL);
    pyro_post(&jobs_ring, (uintptr_t)stop);
    pyro_wake(&owner.node);
    pthread_join(tasks[0], NULL);
    pyro_close(&bench);
    printf("%d readings, the last is %d; %d of %d calls right\n",
           (int)readings, (int)last, (int)right, (int)n_calls);
    return err != PYRO_OK || last != n_readings || right != n_calls;
}
