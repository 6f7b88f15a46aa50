"""Runs novaops in a process forked by `novaops_server`: `python -I -S novaops_client.py SOCKET ARGUMENT…`.

The server gets this process's arguments, folder, environment and standard files, and sends back the
exit code. Nothing but the interpreter's core is imported here: starting up is what the server saves.
"""

import os
import socket
import sys

FAILED = 70
"""The exit code where the server was lost (EX_SOFTWARE of sysexits.h)."""


def main() -> int:
    path, *arguments = sys.argv[1:]
    environment = [f"{name}={value}" for name, value in os.environ.items()]
    folder = os.getcwd()  # noqa: PTH109 (to import pathlib takes longer than all the rest)
    parts = [str(len(arguments)), *arguments, folder, *environment]
    request = "\0".join(parts).encode(errors="surrogateescape")
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        socket.send_fds(server, [len(request).to_bytes(8)], [0, 1, 2])
        server.sendall(request)
        answer = server.recv(1)
    return answer[0] if answer else FAILED


if __name__ == "__main__":
    sys.exit(main())
