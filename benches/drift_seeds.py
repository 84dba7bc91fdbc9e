#!/usr/bin/env python3
"""Drift against simulated days whose faults are known.

    python3 benches/drift_seeds.py --tars target/release/tars --seeds 1-20 [--rows 200000] [--dir DIR [--keep]]

For each seed two worlds of 48 hours are simulated, one with faults and one without. The second day is compared with the
first (which has faults of its own) by `tars drift`, with the settings as they come. A fault is found when an episode of
drift_analysis.json of the fault's category, in its region, at one of its services or at the region as a whole (which is
counted apart), overlaps it. Late by an hour at most: where little is served, up to an hour is judged together. Every
episode of a quiet world is false. In a world with faults an episode is unexplained when no fault and no recorded change
of replicas or limits, in its region or in a region that calls it, lies beside it.

What a fault's category is follows from what it touches first: latency and errors are performance, memory and processors
resources, cache hits, traffic and rewards behavior; recorded changes of replicas and limits are configuration. Harmless
deployments and configuration changes touch nothing and are not counted.
"""
import argparse
import collections
import datetime
import json
import pathlib
import resource
import shutil
import subprocess
import tempfile

CATEGORY = {
    "slow_route": "performance",
    "n_plus_one_query": "performance",
    "bad_config": "performance",
    "database_saturation": "performance",
    "network_delay": "performance",
    "slow_external_api": "performance",
    "memory_leak": "resource",
    "node_pressure": "resource",
    "cache_outage": "behavior",
    "traffic_surge": "behavior",
    "reward_drop": "behavior",
}
DAY = "2025-01-16"
BEFORE, AFTER = 300, 3600


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def world(options, seed, quiet, folder):
    """Simulates, ingests and checks; the analysis, incidents, changes, and the CPU seconds of the check."""

    def run(*args):
        done = subprocess.run([options.tars, *args, "-q"], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"seed {seed}, quiet {quiet}: tars {args[0]}: {done.stderr}")
        return done.stdout

    out, lake = folder / "telemetry", folder / "lake"
    if not lake.exists():
        run("simulate", "--out", str(out), "--hours", "48", "--rows", str(options.rows), "--seed", str(seed),
            *(["--quiet-world"] if quiet else []))
        run("ingest", "--lake", str(lake), *map(str, sorted(out.glob("*.ndjson"))))
        for path in out.glob("*.ndjson"):
            if path.name not in ("incidents.ndjson", "changes.ndjson"):
                path.unlink()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    analysis = json.loads(run("drift", "--lake", str(lake), "--date", DAY, "--format", "json"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return analysis, lines(out / "incidents.ndjson"), lines(out / "changes.ndjson"), cpu


def faults(incidents):
    """One per fault: cause, region, services, first and last second."""
    grouped = collections.defaultdict(list)
    for incident in incidents:
        grouped[incident["incident_id"]].append(incident)
    for rows in grouped.values():
        first = rows[0]
        services = {row.get("service") for row in rows}
        yield first["cause"], first["region"], services, seconds(first["from"]), seconds(first["to"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tars", default="target/release/tars")
    parser.add_argument("--seeds", default="1-20", help="first-last")
    parser.add_argument("--rows", type=int, default=200_000, help="log lines of 48 hours")
    parser.add_argument("--dir", help="where to work; emptied world by world")
    parser.add_argument("--keep", action="store_true", help="leave the lakes in --dir, or use those that are there")
    parser.add_argument("--missed", action="store_true", help="name every fault that was missed")
    options = parser.parse_args()
    first, last = map(int, options.seeds.split("-"))
    total, own, wide = collections.Counter(), collections.Counter(), collections.Counter()
    false, quiet_episodes, episodes, unexplained, cpus = 0, collections.Counter(), 0, collections.Counter(), []
    changes, changes_found = 0, 0
    for seed in range(first, last + 1):
        for quiet in (True, False):
            if options.keep:
                folder = pathlib.Path(options.dir or ".") / f"{seed}{'-quiet' if quiet else ''}"
                folder.mkdir(parents=True, exist_ok=True)
            else:
                folder = pathlib.Path(tempfile.mkdtemp(dir=options.dir, prefix="drift-seeds-"))
            analysis, incidents, changed, cpu = world(options, seed, quiet, folder)
            if not options.keep:
                shutil.rmtree(folder)
            cpus.append(cpu)
            found = [(e, seconds(e["started"]), seconds(e["ended"])) for e in analysis["episodes"]]
            if quiet:
                false += analysis["total_drifts"]
                quiet_episodes.update(e["name"] for e, _, _ in found)
                continue
            episodes += len(found)
            known = list(faults(incidents))
            for cause, region, services, start, end in known:
                if cause not in CATEGORY or start < seconds(DAY + "T00:00:00Z"):
                    continue
                total[cause] += 1
                beside = [e for e, since, until in found if e["region"] == region and e["category"] == CATEGORY[cause]
                          and since < end + AFTER and until > start - BEFORE and since > start - BEFORE - AFTER]
                if any(e["service"] in services for e in beside):
                    own[cause] += 1
                elif beside:
                    wide[cause] += 1
                elif options.missed:
                    print(f"seed {seed}: missed {cause} in {region} {sorted(map(str, services))} at {start:.0f}")
            scalings = [c for c in changed if c["kind"] in ("replicas", "resource_limit") and c["timestamp"][:10] == DAY]
            changes += len(scalings)
            for change in scalings:
                at = seconds(change["timestamp"])
                changes_found += any(e["category"] == "configuration" and e["region"] == change["region"]
                                     and e["service"] == change["service"] and since <= at < until for e, since, until in found)
            # Yesterday's faults and changes are in the baseline, and a changed limit moves what is a share of it.
            scaled = {(c["region"], c["service"]) for c in changed if c["kind"] in ("replicas", "resource_limit")}
            for e, since, until in found:
                if e["category"] == "configuration" or (e["region"], e["service"]) in scaled:
                    continue
                near = any((e["region"] in (region, "all")) and since < end + AFTER and until > start - BEFORE
                           for _, region, _, start, end in known)
                if not near:
                    unexplained[e["name"]] += 1
    print("| fault | category | injected | found at its service | only at its region | missed |")
    print("|---|---|---:|---:|---:|---:|")
    for cause in sorted(total):
        missed = total[cause] - own[cause] - wide[cause]
        print(f"| {cause} | {CATEGORY[cause]} | {total[cause]} | {own[cause]} | {wide[cause]} | {missed} |")
    print(f"| recorded change | configuration | {changes} | {changes_found} | 0 | {changes - changes_found} |")
    injected, hits = sum(total.values()) + changes, sum(own.values()) + sum(wide.values()) + changes_found
    print(f"found {hits} of {injected} ({100 * hits / max(injected, 1):.1f} %); without recorded changes "
          f"{hits - changes_found} of {injected - changes} ({100 * (hits - changes_found) / max(injected - changes, 1):.1f} %)")
    print(f"quiet worlds: {false} drifted checks {dict(quiet_episodes)}")
    print(f"worlds with faults: {episodes} episodes, unexplained {sum(unexplained.values())} {dict(unexplained.most_common(8))}")
    print(f"tars drift: {sum(cpus) / len(cpus):.1f} CPU seconds in the mean, {max(cpus):.1f} at most")


if __name__ == "__main__":
    main()
