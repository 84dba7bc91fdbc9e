#!/usr/bin/env bash
# Trains the default model: simulated days of different seeds, ingested into one lake, learned from their incidents.
#
#   datasets/regression_model/recipe.sh [TARS] [WORK_FOLDER]
#
# The same version of tars writes the same model.
set -euo pipefail
tars="${1:-tars}"
work="${2:-$(mktemp -d)}"
here="$(cd "$(dirname "$0")" && pwd)"

day() { date -u -d "2025-02-01 + $((2 * $1)) days" +%Y-%m-%dT00:00:00Z; }

for seed in $(seq 1 12); do
    "$tars" simulate --quiet --seed "$seed" --rows 60000 --start "$(day "$seed")" --out "$work/day-$seed"
    "$tars" ingest --quiet --lake "$work/lake" "$work/day-$seed"/*.ndjson
done
cat "$work"/day-*/incidents.ndjson > "$work/labels.ndjson"
"$tars" train --quiet --lake "$work/lake" --incidents "$work/labels.ndjson" \
    --out "$here/model.txt" --report "$here/report.json" > "$here/report.md"
