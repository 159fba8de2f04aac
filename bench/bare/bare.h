/* SPDX-License-Identifier: MIT */
/* Echo servers without libcogen: serve so many connections from a listening descriptor
 * until the peers have closed them all, calling answered after each request. */
#ifndef COGEN_BENCH_BARE_H
#define COGEN_BENCH_BARE_H

void bare_epoll_echo(int listener, int connections, void (*answered)(void));

#endif
