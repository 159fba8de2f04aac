#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The chat's page in a headless Chromium, with several tabs. chat_browser.py has the checks.
#   tests/chat_browser.sh [--screenshots DIRECTORY]
# Runs on epoll, and with two workers on io_uring, if available; chat.sh has the other reactors.
# The examples are in $EXAMPLES or examples/. With --screenshots it also takes pictures of the
# page: wide, on a phone, dark.
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh" ''
need chat
command -v python3 >/dev/null || skip "there is no python3 (in Debian: python3)"
command -v chromium >/dev/null || skip "there is no chromium (in Debian: chromium)"
command -v chromedriver >/dev/null ||
    skip "there is no chromedriver (in Debian: chromium-driver)"
which=$("$examples/chat" --list-reactors |
    awk '$2 == "available" && ($1 == "epoll" || $1 == "io_uring") { print $1 }')
# shellcheck disable=SC2086 # each word is a reactor
python3 "$source/tests/chat_browser.py" "$@" "$examples/chat" ${which:-poll}
