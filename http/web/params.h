/* SPDX-License-Identifier: MIT */
/* Parameters in the value of a header field: "form-data; name=x". */
#ifndef COGEN_HTTP_WEB_PARAMS_H
#define COGEN_HTTP_WEB_PARAMS_H

#include <stddef.h>
#include <sys/types.h>

/* Writes the value of a parameter, unquoted and with a NUL, into buf. Returns its length;
 * -ENOENT: there is none; -EBADMSG: the parameters are invalid, or it occurs twice;
 * -EMSGSIZE: buf is too small. */
ssize_t cg__http_params_get(const char *value, const char *name, char *buf, size_t size);

/* Like cg__http_params_get for a text that has nothing before its parameters: "for=x;proto=y". */
ssize_t cg__http_params_read(const char *at, const char *name, char *buf, size_t size);

#endif
