/* SPDX-License-Identifier: MIT */
/* State Threads: an echo server with a thread for each connection, or N threads that
 * sleep.
 *     bench/peers/st [PORT]
 *     bench/peers/st sleep N */
#include "bench/listen.h"

#include <st.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *echo(void *arg)
{
    st_netfd_t conn = arg;
    char buf[1024]; /* on the stack, of the same size as in libcogen's server */
    ssize_t n;

    while ((n = st_read(conn, buf, sizeof buf, ST_UTIME_NO_TIMEOUT)) > 0 &&
           st_write(conn, buf, (size_t)n, ST_UTIME_NO_TIMEOUT) == n)
        continue;
    st_netfd_close(conn);
    return NULL;
}

static void *sleeper(void *arg)
{
    st_usleep(3600u * 1000000u);
    return arg;
}

int main(int argc, char **argv)
{
    st_netfd_t listener, conn;

    st_set_eventsys(ST_EVENTSYS_ALT); /* epoll, if State Threads was built with it */
    if (st_init() < 0)
        bench_die("st_init");
    if (argc == 3 && strcmp(argv[1], "sleep") == 0) {
        for (long n = atol(argv[2]); n > 0; n--)
            if (st_thread_create(sleeper, NULL, 0, 0) == NULL)
                bench_die("st_thread_create");
        st_usleep(0);
        printf("sleeping %s\n", argv[2]);
        fflush(stdout);
        sleeper(NULL);
        return 0;
    }
    if ((listener = st_netfd_open_socket(bench_listen(argv, 0))) == NULL)
        bench_die("st_netfd_open_socket");
    while ((conn = st_accept(listener, NULL, NULL, ST_UTIME_NO_TIMEOUT)) != NULL)
        if (st_thread_create(echo, conn, 0, 0) == NULL)
            bench_die("st_thread_create");
    bench_die("st_accept");
}
