/* SPDX-License-Identifier: MIT */
/* What sockets need of a token bucket (bucket.c). */
#ifndef COGEN_LIB_VOCABULARY_BUCKET_H
#define COGEN_LIB_VOCABULARY_BUCKET_H

#include <cogen/bucket.h>

/* How many tokens one of several sharers waits for at least, so that it does not move bytes
 * one by one: those of 10 ms. */
size_t cg__bucket_piece(const struct cg_bucket *bucket);

#endif
