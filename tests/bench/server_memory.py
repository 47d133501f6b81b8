"""What a server's engines hold in memory: the test server with a repository, after one picture.

    python tests/bench/server_memory.py NAME=REPOSITORY:MODEL[:ROUTER] ...

Each engine of the test server is a process of its own, most of it Python; what the leanest of them holds in private,
an engine without weights, is taken off each. One server after another. With Triton's compiled backend it is one process.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GRPC, HTTP, METRICS = 18101, 18100, 18102


def children(parent):
    """Processes that a process started, and those they started."""
    for path in Path(f"/proc/{parent}/task").glob("*/children"):
        for child in map(int, path.read_text().split()):
            yield child
            yield from children(child)


def command_of(process):
    return Path(f"/proc/{process}/cmdline").read_bytes()


def private(process):
    """Bytes of a process that no other shares and no file holds: anonymous memory."""
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    return int(rollup.split("Anonymous:")[1].split()[0]) * 1024


def measure(repository, model, router):
    ports = [str(port) for port in (GRPC, HTTP, METRICS)]
    with open(os.devnull, "w") as out:
        server = subprocess.Popen(
            ["bash", ROOT / "tests/triton/serve.sh", repository, *ports],
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        while True:
            if server.poll() is not None:
                raise SystemExit(f"{repository}: the server ended with {server.returncode}")
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{HTTP}/v2/health/ready", timeout=5)
                break
            except OSError:
                time.sleep(1)
        with tempfile.TemporaryDirectory() as pictures:
            command = [ROOT / "bin/harmonica", "generate", "--triton", f"127.0.0.1:{GRPC}", "--model", model]
            command += ["--router", router or "none", "--classes", "1", "--out", pictures]
            command += ["--save-latents", f"{pictures}/latents.safetensors"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        stubs = [p for p in children(server.pid) if b"triton_python_backend_stub" in command_of(p)]
        held = sorted(map(private, stubs))
        return len(held), held[0], sum(held) - len(held) * held[0]
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def main():
    first = None
    print("repository\tengines\tleanest, MB\ttheir own, MB\tof the first's")
    for argument in sys.argv[1:]:
        name, where = argument.split("=")
        repository, model, *router = where.split(":")
        engines, least, own = measure(repository, model, router[0] if router else None)
        first = first or own
        print(f"{name}\t{engines}\t{least / 1e6:.0f}\t{own / 1e6:.0f}\t{own / first:.3f}", flush=True)


if __name__ == "__main__":
    main()
