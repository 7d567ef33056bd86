"""Tests talk to this machine only. Anything else fails loudly, and not with an ``OSError`` that code under test may handle."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

NEVER_RESOLVES = (".invalid", ".test", ".example")
"""Names reserved by RFC 6761: tests use them where a name that does not exist is wanted."""


class ReachedOut(RuntimeError):
    """A test tried to leave the machine."""


def is_local(host: str) -> bool:
    if host in {"", "localhost"} or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


@contextmanager
def closed_network() -> Iterator[None]:
    """While open, sockets connect only to loopback addresses and unix sockets, and only local names are resolved."""
    plain = {name: getattr(socket.socket, name) for name in ("connect", "connect_ex", "sendto")}
    resolve = socket.getaddrinfo

    def check(sock: socket.socket, address: Any) -> None:
        if sock.family in {socket.AF_INET, socket.AF_INET6} and not is_local(str(address[0])):
            raise ReachedOut(f"a test reached for {address[0]}:{address[1]}; only this machine is allowed")

    def connect(sock: socket.socket, address: Any) -> None:
        check(sock, address)
        plain["connect"](sock, address)

    def connect_ex(sock: socket.socket, address: Any) -> int:
        check(sock, address)
        return int(plain["connect_ex"](sock, address))

    def sendto(sock: socket.socket, data: Any, *rest: Any) -> int:
        check(sock, rest[-1])
        return int(plain["sendto"](sock, data, *rest))

    def getaddrinfo(host: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host or ""
        if name.endswith(NEVER_RESOLVES):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if not is_local(name):
            raise ReachedOut(f"a test asked for the address of {name}; only this machine is allowed")
        return resolve(host, *rest, **more)

    for name, guarded in (("connect", connect), ("connect_ex", connect_ex), ("sendto", sendto)):
        setattr(socket.socket, name, guarded)
    socket.getaddrinfo = getaddrinfo
    try:
        yield
    finally:
        for name in plain:
            # The methods live on the C base class; taking ours away uncovers them.
            delattr(socket.socket, name)
        socket.getaddrinfo = resolve
