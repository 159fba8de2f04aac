/* SPDX-License-Identifier: MIT */
/* The content codings in which a server sends bodies. deflate is not among them: some clients
 * expect it without the frame of zlib, which RFC 9110 asks for. */
#ifndef COGEN_HTTP_CODING_CODING_H
#define COGEN_HTTP_CODING_CODING_H

enum cg__http_coding {
    CG__HTTP_IDENTITY,
    CG__HTTP_GZIP,
    CG__HTTP_BR,
    CG__HTTP_ZSTD,
    CG__HTTP_CODINGS,
};

#endif
