/* SPDX-License-Identifier: MIT */
/* See load_common.h. */
#include "config.h"

#include "bench/load_common.h"

#include <arpa/inet.h>
#include <errno.h>

enum { PATIENCE = 30000 }; /* ms without any answer */

bool load_option(struct load *load, int option, const char *text)
{
    switch (option) {
    case 's':
        load->seconds = atof(text);
        return true;
    case 'w':
        load->warmup = atof(text);
        return true;
    case 'r':
        load->requests = atol(text);
        return true;
    case 'n':
        load->measured.spins = true;
        return true;
    case 'i':
        return measured_server(&load->measured, atoi(text));
    default:
        return false;
    }
}

bool load_address(struct load *load, char *text)
{
    char *port = strrchr(text, ':');

    if (port == NULL)
        return false;
    *port++ = '\0';
    load->address.sin_family = AF_INET;
    load->address.sin_port = htons((unsigned short)atoi(port));
    return inet_pton(AF_INET, text, &load->address.sin_addr) == 1;
}

void load_die(const struct load *load, const char *what)
{
    fprintf(stderr, "%s: %s: %s\n", load->name, what, strerror(errno));
    exit(1);
}

void load_begin(struct load *load)
{
    load->end = measured_now() + (int64_t)(load->warmup * 1e9);
}

void load_next(struct load *load, int64_t at)
{
    if (load->phase++ == LOAD_WARM_UP) {
        measured_begin(&load->measured, at);
        load->end = load->requests ? INT64_MAX : at + (int64_t)(load->seconds * 1e9);
    } else {
        measured_report(&load->measured, at);
    }
}

int load_wait(const struct load *load, struct epoll_event events[static LOAD_EVENTS])
{
    int n = measured_wait(&load->measured, load->ep, events, LOAD_EVENTS, PATIENCE);

    if (n == 0) {
        errno = ETIMEDOUT;
        load_die(load, "no answer");
    }
    return n;
}
