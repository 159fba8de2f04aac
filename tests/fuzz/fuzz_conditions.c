/* SPDX-License-Identifier: MIT */
/* Conditions of a request: lists of entity tags, and dates. The first byte says which field has the
 * rest of the input. One more field whose condition is known decides. */
#include "config.h"

#include "http/files/files.h"
#include "tests/fuzz/fuzz.h"

static const char *const names[] = {"If-Match", "If-None-Match", "If-Modified-Since",
                                    "If-Unmodified-Since", "If-Range"};
static const char tag[] = "\"5f-a\"";
enum { MODIFIED = 784111777 };

static int verdict(const struct cg_http_request *req)
{
    bool range;
    int status = cg__http_conditions(req, tag, MODIFIED, &range);

    MUST(status == 0 || status == 304 || status == 412);
    MUST(range == (cg_http_headers_get(&req->in, "If-Range") == NULL ||
                   strcmp(cg_http_headers_get(&req->in, "If-Range"), tag) == 0));
    return status;
}

static int verdict_with(struct cg_http_request *req, const char *name, const char *value)
{
    MUST(cg_http_headers_add(&req->in, name, value) == 0);
    return verdict(req);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cg_http_request req;
    char *text;
    int first;

    if (size == 0)
        return 0;
    text = fuzz_text(data + 1, size - 1);
    if (cg_http_headers_add(&req.in, names[data[0] % COUNT(names)], text) == 0) {
        first = verdict(&req);
        MUST(verdict_with(&req, "If-None-Match", "\"other\", W/\"5f-a\"") ==
             (first == 412 ? 412 : 304));
        MUST(verdict_with(&req, "If-Match", "\"other\" ,\"5f-a\"") == 304);
    }
    cg__http_message_clear(&req.in);
    free(text);
    return 0;
}
