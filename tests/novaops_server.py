"""A process that has all modules of novaops loaded and forks for each command: many runs, one start.

Each run is the real command line, `novaops.cli.main()`, in a process of its own, with the arguments,
folder, environment and standard files of the client that asked for it.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import select
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import novaops
from novaops.cli import main
from novaops.kinds import registry

ROOT = Path(__file__).parents[1]
CLIENT = Path(__file__).with_name("novaops_client.py")
STANDARD_FILES = 3
READY = "ready\n"


@contextmanager
def forked_novaops() -> Iterator[str]:
    """The command that runs novaops by way of a server, which is stopped at the end."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "socket")
        command = [sys.executable, "-m", "tests.novaops_server", path]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                if server.stdout.readline() != READY:
                    raise RuntimeError("the server of forked commands did not start")
                yield shlex.join([sys.executable, "-I", "-S", str(CLIENT), path])
            finally:
                server.terminate()


def serve(path: str) -> None:
    """Load everything, and fork for each client; only a forked run returns, by SystemExit."""
    for module in pkgutil.walk_packages(novaops.__path__, "novaops."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    registry()
    # Ctrl-C reaches the runs and whoever has started this.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    print(READY, end="", flush=True)
    while True:
        client, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _attend(client)
        client.close()
        _reap()


def _reap() -> None:
    """Collect the attendants that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _attend(client: socket.socket) -> None:
    """Run the command of one client in another process, wait for it, and send the exit code.

    A client that is killed takes its run along: nothing else makes its end readable after the request.
    """
    request, files = _request(client)
    run = os.fork()
    if run == 0:
        client.close()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _become(request, files)
        main()
    for file in files:
        os.close(file)
    ended = os.pidfd_open(run)
    ready, _, _ = select.select([ended, client], [], [])
    if ended not in ready:
        os.kill(run, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(run, 0)[1])
    with suppress(BrokenPipeError):
        # A run that a signal ended has a shell's exit code.
        client.sendall(bytes([code if code >= 0 else 128 - code]))
    os._exit(0)


def _request(client: socket.socket) -> tuple[list[str], list[int]]:
    """What the client asks for, and its standard files."""
    head, files, _, _ = socket.recv_fds(client, 8, STANDARD_FILES)
    size, request = int.from_bytes(head), b""
    while len(request) < size:
        request += client.recv(size - len(request))
    return request.decode(errors="surrogateescape").split("\0"), files


def _become(request: list[str], files: list[int]) -> None:
    """Take over the arguments, folder, environment and standard files of the client."""
    for descriptor, file in enumerate(files):
        os.dup2(file, descriptor)
        os.close(file)
    count, *parts = request
    arguments, (folder, *environment) = parts[: int(count)], parts[int(count) :]
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(entry.split("=", 1) for entry in environment)
    sys.argv = ["novaops", *arguments]


if __name__ == "__main__":
    serve(sys.argv[1])
