#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs bench/flat.sh with a smaller file: no process's memory may grow with the file.
#   tests/flat.sh [DIRECTORY-OF-THE-EXAMPLES]
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need http_server http_client proxy
case "${CFLAGS-} ${LDFLAGS-}" in
*-fsanitize*) skip "sanitizers need memory, too" ;;
esac
ours=$(reactors | grep -x 'epoll\|io_uring' | tr '\n' ' ')
: "${ours:=$(reactors | head -n 1)}"

SIZE=192M REACTORS=$ours "$source/bench/flat.sh" "$examples" >"$work/flat" 2>&1
same "everything was fetched" 0 "$?$(grep FAILED "$work/flat")"
grep SKIP "$work/flat"
while read -r name value unit; do
    case $name in
    */curl) ;;
    *-grew) below "$name, in $unit" 4096 "$value" ;;
    flat/*) below "$name, in $unit" 32768 "$value" ;;
    esac
done <"$work/flat"
totals
