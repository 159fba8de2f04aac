#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks internal names. A function that files share is named after the file that defines it:
# cg__queue_put is in queue.c. A family of files may use the family's name (cg__sim_... in
# sim_net.c) or the folder's (cg__coding_... in http/coding/). In http/ and tls/ the library's
# prefix comes first, and a name may have all folders (cg__http_client_h2_... in http/client/h2/).
# The type of a backend is called like cg__reactor_epoll. Needs NM, srcdir; runs in the build
# directory.
set -eu
export LC_ALL=C

: "${NM:=nm}" "${srcdir:=.}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Lines "FILE NAME" of all defined names: those of objects, and inline functions of headers.
for object in $(find lib sockets system reactors http tls -name '*.o' |
    grep -E '/lib[a-z]+_la-' | grep -v llhttp); do
    file=$(echo "$object" | sed 's,/\.libs/,/,; s,/lib[a-z]*_la-,/,; s,\.o$,,')
    $NM -P "$object" 2>/dev/null |
        awk -v file="$file" '$1 ~ /^cg__/ && $2 ~ /^[A-TV-Z]$/ { print file, $1 }'
done | sort -u >"$work/names"
(cd "$srcdir" && find lib sockets system reactors http tls -name '*.h' | while read -r header; do
    sed -nE 's/^(static inline|__attribute__.* static inline)[^(]*[ *](cg__[a-z0-9_]+)\(.*/\2/p' \
        "$header" | sed "s,^,${header%.h} ,"
done) >>"$work/names"
if [ ! -s "$work/names" ]; then
    echo "SKIP: names follow their places: there are no objects here"
    exit 77
fi

awk '
    {
        n = split($1, part, "/")
        file = part[n]
        folder = part[n - 1]
        prefix = part[1] == "http" || part[1] == "tls" ? part[1] "_" : ""
        path = part[1]
        for (i = 2; i < n; i++)
            path = path "_" part[i]
        family = file
        sub(/_.*/, "", family)
        name = $2
        sub(/^cg__/, "", name)
        checks++
        if (!begins(prefix file) && !begins(prefix family) && !begins(prefix folder) &&
            !(prefix != "" && begins(path)) &&
            !(prefix != "" && file == part[1] && index(name, prefix) == 1) &&
            name != "reactor_" file) {
            print "FAIL: " $2 " stands in " $1
            failures++
        }
    }
    function begins(with) {
        return name == with || index(name, with "_") == 1
    }
    END {
        printf "%d%%: Checks: %d, Failures: %d, Errors: 0\n",
            (checks - failures) * 100 / checks, checks, failures
        exit failures > 0
    }
' "$work/names"
