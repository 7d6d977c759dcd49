"""Ports of this process alone: tests run side by side, and the port of a node that was killed stays its own until it is
back, though nobody listens on it then."""

import fcntl
import os
import random
import socket
import tempfile

_BLOCK = 128  # ports; a process takes one block after the other and never the same port twice
_FIRST = 10_000
_rest = range(0)


def free_ports(count):
    """`count` ports in a row that nobody listens on, below the ephemeral range so that no outgoing connection takes
    them."""
    global _rest
    if count > _BLOCK:
        raise ValueError(f"{count} ports in a row: a block has {_BLOCK}")
    while True:
        if len(_rest) < count:
            _rest = _new_block()
        ports, _rest = _rest[:count], _rest[count:]
        if all(map(_is_free, ports)):
            return list(ports)


def free_rows(rows, length):
    """The first ports of so many rows of free ones, one row behind the other."""
    return free_ports(rows * length)[::length]


def _new_block():
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
            end = max(int(file.read().split()[0]), _FIRST + 32 * _BLOCK)
    except OSError:
        end = 32768
    folder = os.path.join(tempfile.gettempdir(), f"anel-ports-{os.getuid()}")
    os.makedirs(folder, exist_ok=True)
    blocks = list(range(_FIRST, end - _BLOCK + 1, _BLOCK))
    random.shuffle(blocks)
    for first in blocks:
        lock = os.open(os.path.join(folder, str(first)), os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # until this process ends, however it ends
        except BlockingIOError:
            os.close(lock)
            continue
        return range(first, first + _BLOCK)
    raise RuntimeError("no free ports")


def _is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
