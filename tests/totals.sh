#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints the results of `make check`: a line for each suite, what was skipped and why, and the
# sum. Automake's harness leaves each suite's closing line in its log.
#   tests/totals.sh [BUILD-DIRECTORY]
# Fails if a test failed, or if none ran.
set -eu
cd "${1:-.}"

found=
for log in tests/*.log tests/*/*.log tests/*/*/*.log bench/*/*.log; do
    [ -e "${log%.log}.trs" ] || continue
    found="$found $log ${log%.log}.trs"
done
if [ -z "$found" ]; then
    echo "no tests have run"
    exit 1
fi
if grep -q '^S\["HAVE_CHECK_TRUE"\]="#"' config.status 2>/dev/null; then
    echo "SKIP: all test programs: configure found no Check (in Debian: check)"
fi
# shellcheck disable=SC2086 # each word is a file
awk '
    # For each suite its log, then its .trs file, which has its result.
    FILENAME ~ /\.log$/ && /^[0-9]+%: Checks: / {
        line = $0
        split($0, field, /[:,] */)
        checks += field[3]
        bad += field[5] + field[7]
    }
    FILENAME ~ /\.log$/ && /^SKIP[: ]/ && !/ \(exit status: 77\)$/ { skipped[++skips] = $0 }
    FILENAME ~ /\.trs$/ && /^:global-test-result:/ {
        name = log_name = FILENAME
        sub(/\.trs$/, "", name)
        sub(/\.trs$/, ".log", log_name)
        sub(/^tests\//, "", name)
        if ($2 == "SKIP") {
            line = "skipped"
        } else if ($2 != "PASS" && !bad) {
            # The suite died before its closing line.
            line = line (line ? " " : "") $2 ", see " log_name
            bad++
            if (checks < 1)
                checks = 1
        } else if (checks == 0) {
            line = "100%: Checks: 1, Failures: 0, Errors: 0"
            checks = 1
        }
        printf "%-40s %s\n", name, line
        passed += checks > bad ? checks - bad : 0
        failed += bad
        line = ""
        checks = bad = 0
    }
    END {
        for (i = 1; i <= skips; i++)
            if (!said[skipped[i]]++)
                print skipped[i]
        print passed + 0 " passed, " failed + 0 " failed"
        exit failed > 0
    }
' $found
