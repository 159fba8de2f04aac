/* SPDX-License-Identifier: MIT */
/* Plain files: CPU time and time per call by the reactor (io_uring) beside threads of a pool,
 * alone and with 16 calls at once; reads and writes of 4 KiB that the page cache has. Run it
 * with --reactor NAME and the folder for its file: ./disk --reactor io_uring /tmp */
#include <cogen.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 4096, BLOCKS = 4096, MOST = 16 };

struct load {
    const char *name;
    ssize_t (*call)(struct cg_pool *pool, void *buf);
    int calls;
};

static int fd;
static char path[256];
static unsigned seed = 1;

static int64_t somewhere(void)
{
    return (int64_t)(rand_r(&seed) % BLOCKS) * BLOCK;
}

static ssize_t call_read(struct cg_pool *pool, void *buf)
{
    return cg_yield(cg_read_file(fd, buf, BLOCK, somewhere(), .pool = pool));
}

static ssize_t call_write(struct cg_pool *pool, void *buf)
{
    return cg_yield(cg_write_file(fd, buf, BLOCK, somewhere(), .pool = pool));
}

static ssize_t call_sync(struct cg_pool *pool, void *buf)
{
    (void)buf;
    return cg_yield(cg_sync_file(fd, .pool = pool));
}

static ssize_t call_stat(struct cg_pool *pool, void *buf)
{
    struct stat st;

    (void)buf;
    return cg_yield(cg_stat_file(path, &st, .pool = pool));
}

static ssize_t call_open(struct cg_pool *pool, void *buf)
{
    ssize_t opened = cg_yield(cg_open_file(path, O_RDONLY, .pool = pool));

    (void)buf;
    if (opened >= 0)
        close((int)opened);
    return opened;
}

static const struct load loads[] = {{"read", call_read, 20000},
                                    {"write", call_write, 10000},
                                    {"open", call_open, 10000},
                                    {"stat", call_stat, 10000},
                                    {"sync", call_sync, 1000}};

struct worker {
    const struct load *load;
    struct cg_pool *pool;
    int calls;
};

static ssize_t work(void *arg)
{
    const struct worker *worker = arg;
    char *buf = aligned_alloc(BLOCK, BLOCK);
    ssize_t n = buf != NULL ? 0 : -1;

    if (buf != NULL)
        memset(buf, 1, BLOCK);
    for (int i = 0; i < worker->calls && n >= 0; i++)
        n = worker->load->call(worker->pool, buf);
    free(buf);
    return n < 0 ? n : 0;
}

static double microseconds(struct timeval time)
{
    return (double)time.tv_sec * 1e6 + (double)time.tv_usec;
}

static double cpu(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return microseconds(used.ru_utime) + microseconds(used.ru_stime);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static ssize_t measure(const struct load *load, struct cg_pool *pool, int width)
{
    struct worker worker = {load, pool, load->calls / width};
    double used = cpu(), start = now();
    struct cg_group group;
    ssize_t n;

    cg_group_open(&group);
    for (int i = 0; i < width; i++)
        cg_yield(cg_add_to_group(&group, work, &worker));
    n = cg_yield(cg_wait_group(&group));
    used = cpu() - used;
    start = now() - start;
    printf("%s-%d%s-cpu %.1f us\n%s-%d%s-time %.1f us\n", load->name, width,
           pool ? "-threads" : "", used / load->calls, load->name, width,
           pool ? "-threads" : "", start / load->calls);
    return n;
}

static ssize_t all(void *folder)
{
    struct cg_pool *pool = cg_pool_new(4, 1024);
    char block[BLOCK] = "";
    ssize_t n = 0;

    snprintf(path, sizeof path, "%s/cogen-bench-XXXXXX", (const char *)folder);
    fd = mkstemp(path);
    if (fd < 0 || pool == NULL)
        return -1;
    for (int i = 0; i < BLOCKS && n >= 0; i++)
        n = write(fd, block, sizeof block);
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++)
        for (int width = 1; width <= MOST && n >= 0; width *= MOST) {
            n = measure(&loads[i], pool, width);
            if (n >= 0)
                n = measure(&loads[i], NULL, width);
        }
    unlink(path);
    close(fd);
    cg_pool_free(pool);
    return n;
}

int main(int argc, char **argv)
{
    ssize_t n;

    if (argc != 4 || strcmp(argv[1], "--reactor") != 0)
        return fprintf(stderr, "usage: disk --reactor NAME FOLDER\n"), 2;
    n = cg_main(argv[2], all, argv[3]);
    if (n < 0)
        fprintf(stderr, "disk: %s\n", cg_strerror(n));
    return n < 0;
}
