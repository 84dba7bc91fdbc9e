#!/usr/bin/env python3
"""Landing NDJSON side by side: tars against DuckDB and Polars, on the same file and the same cores.

    cargo build --release
    python3 benches/ingest_peers.py --rows 1000000 --rounds 5

Every tool turns one file of simulated log lines into zstd Parquet partitioned by region and hour. The tools take
turns, round by round, each in a process of its own, so that whatever else the machine does hits all of them; the
figures are the best of the rounds, the ratio is the median of the ratios round by round. tars does more than the
others in it: it keeps fields that have no column, tells records that cannot be read, sorts by time and commits exactly once.

With --floors both show their parts: how fast the same lines parse into all of their columns and go nowhere (tars by
`ingest --dry-run`), and how fast DuckDB encodes and compresses the rows from its own memory (its CPU seconds and memory include
loading them, its rows/s do not).

The peers come from PyPI into a private virtual environment (--venv), made on the first run. Needs Python 3.9 or newer.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

PEERS = ["duckdb==2.0.0", "polars==2.1.0"]
TEXT = "region service host environment level message trace_id span_id method route request_id user_id version error error_type stack_trace event".split()
OTHER = {"status_code": "INTEGER", "duration_ms": "DOUBLE", "queue_wait_ms": "DOUBLE", "bytes_sent": "BIGINT", "retry_count": "INTEGER", "timeout": "BOOLEAN"}


def duckdb_source(path):
    columns = {"timestamp": "TIMESTAMP", **{name: "VARCHAR" for name in TEXT}, **OTHER}
    return f"read_json('{path}', format='newline_delimited', columns={columns})"


def land_duckdb(path, out, threads, memory):
    import duckdb

    con = duckdb.connect()
    con.execute(f"set threads={threads}")
    if memory:
        con.execute(f"set memory_limit='{memory}MiB'")
    con.execute(
        f"copy (select *, strftime(timestamp, '%Y-%m-%dT%H') as hour from {duckdb_source(path)}) "
        f"to '{out}' (format parquet, compression zstd, partition_by (region, hour))"
    )


def land_polars(path, out, threads, memory):
    import polars as pl

    kinds = {"INTEGER": pl.Int32, "DOUBLE": pl.Float64, "BIGINT": pl.Int64, "BOOLEAN": pl.Boolean}
    schema = {"timestamp": pl.String, **{name: pl.String for name in TEXT}, **{name: kinds[kind] for name, kind in OTHER.items()}}
    frame = pl.scan_ndjson(path, schema=schema, ignore_errors=False).with_columns(
        pl.col("timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us"),
        pl.col("timestamp").str.slice(0, 13).alias("hour"),
    )
    frame.sink_parquet(pl.PartitionBy(out, key=["region", "hour"]), compression="zstd", compression_level=1, mkdir=True)


def parse_duckdb(path, out, threads, memory):
    import duckdb

    con = duckdb.connect()
    con.execute(f"set threads={threads}")
    every = ", ".join(f"max({name})" for name in ["timestamp", *TEXT, *OTHER])
    con.execute(f"select {every} from {duckdb_source(path)}").fetchall()


def encode_duckdb(path, out, threads, memory):
    """Only the copy is timed: the rows are in memory before."""
    import time

    import duckdb

    con = duckdb.connect()
    con.execute(f"set threads={threads}")
    con.execute(f"create table logs as select *, strftime(timestamp, '%Y-%m-%dT%H') as hour from {duckdb_source(path)}")
    begin = time.perf_counter()
    con.execute(f"copy logs to '{out}' (format parquet, compression zstd, partition_by (region, hour))")
    print(json.dumps({"wall": time.perf_counter() - begin}))


WORK = {"duckdb": land_duckdb, "polars": land_polars, "duckdb: parse only": parse_duckdb, "duckdb: encode only": encode_duckdb}


def measured(command, env):
    """Wall seconds, CPU seconds, peak MiB of a process and its children, and what it printed."""
    import time

    begin = time.perf_counter()
    with tempfile.TemporaryFile() as log, tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=log, env=env)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        if status != 0:
            log.seek(0)
            return {"error": log.read().decode(errors="replace").strip().splitlines()[-1:] or [f"status {status}"]}
        said.seek(0)
        text = said.read().decode(errors="replace").strip()
    own = json.loads(text) if text.startswith("{") else {}
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "mib": usage.ru_maxrss / 1024, **own}


def environment(path):
    python = path / "bin" / "python"
    if not python.exists():
        print(f"installing {', '.join(PEERS)} into {path}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", path], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
    return python


def count(python, folder):
    """The rows that a tool landed, read by DuckDB."""
    code = f"import duckdb; print(duckdb.sql(\"select count(*) from read_parquet('{folder}/region=*/*/*.parquet', hive_partitioning=true)\").fetchall()[0][0])"
    return int(subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=1_000_000, help="log lines (default %(default)s)")
    options.add_argument("--hours", type=int, default=24, help="hours they span (default %(default)s)")
    options.add_argument("--seed", type=int, default=7, help="of the simulation (default %(default)s)")
    options.add_argument("--rounds", type=int, default=5, help="turns of every tool (default %(default)s)")
    options.add_argument("--threads", type=int, default=os.cpu_count(), help="of every tool (default %(default)s)")
    options.add_argument("--memory", type=int, help="limit in MiB for tars and DuckDB (Polars has none)")
    options.add_argument("--shuffle", action="store_true", help="bring the lines into random order first")
    options.add_argument("--floors", action="store_true", help="measure parsing alone and encoding alone as well")
    options.add_argument("--tars", default="target/release/tars", help="the binary (default %(default)s)")
    options.add_argument("--venv", type=pathlib.Path, default=pathlib.Path.home() / ".cache" / "tars-peers", help="default %(default)s")
    options.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options.add_argument("--out", help=argparse.SUPPRESS)
    args = options.parse_args()
    if args.one:
        WORK[args.one[0]](args.one[1], args.out, args.threads, args.memory)
        return

    tars = shutil.which(args.tars) or sys.exit(f"no binary at {args.tars}: run `cargo build --release`, or name one with --tars")
    tars = os.path.abspath(tars)
    python = environment(args.venv)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        simulate = [tars, "simulate", "--quiet", "--out", folder, "--rows", args.rows, "--hours", args.hours, "--seed", args.seed]
        subprocess.run([str(part) for part in simulate], check=True)
        source = folder / "logs.ndjson"
        for other in folder.glob("*.ndjson"):
            if other != source:
                other.unlink()
        if args.shuffle:
            import random

            lines = source.read_bytes().splitlines(keepends=True)
            random.Random(args.seed).shuffle(lines)
            source.write_bytes(b"".join(lines))
        with source.open("rb") as lines:
            rows = sum(1 for _ in lines)
        size = source.stat().st_size
        print(f"{rows:,} lines, {size / 1e6:.0f} MB, {args.threads} threads, {args.rounds} rounds" + (", shuffled" if args.shuffle else ""))

        env = {**os.environ, "POLARS_MAX_THREADS": str(args.threads)}
        env.pop("TARS_CONFIG", None)
        memory = ["--memory-limit", f"{args.memory}MiB"] if args.memory else []
        ours = [tars, "ingest", "--lake", "OUT", "--quiet", "--threads", str(args.threads), *memory, str(source)]
        tools = ["tars", "duckdb", "polars"]
        tools += ["tars: parse only", "duckdb: parse only", "duckdb: encode only"] if args.floors else []
        results = {tool: [] for tool in tools}
        for turn in range(args.rounds):
            # Each round begins with another tool.
            for tool in tools[turn % len(tools):] + tools[: turn % len(tools)]:
                out = folder / "out"
                shutil.rmtree(out, ignore_errors=True)
                if tool.startswith("tars"):
                    command = [str(out) if part == "OUT" else part for part in ours]
                    command += ["--dry-run"] if "only" in tool else []
                else:
                    command = [str(python), __file__, "--one", tool, str(source), "--out", str(out), "--threads", str(args.threads)]
                    command += ["--memory", str(args.memory)] if args.memory else []
                result = measured(command, env)
                if "error" not in result and "only" not in tool:
                    landed = count(python, out / "logs" if tool == "tars" else out)
                    if landed != rows:
                        result = {"error": [f"{landed:,} rows landed instead of {rows:,}"]}
                    else:
                        result["bytes"] = sum(f.stat().st_size for f in out.rglob("*.parquet"))
                results[tool].append(result)

        print(f"{'':22}{'rows/s':>12}{'MB/s':>8}{'CPU s':>8}{'peak MiB':>10}{'MB out':>8}{'tars is':>22}")
        for tool, runs in results.items():
            good = [run for run in runs if "error" not in run]
            if not good:
                print(f"{tool:22}failed: {runs[0]['error'][0]}")
                continue
            best = min(good, key=lambda run: run["wall"])
            ratios = [peer["wall"] / own["wall"] for peer, own in zip(runs, results["tars"]) if "error" not in peer and "error" not in own]
            ratio = f"{statistics.median(ratios):.2f}x as fast" if tool != "tars" and ratios else ""
            out = f"{best['bytes'] / 1e6:.0f}" if "bytes" in best else ""
            print(
                f"{tool:22}{rows / best['wall']:>12,.0f}{size / 1e6 / best['wall']:>8,.0f}{min(run['cpu'] for run in good):>8.1f}"
                f"{max(run['mib'] for run in good):>10,.0f}{out:>8}{ratio:>22}"
            )


if __name__ == "__main__":
    main()
