#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# dns_forward on every reactor, between clients and name servers of the test
# (dns_forward.py). Prints a line for each check.
#   tests/dns_forward.sh [DIRECTORY-OF-THE-EXAMPLES]
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need dns_forward
command -v python3 >/dev/null || skip "there is no python3"
# shellcheck disable=SC2046 # a reactor a word
timeout 300 python3 "$source/tests/dns_forward.py" "$examples/dns_forward" \
    $("$examples/dns_forward" --list-reactors | awk '$2 == "available" { print $1 }')
