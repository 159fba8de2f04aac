# SPDX-License-Identifier: MIT
"""Which calls fail, and with which errors."""
import errno

ERRORS = {
    'accept': 'EMFILE', 'accept4': 'EMFILE ECONNABORTED', 'access': 'EACCES',
    'bind': 'EADDRINUSE', 'chdir': 'EACCES', 'close': 'EIO', 'connect': 'ECONNREFUSED',
    'dup2': 'EBADF', 'epoll_create1': 'EMFILE', 'epoll_ctl': 'ENOMEM', 'epoll_pwait2': 'EINTR',
    'epoll_wait': 'EINTR', 'eventfd': 'EMFILE', 'fchmodat': 'EPERM', 'fchownat': 'EPERM',
    'fclose': 'ENOSPC', 'fcntl': 'EMFILE', 'fdatasync': 'EIO', 'fdopendir': 'EMFILE',
    'fflush': 'ENOSPC', 'fopen': 'EMFILE', 'fork': 'EAGAIN', 'fstat': 'EIO', 'fstatat': 'EACCES',
    'fsync': 'EIO', 'ftruncate': 'EIO', 'futimens': 'EPERM', 'getaddrinfo': 'EAI_AGAIN',
    'getentropy': 'ENOSYS', 'getnameinfo': 'EAI_AGAIN', 'getpeername': 'ENOTCONN',
    'getsockname': 'ENOBUFS', 'getsockopt': 'ENOBUFS', 'inotify_add_watch': 'ENOSPC',
    'inotify_init1': 'EMFILE', 'inotify_rm_watch': 'EINVAL', 'io_uring_get_events': 'EINTR EAGAIN',
    'io_uring_submit': 'EINTR EAGAIN', 'io_uring_submit_and_get_events': 'EINTR EAGAIN',
    'io_uring_submit_and_wait': 'EINTR EAGAIN', 'io_uring_submit_and_wait_timeout': 'EINTR EAGAIN',
    'ioctl': 'ENOTTY', 'linkat': 'EPERM', 'listen': 'EADDRINUSE', 'lseek': 'ESPIPE',
    'lstat': 'EACCES', 'mincore': 'EAGAIN', 'nanosleep': 'EINTR', 'open': 'EMFILE',
    'openat': 'EMFILE', 'opendir': 'EMFILE', 'pipe': 'EMFILE', 'pipe2': 'EMFILE', 'poll': 'EINTR',
    'posix_spawnp': 'EAGAIN', 'ppoll': 'EINTR', 'pread': 'EIO', 'pselect': 'EINTR',
    'pthread_create': 'EAGAIN', 'pthread_key_create': 'EAGAIN', 'pwrite': 'ENOSPC',
    'read': 'EIO EINTR', 'readlink': 'EACCES', 'readv': 'ECONNRESET EINTR',
    'recv': 'ECONNRESET EINTR', 'recvfrom': 'ENOMEM EINTR', 'recvmmsg': 'ENOMEM EINTR',
    'recvmsg': 'ECONNRESET EINTR', 'rename': 'EACCES', 'renameat': 'EACCES',
    'sched_getaffinity': 'EINVAL', 'send': 'EPIPE EINTR', 'sendfile': 'EIO EINTR',
    'sendmmsg': 'ENOBUFS EINTR', 'sendmsg': 'EPIPE EINTR', 'sendto': 'ENOBUFS EINTR',
    'setsockopt': 'ENOMEM', 'shutdown': 'ENOTCONN', 'socket': 'EMFILE', 'splice': 'EIO',
    'stat': 'EACCES', 'syscall': 'ENOSYS EMFILE', 'timerfd_create': 'EMFILE',
    'timerfd_settime': 'EINVAL', 'tmpfile': 'EMFILE', 'unlink': 'EACCES', 'unlinkat': 'EACCES',
    'waitid': 'EINTR', 'write': 'ENOSPC EINTR', 'writev': 'EPIPE EINTR',
    'entry_ACCEPT': 'EMFILE ECONNABORTED', 'entry_ASYNC_CANCEL': 'ENOENT',
    'entry_CONNECT': 'ECONNREFUSED', 'entry_FSYNC': 'EIO', 'entry_OPENAT': 'EMFILE',
    'entry_READ': 'EINTR', 'entry_RECV': 'ECONNRESET ENOBUFS EINTR', 'entry_SEND': 'EPIPE EINTR',
    'entry_SENDMSG': 'EPIPE EINTR', 'entry_STATX': 'EACCES', 'entry_WRITE': 'ENOSPC EINTR',
} # the others: ENOMEM

NUMBERS = {'EAI_AGAIN': -3} # of the GNU C library

# What a report has beside the calls.
LEFT = ('foreign', 'blocks', 'descriptors')


def taken(count, most):
    first = min(count, (most + 1) // 2)
    rest = min(count - first, most - first)
    yield from range(1, first + 1)
    yield from (first + (i + 1) * (count - first) // rest for i in range(rest))


def faults(counts, most):
    """NAME:N:ERRNO for `most` calls of each function, half of them from the beginning."""
    for name, count in counts.items():
        for n in taken(count if name not in LEFT else 0, most):
            for word in ERRORS.get(name, 'ENOMEM').split():
                yield f'{name}:{n}:{NUMBERS[word] if word in NUMBERS else getattr(errno, word)}'
