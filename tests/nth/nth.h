/* SPDX-License-Identifier: MIT */
/* The functions of which a call can be made to fail, and what the sources of nth.so share.
 * Left out are functions that cannot fail on a system that still runs (clock_gettime, sigaction,
 * pthread_mutex_init ...), and those of stdio that read and write: their errors are those of full
 * disks and closed descriptors, which tests/wrong.sh has. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Those that tell a failure by -1: type, name, parameters and arguments. */
#define PLAIN(X)                                                                                 \
    X(int, accept, (int fd, struct sockaddr *addr, socklen_t *len), (fd, addr, len))             \
    X(int, accept4, (int fd, struct sockaddr *addr, socklen_t *len, int flags),                  \
      (fd, addr, len, flags))                                                                    \
    X(int, access, (const char *path, int mode), (path, mode))                                   \
    X(int, bind, (int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len))          \
    X(int, chdir, (const char *path), (path))                                                    \
    X(int, connect, (int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len))       \
    X(int, dup2, (int from, int to), (from, to))                                                 \
    X(int, epoll_create1, (int flags), (flags))                                                  \
    X(int, epoll_ctl, (int ep, int op, int fd, struct epoll_event *event), (ep, op, fd, event))  \
    X(int, epoll_pwait2,                                                                         \
      (int ep, struct epoll_event *events, int max, const struct timespec *timeout,              \
       const sigset_t *mask),                                                                    \
      (ep, events, max, timeout, mask))                                                          \
    X(int, epoll_wait, (int ep, struct epoll_event *events, int max, int timeout),               \
      (ep, events, max, timeout))                                                                \
    X(int, fchmodat, (int dir, const char *path, mode_t mode, int flags),                        \
      (dir, path, mode, flags))                                                                  \
    X(int, fchownat, (int dir, const char *path, uid_t uid, gid_t gid, int flags),               \
      (dir, path, uid, gid, flags))                                                              \
    X(int, fdatasync, (int fd), (fd))                                                            \
    X(int, fflush, (FILE *stream), (stream))                                                     \
    X(pid_t, fork, (void), ())                                                                   \
    X(int, fstat, (int fd, struct stat *stat), (fd, stat))                                       \
    X(int, fstatat, (int dir, const char *path, struct stat *to, int flags),                     \
      (dir, path, to, flags))                                                                    \
    X(int, fsync, (int fd), (fd))                                                                \
    X(int, ftruncate, (int fd, off_t len), (fd, len))                                            \
    X(int, futimens, (int fd, const struct timespec times[2]), (fd, times))                      \
    X(int, getentropy, (void *to, size_t len), (to, len))                                        \
    X(int, getpeername, (int fd, struct sockaddr *addr, socklen_t *len), (fd, addr, len))        \
    X(int, getsockname, (int fd, struct sockaddr *addr, socklen_t *len), (fd, addr, len))        \
    X(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *len),               \
      (fd, level, name, value, len))                                                             \
    X(int, inotify_add_watch, (int fd, const char *path, uint32_t mask), (fd, path, mask))       \
    X(int, inotify_init1, (int flags), (flags))                                                  \
    X(int, inotify_rm_watch, (int fd, int watch), (fd, watch))                                   \
    X(int, linkat, (int from_dir, const char *from, int dir, const char *to, int flags),         \
      (from_dir, from, dir, to, flags))                                                          \
    X(int, listen, (int fd, int backlog), (fd, backlog))                                         \
    X(off_t, lseek, (int fd, off_t at, int whence), (fd, at, whence))                            \
    X(int, lstat, (const char *path, struct stat *to), (path, to))                               \
    X(int, madvise, (void *at, size_t len, int advice), (at, len, advice))                       \
    X(int, mincore, (void *at, size_t len, unsigned char *to), (at, len, to))                    \
    X(int, mprotect, (void *at, size_t len, int prot), (at, len, prot))                          \
    X(int, munmap, (void *at, size_t len), (at, len))                                            \
    X(int, nanosleep, (const struct timespec *span, struct timespec *left), (span, left))        \
    X(int, pipe, (int ends[2]), (ends))                                                          \
    X(int, pipe2, (int ends[2], int flags), (ends, flags))                                       \
    X(int, poll, (struct pollfd *fds, nfds_t count, int timeout), (fds, count, timeout))         \
    X(int, ppoll,                                                                                \
      (struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask),  \
      (fds, count, timeout, mask))                                                               \
    X(ssize_t, pread, (int fd, void *to, size_t size, off_t at), (fd, to, size, at))             \
    X(int, pselect,                                                                              \
      (int count, fd_set *in, fd_set *out, fd_set *bad, const struct timespec *timeout,          \
       const sigset_t *mask),                                                                    \
      (count, in, out, bad, timeout, mask))                                                      \
    X(ssize_t, pwrite, (int fd, const void *from, size_t len, off_t at), (fd, from, len, at))    \
    X(ssize_t, read, (int fd, void *to, size_t size), (fd, to, size))                            \
    X(ssize_t, readlink, (const char *path, char *to, size_t size), (path, to, size))            \
    X(ssize_t, readv, (int fd, const struct iovec *to, int count), (fd, to, count))              \
    X(ssize_t, recv, (int fd, void *to, size_t size, int flags), (fd, to, size, flags))          \
    X(ssize_t, recvfrom,                                                                         \
      (int fd, void *to, size_t size, int flags, struct sockaddr *addr, socklen_t *len),         \
      (fd, to, size, flags, addr, len))                                                          \
    X(int, recvmmsg,                                                                             \
      (int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout),   \
      (fd, messages, count, flags, timeout))                                                     \
    X(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))       \
    X(int, rename, (const char *from, const char *to), (from, to))                               \
    X(int, renameat, (int from_dir, const char *from, int dir, const char *to),                  \
      (from_dir, from, dir, to))                                                                 \
    X(int, sched_getaffinity, (pid_t pid, size_t size, cpu_set_t *set), (pid, size, set))        \
    X(ssize_t, send, (int fd, const void *from, size_t len, int flags), (fd, from, len, flags))  \
    X(ssize_t, sendfile, (int to, int from, off_t *at, size_t len), (to, from, at, len))         \
    X(int, sendmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags),              \
      (fd, messages, count, flags))                                                              \
    X(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags)) \
    X(ssize_t, sendto,                                                                           \
      (int fd, const void *from, size_t len, int flags, const struct sockaddr *addr,             \
       socklen_t size),                                                                          \
      (fd, from, len, flags, addr, size))                                                        \
    X(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t len),          \
      (fd, level, name, value, len))                                                             \
    X(int, shutdown, (int fd, int how), (fd, how))                                               \
    X(int, socket, (int family, int type, int protocol), (family, type, protocol))               \
    X(ssize_t, splice,                                                                           \
      (int from, off64_t *from_at, int to, off64_t *to_at, size_t len, unsigned flags),          \
      (from, from_at, to, to_at, len, flags))                                                    \
    X(int, stat, (const char *path, struct stat *to), (path, to))                                \
    X(int, timerfd_create, (int clock, int flags), (clock, flags))                               \
    X(int, timerfd_settime,                                                                      \
      (int fd, int flags, const struct itimerspec *to, struct itimerspec *was),                  \
      (fd, flags, to, was))                                                                      \
    X(int, unlink, (const char *path), (path))                                                   \
    X(int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags))                 \
    X(int, waitid, (idtype_t type, id_t id, siginfo_t *info, int options),                       \
      (type, id, info, options))                                                                 \
    X(ssize_t, writev, (int fd, const struct iovec *from, int count), (fd, from, count))

/* Those that tell it by NULL. */
#define POINTERS(X)                                                                              \
    X(FILE *, fdopen, (int fd, const char *mode), (fd, mode))                                    \
    X(DIR *, fdopendir, (int fd), (fd))                                                          \
    X(FILE *, fopen, (const char *path, const char *mode), (path, mode))                         \
    X(FILE *, open_memstream, (char **text, size_t *len), (text, len))                           \
    X(DIR *, opendir, (const char *path), (path))                                                \
    X(FILE *, tmpfile, (void), ())

/* Those that return the number of the error. */
#define CODES(X)                                                                                 \
    X(getaddrinfo,                                                                               \
      (const char *host, const char *port, const struct addrinfo *hints, struct addrinfo         \
       **list),                                                                                  \
      (host, port, hints, list))                                                                 \
    X(getnameinfo,                                                                               \
      (const struct sockaddr *addr, socklen_t len, char *host, socklen_t host_size, char *port,  \
       socklen_t port_size, int flags),                                                          \
      (addr, len, host, host_size, port, port_size, flags))                                      \
    X(posix_spawnp,                                                                              \
      (pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions, const            \
       posix_spawnattr_t *attr, char *const argv[], char *const env[]),                          \
      (pid, file, actions, attr, argv, env))                                                     \
    X(pthread_create,                                                                            \
      (pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg),          \
      (thread, attr, run, arg))                                                                  \
    X(pthread_key_create, (pthread_key_t *key, void (*drop)(void *)), (key, drop))

/* Those that are written out. */
#define OTHERS(X)                                                                                \
    X(eventfd) X(write)                                                                          \
    X(malloc) X(calloc) X(realloc) X(aligned_alloc) X(posix_memalign) X(mmap) X(close) X(fclose) \
    X(open) X(openat) X(fcntl) X(ioctl) X(syscall) X(io_uring_get_events)                        \
    X(io_uring_get_probe_ring) X(io_uring_queue_init_params) X(io_uring_register_buf_ring)       \
    X(io_uring_register_eventfd) X(io_uring_submit) X(io_uring_submit_and_get_events)            \
    X(io_uring_submit_and_wait) X(io_uring_submit_and_wait_timeout)

/* Entries of an io_uring: "entry_RECV" is one with IORING_OP_RECV. */
#define ENTRIES(X)                                                                               \
    X(ACCEPT) X(ASYNC_CANCEL) X(CLOSE) X(CONNECT) X(FSYNC) X(OPENAT) X(POLL_ADD) X(READ) X(RECV) \
    X(SEND) X(SENDMSG) X(STATX) X(TIMEOUT) X(WRITE)

enum call {
#define X(type, name, params, args) CALL_##name,
    PLAIN(X) POINTERS(X)
#undef X
#define X(name, params, args) CALL_##name,
    CODES(X)
#undef X
#define X(name) CALL_##name,
    OTHERS(X)
#undef X
#define X(name) CALL_entry_##name,
    ENTRIES(X)
#undef X
    CALLS
};

/* Set by the plan: the number of the error. */
extern int nth_number;

/* Whether this call is the one that fails, which is counted here. */
bool nth_fails(enum call call);

/* For nth_memory.c: a block was allocated, or freed (-1). */
void nth_count_block(int by);

/* Returns the function that the library stands before. */
void *nth_next(const char *name);

/* NEXT(malloc)(10) calls it. */
#define NEXT(name) (*(__typeof__(&(name)))nth_next(#name))
