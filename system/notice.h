/* SPDX-License-Identifier: MIT */
/* Being told that a file may have changed, where the system does (inotify); elsewhere there
 * is nothing (-1), and everything here bears that. */
#ifndef COGEN_SYSTEM_NOTICE_H
#define COGEN_SYSTEM_NOTICE_H

/* A descriptor that becomes readable when a file appears in the directory of the path, and
 * when one that was added changes; the caller closes it. -1: nothing tells here. */
int cg__notice_open(const char *path);

/* Adds the very file that is open, whatever has its path by now. What remove wants, or
 * -1. */
int cg__notice_add(int notice, int fd);
void cg__notice_remove(int notice, int watch);

/* Takes the notices away: what they say is not looked at. */
void cg__notice_empty(int notice);

#endif
