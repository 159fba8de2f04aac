/* SPDX-License-Identifier: MIT */
/* Traces: a timeline of what a scheduler has done last, for https://ui.perfetto.dev and
 * chrome://tracing. See cg_trace(3). */
#ifndef COGEN_TRACE_H
#define COGEN_TRACE_H

#include <cogen/base.h>

#include <stdint.h>
#include <stdio.h>

struct cg_sched;

CG_EXTERN_C_BEGIN

/* Writes the events that a scheduler made with .trace has kept, as JSON in the format of
 * Chrome's traces: when each coroutine ran, its operations, the waits for the reactor, and
 * spans. In the scheduler's thread. Returns 0; -EINVAL: it has no trace; -ENOMEM, and nothing was
 * written; -EIO: the file could not be written. */
CG_API int cg_trace_write(struct cg_sched *sched, FILE *out);

/* A span of a program's own, as of one request: from cg_trace_begin to cg_trace_end, perhaps
 * in another coroutine of the scheduler. Spans may cross each other. Name and detail (NULL:
 * none) together are cut to 30 bytes, and copied. cg_trace_begin returns the span; or 0, which
 * cg_trace_end ignores, if there is no trace or the caller is not a coroutine. */
CG_API uint64_t cg_trace_begin(const char *name, const char *detail);
CG_API void cg_trace_end(uint64_t span);

CG_EXTERN_C_END

#endif
