#!/bin/bash
# SPDX-License-Identifier: MIT
# The trace of a server is JSON that a strict parser reads, and what it tells is consistent: slices
# of a track lie within or behind each other, also when rounded as viewers do, begins and ends match, the requests are spans.
set -u
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need http_server
command -v python3 >/dev/null || skip "there is no python3"

export COGEN_TRACE=$work/trace.json
mkdir "$work/site"
echo hello >"$work/site/hello"
serve http_server --listen 127.0.0.1:0 --workers 2 --root "$work/site" || totals || exit
for _ in 1 2 3; do
    talk 'GET /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /%%ff"\\x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' \
        >/dev/null
done
stopped TERM
python3 - "$work/trace.json" >"$work/said" 2>&1 <<'END'
import collections, json, sys

events = json.load(open(sys.argv[1], encoding="utf-8"))
tracks, open_spans, spans = collections.defaultdict(list), {}, []
for e in events:
    track = e["pid"], e["tid"]
    if e["ph"] == "X":
        tracks[track].append((e["ts"], e["ts"] + e["dur"], e["name"]))
    elif e["ph"] == "b":
        open_spans[e["pid"], e["id2"]["local"]] = e
    elif e["ph"] == "e":
        begin = open_spans.pop((e["pid"], e["id2"]["local"]))
        assert begin["ts"] <= e["ts"], e
        spans.append(begin["name"])
assert not open_spans, open_spans
for track, slices in tracks.items():
    ends = []
    for start, end, name in sorted(slices, key=lambda s: (s[0], -s[1])):
        while ends and ends[-1] <= start:
            ends.pop()
        assert not ends or end <= ends[-1], (track, start, end, name, ends)
        ends.append(end)
names = {e["args"]["name"] for e in events if e["ph"] == "M"}
ops = {e["name"] for e in events if e["ph"] in "XB"}
print(sorted(n for n in names if n.startswith("worker")), ascii(sorted(set(spans))), len(spans),
      {"accept", "wait"} <= ops)
END
same "the trace is consistent" \
    "['worker 0', 'worker 1'] ['GET /hello', 'GET /\\ufffd\"\\\\x'] 6 True" \
    "$(cat "$work/said")"
totals
