/* SPDX-License-Identifier: MIT */
/* llhttp's C sources, where the system has them instead of a library (Debian's
 * node-llhttp), are compiled as they are, in strict mode, their names hidden: the states.
 * Three files of ours for three of theirs, whose prototypes of the same functions
 * differ. */
#include <llhttp.c>
