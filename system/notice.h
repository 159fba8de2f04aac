/* SPDX-License-Identifier: MIT */
/* Notices that a file may have changed, on systems that have them (inotify). On others
 * cg__notice_open returns -1, which all functions here accept. */
#ifndef COGEN_SYSTEM_NOTICE_H
#define COGEN_SYSTEM_NOTICE_H

/* Returns a descriptor that becomes readable when a file appears in the directory of the
 * path, or when a file that was added changes. The caller closes it. Returns -1 if there
 * are no notices here. */
int cg__notice_open(const char *path);

/* Adds the file that is open, even if another file is at its path by now. Returns what
 * cg__notice_remove takes, or -1. */
int cg__notice_add(int notice, int fd);
void cg__notice_remove(int notice, int watch);

/* Reads and drops all notices; their content does not matter. */
void cg__notice_empty(int notice);

#endif
