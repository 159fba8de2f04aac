/* SPDX-License-Identifier: MIT */
/* The view of the connection's input that a request is parsed from. */
#ifndef COGEN_HTTP_SERVER_H1_VIEW_H
#define COGEN_HTTP_SERVER_H1_VIEW_H

#include "http/server/h1/h1.h"

/* Parses the view up to the next event. A view without unparsed bytes is released, so
 * that a waiting connection holds no buffer. */
enum cg__http_event cg__http_h1_view_parse(struct cg__http_h1_request *h1);

/* Releases the view if it is lent: parsed bytes are consumed, the rest stays unread. */
void cg__http_h1_view_release(struct cg__http_h1_request *h1);

#endif
