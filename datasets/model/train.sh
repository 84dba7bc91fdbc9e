#!/bin/sh
# Makes default.model again, byte for byte, from nothing but the program: TARS=target/release/tars datasets/model/train.sh
# Simulated days of three sizes are the data: quiet services have few requests a window, busy ones many. Days lie apart,
# so that each is compared with its own beginning. The days of `tested` have seeds, and so faults, that training never saw;
# each size is judged by itself as well.
set -eu
tars=${TARS:-tars}
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# seed, log lines, first day
learned="101:1000000:2025-02-01 102:1000000:2025-02-03 103:1000000:2025-02-05 104:1000000:2025-02-07
105:1000000:2025-02-09 106:1000000:2025-02-11 107:1000000:2025-02-13 108:1000000:2025-02-15
111:300000:2025-02-17 112:300000:2025-02-19 113:300000:2025-02-21 114:300000:2025-02-23
115:300000:2025-02-25 116:300000:2025-02-27 117:300000:2025-03-01 118:300000:2025-03-03
121:100000:2025-03-05 122:100000:2025-03-07 123:100000:2025-03-09 124:100000:2025-03-11
125:100000:2025-03-13 126:100000:2025-03-15 127:100000:2025-03-17 128:100000:2025-03-19
131:100000:2025-03-21 132:100000:2025-03-23 133:100000:2025-03-25 134:100000:2025-03-27
135:100000:2025-03-29 136:100000:2025-03-31 137:100000:2025-04-02 138:100000:2025-04-04"
tested="401:1000000:2025-02-01 402:1000000:2025-02-03 411:300000:2025-02-05 412:300000:2025-02-07
421:100000:2025-02-09 422:100000:2025-02-11"

lake() {
    for day in $2; do
        seed=${day%%:*}; rest=${day#*:}
        "$tars" simulate -q --seed "$seed" --rows "${rest%%:*}" --start "${rest#*:}T00:00:00Z" --out "$work/day"
        "$tars" ingest -q --lake "$work/$1" "$work"/day/*.ndjson > "$work/ingest.txt"
        cat "$work/day/incidents.ndjson" >> "$work/$1.ndjson"
        cat "$work/day/incidents.ndjson" >> "$work/$1-${rest%%:*}.ndjson"
        rm -rf "$work/day"
    done
}

judge() {
    printf '## %s\n\n' "$2"
    "$tars" model compare -q rules "$out/default.model" --lake "$work/tested" --incidents "$work/$1.ndjson" |
        sed "s#$out/##"
}

lake learned "$learned"
"$tars" train -q --lake "$work/learned" --incidents "$work/learned.ndjson" --folds 3 --out "$out/default.model" \
    > "$out/training.md"
lake tested "$tested"
{
    printf '# Days of seeds that training never saw\n\n'
    judge tested "All six"
    for rows in 1000000 300000 100000; do
        printf '\n'; judge "tested-$rows" "Two days of $rows log lines"
    done
} > "$out/unseen.md"
