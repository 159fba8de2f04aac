/* SPDX-License-Identifier: MIT */
/* The DNS messages of simulated worlds: what is read of one is written as one that is read as
 * the same again. */
#include "config.h"

#include "sockets/names/names_message.h"
#include "tests/fuzz/fuzz.h"

static void check_answer(const unsigned char *data, size_t size,
                         const struct cg__names_question *question)
{
    unsigned char message[CG__NAMES_SIZE];
    struct cg__names_answer answer, again;
    size_t len;

    if (!cg__names_message_read_answer(data, size, question, &answer))
        return;
    len = cg__names_message_answer(message, question, &answer);
    MUST(cg__names_message_read_answer(message, len, question, &again));
    MUST(again.code == answer.code && again.addrs.count == answer.addrs.count);
    MUST(again.addrs.count == 0 || again.ttl == answer.ttl);
    for (int i = 0; i < again.addrs.count; i++)
        MUST(memcmp(&again.addrs.addrs[i], &answer.addrs.addrs[i], again.addrs.addrs[i].len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cg__names_question question, again;
    unsigned char message[CG__NAMES_SIZE];
    unsigned char *bytes;
    size_t len;

    if (size == 0)
        return 0;
    bytes = (unsigned char *)fuzz_copy(data, size);
    if (cg__names_message_read(bytes, size, &question) &&
        (len = cg__names_message_ask(message, &question)) > 0) {
        MUST(cg__names_message_read(message, len, &again));
        MUST(again.id == question.id && again.type == question.type);
        MUST(strcmp(again.host, question.host) == 0);
    }
    if (size > 2 && (bytes[2] & 0x80)) { /* a response: to the question that it has */
        bytes[2] &= 0x7f;
        if (cg__names_message_read(bytes, size, &question) &&
            cg__names_message_ask(message, &question) > 0) {
            bytes[2] |= 0x80;
            check_answer(bytes, size, &question);
        }
    }
    free(bytes);
    return 0;
}
