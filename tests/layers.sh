#!/bin/sh
# SPDX-License-Identifier: MIT
# Includes go only downwards, from the folders with many users to those with few:
#   lib: base <- stacks <- core <- vocabulary <- threads;  core <- generators;  all <- insight
#   lib <- reactors;  lib <- sockets <- system
#   http: message <- coding, http1, http2 <- client, server <- files, ws;
#         message <- web <- gateway;  message <- cache, cookies <- client
# http and tls use public headers, and of lib/base ascii.h, json.h, moment.h, plural.h, probe.h,
# random.h, sanitize.h, tokens.h and utf8.h, which are inline, and hash.h, memory_file.h, network.h
# and report.h, whose sources libcogen-http compiles for itself; so it does those of
# sockets/memory.h.
# In http no two sources call each other, not even through others; that is read from the objects.
# Needs NM, srcdir; runs in the build directory.
set -eu
export LC_ALL=C

: "${NM:=nm}" "${srcdir:=.}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# "FILE NAME" a line: what the objects of http define, and what they use.
for object in $(find http -name 'libhttp_la-*.o'); do
    file=$(echo "$object" | sed 's,/\.libs/,/,; s,/libhttp_la-,/,; s,\.o$,,')
    $NM -P "$object" | awk -v file="$file" '$1 ~ /^cg_/ { print $2 == "U", file, $1 }'
done >"$work/symbols"

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
        may["lib/insight"] = "lib/insight lib/generators " may["lib/threads"]
        lib = "lib/insight lib/base lib/stacks lib/core lib/vocabulary lib/threads lib/generators"
        may["reactors"] = "reactors " lib
        may["sockets"] = "sockets " lib
        may["system"] = "system " may["sockets"]
        may["http"] = "http" # the files that client and server share
        may["http/message"] = "http/message"
        may["http/coding"] = "http/coding http/message"
        may["http/http1"] = "http/http1 http/message"
        may["http/http2"] = "http/http2"
        may["http/cookies"] = "http/cookies http/message"
        may["http/cache"] = "http/cache http/message"
        may["http/client"] = "http/client http http/cache http/coding http/cookies http/http1 http/http2 http/message"
        may["http/server"] = "http/server http http/coding http/http1 http/http2 http/message"
        may["http/ws"] = "http/ws " may["http/client"] " " may["http/server"]
        may["http/files"] = "http/files " may["http/server"]
        may["http/web"] = "http/web http/message" # otherwise public headers only
        may["http/gateway"] = "http/gateway http/web http/message"
        may["tls"] = "tls"
    }
    {
        from = place($1)
        header = $2
        gsub(/^#include "|"$/, "", header)
        checks++
        if (index(" " may[from] " ", " " place(header) " ") == 0 &&
            !(from ~ /^(http|tls)/ && header ~ /^lib\/base\/(ascii|hash|json|memory_file|moment|network|plural|probe|random|report|sanitize|tokens|utf8)\.h$/) &&
            !(from ~ /^http\/(client|server)$/ && header == "sockets/memory.h")) {
            print "FAIL: " $1 " includes " header
            failures++
        }
    }
    function place(path,  part, n) {
        n = split(path, part, "/")
        return part[1] == "lib" || part[1] == "http" && n > 2 ? part[1] "/" part[2] : part[1]
    }
    END {
        print checks, failures + 0
    }
' >"$work/includes"
grep '^FAIL' "$work/includes" || :
read -r checks failures <<END
$(tail -n 1 "$work/includes")
END

# Sorts the calls by tsort, which reports circles.
sort -u "$work/symbols" | awk '
    $1 == 0 { at[$3] = $2; next }
    $3 in at && at[$3] != $2 { print $2, at[$3] }
' >"$work/calls"
if ! tsort "$work/calls" >/dev/null 2>"$work/circles"; then
    echo "FAIL: these sources of http call each other:"
    grep -v "contains a loop" "$work/circles"
    failures=$((failures + 1))
fi
checks=$((checks + 1))
echo "$(((checks - failures) * 100 / checks))%: Checks: $checks, Failures: $failures, Errors: 0"
[ "$failures" -eq 0 ]
