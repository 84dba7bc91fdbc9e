#!/usr/bin/env python3
"""change_points against Apache Otava: F1 and time, side by side.

    pip install numpy apache-otava==0.8.*
    benches/change_points.py [--tars target/release/tars] [--series 400] [--nab FOLDER]

Series: 150 to 1000 points, up to 4 steps of 1 to 4 deviations, at least 20 points apart, of eleven kinds, seeded by their number. A change
counts as found within 5 points. FOLDER is a copy of the Numenta Anomaly Benchmark with data/FAMILY/*.csv and windows.json; there a
change inside a labelled window counts as found, each window once, and one outside as false.

Both find changes of level with their defaults (p at most 0.001). Time is that of the whole `tars` process (start, reading of CSV,
all series on all cores) and of Otava's function alone, without import and reading.
"""
import argparse, collections, csv, datetime, json, os, subprocess, tempfile, time

import numpy as np
from otava.analysis import compute_change_points

KINDS = ["normal", "heavy tails", "spikes", "autocorrelated", "latency (log-normal)", "error counts", "there and back",
         "no change, bursts of noise", "ramp", "season", "steps on a season"]
TOLERANCE = 5


def series(seed):
    """Kind, values and positions of changes."""
    r = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    n = int(r.integers(150, 1000))
    wanted = 0 if kind in ("no change, bursts of noise", "ramp", "season") else int(r.integers(0, 5))
    changes = []
    for _ in range(50):
        if len(changes) == wanted:
            break
        at = int(r.integers(20, n - 20))
        if all(abs(at - other) >= 20 for other in changes):
            changes.append(at)
    changes.sort()
    level = np.zeros(n)
    now = 0.0
    for at in changes:
        now += r.uniform(1, 4) * r.choice([-1, 1])
        level[at:] = now
    noise = r.standard_normal(n)
    if kind == "normal":
        x = 100 + 5 * level + 5 * noise
    elif kind == "heavy tails":
        x = 100 + 5 * level + 5 * r.standard_t(3, n)
    elif kind == "spikes":
        x = 100 + 5 * level + 5 * noise
        at = r.random(n) < 0.02
        x[at] += r.uniform(50, 200, at.sum())
    elif kind == "autocorrelated":
        e = np.zeros(n)
        for i in range(n):
            e[i] = 0.5 * (e[i - 1] if i else 0) + 5 * noise[i]
        x = 100 + 5 * level / np.sqrt(0.75) + e
    elif kind == "latency (log-normal)":
        x = np.exp(4.5 + 0.2 * level + 0.2 * noise)
    elif kind == "error counts":
        level = np.clip(level, -3, 3)
        changes = [at for at in changes if level[at] != level[at - 1]]
        x = r.poisson(np.exp(1.2 + 0.5 * level), n).astype(float)
    elif kind == "there and back":
        at, length = int(r.integers(40, n - 100)), int(r.integers(8, 60))
        level[:] = 0
        level[at:at + length] = r.uniform(2, 6)
        changes = [at, at + length]
        x = 200 + 5 * level + 5 * noise
    elif kind == "ramp":
        x = 100 + 5 * np.linspace(0, r.uniform(2, 20), n) + 5 * noise
    elif kind in ("season", "steps on a season"):
        wave = np.sin(2 * np.pi * (np.arange(n) / 288 + r.random()))
        x = 200 + 5 * level + 5 * r.uniform(2, 8) * wave + 5 * noise
    else:
        deviation = np.full(n, 5.0)
        for _ in range(2):
            at = int(r.integers(0, n - 50))
            deviation[at:at + 50] = 20
        x = 100 + noise * deviation
    return kind, x, changes


def by_distance(found, true):
    """Found, false and missed changes."""
    left, hits = list(true), 0
    for at in found:
        near = [t for t in left if abs(t - at) <= TOLERANCE]
        if near:
            left.remove(min(near, key=lambda t: abs(t - at)))
            hits += 1
    return hits, len(found) - hits, len(left)


def by_window(found, windows):
    """Found windows, changes outside of all, missed windows."""
    hit = {w for at in found for w, (a, b) in enumerate(windows) if a <= at <= b}
    false = sum(not any(a <= at <= b for a, b in windows) for at in found)
    return len(hit), false, len(windows) - len(hit)


def by_tars(binary, all_series):
    """Positions of changes of each series, and the seconds of the process."""
    start = datetime.datetime(2025, 1, 1)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "series.csv")
        with open(path, "w") as out:
            out.write("series,at,value\n")
            for number, values in enumerate(all_series):
                for k, v in enumerate(values):
                    out.write(f"{number},{start + datetime.timedelta(minutes=k):%Y-%m-%dT%H:%M:%S},{float(v)!r}\n")
        sql = (f"select series, c['time'] as at from (select series, unnest(change_points(cast(value as double) "
               f"order by cast(at as timestamp))) as c from '{path}' group by series) order by 1, 2")
        begun = time.perf_counter()
        text = subprocess.run([binary, "sql", "--format", "csv", "-c", sql], check=True, capture_output=True, text=True).stdout
        seconds = time.perf_counter() - begun
    found = [[] for _ in all_series]
    for row in list(csv.reader(text.splitlines()))[1:]:
        at = datetime.datetime.fromisoformat(row[1].replace("Z", ""))
        found[int(row[0])].append(int((at - start).total_seconds() // 60))
    return found, seconds


def by_otava(all_series):
    begun = time.perf_counter()
    found = [[c.index for c in compute_change_points([float(v) for v in values])[0]] for values in all_series]
    return found, time.perf_counter() - begun


def f1(counts):
    hits, false, missed = counts
    return 2 * hits / (2 * hits + false + missed) if hits + false + missed else 1.0


def side_by_side(title, names, truths, values, judge, binary):
    ours, our_seconds = by_tars(binary, values)
    theirs, their_seconds = by_otava(values)
    table = collections.OrderedDict()
    for name, truth, a, b in zip(names, truths, ours, theirs):
        for key in (name, "all"):
            rows = table.setdefault(key, (np.zeros(3, int), np.zeros(3, int)))
            rows[0][:] += judge(a, truth)
            rows[1][:] += judge(b, truth)
    table.move_to_end("all")
    print(f"\n{title}: {len(values)} series, {sum(map(len, values))} points")
    print(f"{'':28} {'tars F1':>8} {'hit/false/missed':>18} {'otava F1':>9} {'hit/false/missed':>18}")
    for key, (a, b) in table.items():
        if a[0] + a[2] + b[0] + b[2] == 0:
            verdict = "win" if a[1] < b[1] else "loss" if a[1] > b[1] else "draw"
            print(f"{key:28} {'':8} {'/'.join(map(str, a)):>18} {'':9} {'/'.join(map(str, b)):>18}  {verdict}")
            continue
        verdict = "win" if f1(a) > f1(b) else "loss" if f1(a) < f1(b) else "draw"
        print(f"{key:28} {f1(a):8.3f} {'/'.join(map(str, a)):>18} {f1(b):9.3f} {'/'.join(map(str, b)):>18}  {verdict}")
    print(f"time: tars {our_seconds:.2f} s (whole process), otava {their_seconds:.2f} s ({their_seconds / our_seconds:.0f} times)")


def nab(folder):
    windows = json.load(open(os.path.join(folder, "windows.json")))
    parse = lambda text: datetime.datetime.fromisoformat(text.split(".")[0])
    for name in sorted(windows):
        path = os.path.join(folder, "data", name)
        if os.path.exists(path):
            rows = list(csv.reader(open(path)))[1:]
            times = [parse(row[0]) for row in rows]
            inside = [[i for i, t in enumerate(times) if parse(a) <= t <= parse(b)] for a, b in windows[name]]
            yield name.split("/")[0], [(i[0], i[-1]) for i in inside if i], [float(row[1]) for row in rows]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--tars", default="target/release/tars")
    arguments.add_argument("--series", type=int, default=400)
    arguments.add_argument("--nab")
    options = arguments.parse_args()
    names, values, truths = zip(*(series(seed) for seed in range(options.series)))
    side_by_side("series with known changes", names, truths, values, by_distance, options.tars)
    if options.nab:
        names, truths, values = zip(*nab(options.nab))
        side_by_side("Numenta Anomaly Benchmark, labelled windows", names, truths, values, by_window, options.tars)


if __name__ == "__main__":
    main()
