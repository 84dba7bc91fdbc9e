#!/usr/bin/env python3
"""Drift over a month: 6 regions x 20 services x 15 metrics, checked every 5 minutes.

    python3 benches/drift_scale.py --tars target/release/tars [--days 30] [--samples 1] [--dir DIR]

Writes the metric points of so many days (seed 7, one sample a series and interval or more, with noise, the rhythm of the day, gaps
and faults) as Parquet-sized NDJSON, a day at a time, ingests them, and runs `tars drift` over all of it: the first quarter stands
in for the baseline, as the lake holds nothing before. Prints checks, drifts, wall and CPU seconds and peak resident memory of
`tars drift` without and with `--out`. `--keep` keeps the lake for another run.
"""
import argparse
import datetime
import json
import math
import os
import pathlib
import random
import resource
import shutil
import subprocess
import tempfile
import time

REGIONS = ["us-east-1", "us-west-2", "eu-central-1", "ap-southeast-1", "ap-northeast-1", "sa-east-1"]
# Name, unit, level, share of noise, whether it follows the load of the day.
METRICS = [
    ("cpu_utilization", "percent", 45.0, 0.05, True),
    ("memory_utilization", "percent", 55.0, 0.02, False),
    ("disk_io", "ops/s", 900.0, 0.10, True),
    ("network_io", "By/s", 4.0e6, 0.10, True),
    ("database_latency_ms", "ms", 12.0, 0.08, False),
    ("replicas", "1", 4.0, 0.0, False),
    ("cpu_limit", "cores", 4.0, 0.0, False),
    ("memory_limit", "By", 4.0e9, 0.0, False),
    ("request_rate", "1/s", 120.0, 0.06, True),
    ("cache_hit_rate", "1", 0.91, 0.01, False),
    ("queue_depth", "1", 30.0, 0.20, False),
    ("queue_wait_ms", "ms", 18.0, 0.12, False),
    ("external_api_latency_ms", "ms", 60.0, 0.10, False),
    ("dashboard_load_ms", "ms", 650.0, 0.08, False),
    ("disk_throughput", "By/s", 2.0e7, 0.10, False),
]
# Checks beyond those of the default settings.
SETTINGS = "".join(f'[[drift]]\nname = "{name}"\ncategory = "{category}"\nfloor = 1.0\n\n' for name, category in (
    ("queue_depth", "behavior"), ("queue_wait_ms", "performance"), ("external_api_latency_ms", "performance"),
    ("dashboard_load_ms", "performance"), ("disk_throughput", "resource")))
START = datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc)
CHUNK = 300


def day_of_points(day, services, samples, file):
    """Every point of a day; a fault moves one service by half for two hours of every tenth day."""
    chance = random.Random(7 * 1000 + day)
    noise = chance.gauss
    for slot in range(24 * 3600 // CHUNK):
        for sample in range(samples):
            second = day * 86400 + slot * CHUNK + sample * CHUNK // samples
            at = (START + datetime.timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")
            load = 1.0 + 0.35 * math.sin(2 * math.pi * (slot * CHUNK / 86400 - 0.3))
            for r, region in enumerate(REGIONS):
                for s in range(services):
                    is_broken = (day + 3 * s + 5 * r) % 10 == 9 and 120 <= slot < 144
                    for name, unit, level, share, follows in METRICS:
                        value = level * (load if follows else 1.0) * (1.0 + share * noise(0.0, 1.0))
                        if is_broken and share > 0:
                            value *= 1.5
                        file.write(f'{{"timestamp":"{at}","region":"{region}","service":"service-{s:02d}","metric":"{name}",'
                                   f'"value":{value:.6g},"unit":"{unit}"}}\n')


def measured(command):
    """Wall seconds, CPU seconds, peak MiB and the output of a command."""
    start = time.time()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = child.communicate()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)}: {err.decode()}")
    return time.time() - start, usage, out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tars", default="target/release/tars")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--services", type=int, default=20)
    parser.add_argument("--samples", type=int, default=1, help="samples of a series in an interval")
    parser.add_argument("--memory-limit", default="700MiB")
    parser.add_argument("--dir", help="where to work")
    parser.add_argument("--keep", action="store_true", help="leave the lake, or use the one that is there")
    options = parser.parse_args()
    folder = pathlib.Path(options.dir or tempfile.mkdtemp(prefix="drift-scale-"))
    lake = folder / "lake"
    if not lake.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for day in range(options.days):
            points = folder / f"metrics-{day:02d}.ndjson"
            with open(points, "w", buffering=1 << 20) as file:
                day_of_points(day, options.services, options.samples, file)
            subprocess.run([options.tars, "ingest", "--lake", str(lake), "--table", "metrics", "-q", str(points)], check=True,
                           stdout=subprocess.DEVNULL)
            points.unlink()
    settings = folder / "tars.toml"
    settings.write_text(SETTINGS)
    until = START + datetime.timedelta(days=options.days)
    window = ["--from", START.strftime("%Y-%m-%dT%H:%M:%SZ"), "--to", until.strftime("%Y-%m-%dT%H:%M:%SZ")]
    base = [options.tars, "drift", "--lake", str(lake), "--config", str(settings), *window, "--format", "json", "--memory-limit", options.memory_limit, "-q"]
    for more in ([], ["--out", str(folder / "checks")]):
        pid = os.fork()
        if pid == 0:
            wall, usage, out = measured([*base, *more])
            analysis = json.loads(out)
            total = analysis["total_checks"] + analysis["unmeasured_checks"]
            print(f"{' '.join(more[:1]) or 'analysis only'}: {total} checks, {analysis['total_drifts']} drifts in "
                  f"{analysis['total_episodes']} episodes; wall {wall:.1f} s, CPU {usage.ru_utime + usage.ru_stime:.1f} s, "
                  f"peak {usage.ru_maxrss / 1024:.0f} MiB", flush=True)
            os._exit(0)
        os.waitpid(pid, 0)
    if not options.keep:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
