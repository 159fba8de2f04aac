/* SPDX-License-Identifier: MIT */
/* What is handed to a successor besides the ports. */
#ifndef COGEN_SYSTEM_HANDOVER_H
#define COGEN_SYSTEM_HANDOVER_H

/* Appends to n descriptors and their names, as cg__ports_collect has stored them. There is
 * room for `most` descriptors. Returns how many there are then; -ENOMEM, or -EMFILE and other
 * errors of pipe(2): nothing was appended. */
int cg__handover_collect(int *fds, int n, int most, char **names);

#endif
