/* SPDX-License-Identifier: MIT */
/* Stands in for configure's when context_smoke.c is compiled for another processor. */
#define _GNU_SOURCE 1
#define CG_CONTEXT_ASM 1
#define CG__THREAD_MODEL
