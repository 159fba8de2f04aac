/* SPDX-License-Identifier: MIT */
/* Compiles a source of llhttp: its functions for callers. See llhttp_states.c. */
#include <api.c>
