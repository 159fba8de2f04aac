/* SPDX-License-Identifier: MIT */
/* Compiles a source of llhttp: the rules about bodies. See llhttp_states.c. */
#include <http.c>
