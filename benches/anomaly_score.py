#!/usr/bin/env python3
"""Measures the SQL function anomaly_score on labelled series.

    benches/anomaly_score.py --tars target/release/tars [--nab FOLDER] [--petshop FOLDER]

--nab      a folder with data/<family>/<series>.csv and windows.json (or labels/combined_windows.json), as in the
           Numenta Anomaly Benchmark. Printed: the standard-profile score at the fixed threshold 0.5 and at the one
           threshold that is best over all files (as the benchmark optimises it), hits, false alarms per day.
--petshop  a folder with {high,low}_traffic/{noissue/metrics.csv, train/issue_*/{metrics.csv, target.json}}. Printed:
           the incidents reported on their target within 10 minutes, and false alarms per day on the normal run.

The data is ingested as metrics into a throw-away lake and scored by one query, as a user would. Standard library only.
"""
import argparse
import bisect
import csv
import datetime
import json
import math
import pathlib
import subprocess
import tempfile

THRESHOLD = 0.5
# Lavin and Ahmad, "Evaluating real-time anomaly detection algorithms: the Numenta Anomaly Benchmark", ICMLA 2015:
# the first 15 % of a file (750 rows at most) are for learning; the standard profile weighs a true positive with 1, a
# false one with 0.11, a missed window with 1.
PROBATION, PROBATION_ROWS, FALSE_POSITIVE = 0.15, 5000, 0.11
UTC = datetime.timezone.utc


def seconds(text):
    return datetime.datetime.fromisoformat(text.split(".")[0]).replace(tzinfo=UTC).timestamp()


def sigmoid(position):
    return -1.0 if position > 3 else 2 / (1 + math.exp(5 * position)) - 1


def score(tars, series):
    """Scores of several series {name: [(seconds, value)]} by one query; gaps score 0."""
    with tempfile.TemporaryDirectory() as folder:
        lines = pathlib.Path(folder, "metrics.ndjson")
        with lines.open("w") as out:
            for name, rows in series.items():
                for at, value in rows:
                    if value is not None:
                        time = datetime.datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
                        row = {"timestamp": time, "region": "bench", "service": "bench", "metric": name, "value": value}
                        print(json.dumps(row), file=out)
        lake = str(pathlib.Path(folder, "lake"))
        run = lambda *args: subprocess.run([tars, *args, "--lake", lake, "-q"], check=True, capture_output=True, text=True).stdout
        run("ingest", "--table", "metrics", str(lines))
        sql = ("select metric, cast(timestamp as bigint) / 1000000 as at, anomaly_score(value) "
               "over (partition by metric order by timestamp) as score from metrics")
        found = {name: {} for name in series}
        for row in csv.DictReader(run("sql", "--format", "csv", "-c", sql).splitlines()):
            found[row["metric"]][int(row["at"])] = float(row["score"] or 0)
    return {name: [found[name].get(int(at), 0.0) for at, _ in rows] for name, rows in series.items()}


def weigh(rows, scores, windows):
    """For each row after probation: score, window (or None), worth of a detection there."""
    times = [at for at, _ in rows]
    spans = [(bisect.bisect_left(times, a), bisect.bisect_right(times, b) - 1) for a, b in windows]
    first = int(min(math.floor(PROBATION * len(rows)), PROBATION * PROBATION_ROWS))
    weighed = []
    for i in range(first, len(rows)):
        inside = next((k for k, (a, b) in enumerate(spans) if a <= i <= b), None)
        if inside is not None:
            a, b = spans[inside]
            worth = sigmoid(-(b - i + 1) / (b - a + 1)) / sigmoid(-1.0)
        else:
            before = [s for s in spans if s[1] < i]
            worth = FALSE_POSITIVE * (sigmoid((i - before[-1][1]) / max(before[-1][1] - before[-1][0], 1)) if before else -1)
        weighed.append((scores[i], inside, worth))
    return weighed, len(spans), (times[-1] - times[first]) / 86400


def benchmark(files, threshold):
    total = hits = alarms = windows = 0
    days = 0.0
    for weighed, count, length in files:
        best = [-1.0] * count
        for value, inside, worth in weighed:
            if value >= threshold:
                if inside is None:
                    total += worth
                    alarms += 1
                else:
                    best[inside] = max(best[inside], worth)
        total += sum(best)
        hits += sum(b > -1 for b in best)
        windows += count
        days += length
    return 100 * (total + windows) / (2 * windows), hits, windows, alarms, alarms / days


def nab(tars, folder):
    labels = next(p for p in (folder / "windows.json", folder / "labels/combined_windows.json") if p.exists())
    labels = json.loads(labels.read_text())
    series = {}
    for name in sorted(labels):
        path = folder / "data" / name
        if path.exists():
            with path.open() as lines:
                series[name] = [(seconds(r["timestamp"]), float(r["value"])) for r in csv.DictReader(lines)]
    scores = score(tars, series)
    files = {n: weigh(rows, scores[n], [tuple(map(seconds, w)) for w in labels[n]]) for n, rows in series.items()}
    families = sorted({name.split("/")[0] for name in files})
    for family in [*families, ""]:
        part = [f for n, f in files.items() if n.startswith(family)]
        if not any(count for _, count, _ in part):
            continue
        points, hits, windows, alarms, rate = benchmark(part, THRESHOLD)
        best = max((benchmark(part, t / 200)[0], t / 200) for t in range(1, 201))
        print(f"NAB {family or 'all':24} {points:6.1f}  windows {hits}/{windows}  false alarms {alarms} ({rate:.3f} a day)"
              f"  best {best[0]:.1f} at {best[1]:.3f}")


def table(path):
    with path.open() as lines:
        heads, *rows = csv.reader(lines)
    names = ["|".join(parts) for parts in zip(heads, rows[0], rows[1])]
    number = lambda text: float(text) if text and text.lower() != "nan" else None
    return names, [[number(v) for v in row] for row in rows[2:] if row[0].replace(".", "").isdigit()]


def petshop(tars, folder):
    series, wanted, normal, days = {}, {}, {}, 0.0
    for traffic in ("high_traffic", "low_traffic"):
        names, rows = table(folder / traffic / "noissue/metrics.csv")
        days = (rows[-1][0] - rows[0][0]) / 86400
        for column, name in enumerate(names[1:], 1):
            series[f"{traffic}|{name}"] = [(row[0], row[column]) for row in rows]
            normal[f"{traffic}|{name}"] = name.startswith("PetSite|")
        for issue in sorted((folder / traffic / "train").glob("issue_*")):
            target = json.loads((issue / "target.json").read_text())["target"]
            key = "|".join((target["node"], target["metric"], target["agg"]))
            heads, incident = table(issue / "metrics.csv")
            # The incidents were recorded on other days: they follow the normal run at the same time of day.
            later = math.ceil((rows[-1][0] - incident[0][0]) / 86400) * 86400
            column = heads.index(key)
            name = f"{traffic}|{issue.name}|{key}"
            series[name] = series[f"{traffic}|{key}"] + [(row[0] + later, row[column]) for row in incident]
            wanted[name] = target["timestamp"] + later
    scores = score(tars, series)
    found = sum(any(s >= THRESHOLD and -300 <= at - wanted[n] <= 600 for (at, _), s in zip(series[n], scores[n])) for n in wanted)
    for which, names in (("all series", list(normal)), ("the front end's", [n for n in normal if normal[n]])):
        alarms = sum(s >= THRESHOLD for n in names for s in scores[n])
        print(f"petshop normal run, {which}: {alarms / days / len(names):.3f} false alarms a day and series")
    print(f"petshop incidents reported on their target within 10 minutes: {found}/{len(wanted)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tars", default="target/release/tars")
    parser.add_argument("--nab", type=pathlib.Path)
    parser.add_argument("--petshop", type=pathlib.Path)
    options = parser.parse_args()
    if options.nab:
        nab(options.tars, options.nab)
    if options.petshop:
        petshop(options.tars, options.petshop)


if __name__ == "__main__":
    main()
