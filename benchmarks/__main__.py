"""Measure: throughput, CPU and latency beside the bare application in interleaved rounds, then the steps in process."""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from statistics import median, quantiles
from urllib.error import URLError
from urllib.request import urlopen

from benchmarks.servers import CPU_PATH
from benchmarks.steps import measure_steps

REQUEST = Path(__file__).with_name("request.json")
TODAY = date(2026, 2, 2)
"""Shortly after the exam in `request.json`, so that its cards are those of a current finding."""


class Round:
    """Figures of one round against one server: durations in seconds, CPU in microseconds a request."""

    def __init__(self, durations: list[float], seconds: float, cpu: float) -> None:
        percentiles = quantiles(durations, n=100)
        self.throughput = len(durations) / seconds
        self.cpu = cpu / len(durations) * 1e6
        self.p50, self.p99 = percentiles[49] * 1e3, percentiles[98] * 1e3


def main() -> None:
    """Parse the arguments, measure, print."""
    arguments = _arguments()
    os.environ["FLECK_TODAY"] = TODAY.isoformat()
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "fleck.log"
        with _server("bare", log) as bare, _server("fleck", log) as fleck:
            for port in (bare, fleck):
                _round(port, arguments.file, arguments.connections, 1.0)
            rounds = [_pair(bare, fleck, arguments) for _ in range(arguments.rounds)]
        lines = log.read_text().count("\n")
    _print_rounds(rounds)
    print(f"\nFleck wrote {lines} log lines meanwhile.\n")
    _print_steps(arguments.file)


def _pair(bare: int, fleck: int, arguments: argparse.Namespace) -> tuple[Round, Round]:
    first = _round(bare, arguments.file, arguments.connections, arguments.seconds)
    return first, _round(fleck, arguments.file, arguments.connections, arguments.seconds)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "file", nargs="?", type=Path, default=REQUEST, help="patient-view request (default: our own, 22 kB)"
    )
    parser.add_argument("--rounds", type=int, default=6, help="rounds against each server")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a round")
    parser.add_argument("--connections", type=int, default=16, help="keep-alive connections")
    return parser.parse_args()


def _round(port: int, file: Path, connections: int, seconds: float) -> Round:
    command = [sys.executable, "-m", "benchmarks.load", str(port), str(file), str(connections), str(seconds)]
    before = _cpu(port)
    finished = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 60)
    return Round(json.loads(finished.stdout), seconds, _cpu(port) - before)


def _cpu(port: int) -> float:
    with urlopen(f"http://127.0.0.1:{port}{CPU_PATH}", timeout=10) as answer:
        return json.load(answer)


@contextmanager
def _server(name: str, log: Path) -> Generator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with log.open("ab") as lines:
        process = subprocess.Popen([sys.executable, "-m", "benchmarks.servers", name, str(port)], stderr=lines)
    try:
        _wait_until_up(port, process)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_until_up(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        try:
            _cpu(port)
        except URLError:
            if process.poll() is not None:
                raise RuntimeError("a server did not start") from None
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("a server did not start in time")


def _print_rounds(rounds: list[tuple[Round, Round]]) -> None:
    print(f"{'':10}{'requests/s':>12}{'CPU us':>10}{'p50 ms':>10}{'p99 ms':>10}   medians of {len(rounds)} rounds")
    for name, side in (("bare", 0), ("fleck", 1)):
        figures = [[getattr(pair[side], field) for pair in rounds] for field in ("throughput", "cpu", "p50", "p99")]
        throughput, cpu, p50, p99 = (median(values) for values in figures)
        print(f"{name:10}{throughput:12.0f}{cpu:10.0f}{p50:10.2f}{p99:10.2f}")
    for label, ratios in (
        ("throughput, fleck : bare", [fleck.throughput / bare.throughput for bare, fleck in rounds]),
        ("CPU a request, fleck : bare", [fleck.cpu / bare.cpu for bare, fleck in rounds]),
    ):
        print(f"{label:30}{median(ratios):6.2f}  [{min(ratios):.2f}-{max(ratios):.2f}]")


def _print_steps(file: Path) -> None:
    print("In process, microseconds a request (best of several runs):")
    for step, microseconds in measure_steps(file.read_bytes(), TODAY):
        print(f"  {step:10}{microseconds:8.0f}")


if __name__ == "__main__":
    main()
