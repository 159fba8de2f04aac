#!/bin/sh
# SPDX-License-Identifier: MIT
# System calls an echo request on each reactor: strace -c around bench/echo.
#     bench/syscalls.sh [DIRECTORY OF bench/echo] [REACTOR...]
set -eu
dir=${1:-.}
[ $# -gt 0 ] && shift
requests=50000
command -v strace >/dev/null || { echo "syscalls.sh: strace is wanted" >&2; exit 1; }
for reactor in "${@:-epoll}"; do
    counts=$(mktemp)
    strace -c -o "$counts" "$dir/echo" --reactor "$reactor" --requests "$requests" >/dev/null
    awk -v n="$requests" -v r="$reactor" '
        $NF == "total" { printf "syscalls_per_request_%s %.3f\n", r, $(NF == 6 ? 4 : 3) / n }
        $4 > n / 50 && $NF != "total" && $1 ~ /[0-9]/ { printf "    %s %.3f\n", $NF, $4 / n }
    ' "$counts"
    rm -f "$counts"
done
