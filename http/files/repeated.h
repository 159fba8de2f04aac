/* SPDX-License-Identifier: MIT */
/* Responses with a small file that repeat within a turn. */
#ifndef COGEN_HTTP_FILES_REPEATED_H
#define COGEN_HTTP_FILES_REPEATED_H

#include "http/files/opened.h"

/* Whether a response with status 200 and a whole file, as it is, depends on nothing but the file
 * while a turn lasts. To be asked before fields of the response are set. */
bool cg__http_repeated_may(const struct cg_http_request *req);

/* Keeps the head of such a response, which is the gathered output from `start` on. */
void cg__http_repeated_keep(const struct cg_http_request *req, struct cg__http_opened *opened,
                            size_t start);

/* Makes such a response by copying a head that was kept in this turn, and the file. False: the
 * response is still to be made. */
bool cg__http_repeated_put(struct cg_http_request *req, struct cg__http_opened *opened);

#endif
