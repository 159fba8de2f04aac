/* SPDX-License-Identifier: MIT */
/* Compiles a source of llhttp: the states. Some systems have llhttp's C sources and no
 * library of it (Debian's node-llhttp). There we compile them unchanged, in strict mode
 * and with hidden names. Each source has a file of its own here, because the sources
 * declare the same functions with different prototypes. */
#include <llhttp.c>
