#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The chat's page in a real Chromium, headless, with several tabs: chat_browser.py says what
# must hold.
#   tests/chat_browser.sh [--screenshots DIRECTORY]
# Runs in the build directory, on epoll and io_uring where they are; tests/chat.sh has the
# others. With --screenshots it also takes pictures of the page: wide, on a phone, dark.
set -u

source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
server=examples/chat
skip() {
    echo "SKIP: $*"
    exit 77
}
[ -x $server ] || skip "HTTP was not built"
command -v python3 >/dev/null || skip "there is no python3 (in Debian: python3)"
command -v chromium >/dev/null || skip "there is no chromium (in Debian: chromium)"
command -v chromedriver >/dev/null || skip "there is no chromedriver (in Debian: chromium-driver)"
unset COGEN_REACTOR http_proxy HTTP_PROXY all_proxy ALL_PROXY no_proxy
reactors=$("$server" --list-reactors |
    awk '$2 == "available" && ($1 == "epoll" || $1 == "io_uring") { print $1 }')
[ -n "$reactors" ] || reactors=poll
# shellcheck disable=SC2086 # a reactor a word
exec python3 "$source/tests/chat_browser.py" "$@" "$server" $reactors
