/* SPDX-License-Identifier: MIT */
/* What reports tell of a queue beyond <cogen/queue.h>. */
#ifndef COGEN_LIB_VOCABULARY_QUEUE_H
#define COGEN_LIB_VOCABULARY_QUEUE_H

#include <cogen/queue.h>

/* The number of items that were put and for which cg_queue_task_done was not called. */
size_t cg__queue_unfinished(const struct cg_queue *queue);

#endif
