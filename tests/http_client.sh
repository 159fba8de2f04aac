#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The downloader examples/http_client against nginx (kept connections, redirects, gzip, parts,
# TLS with a CA of our own) and against examples/http_server, on every reactor. One line a
# check.
#   tests/http_client.sh [DIRECTORY-OF-THE-EXAMPLES]
set -u

examples=$(cd "${1:-${EXAMPLES:-examples}}" 2>/dev/null && pwd) || examples=''
get=$examples/http_client
if [ -z "$examples" ] || [ ! -x "$get" ]; then
    echo "SKIP: no http_client in ${1:-${EXAMPLES:-examples}}"
    exit 77
fi
nginx=$(PATH=$PATH:/usr/sbin command -v nginx) || nginx=''
openssl=$(command -v openssl) || openssl=''
unset COGEN_REACTOR http_proxy https_proxy no_proxy
work=$(mktemp -d)
passed=0 failed=0 pids=()

tidy() {
    local pid i

    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null
        for ((i = 0; i < 250; i++)); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.02
        done
        kill -KILL "$pid" 2>/dev/null
    done
    wait 2>/dev/null
    rm -rf "$work"
}
trap tidy EXIT
trap 'exit 130' INT TERM

# same NAME EXPECTED GOT
same() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
        echo "ok $reactor: $1"
    else
        failed=$((failed + 1))
        printf 'FAILED %s: %s\n    expected: %s\n    got: %s\n' "$reactor" "$1" "$2" "$3"
    fi
}

# run ARGUMENT...: its status, output and errors are in $status, $out and $err.
run() {
    timeout 20 "$get" --reactor "$reactor" "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
    out=$(cat "$work/out")
    err=$(sed 's/^http_client: //' "$work/err")
}

# until_true COMMAND...: for five seconds at most.
until_true() {
    local i

    for ((i = 0; i < 250; i++)); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.02
    done
    return 1
}

# ---- Pages and certificates -----------------------------------------------------------

make_site() {
    mkdir -p "$work/site" "$work/here"
    echo hello >"$work/site/hello.txt"
    seq 100000 >"$work/site/large.txt"
    touch -d '2024-05-06 07:08:09 UTC' "$work/site/large.txt"
}

# certificate NAME DAYS ALTERNATIVE-NAME
certificate() {
    "$openssl" req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
        -keyout "$work/$1.key" -out "$work/$1.csr" &&
        "$openssl" x509 -req -in "$work/$1.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" \
            -CAcreateserial -days "$2" -out "$work/$1.pem" \
            -extfile <(echo "subjectAltName=$3")
}

make_certificates() {
    "$openssl" req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -subj '/CN=a test CA' -keyout "$work/ca.key" -out "$work/ca.pem" &&
        certificate good 2 'DNS:localhost,IP:127.0.0.1' &&
        certificate expired -1 'DNS:localhost,IP:127.0.0.1' &&
        certificate other 2 'DNS:example.org'
}

tls_server() {
    echo "server { listen 127.0.0.1:$2 ssl; root $work/site;
        ssl_certificate $work/$1.pem; ssl_certificate_key $work/$1.key; }"
}

# ---- nginx ----------------------------------------------------------------------------

start_nginx() {
    local try

    mkdir "$work/nginx"
    for ((try = 0; try < 5; try++)); do
        base=$((20000 + RANDOM % 12000))
        cat >"$work/nginx/conf" <<CONF
daemon off; worker_processes 1; pid $work/nginx/pid; error_log $work/nginx/log;
$([ "$(id -u)" -ne 0 ] || echo "user root root;")
events { worker_connections 128; }
http {
    log_format it '\$connection \$status \$request_uri \$sent_http_content_encoding';
    access_log $work/nginx/access it;
    default_type text/plain; client_body_temp_path $work/nginx/a;
    proxy_temp_path $work/nginx/b; fastcgi_temp_path $work/nginx/c;
    uwsgi_temp_path $work/nginx/d; scgi_temp_path $work/nginx/e;
    server {
        listen 127.0.0.1:$base; root $work/site;
        location /moved { return 302 /hello.txt; }
        location /loop { return 302 /loop; }
        location /says { return 200 "\$request_method \$http_x_a \$content_length"; }
        location /who { return 200 "\$http_authorization"; }
        location /packed/ { alias $work/site/; gzip on; gzip_types text/plain; }
        location /slow/ { alias $work/site/; limit_rate 100k; }
    }
    $(! $tls || { tls_server good $((base + 1)) && tls_server expired $((base + 2)) &&
            tls_server other $((base + 3)); })
}
CONF
        "$nginx" -p "$work/nginx" -e "$work/nginx/log" -c "$work/nginx/conf" \
            >/dev/null 2>&1 </dev/null &
        pids+=($!)
        until_true test -s "$work/nginx/pid" && kill -0 $! 2>/dev/null && return
    done
    echo "no nginx here: $(tail -n 1 "$work/nginx/log")"
    return 1
}

# asked NUMBER: what nginx has noted since the last call, once it is so many requests.
asked() {
    until_true test "$(wc -l <"$work/nginx/access")" -ge "$1"
    cat "$work/nginx/access"
    : >"$work/nginx/access"
}

check_nginx() {
    local url=http://127.0.0.1:$base coding

    : >"$work/nginx/access"
    run --parallel 1 "$url/hello.txt" "$url/moved" "$url/hello.txt" "$url/large.txt"
    same "pages, one of them moved" "0  $(cat "$work"/site/{hello,hello,hello,large}.txt |
        md5sum)" "$status $err $(md5sum <"$work/out")"
    same "on one connection" "1" "$(asked 5 | cut -d ' ' -f 1 | sort -u | wc -l)"
    run "$url/loop"
    same "no end of redirects" "1 $url/loop: more than 10 redirects" "$status $err"
    : >"$work/nginx/access"
    run "$url/packed/large.txt"
    coding=$(asked 1 | cut -d ' ' -f 4)
    if [ "$coding" = gzip ]; then
        same "gzip is decoded" "0 $(md5sum <"$work/site/large.txt")" \
            "$status $(md5sum <"$work/out")"
    else
        echo "SKIP $reactor: gzip is decoded: built without zlib?"
    fi
    run -X PUT -H 'X-A: b' -d hello "$url/says"
    same "a method, a field and data" "0 PUT b 5" "$status $out"
    run "http://me:secret@127.0.0.1:$base/who"
    same "a user of the URL" "0 Basic $(printf me:secret | base64)" "$status $out"
    check_parts "$url/large.txt" 'no more than what is missing'
}

# Parts of a file, wherever the server is: $1 URL, $2 what to call it.
check_parts() {
    local file=$work/here/large.txt

    cd "$work/here" || exit 1
    rm -f "$file"
    run -O "$1"
    same "a file of its own name, with the date of the page" \
        "0  $(md5sum <"$work/site/large.txt") $(stat -c %Y "$work/site/large.txt")" \
        "$status $err $(md5sum <"$file") $(stat -c %Y "$file")"
    truncate -s 100000 "$file"
    touch -r "$work/site/large.txt" "$file"
    run -v -C -O "$1"
    same "$2" "0 < Content-Range: bytes 100000-588894/588895 $(md5sum <"$file")" \
        "$status $(grep -i '^< content-range' "$work/err" | tr -d '\r') $(
            md5sum <"$work/site/large.txt")"
    run -C -O "$1"
    same "nothing is missing" "0  $(md5sum <"$work/site/large.txt")" \
        "$status $err $(md5sum <"$file")"
    echo 'another page' >"$file"
    run -C -O "$1"
    same "another page by now: all of it" "0  $(md5sum <"$work/site/large.txt")" \
        "$status $err $(md5sum <"$file")"
    cd "$OLDPWD" || exit 1
}

# Ctrl-C in the middle, and on with it.
check_interrupt() {
    local file=$work/here/part

    rm -f "$file"
    "$get" --reactor "$reactor" -o "$file" "http://127.0.0.1:$base/slow/large.txt" \
        >"$work/out" 2>"$work/err" </dev/null &
    pids+=($!)
    until_true test -s "$file"
    kill -INT $!
    wait $!
    same "SIGINT ends it in silence" "1 " "$? $(cat "$work/err")"
    unset 'pids[-1]'
    [ "$(wc -c <"$file")" -lt 588895 ]
    same "with a part of the page" 0 $?
    run -C -o "$file" "http://127.0.0.1:$base/large.txt"
    same "which another run completes" "0  $(md5sum <"$work/site/large.txt")" \
        "$status $err $(md5sum <"$file")"
}

check_tls() {
    local page=hello.txt

    run --cacert "$work/ca.pem" "https://localhost:$((base + 1))/$page" \
        "https://127.0.0.1:$((base + 1))/$page"
    same "https" $'0 hello\nhello ' "$status $out $err"
    run "https://localhost:$((base + 1))/$page"
    same "an unknown CA is refused" "1 " "$status $out"
    [ -n "$err" ]
    same "and it is said why: $err" 0 $?
    run -k "https://localhost:$((base + 1))/$page"
    same "unless everybody is trusted" "0 hello" "$status $out"
    run --cacert "$work/ca.pem" "https://localhost:$((base + 2))/$page"
    same "an expired certificate is refused: $err" "1 " "$status $out"
    run --cacert "$work/ca.pem" "https://localhost:$((base + 3))/$page"
    same "that of another host is refused: $err" "1 " "$status $out"
    run --cacert "$work/ca.pem" "https://127.0.0.1:$base/$page"
    same "no TLS there: $err" "1 " "$status $out"
}

# ---- Our own server -------------------------------------------------------------------

check_own() {
    local addr=''

    : >"$work/server"
    "$examples/http_server" --reactor "$reactor" --listen 127.0.0.1:0 --root "$work/site" \
        >"$work/server" 2>&1 </dev/null &
    pids+=($!)
    until_true grep -q listening "$work/server"
    addr=$(sed -n 's/^listening on //p' "$work/server")
    run --parallel 3 "http://$addr/large.txt" "http://$addr/hello.txt" "http://$addr/large.txt"
    same "our server, several at once" \
        "0  $(cat "$work"/site/{large,hello,large}.txt | md5sum)" \
        "$status $err $(md5sum <"$work/out")"
    check_parts "http://$addr/large.txt" 'parts from our server'
    kill "${pids[-1]}"
    wait "${pids[-1]}"
    unset 'pids[-1]'
}

reactor=setup tls=false
make_site
"$get" --insecure http:// >/dev/null 2>"$work/err" </dev/null
if grep -q 'without TLS' "$work/err"; then
    echo "SKIP https: http_client was built without TLS"
elif [ -z "$openssl" ]; then
    echo "SKIP https: there is no openssl to make certificates with"
elif ! make_certificates >"$work/openssl" 2>&1; then
    echo "SKIP https: openssl makes no certificates: $(tail -n 1 "$work/openssl")"
else
    tls=true
fi
if [ -z "$nginx" ]; then
    echo "SKIP nginx: there is none here (in Debian: nginx-light)"
elif ! start_nginx; then
    echo "SKIP nginx: it does not start"
    nginx=''
fi
for reactor in $("$get" --list-reactors | awk '$2 == "available" { print $1 }'); do
    check_own
    [ -n "$nginx" ] || continue
    check_nginx
    check_interrupt
    ! $tls || check_tls
done
echo "$((passed + failed > 0 ? 100 * passed / (passed + failed) : 0))%: Checks:" \
    "$((passed + failed)), Failures: $failed, Errors: 0"
[ $failed -eq 0 ]
