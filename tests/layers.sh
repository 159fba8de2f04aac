#!/bin/sh
# SPDX-License-Identifier: MIT
# Includes go only downwards, from the folders with many users to those with few:
#   lib: base <- stacks <- core <- vocabulary <- threads;  core <- generators
#   lib <- reactors;  lib <- sockets <- system
# http and tls use public headers, and of lib only lib/base/ascii.h. Wants srcdir.
set -eu
export LC_ALL=C

: "${srcdir:=.}"
cd "$srcdir"
find lib reactors sockets system http tls -name '*.[chS]' -exec \
    grep -HoE '^#include "[a-z]+/[^"]*"' {} + | awk -F: '
    BEGIN {
        may["lib/base"] = "lib/base"
        may["lib/stacks"] = "lib/stacks " may["lib/base"]
        may["lib/core"] = "lib/core " may["lib/stacks"]
        may["lib/generators"] = "lib/generators " may["lib/core"]
        may["lib/vocabulary"] = "lib/vocabulary " may["lib/core"]
        may["lib/threads"] = "lib/threads " may["lib/vocabulary"]
        lib = "lib/base lib/stacks lib/core lib/vocabulary lib/threads lib/generators"
        may["reactors"] = "reactors " lib
        may["sockets"] = "sockets " lib
        may["system"] = "system " may["sockets"]
        may["http"] = "http"
        may["tls"] = "tls"
    }
    {
        from = place($1)
        header = $2
        gsub(/^#include "|"$/, "", header)
        checks++
        if (index(" " may[from] " ", " " place(header) " ") == 0 &&
            !((from == "http" || from == "tls") && header == "lib/base/ascii.h")) {
            print "FAIL: " $1 " includes " header
            failures++
        }
    }
    function place(path,  part) {
        split(path, part, "/")
        return part[1] == "lib" ? part[1] "/" part[2] : part[1]
    }
    END {
        printf "%d%%: Checks: %d, Failures: %d, Errors: 0\n",
            (checks - failures) * 100 / checks, checks, failures
        exit failures > 0
    }
'
