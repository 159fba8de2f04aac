#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# No downtime: http_server is restarted under load, by successors that work and by those that
# fail, and no request is lost (restarts.py). Then the service: how it reloads, drains and ends,
# what it inherits, what the service manager is told; and the unit files of doc/recipes.md.
#   tests/restarts.sh [DIRECTORY-OF-THE-EXAMPLES]
# $RESTARTS is the number of restarts (3); 50 take about a minute for all reactors. $CONNECTS
# is the number of connections while workers are added and removed (1: those of 3 s). $PAUSE is how
# many milliseconds each connection waits before a request (100; 0: the load takes all processors).
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need http_server
[ -n "$curl" ] || skip "there is no curl"

# The program itself, not libtool's script: a successor must have the name of its predecessor.
program=$examples/http_server
if [ -x "$examples/.libs/http_server" ]; then
    program=$examples/.libs/http_server
    export LD_LIBRARY_PATH="$examples/../.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi

# begin OPTION...: starts the server; sets $server and $addr.
begin() {
    rm -f "$work/server.out"
    "$program" --listen 127.0.0.1:0 "$@" >"$work/server.out" 2>"$work/server.err" </dev/null &
    server=$!
    pids+=("$server")
    until_true test -s "$work/server.out"
    addr=$(sed -n '1s/listening on //p' "$work/server.out")
}

# Makes cert.pem, a certificate with its key. False: there is no TLS.
make_certificate() {
    [ -n "$(command -v openssl)" ] && "$program" --help | grep -q tls-cert &&
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
            -subj /CN=localhost -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null &&
        cat "$work/key.pem" >>"$work/cert.pem"
}

under_load() {
    local extra=()

    if ! command -v wrk >/dev/null || ! command -v python3 >/dev/null; then
        echo "SKIP: restarts under load: there is no wrk or no python3"
        return
    fi
    make_certificate && extra=(--cert "$work/cert.pem")
    while read -r line; do
        case $line in
        ok:*) pass "${line#ok: }" ;;
        FAIL:*) fail "${line#FAIL: }" ;;
        *) echo "$line" ;;
        esac
    done < <(
        set -- "$source/tests/restarts.py" "$program" \
            --reactors "${RESTART_REACTORS:-epoll,io_uring,poll}" --jobs 4 \
            --pause "${PAUSE-100}"
        python3 "$@" --restarts "${RESTARTS:-3}" "${extra[@]}" 2>&1
        python3 "$@" --connects "${CONNECTS:-1}" 2>&1
    )
}

# begin_draining: begins the server, with a head in progress on descriptor 3, and sends SIGTERM.
# Nothing depends on time: the head comes in one packet with a whole request, whose response shows
# that the server has read both; and a server that drains closes the idle connection.
begin_draining() {
    local line=''

    begin --grace 60 --header-timeout 60
    exec 3<>"/dev/tcp/${addr%:*}/${addr##*:}" 4<>"/dev/tcp/${addr%:*}/${addr##*:}"
    printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' >&4
    read -r -t 20 line <&4
    printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n' >&3
    read -r -t 20 line <&3
    like "a request before SIGTERM" $'HTTP/1.1 200 OK\r' "$line"
    kill -TERM "$server"
    timeout 20 cat <&4 >/dev/null
    same "a server that drains closes an idle connection" 0 $?
    exec 4>&-
}

# After SIGTERM a request in progress completes. A second signal ends the server at once.
ends() {
    begin --workers 2
    kill -TERM "$server"
    until_true is_gone "$server"
    wait "$server"
    same "SIGTERM ends an idle service with 0" 0 $?
    begin_draining
    printf '\r\n' >&3
    like "a head in progress gets its response" $'*HTTP/1.1 200 OK*Connection: close*' \
        "$(timeout 20 cat <&3 | tr -d '\r')"
    exec 3>&-
    until_true is_gone "$server"
    begin_draining
    kill -TERM "$server"
    until_true is_gone "$server"
    same "the second SIGTERM does not wait" 1 "$(is_gone "$server" && echo 1)"
    exec 3>&-
    many_signals
    begin
    kill -HUP "$server"
    same "after SIGHUP it serves" 200 \
        "$($curl -s -o /dev/null -w '%{http_code}' "http://$addr/")"
    kill -TERM "$server"
    until_true is_gone "$server"
}

# SIGTERM may come at any moment of the end. None may kill it before it has cleaned up.
many_signals() {
    local clean=0 i

    for ((i = 0; i < 20; i++)); do
        begin --listen "unix:$work/socket"
        while kill -TERM "$server" 2>/dev/null; do :; done
        wait "$server" && [ ! -e "$work/socket" ] && clean=$((clean + 1))
        rm -f "$work/socket"
    done
    same "signals do not interrupt the end" 20 "$clean"
}

# feed COMMAND FILE: when the server has opened the FIFO to read its certificate, runs the command
# and gives it the file.
feed() {
    # shellcheck disable=SC2016 # $1 to $3 are the inner shell's
    timeout 20 bash -c 'exec 3>"$1" && eval "$2" && exec cat "$3" >&3' \
        feed "$work/slow.pem" "$@" 2>/dev/null
}

# A signal that comes before the server serves is obeyed once it does. It starts slowly, because its
# certificate is a FIFO. What it reads then, as it reloads or as its successor, is no certificate.
early_signals() {
    local each

    make_certificate || {
        echo "SKIP: signals before it serves: there is no TLS"
        return
    }
    mkfifo "$work/slow.pem"
    for each in HUP USR2; do
        "$program" --listen 127.0.0.1:0 --tls-cert "$work/slow.pem" --tls-key "$work/cert.pem" \
            >"$work/server.out" 2>"$work/server.err" </dev/null &
        server=$!
        pids+=("$server")
        feed "kill -$each $server" "$work/cert.pem"
        until_true test -s "$work/server.out"
        same "SIG$each before it serves is obeyed then" 0 "$(feed : /dev/null; echo $?)"
        until_true test -s "$work/server.err"
        kill -TERM "$server"
        wait "$server"
        same "and it serves on" 0 $?
    done
}

# With the socket "http" from the service manager, which here is python3.
inherits() {
    command -v python3 >/dev/null || {
        echo "SKIP: an inherited socket: there is no python3"
        return
    }
    same "it takes the inherited socket, says READY, feeds the watchdog, also in a restart, says STOPPING" \
        "inherited 200 READY=1 WATCHDOG=1 WATCHDOG=1 STOPPING=1 0" \
        "$(timeout 60 python3 - "$program" "$work" <<'END'
import os, signal, socket, subprocess, sys, urllib.request
program, work = sys.argv[1:]
listener = socket.create_server(('127.0.0.1', 0))
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(work + '/notify')
notify.settimeout(20)
addr = '127.0.0.1:%d' % listener.getsockname()[1]
os.dup2(listener.fileno(), 3, inheritable=True)
script = 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=http exec "$0" "$@"'
os.symlink(program, work + '/http_server')
child = subprocess.Popen(['sh', '-c', script, work + '/http_server', '--listen', addr,
                          '--workers', '2'],
                         pass_fds=[3], stdout=subprocess.PIPE, text=True,
                         env=dict(os.environ, NOTIFY_SOCKET=work + '/notify',
                                  WATCHDOG_USEC='200000'))
said = 'inherited' if addr in child.stdout.readline() else 'bound'
told = []
def hear(word):
    while word not in told:
        told.extend(notify.recv(4096).decode().split('\n'))
    return word
first = hear('READY=1')
status = urllib.request.urlopen('http://%s/' % addr).status
fed = hear('WATCHDOG=1')
os.mkfifo(work + '/begun')
os.remove(work + '/http_server')
with open(work + '/http_server', 'w') as successor: # it never serves
    successor.write('#!/bin/sh\necho > %s/begun\nexec sleep 1000\n' % work)
    os.chmod(successor.name, 0o755)
child.send_signal(signal.SIGUSR2)
open(work + '/begun').read()
for _ in range(3): # the first ones may be from before
    del told[:]
    fed_in_restart = hear('WATCHDOG=1')
child.send_signal(signal.SIGTERM)
last = hear('STOPPING=1')
print(said, status, first, fed, fed_in_restart, last, child.wait(20))
END
)"
}

# The unit files of doc/recipes.md, with the program where they say it is.
units() {
    local units

    command -v systemd-analyze >/dev/null || {
        echo "SKIP: the unit files: there is no systemd-analyze"
        return
    }
    mkdir "$work/units"
    for units in socket service; do
        sed -n "/^<!-- http_server.$units -->/,/^\`\`\`\$/p" "$source/doc/recipes.md" |
            sed '/^<!--/d; /^```/d' | sed "s,/usr/local/bin/http_server,$program," \
            >"$work/units/http_server.$units"
    done
    run systemd-analyze verify "$work/units/http_server.socket" "$work/units/http_server.service"
    if [[ $err == *"Failed to"*"manager"* || $err == *"Failed to initialize"* ]]; then
        echo "SKIP: the unit files: systemd-analyze cannot run here: $err"
        return
    fi
    same "systemd-analyze verifies the unit files" "0 " "$status $err"
}

ends
early_signals
inherits
units
under_load
totals
