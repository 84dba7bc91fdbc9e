#!/usr/bin/env python3
"""Time and memory of reports and certification over a day of many logs.

Simulates a day (seeded), ingests it, brings the rollups up to date, and measures `tars report` and `tars certify` as
whole processes, several times. The rollups are there before the first measurement, as after a nightly job. Beside
the figures stand what the first T.A.R.S. documents promised: a report of 10,000 logs within 30 s, and a package within
60 s and 200 MB.

    python3 benches/report_scale.py --tars target/release/tars --rows 10000000 --memory-limit 512MiB
"""

import argparse
import os
import shutil

from measured import run, timed

DAY, SEED = "2025-01-15", 7
# What is asked for, and what the first documents promised: seconds.
GOALS = {"report": (2, 30), "report with PDF": (2, 30), "certify": (10, 60)}
GOAL_MIB = 512
# Exit codes of `tars certify` that come with a package: certified, not certified, inconclusive.
CERTIFIED = (0, 20, 21)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tars", default="target/release/tars")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--memory-limit", default="512MiB")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", default="/tmp/report_scale", help="kept, so that a second run measures only")
    args = parser.parse_args()
    lake, out = os.path.join(args.folder, "lake"), os.path.join(args.folder, "out")
    common = ["--lake", lake, "--memory-limit", args.memory_limit, "-q"]
    if not os.path.exists(lake):
        telemetry = os.path.join(args.folder, "telemetry")
        run([args.tars, "simulate", "--out", telemetry, "--hours", "24", "--rows", str(args.rows), "--seed", str(SEED), "-q"])
        files = sorted(os.path.join(telemetry, name) for name in os.listdir(telemetry))
        seconds, mib, cpu = timed([args.tars, "ingest", *files, *common])
        print(f"ingest: {seconds:.1f} s, {cpu:.1f} s CPU, {mib:.0f} MiB resident")
        shutil.rmtree(telemetry)
    seconds, mib, cpu = timed([args.tars, "sql", "-c", "select 1", *common])
    print(f"rollups: {seconds:.1f} s, {cpu:.1f} s CPU, {mib:.0f} MiB resident (0 rows when they were there already)")
    window = ["--date", DAY, "--out", out]
    commands = {
        "report": ["report", *window],
        "report with PDF": ["report", *window, "--formats", "md,json,html,pdf"],
        "certify": ["certify", *window, "--allow-missing"],
    }
    for name, command in commands.items():
        runs = [timed([args.tars, *command, *common], CERTIFIED) for _ in range(args.runs)]
        seconds, mib, cpu = zip(*runs)
        goal, promised = GOALS[name]
        print(
            f"{name}: {min(seconds):.1f} to {max(seconds):.1f} s (goal {goal} s, promised once {promised} s), "
            f"{min(cpu):.1f} to {max(cpu):.1f} s CPU, at most {max(mib):.0f} MiB resident (goal {GOAL_MIB} MiB); "
            f"{args.rows} log lines, limit {args.memory_limit}, {len(runs)} runs"
        )


if __name__ == "__main__":
    main()
