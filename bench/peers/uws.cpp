// SPDX-License-Identifier: MIT
// uWebSockets: sends every message back, and answers each GET as the HTTP servers do. Debian has no
// package of it. Where its sources and those of uSockets are in $UWS and $USOCKETS:
//
//   gcc -O3 -DLIBUS_NO_SSL -I $USOCKETS/src -c $USOCKETS/src/*.c \
//       $USOCKETS/src/eventing/*.c
//   g++ -O3 -std=c++20 -DLIBUS_NO_SSL -DUWS_NO_ZLIB -I $USOCKETS/src -I $UWS/src \
//       uws.cpp *.o -o uws
//
// Then UWS_SERVER=$PWD/uws bench/run ...
#include "App.h"

#include <cstdio>

static void opened(us_listen_socket_t *socket)
{
    if (socket == nullptr)
        exit(1);
    printf("listening on 127.0.0.1:%d\n", us_socket_local_port(0, (us_socket_t *)socket));
    fflush(stdout);
}

struct Nothing {};

int main()
{
    uWS::App()
        .ws<Nothing>("/*", {.compression = uWS::DISABLED,
                            .idleTimeout = 0,
                            .maxBackpressure = 16 * 1024 * 1024,
                            .message = [](auto *socket, std::string_view message,
                                          uWS::OpCode code) { socket->send(message, code); }})
        .get("/*",
             [](auto *response, auto *) {
                 response->writeHeader("Content-Type", "text/plain; charset=utf-8")
                     ->end("Hello, world!\n");
             })
        .listen("127.0.0.1", 0, opened)
        .run();
}
