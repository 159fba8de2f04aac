/* SPDX-License-Identifier: MIT */
/* See view.h. */
#include "config.h"

#include "http/server/h1/view.h"

void cg__http_h1_view_release(struct cg__http_h1_request *h1)
{
    if (h1->view.chunk == NULL)
        return;
    cg_view_release(&h1->view, h1->parsed);
    h1->view = (struct cg_view){.data = NULL};
    h1->parsed = 0;
}

/* After a piece of the body the view stays lent even if all its bytes are parsed: the
 * piece is in it, and the parser may have a further event that needs no bytes. */
enum cg__http_event cg__http_h1_view_parse(struct cg__http_h1_request *h1)
{
    size_t size = h1->view.len - h1->parsed, used;
    enum cg__http_event event =
        cg__http_parser_parse(&h1->parser, h1->view.data + h1->parsed, size, &used);

    h1->parsed += used;
    h1->message.conn->more = used < size;
    if (used == size && event != CG__HTTP_BODY)
        cg__http_h1_view_release(h1);
    return event;
}
