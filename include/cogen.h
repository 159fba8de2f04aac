/* SPDX-License-Identifier: MIT */
/* libcogen: coroutines that yield operations, on the kernel interface of your choice. */
#ifndef COGEN_H
#define COGEN_H

#include <cogen/any.h>
#include <cogen/base.h>
#include <cogen/bucket.h>
#include <cogen/buffered.h>
#include <cogen/channel.h>
#include <cogen/coro.h>
#include <cogen/crew.h>
#include <cogen/datagram.h>
#include <cogen/dump.h>
#include <cogen/file.h>
#include <cogen/future.h>
#include <cogen/generator.h>
#include <cogen/group.h>
#include <cogen/iterate.h>
#include <cogen/local.h>
#include <cogen/offload.h>
#include <cogen/metrics.h>
#include <cogen/trace.h>
#include <cogen/op.h>
#include <cogen/clock.h>
#include <cogen/disk.h>
#include <cogen/os_signal.h>
#include <cogen/passing.h>
#include <cogen/ports.h>
#include <cogen/process.h>
#include <cogen/proxied.h>
#include <cogen/pubsub.h>
#include <cogen/queue.h>
#include <cogen/reactor.h>
#include <cogen/remote.h>
#include <cogen/resolve.h>
#include <cogen/restart.h>
#include <cogen/sched.h>
#include <cogen/serve.h>
#include <cogen/signal.h>
#include <cogen/sim.h>
#include <cogen/sock.h>
#include <cogen/sock_end.h>
#include <cogen/sock_options.h>
#include <cogen/splice.h>
#include <cogen/starter.h>
#include <cogen/sync.h>

#endif
