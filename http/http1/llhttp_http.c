/* SPDX-License-Identifier: MIT */
/* llhttp as it is, the rules about bodies; see llhttp_states.c.
 * Three files of ours for three of theirs, whose prototypes of the same functions
 * differ. */
#include <http.c>
