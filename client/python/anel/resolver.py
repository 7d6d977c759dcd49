"""Names of hosts, looked up beside the client's own thread: an answer may take seconds."""

from __future__ import annotations

import ipaddress
import socket
import threading
from typing import Callable

from .options import Address


def _numeric(host: str) -> str | None:
    """IPv4 first: containers and loopback names have it, IPv6 often only in part."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return None
    best = min(found, key=lambda one: one[0] != socket.AF_INET)
    return str(best[4][0])


class Resolver:
    """`answered` is called on another thread when a name that was asked for is known."""

    def __init__(self, answered: Callable[[], None]) -> None:
        self._answered = answered
        self._lock = threading.Lock()
        self._asked: set[str] = set()
        self._known: dict[str, str] = {}

    def endpoint(self, address: Address) -> str | None:
        """None: ask again after `answered`. Each answer serves once, as a container that restarts has a new address."""
        try:
            host = str(ipaddress.ip_address(address.host))
        except ValueError:
            with self._lock:
                if address.host not in self._known:
                    self._ask(address.host)
                    return None
                host = self._known.pop(address.host)
        return f"tcp://{Address(host, address.port)}"

    def _ask(self, host: str) -> None:
        if host not in self._asked:
            self._asked.add(host)
            threading.Thread(target=self._look_up, args=(host,), name="anel-resolver", daemon=True).start()

    def _look_up(self, host: str) -> None:
        numeric = _numeric(host)
        with self._lock:
            self._asked.discard(host)
            if numeric is not None:
                self._known[host] = numeric
        if numeric is not None:
            self._answered()
