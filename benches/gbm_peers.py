#!/usr/bin/env python3
"""Side by side with LightGBM: training, batch scoring, single rows, TreeSHAP, and both directions of the text format.

    pip install lightgbm numpy scikit-learn
    cargo bench --bench main --no-run          # prints the path of the binary
    python3 benches/gbm_peers.py BINARY [--csv TRAIN TEST] [--rows 5000 100000 1000000]

--rows are sizes of synthetic data with 21 features and 3 classes (seeds 2 and 3, 5 % missing); --csv adds a pair of files
whose first column is the class. Two threads each, the same parameters, alternating, minima; every ratio is
LightGBM's time divided by ours, losses included.
"""
import argparse
import os
import subprocess
import tempfile
import time

import lightgbm as lgb
import numpy as np
from sklearn.metrics import f1_score, log_loss

THREADS = 2
EXPLAINED = 2000


def synthetic(rows, seed, features=21, classes=3):
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, features))
    weights = np.random.default_rng(1).normal(size=(features, classes))
    steps = np.where(x[:, 3] > 0.5, 2, -1) * x[:, 4]
    score = np.tanh(x) @ weights + np.stack([x[:, 0] * x[:, 1], np.abs(x[:, 2]) * 2, steps], 1)
    y = (score + random.gumbel(size=score.shape)).argmax(1)
    x[random.random(x.shape) < 0.05] = np.nan
    x[:, 7] = np.floor(np.abs(x[:, 7]) * 4)
    return x, y.astype(float)


def compare(binary, name, train, test, rounds, repeats):
    (x, y), (xt, yt) = train, test
    classes, width = int(y.max()) + 1, x.shape[1]
    folder = tempfile.mkdtemp(prefix="gbm-peers-")
    for file, values in (("train.x", x), ("train.y", y), ("test.x", xt)):
        np.ascontiguousarray(values, dtype="<f8").tofile(os.path.join(folder, file))
    theirs_file = os.path.join(folder, "lightgbm.txt")

    def ours(step, *args):
        command = [binary, "gbm", step, folder, str(width), *map(str, args)]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return {key: float(value) for key, value in (line.split() for line in out.splitlines())}

    def result(file, like):
        return np.fromfile(os.path.join(folder, file)).reshape(like.shape)

    def best(theirs, ours):
        pairs = [(timed(theirs), ours()) for _ in range(repeats)]
        return [min(column) for column in zip(*pairs)]

    def timed(work):
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    params = {"objective": "multiclass", "num_class": classes, "num_threads": THREADS, "verbose": -1}
    if classes == 2:
        params = {"objective": "binary", "num_threads": THREADS, "verbose": -1}
    models = []
    theirs, own = best(
        lambda: models.append(lgb.train(params, lgb.Dataset(x, y), rounds)),
        lambda: ours("train", classes, rounds)["train"],
    )
    model = models[-1]
    answers = model.predict(xt)
    trained = result("trained.out", answers)

    def quality(p):
        p = p if p.ndim == 2 else np.stack([1 - p, p], 1)
        return f"log loss {log_loss(yt, p):.5f}, macro F1 {f1_score(yt, p.argmax(1), average='macro'):.4f}"

    print(f"{name}: {len(y)} x {width}, {classes} classes, {rounds} rounds")
    print(f"  train    LightGBM {theirs:.3f} s, tars {own:.3f} s, ratio {theirs / own:.2f}")
    print(f"  quality  LightGBM {quality(answers)}; tars {quality(trained)}")
    model.save_model(theirs_file)
    single = []

    def score():
        step = ours("score", theirs_file)
        single.append(step["single"])
        return step["batch"]

    theirs, own = best(lambda: model.predict(xt), score)
    off = np.max(np.abs(result("scored.out", answers) / answers - 1))
    print(f"  score    LightGBM {len(xt) / theirs:.0f} rows/s, tars {len(xt) / own:.0f}, ratio {theirs / own:.2f}; "
          f"one row {min(single) * 1e6:.1f} us; largest relative difference {off:.1e}")
    some = xt[:EXPLAINED]
    theirs, own = best(
        lambda: model.predict(some, pred_contrib=True),
        lambda: ours("explain", theirs_file, len(some))["explain"],
    )
    contributions = model.predict(some, pred_contrib=True)
    off = np.max(np.abs(result("scored.out", contributions) - contributions))
    print(f"  TreeSHAP LightGBM {theirs:.3f} s, tars {own:.3f} s, ratio {theirs / own:.2f}; largest difference {off:.1e}")
    loaded = lgb.Booster(model_file=os.path.join(folder, "tars.txt")).predict(xt)
    print(f"  our model in LightGBM: largest relative difference {np.max(np.abs(loaded / trained - 1)):.1e}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--csv", nargs=2, metavar=("TRAIN", "TEST"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rows", nargs="*", type=int, default=[5000, 100_000])
    args = parser.parse_args()
    if args.csv:
        tables = [np.loadtxt(path) for path in args.csv]
        train, test = [(table[:, 1:], table[:, 0]) for table in tables]
        compare(args.binary, "csv", train, test, 100, args.repeats)
    for size in args.rows:
        rounds = 100 if size < 1_000_000 else 50
        compare(args.binary, "synthetic", synthetic(size, 2), synthetic(50_000, 3), rounds, args.repeats)


if __name__ == "__main__":
    main()
