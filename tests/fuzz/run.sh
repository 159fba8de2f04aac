#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs fuzz targets, one after the other, each for some seconds and on from what it found before
# (fuzz/TARGET in the build folder). An input that fails is kept as fuzz/TARGET-crash-..., and
# what was said of it is printed. Runs in the build folder; needs srcdir.
#   tests/fuzz/run.sh SECONDS PROGRAM...
set -eu

: "${srcdir:=.}"
seconds=$1
shift
result=0
mkdir -p fuzz
for program; do
    name=${program##*/fuzz_}
    mkdir -p "fuzz/$name"
    if "./$program" -max_total_time="$seconds" -timeout=20 -max_len=4096 -print_final_stats=1 \
        -artifact_prefix="fuzz/$name-" "fuzz/$name" "$srcdir/tests/fuzz/corpus/$name" \
        >"fuzz/$name.log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "fuzz/$name.log")
        printf '%-14s %s inputs\n' "$name" "$runs"
    else
        printf '%-14s FAILED\n' "$name"
        grep -v '^#[0-9]' "fuzz/$name.log" | tail -n 60
        result=1
    fi
done
exit "$result"
