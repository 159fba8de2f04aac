#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Lets each call of the examples fail, one in each run (nth/nth.py, by nth/nth*.c put before the C
# library), and looks at what becomes of them. Prints a line for each example and reactor.
#   tests/nth.sh [DIRECTORY-OF-THE-EXAMPLES]
# Of each function $NTH_MOST calls are taken (4), all over the run; $NTH_REACTORS are the reactors
# (epoll and io_uring). Below 10 many examples have only some faults on one reactor, so that it takes
# a minute; NTH_MOST=1000 takes some hours. $NTH_JOBS run side by side (12), because they mostly wait.
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need http_server http_client
command -v python3 >/dev/null || skip "there is no python3"
getconf GNU_LIBC_VERSION >/dev/null 2>&1 || skip "the C library is not glibc"
# shellcheck disable=SC2086 # the compiler may be more than one word
${CC-cc} -std=gnu11 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -I"${builddir-.}" -I"$source" -fPIC -shared \
    -o "$work/nth.so" "$source"/tests/nth/nth*.c || exit 1

chosen=${NTH_REACTORS-$(reactors | grep -x 'epoll\|io_uring')}
[ -n "$chosen" ] || skip "neither epoll nor io_uring is available"
tls=()
if have_tls; then
    tls=(--cert "$work/good.pem" --ca "$work/ca.pem")
fi
# The programs of the documents. Without pkg-config they are left out.
books=()
if find_built; then
    books=(--built "$work")
    for each in tutorial/step{1,5} recipes/{descriptors,log,pool,terminal}; do
        compile "$each.c" cogen || exit 1
    done
else
    echo "SKIP: the programs of the documents: $why"
fi
# shellcheck disable=SC2086 # a reactor a word
python3 "$source/tests/nth/nth.py" "$examples" "$work/nth.so" $chosen --most "${NTH_MOST-4}" \
    --jobs "${NTH_JOBS-12}" ${tls[@]+"${tls[@]}"} ${books[@]+"${books[@]}"}
