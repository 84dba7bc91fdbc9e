#!/usr/bin/env python3
"""Drift against simulated days whose faults are known.

    python3 benches/drift_seeds.py --tars target/release/tars --seeds 1-20 [--rows 1000000] [--alone] [--dir DIR [--keep]]

For each seed two worlds of 48 hours are simulated, one with faults and one without. The second day is compared with the
first (which has faults of its own) by `tars drift`, with the settings as they come. With --alone the worlds last 24 hours:
what stands in for the day before is the first quarter of the day, and the faults that begin later are counted. A fault is
found when an episode of drift_analysis.json of the fault's category, in its region, at one of its services or at the region
as a whole (which is counted apart), overlaps it. Late by an hour at most: where little is served, up to an hour is judged
together. Every episode of a quiet world is false. In a world with faults an episode is unexplained when no fault and no
recorded change of replicas or limits, in its region or in a region that calls it, lies beside it.

Some faults touch too few requests for any test. What one could do is computed from ground truth alone, before anything is
looked for: from the label (what share of requests it touches, of which route) and from how many requests the simulated log
lines have there in its time. A perfect test is told place and time, how often requests fail or are slow otherwise, and how
often during the fault, and may be wrong once in 100 quiet times; where it would find the fault with a probability below one
half, the fault is counted apart as well ("too few requests"), whether tars found it or not. Slow is what 5 % of requests are.

What a fault's category is follows from what it touches first: latency and errors are performance, memory and processors
resources, cache hits, traffic and rewards behavior; recorded changes of replicas and limits are configuration. Harmless
deployments and configuration changes touch nothing and are not counted.
"""
import argparse
import collections
import datetime
import json
import math
import pathlib
import re
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
FIRST_DAY, SECOND_DAY = "2025-01-15", "2025-01-16"
BEFORE, AFTER = 300, 3600


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def world(options, seed, quiet, folder):
    """Simulates, ingests and checks; the analysis, incidents, changes, the CPU seconds of the check, and what a perfect test finds."""

    def run(*args):
        done = subprocess.run([options.tars, *args, "-q"], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"seed {seed}, quiet {quiet}: tars {args[0]}: {done.stderr}")
        return done.stdout

    out, lake = folder / "telemetry", folder / "lake"
    if not lake.exists():
        days = 1 if options.alone else 2
        run("simulate", "--out", str(out), "--hours", str(24 * days), "--rows", str(days * options.rows), "--seed", str(seed),
            *(["--quiet-world"] if quiet else []))
        run("ingest", "--lake", str(lake), *map(str, sorted(out.glob("*.ndjson"))))
        (folder / "power.json").write_text(json.dumps(powers(out)))
        for path in out.glob("*.ndjson"):
            if path.name not in ("incidents.ndjson", "changes.ndjson"):
                path.unlink()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    day = FIRST_DAY if options.alone else SECOND_DAY
    analysis = json.loads(run("drift", "--lake", str(lake), "--date", day, "--format", "json"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    found = json.loads((folder / "power.json").read_text())
    return analysis, lines(out / "incidents.ndjson"), lines(out / "changes.ndjson"), cpu, found


def served(path):
    """Requests among log lines: by region and service the second, method with route, and whether it failed, in the order of time."""
    grouped = collections.defaultdict(list)
    with path.open() as file:
        for line in file:
            row = json.loads(line)
            if "status_code" in row:
                place = row["region"], row["service"]
                grouped[place].append((seconds(row["timestamp"]), f"{row.get('method')} {row.get('route')}", row["status_code"] >= 500))
    return grouped


def tail(n, share, least):
    """The probability of `least` or more of n, each with the probability `share`."""
    below = sum(math.comb(n, k) * share ** k * (1.0 - share) ** (n - k) for k in range(least))
    return max(1.0 - below, 0.0)


def power(requests, known, cause, region, service, detail, start, end):
    """How probably a perfect test finds a fault; None where the label does not say what it does to requests."""
    rows = requests[region, service]
    broken = re.search(r"breaks ([0-9.]+) % of requests", detail)
    route = re.search(r" on (\S+ /\S+)$", detail)
    if not broken and not route:
        return None
    n = sum(start <= at < end and (not route or path == route[1]) for at, path, _ in rows)
    touched, otherwise = 1.0, 0.05
    if broken:
        spans = [(since, until) for _, where, services, since, until, _ in known if where == region and service in services]
        quiet = [failed for at, _, failed in rows if not any(since <= at < until for since, until in spans)]
        touched, otherwise = float(broken[1]) / 100.0, max(sum(quiet), 1) / max(len(quiet), 1)
    least = next((k for k in range(n + 1) if tail(n, otherwise, k) <= 0.01), n + 1)
    return tail(n, touched, least) if least <= n else 0.0


def faults(incidents):
    """One per fault: cause, region, services, first and last second, and what its label says."""
    grouped = collections.defaultdict(list)
    for incident in incidents:
        grouped[incident["incident_id"]].append(incident)
    for rows in grouped.values():
        first = rows[0]
        services = {row.get("service") for row in rows}
        yield first["cause"], first["region"], services, seconds(first["from"]), seconds(first["to"]), first["detail"]


def powers(out):
    """What a perfect test could do, fault by fault, in the order of `faults`."""
    known, requests = list(faults(lines(out / "incidents.ndjson"))), served(out / "logs.ndjson")
    return [power(requests, known, cause, region, min(map(str, services)), detail, start, end)
            for cause, region, services, start, end, detail in known]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tars", default="target/release/tars")
    parser.add_argument("--seeds", default="1-20", help="first-last")
    parser.add_argument("--rows", type=int, default=1_000_000, help="log lines of a day")
    parser.add_argument("--alone", action="store_true", help="no day before: the first quarter of the day stands in")
    parser.add_argument("--dir", help="where to work; emptied world by world")
    parser.add_argument("--keep", action="store_true", help="leave the lakes in --dir, or use those that are there")
    parser.add_argument("--missed", action="store_true", help="name every fault that was missed")
    options = parser.parse_args()
    first, last = map(int, options.seeds.split("-"))
    total, own, wide = collections.Counter(), collections.Counter(), collections.Counter()
    false, quiet_episodes, episodes, unexplained, cpus = 0, collections.Counter(), 0, collections.Counter(), []
    hard, hard_missed = collections.Counter(), collections.Counter()
    changes, changes_found = 0, 0
    since_when = f"{FIRST_DAY}T06:00:00Z" if options.alone else f"{SECOND_DAY}T00:00:00Z"
    if options.dir:
        pathlib.Path(options.dir).mkdir(parents=True, exist_ok=True)
    for seed in range(first, last + 1):
        for quiet in (True, False):
            if options.keep:
                folder = pathlib.Path(options.dir or ".") / f"{seed}{'-quiet' if quiet else ''}"
                folder.mkdir(parents=True, exist_ok=True)
            else:
                folder = pathlib.Path(tempfile.mkdtemp(dir=options.dir, prefix="drift-seeds-"))
            analysis, incidents, changed, cpu, could = world(options, seed, quiet, folder)
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
            for (cause, region, services, start, end, _), chance in zip(known, could):
                if cause not in CATEGORY or start < seconds(since_when):
                    continue
                total[cause] += 1
                beside = [e for e, since, until in found if e["region"] == region and e["category"] == CATEGORY[cause]
                          and since < end + AFTER and until > start - BEFORE and since > start - BEFORE - AFTER]
                is_hard = chance is not None and chance < 0.5
                hard[cause] += is_hard
                if any(e["service"] in services for e in beside):
                    own[cause] += 1
                elif beside:
                    wide[cause] += 1
                else:
                    hard_missed[cause] += is_hard
                    if options.missed:
                        of = "" if chance is None else f"; a perfect test finds it with probability {chance:.2f}"
                        print(f"seed {seed}: missed {cause} in {region} {sorted(map(str, services))} at {start:.0f}{of}")
            scalings = [c for c in changed if c["kind"] in ("replicas", "resource_limit") and seconds(c["timestamp"]) >= seconds(since_when)]
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
                           for _, region, _, start, end, _ in known)
                if not near:
                    unexplained[e["name"]] += 1
    print("| fault | category | injected | found at its service | only at its region | missed | too few requests | of these missed |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for cause in sorted(total):
        missed = total[cause] - own[cause] - wide[cause]
        print(f"| {cause} | {CATEGORY[cause]} | {total[cause]} | {own[cause]} | {wide[cause]} | {missed} | {hard[cause]} "
              f"| {hard_missed[cause]} |")
    print(f"| recorded change | configuration | {changes} | {changes_found} | 0 | {changes - changes_found} | 0 | 0 |")
    injected, hits = sum(total.values()) + changes, sum(own.values()) + sum(wide.values()) + changes_found
    print(f"found {hits} of {injected} ({100 * hits / max(injected, 1):.1f} %); without recorded changes "
          f"{hits - changes_found} of {injected - changes} ({100 * (hits - changes_found) / max(injected - changes, 1):.1f} %)")
    easy, easy_missed = injected - sum(hard.values()), injected - hits - sum(hard_missed.values())
    print(f"of those with enough requests for a perfect test {easy - easy_missed} of {easy} "
          f"({100 * (easy - easy_missed) / max(easy, 1):.1f} %)")
    print(f"quiet worlds: {false} drifted checks {dict(quiet_episodes)}")
    print(f"worlds with faults: {episodes} episodes, unexplained {sum(unexplained.values())} {dict(unexplained.most_common(8))}")
    print(f"tars drift: {sum(cpus) / len(cpus):.1f} CPU seconds in the mean, {max(cpus):.1f} at most")


if __name__ == "__main__":
    main()
