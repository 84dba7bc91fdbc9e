#!/usr/bin/env python3
"""Time and memory of `tars slo` over a month of many services.

Writes log lines of 30 days, 6 regions, 20 services and 50 routes each (a seeded generator; the lines fall into so
many different minutes, services and routes that nearly every line is a row of the rollup), ingests them, builds the
rollup, and measures `tars slo` as a whole process, several times.

    python3 benches/slo_scale.py --tars target/release/tars --rows 5000000 --memory-limit 2GiB
"""

import argparse
import os
import random
from datetime import datetime, timedelta, timezone

from measured import run, timed

REGIONS = ["us-east-1", "us-west-2", "eu-central-1", "ap-southeast-1", "ap-northeast-1", "sa-east-1"]
SERVICES, ROUTES, DAYS, SEED = 20, 50, 30, 7
START = datetime(2025, 1, 1, tzinfo=timezone.utc)


def write_day(path, day, rows):
    """Lines of one day: 0.5 % fail, latencies are log-normal around 60 ms; each day has one bad half hour of a service."""
    draw = random.Random(SEED * 1000 + day)
    begin = START + timedelta(days=day)
    bad_service, bad_from = draw.randrange(SERVICES), draw.randrange(86400 - 1800)
    with open(path, "w") as out:
        for i in range(rows):
            second = i * 86400 / rows
            service = draw.randrange(SERVICES)
            is_bad = service == bad_service and bad_from <= second < bad_from + 1800
            status = 503 if draw.random() < (0.3 if is_bad else 0.005) else 200
            at = begin + timedelta(seconds=second)
            out.write(
                '{"timestamp":"%s","region":"%s","service":"service-%02d","route":"/r/%02d","status_code":%d,'
                '"duration_ms":%.3f,"level":"INFO","message":"request"}\n'
                % (
                    at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                    REGIONS[draw.randrange(len(REGIONS))],
                    service,
                    draw.randrange(ROUTES),
                    status,
                    draw.lognormvariate(4.1, 0.4) * (3 if is_bad else 1),
                )
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tars", default="target/release/tars")
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--memory-limit", default="2GiB")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", default="/tmp/slo_scale", help="kept, so that a second run measures only")
    args = parser.parse_args()
    lake = os.path.join(args.folder, "lake")
    limit = ["--memory-limit", args.memory_limit, "-q"]
    if not os.path.exists(lake):
        os.makedirs(args.folder, exist_ok=True)
        for day in range(DAYS):
            path = os.path.join(args.folder, f"day{day:02d}.jsonl")
            write_day(path, day, args.rows // DAYS)
            run([args.tars, "ingest", path, "--lake", lake, *limit])
            os.remove(path)
        run([args.tars, "sql", "--lake", lake, *limit, "-c", "select 1"])
    for verb in ["status", "violations", "budgets", "backtest", "trends"]:
        runs = [timed([args.tars, "slo", verb, "--lake", lake, "--format", "csv", *limit]) for _ in range(args.runs)]
        seconds, mib, cpu = zip(*runs)
        print(
            f"tars slo {verb}: {min(seconds):.1f} to {max(seconds):.1f} s, {min(cpu):.1f} to {max(cpu):.1f} s CPU, "
            f"at most {max(mib):.0f} MiB resident ({args.rows} lines, limit {args.memory_limit}, {len(runs)} runs)"
        )


if __name__ == "__main__":
    main()
