#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a stranger does wrong with each example that serves, and with the clients: a port in use, an
# address or an option that is none, a closed or full standard output, too few descriptors, files
# that are missing or broken. Each must say one clear line, and end with a status that tells it.
#   tests/wrong.sh [DIRECTORY-OF-THE-EXAMPLES]
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need http_server http_client echo_server

# The programs themselves: libtool's scripts would need descriptors of their own.
mkdir "$work/bin"
for each in "$examples"/*; do
    built=$examples/.libs/${each##*/}
    [ -x "$built" ] || built=$each
    ln -s "$built" "$work/bin/${each##*/}"
done
export LD_LIBRARY_PATH="$examples/../.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"

# refuses NAME PATTERN COMMAND: of the shell, in which $at is the directory of the programs. It must
# end with an error, and with one line that has the pattern. The descriptors that make passes on
# are closed, so that the command has as many as it limits itself to; too few for LeakSanitizer.
refuses() {
    local code

    at=$work/bin ASAN_OPTIONS=detect_leaks=0 timeout 20 bash -c "$3" >"$work/out" 2>"$work/err" </dev/null \
        3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
    code=$?
    if [ "$code" -ge 1 ] && [ "$code" -le 123 ] && [ "$(wc -l <"$work/err")" -eq 1 ]; then
        code=told
    fi
    like "$1" "told *$2*" "$code $(cat "$work/err")"
}

# server NAME [OPERAND]
server() {
    local name=$1 run="\$at/$1"

    refuses "$name: a port in use" "$taken: Address already in use" "$run --listen $taken $2"
    same "$name: no result of a server that did not listen" "" "$(cat "$work/out")"
    refuses "$name: no address" 'nonsense: not a valid address, or its port is missing' "$run --listen nonsense $2"
    refuses "$name: stdout is closed" 'stdout: Bad file' "$run --listen 127.0.0.1:0 $2 >&-"
    [ ! -e /dev/full ] ||
        refuses "$name: stdout is full" 'stdout: No space' "$run --listen 127.0.0.1:0 $2 >/dev/full"
    refuses "$name: few descriptors" 'Too many open files' \
        "ulimit -n 5; exec $run --listen 127.0.0.1:0 $2"
}

secure() {
    local name=$1 run="\$at/$1 --listen 127.0.0.1:0 --tls-cert"

    refuses "$name: no certificate" '/none: No such file' "$run /none $2"
    refuses "$name: a directory" 'Is a directory' "$run $work $2"
    refuses "$name: no PEM" 'no certificate in PEM' "$run $work/nonsense $2"
    refuses "$name: another's key" 'key values mismatch' \
        "$run $work/good.pem --tls-key $work/ca.key $2"
}

fetch() {
    refuses "http_client: $1" "$2" "\$at/http_client $3"
}

echo nonsense >"$work/nonsense"
serve echo_server --listen 127.0.0.1:0 || exit 1
taken=$addr
for each in echo_server http_hello http_server ws_echo chat proxy line_server chat_lines; do
    server "$each" ''
    refuses "$each: an unknown option" "unrecognized option '--nonsense'" \
        "\$at/$each --nonsense 2>&1 | sed -n 1p >&2; exit \${PIPESTATUS[0]}"
done
server gateway http://127.0.0.1:1
refuses 'gateway: a fragment' 'is #proxy=0, #proxy=1 or #proxy=2' \
    "\$at/gateway http://127.0.0.1:1#proxy=3 2>&1 | grep 'proxy=0' >&2; exit \${PIPESTATUS[0]}"
server dns_forward 127.0.0.1:1
if have_tls; then
    for each in http_server ws_echo chat; do
        secure "$each" ''
    done
    secure gateway http://127.0.0.1:1
    fetch 'no authority' 'no certificate in PEM' "--cacert $work/nonsense https://127.0.0.1:1/"
fi
# A number with something behind it, or one that is too large. COMMAND | PATTERN
while IFS='|' read -r run pattern; do
    refuses "$run" "$pattern" "\$at/$run"
done <<END
ackermann --round 3x|a number is out of range
c100k --connections 3x|N must be a number
callbacks --calls 3x|N must be a number
course/blaster --processes 3x $taken|numbers above 0
course/echogood --port 65536|PORT is a number up to 65535
course/logsim --lines 3x $work/log|N must be a number
course/countdown 3x|"3x" is no number from 0 to
course/echothread 65536|from 0 to 65535
course/benchmark -1|from 0 to
echo_client --count 3x $taken|usage: echo_client
gateway --requests 0 http://127.0.0.1:1|from 1 to 100000
http_client --parallel 1001 http://127.0.0.1:1/|from 1 to 1000
http_client --retry 4294967296 http://127.0.0.1:1/|from 0 to 100
life --generations 3x|N must be a number
END
refuses 'http_server: no pages' '/none: No such file' "\$at/http_server --root /none --listen 127.0.0.1:0"
fetch 'nobody listens' '127.0.0.1:1: Connection refused' http://127.0.0.1:1/
fetch 'no URL' 'which URL?' ''
fetch 'no scheme' 'is not a valid URL' nonsense://x
fetch 'no socket' '/none: No such file' "--unix-socket /none http://a/"
refuses 'http_client: few descriptors' 'Too many open files' \
    "ulimit -n 5; exec \$at/http_client http://127.0.0.1:1/"
refuses 'http_get: few descriptors' 'Too many open files' \
    "ulimit -n 4; exec \$at/http_get http://127.0.0.1:1/"
stopped TERM
totals
