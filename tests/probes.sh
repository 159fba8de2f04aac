#!/bin/bash
# SPDX-License-Identifier: MIT
# The libraries have the USDT probes that cg_trace(3) lists, with as many arguments at each place,
# and no others; the scripts for bpftrace use what there is; gdb stops at the probes and reads the
# arguments. Needs CC, CFLAGS, LDFLAGS; runs in the build directory.
set -u

: "${CC:=cc}" "${CFLAGS:=-g -O2}" "${LDFLAGS:=}"
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

: "${READELF:=readelf}"
grep -q '^#define HAVE_PROBES' config.h || skip "built without probes: no sys/sdt.h"
command -v "$READELF" >/dev/null || skip "there is no readelf"
[ -e .libs/libcogen.so ] || skip "there is no shared library (--disable-shared?)"

# "LIBRARY PROBE ARGUMENTS" a line, as the page lists them and as the libraries have them.
awk '
    $1 == ".Sh" { on = $2 == "PROBES" }
    on && $1 == ".Pa" && $2 ~ /^lib/ { library = $2 }
    on && $1 == ".It" { print library, $3, gsub(/,/, ",") + 1 }' "$source/doc/man/cg_trace.3" |
    while read -r library rest; do
        [ ! -e ".libs/$library" ] || echo "$library $rest"
    done | LC_ALL=C sort >"$work/listed"
for library in libcogen.so libcogen-http.so libcogen-tls.so; do
    [ -e ".libs/$library" ] || continue
    LC_ALL=C "$READELF" -n ".libs/$library" 2>/dev/null | awk -v library="$library" '
        $1 == "Provider:" { provider = $2 }
        $1 == "Name:" { name = $2 }
        $1 == "Arguments:" && provider == "cogen" { print library, name, NF - 1 }'
done | LC_ALL=C sort -u >"$work/there"
same "the page lists the probes of the libraries" "$(cat "$work/listed")" "$(cat "$work/there")"
like "there are probes" "*libcogen.so resume 3*" "$(cat "$work/there")"

# "PROBE ARGUMENTS" of the scripts: which they use, and up to which argument.
cat "$source"/tools/cogen-*.bt | awk '
    /^usdt:/ { sub(/,$/, ""); name = $0; sub(/.*:/, "", name); used[name] += 0 }
    { for (text = $0; match(text, /arg[0-9]/); text = substr(text, RSTART + 4)) {
        n = substr(text, RSTART + 3, 1) + 1
        if (n > used[name]) used[name] = n } }
    END { for (name in used) print name, used[name] }' >"$work/used"
same "the scripts use probes and arguments that there are" "" \
    "$(awk 'NR == FNR { has[$2] = $3; next } !($1 in has) || has[$1] < $2' \
        "$work/there" "$work/used")"

if ! command -v gdb >/dev/null; then
    echo "SKIP: arguments of probes: there is no gdb"
    totals
    exit
fi
cat >"$work/walk.c" <<'END'
#include <cogen.h>

static ssize_t walk(void *arg)
{
    (void)arg;
    return cg_yield(cg_sleep(1)) == 0 ? 42 : -1;
}

int main(void)
{
    return cg_main(NULL, walk, NULL) == 42 ? 0 : 1;
}
END
# shellcheck disable=SC2086 # words
$CC -std=gnu11 $CFLAGS -I"$source/include" -c "$work/walk.c" -o "$work/walk.o" &&
    ./libtool --silent --tag=CC --mode=link $CC $CFLAGS $LDFLAGS -pthread -no-install \
        -o "$work/walk" "$work/walk.o" libcogen.la || fail "a program is built"
# says PROBE FORMAT VALUE: commands of gdb that print what the probe has, whenever it is passed.
says() {
    printf 'break -probe-stap cogen:%s\ncommands\nsilent\nprintf "<%s>\\n", %s\ncontinue\nend\n' "$@"
}
# shellcheck disable=SC2016 # gdb's
{
    printf 'break main\nrun\n'
    says resume 'resume %s %d' '(char *)$_probe_arg1, $_probe_arg2'
    says suspend 'suspend %d' '$_probe_arg0 != 0'
    says finish 'finish %d' '$_probe_arg1'
    says op_begin 'begin %s' '(char *)$_probe_arg2'
    says op_end 'end %s %d' '(char *)$_probe_arg2, $_probe_arg3'
    echo continue
} >"$work/commands"
timeout 60 gdb -nx -batch -iex 'set debuginfod enabled off' -x "$work/commands" "$work/walk" \
    >"$work/gdb" 2>&1 </dev/null
if grep -q 'ptrace: ' "$work/gdb"; then
    echo "SKIP: arguments of probes: $(grep 'ptrace: ' "$work/gdb")"
else
    same "gdb reads the arguments" '<resume main 1>
<begin sleep>
<suspend 1>
<resume main 1>
<end sleep 0>
<finish 42>' "$(grep '^<' "$work/gdb")"
fi
totals
