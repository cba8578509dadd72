"""What client and parent say to each other over a unix socket: one JSON message each way, with file descriptors."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Sequence
from typing import Any

_LENGTH = struct.Struct("!I")
_MOST = 16 * 1024 * 1024
_DESCRIPTORS = 8


def send(connection: socket.socket, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send a message; the descriptors travel with it."""
    content = json.dumps(message).encode()
    socket.send_fds(connection, [_LENGTH.pack(len(content))], list(descriptors))
    connection.sendall(content)


def receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Receive a message and the descriptors that came with it.

    Raises
    ------
    EOFError
        When the other side is gone.
    """
    head, descriptors, _, _ = socket.recv_fds(connection, _LENGTH.size, _DESCRIPTORS)
    (length,) = _LENGTH.unpack(
        head if len(head) == _LENGTH.size else head + _exactly(connection, _LENGTH.size - len(head))
    )
    if length > _MOST:
        raise EOFError("the message is too long to be one of ours")
    found: dict[str, Any] = json.loads(_exactly(connection, length))
    return found, descriptors


def _exactly(connection: socket.socket, length: int) -> bytes:
    content = b""
    while len(content) < length:
        piece = connection.recv(length - len(content))
        if not piece:
            raise EOFError("the other side is gone")
        content += piece
    return content
