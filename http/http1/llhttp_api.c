/* SPDX-License-Identifier: MIT */
/* llhttp as it is, its functions for callers; see llhttp_states.c.
 * Three files of ours for three of theirs, whose prototypes of the same functions
 * differ. */
#include <api.c>
