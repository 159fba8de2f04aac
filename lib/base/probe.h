/* SPDX-License-Identifier: MIT */
/* USDT probes: places where bpftrace, gdb or SystemTap can look into a running program; cg_trace(3)
 * lists them. While nobody looks, a probe is one instruction that does nothing: its arguments are
 * values that the function has anyway, or are described as places in memory. They must have no
 * side effects, since they are dropped where the system has no sys/sdt.h. */
#ifndef COGEN_LIB_BASE_PROBE_H
#define COGEN_LIB_BASE_PROBE_H

#ifdef HAVE_PROBES
#ifdef __clang__
/* The macros of sys/sdt.h leave out what "..." stands for. */
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#ifdef __LP64__
/* Only registers: what may be in memory, clang stores there first. */
#define STAP_SDT_ARG_CONSTRAINT nr
#endif
#endif
#define SDT_USE_VARIADIC 1
#include <sys/sdt.h>
#define CG__PROBE(name, ...) STAP_PROBEV(cogen, name, __VA_ARGS__)
#else
#define CG__PROBE(name, ...) ((void)0)
#endif

#endif
