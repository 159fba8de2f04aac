#!/bin/sh
# SPDX-License-Identifier: MIT
# CPU time an echo request costs each reactor's server, as a ratio to a bare epoll loop in the
# same round; medians over interleaved rounds.
#     bench/ratio.sh [DIRECTORY OF bench/echo] [ROUNDS] [CONNECTIONS] [REACTOR...]
set -eu
dir=${1:-.} rounds=${2:-7} connections=${3:-64}
[ $# -lt 3 ] && set -- || shift 3
requests=100000
cost() {
    "$dir/echo" --connections "$connections" --requests "$requests" "$@" |
        awk '$1 == "cpu_per_request" { print $2 }'
}
all=$(mktemp)
trap 'rm -f "$all"' EXIT
for _ in $(seq "$rounds"); do
    bare=$(cost --bare)
    echo "bare $bare 1" >>"$all"
    for reactor in "${@:-epoll}"; do
        mine=$(cost --reactor "$reactor")
        echo "$reactor $mine $bare" | awk '{ print $1, $2, $2 / $3 }' >>"$all"
    done
done
sort "$all" | awk '
    function median(list, n,   i, j, t) {
        for (i = 2; i <= n; i++)
            for (j = i; j > 1 && list[j] < list[j - 1]; j--) {
                t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
            }
        return list[int((n + 1) / 2)]
    }
    function flush() {
        if (n)
            printf "%-10s %.2f us a request, %.2f of bare (%.2f to %.2f)\n", name,
                median(cost, n), median(ratio, n), ratio[1], ratio[n]
        n = 0
    }
    $1 != name { flush(); name = $1 }
    { n++; cost[n] = $2 + 0; ratio[n] = $3 + 0 }
    END { flush() }'
