#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checks that a large file is served and fetched in constant memory: by http_client and by curl,
# over plain HTTP and TLS, directly and through the proxy (forwarded, and in a tunnel). Prints
# the peak memory of each process, and for servers how far it is above that after a small page.
#   SIZE=1G REACTORS="epoll io_uring" bench/flat.sh [DIRECTORY-OF-THE-EXAMPLES]
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tests/lib.sh"
need http_server http_client proxy
mkdir "$work/site"
truncate -s "${SIZE:-1G}" "$work/site/large"
echo hello >"$work/site/small"
size=$(stat -c %s "$work/site/large")

# result NAME VALUE
result() {
    echo "flat/$reactor/$1 $2 KiB"
}

# fetch NAME COMMAND...: runs the command to its end; prints its peak memory.
fetch() {
    local name=$1 peak=0 now

    shift
    "$@" >"$work/said" 2>&1 </dev/null &
    pids+=($!)
    while now=$(rss $! 2>/dev/null) && [ -n "$now" ]; do
        peak=$now
        sleep 0.02
    done
    if wait $!; then
        result "$name" "$peak"
    else
        echo "FAILED flat/$reactor/$name: $(cat "$work/said")"
        failed=1
    fi
    forget $!
}

# served NAME URL PID ARGUMENT...: fetches URL by http_client with these arguments, and by curl.
served() {
    local name=$1 url=$2 pid=$3 before

    shift 3
    "$client" "$@" -o /dev/null "$url/small"
    before=$(rss "$pid")
    fetch "$name/client" "$client" "$@" -o /dev/null "$url/large"
    [ -z "$curl" ] || fetch "$name/curl" "$curl" -sSf "$@" -o /dev/null "$url/large"
    result "$name/server" "$(rss "$pid")"
    result "$name/server-grew" $(($(rss "$pid") - before))
}

# proxied NAME URL ARGUMENT...
proxied() {
    local name=$1 url=$2 before

    shift 2
    "$client" "$@" -o /dev/null "$url/small"
    before=$(rss "$proxy")
    fetch "$name/client" "$client" "$@" -o /dev/null "$url/large"
    result "$name/proxy" "$(rss "$proxy")"
    result "$name/proxy-grew" $(($(rss "$proxy") - before))
}

tls=false client=$examples/http_client
! have_tls || tls=true
echo "# a file of $size bytes"
for reactor in ${REACTORS:-epoll io_uring}; do
    export COGEN_REACTOR=$reactor
    plain=''
    serve http_server --listen 127.0.0.1:0 --root "$work/site" || continue
    plain=$server url=http://$addr
    served plain "$url" "$plain"
    ports=()
    if $tls; then
        serve http_server --listen 127.0.0.1:0 --root "$work/site" \
            --tls-cert "$work/good.pem" --tls-key "$work/good.key" || continue
        secure=$server ports=(--allow-port "$port") secure_url=https://$addr
        served tls "$secure_url" "$secure" --cacert "$work/ca.pem"
    fi
    serve proxy --listen 127.0.0.1:0 "${ports[@]}" || continue
    proxy=$server
    export http_proxy=http://$addr https_proxy=http://$addr
    proxied forwarded "$url"
    ! $tls || proxied tunnelled "$secure_url" --cacert "$work/ca.pem"
    unset http_proxy https_proxy
    end "$proxy"
    end "$plain"
    ! $tls || end "$secure"
done
[ $failed -eq 0 ]
