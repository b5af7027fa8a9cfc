"""The server side of WebSocket, RFC 6455: as much of it as the protocol needs.

No extensions (so no compression), no fragments on the way out. What comes in is
bounded, at each moment, by `text_limit` and `binary_limit`; what waits to go out
is bounded by its user, who asks `has_room` before it writes more.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import struct
from collections.abc import Callable

SUBPROTOCOL = "reconnecting-socket.v1"

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10

#: Codes that stand for something in an API and are never sent (RFC 6455 §7.4).
NO_CODE, BROKEN = 1005, 1006


class Closed(Exception):
    """The connection is over. `by_peer`: the peer sent the first close frame."""

    def __init__(self, code: int, by_peer: bool) -> None:
        super().__init__(code)
        self.code = code
        self.by_peer = by_peer


class TooBig(Exception):
    """A message beyond the limit began. It is for the user to close, as it likes;
    what is left of the message is thrown away."""


class _Violation(Exception):
    """Against RFC 6455: the connection is failed with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class HandshakeFailed(Exception):
    """An HTTP request that is no WebSocket handshake; it was answered."""


async def accept(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    *,
    high_water: int,
    close_timeout: float,
) -> WebSocket:
    """Read the HTTP request, and answer it (RFC 6455 §4.2)."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.LimitOverrunError, asyncio.IncompleteReadError, OSError):
        raise HandshakeFailed("no HTTP request") from None
    try:
        answer = _answer(head)
    except HandshakeFailed as failure:
        writer.write(
            f"HTTP/1.1 {failure}\r\nSec-WebSocket-Version: 13\r\n"
            "Connection: close\r\nContent-Length: 0\r\n\r\n".encode()
        )
        raise
    writer.write(answer.encode())
    return WebSocket(reader, writer, high_water, close_timeout)


def _answer(head: bytes) -> str:
    request, *lines = head.decode("latin-1").split("\r\n")
    if not (request.startswith("GET ") and request.endswith(" HTTP/1.1")):
        raise HandshakeFailed("405 Method Not Allowed")
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name = name.lower()
        # Fields that come twice are one list (RFC 9110 §5.3).
        fields[name] = f"{fields[name]},{value.strip()}" if name in fields else value.strip()
    if "websocket" not in _tokens(fields.get("upgrade", "").lower()):
        raise HandshakeFailed("426 Upgrade Required")
    if "upgrade" not in _tokens(fields.get("connection", "").lower()):
        raise HandshakeFailed("400 Bad Request")
    if fields.get("sec-websocket-version") != "13":
        raise HandshakeFailed("426 Upgrade Required")
    key = fields.get("sec-websocket-key", "")
    try:
        if len(base64.b64decode(key, validate=True)) != 16:
            raise HandshakeFailed("400 Bad Request")
    except binascii.Error:
        raise HandshakeFailed("400 Bad Request") from None
    proof = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()
    # Browsers give up if none of what they offered is selected; and what was not
    # offered must not be.
    selected = (
        f"Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n"
        if SUBPROTOCOL in _tokens(fields.get("sec-websocket-protocol", ""))
        else ""
    )
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {proof}\r\n{selected}\r\n"
    )


def _tokens(value: str) -> list[str]:
    return [token.strip() for token in value.split(",")]


class WebSocket:
    """A connection after its handshake."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        high_water: int,
        close_timeout: float,
    ) -> None:
        self.text_limit = self.binary_limit = 65_536
        #: Called when there is room again, after `has_room` said that there is none.
        self.on_room: Callable[[], None] = lambda: None
        #: Called for each ping of WebSocket itself, which is answered here.
        self.on_ping: Callable[[], None] = lambda: None
        self._reader = reader
        self._writer = writer
        self._high_water = high_water
        self._close_timeout = close_timeout
        # One less, because asyncio waits when there is *more* than this.
        writer.transport.set_write_buffer_limits(high=high_water - 1)
        self._closing = False
        self._peer_closed = False
        self._unread = 0
        self._pong: bytes | None = None
        self._waiter: asyncio.Task[None] | None = None

    # Out

    def send(self, data: str | bytes) -> None:
        if self._closing:
            return
        if isinstance(data, str):
            self._write(_TEXT, data.encode())
        else:
            self._write(_BINARY, data)

    def has_room(self) -> bool:
        if self._writer.transport.get_write_buffer_size() < self._high_water:
            return True
        if self._waiter is None:
            self._waiter = asyncio.create_task(self._wait_for_room())
        return False

    async def _wait_for_room(self) -> None:
        try:
            await self._writer.drain()
        except OSError:
            return
        self._waiter = None
        if self._closing:
            return
        if self._pong is not None:
            self._write(_PONG, self._pong)
            self._pong = None
        self.on_room()

    def close(self, code: int, reason: str = "") -> None:
        """Send a close frame. The answer is not waited for here: `receive` finds it,
        or the connection is cut, and raises `Closed`."""
        payload = b"" if code == NO_CODE else struct.pack("!H", code) + reason.encode()
        if not self._closing:
            self._write(_CLOSE, payload[:125])
            self._closing = True
            loop = asyncio.get_running_loop()
            loop.call_later(self._close_timeout, self._writer.transport.abort)

    def _write(self, opcode: int, payload: bytes) -> None:
        if self._writer.transport.is_closing():
            return  # It broke, and `receive` is about to say so.
        length = len(payload)
        if length < 126:
            head = struct.pack("!BB", 0x80 | opcode, length)
        elif length < 65_536:
            head = struct.pack("!BBH", 0x80 | opcode, 126, length)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, 127, length)
        self._writer.write(head + payload)

    # In

    async def receive(self) -> str | bytes:
        """The next message. Raises `Closed` in the end, and `TooBig`.

        After `close`, what still comes is thrown away until the peer answers.
        """
        try:
            return await self._message()
        except _Violation as violation:
            self.close(violation.code, str(violation))
            raise Closed(violation.code, by_peer=False) from None
        except (asyncio.IncompleteReadError, OSError):
            raise Closed(BROKEN, by_peer=True) from None

    async def finish(self) -> None:
        """Let go of the TCP connection once what was written is out.

        Data that is left unread when a socket is closed makes the kernel reset the
        connection, and the peer may never see our close frame. So whoever closed
        reads on until the peer is done, or the time of the close is over.
        """
        if not self._closing:
            self._writer.transport.abort()
            return
        try:
            try:
                while not self._peer_closed:
                    await self._message()
            except (Closed, _Violation):
                pass
            self._writer.write_eof()
            while await self._reader.read(65_536):
                pass
        except (asyncio.IncompleteReadError, OSError):
            pass
        self._writer.close()

    async def _message(self) -> str | bytes:
        message = bytearray()
        kind: int | None = None
        while True:
            await self._discard(self._unread)
            final, opcode, length, mask = await self._head()
            if opcode >= _CLOSE:
                self._control(opcode, _unmask(await self._reader.readexactly(length), mask))
                continue
            if self._closing:
                self._unread = length
                continue
            if (opcode == _CONTINUATION) != (kind is not None):
                raise _Violation(1002, "fragment out of turn")
            kind = opcode if kind is None else kind
            if len(message) + length > (self.text_limit if kind == _TEXT else self.binary_limit):
                self._unread = length
                raise TooBig
            message += _unmask(await self._reader.readexactly(length), mask)
            if not final or self._closing:
                continue
            if kind == _BINARY:
                return bytes(message)
            try:
                return message.decode()
            except UnicodeDecodeError:
                raise _Violation(1007, "not UTF-8") from None

    async def _discard(self, count: int) -> None:
        while count > 0:
            chunk = await self._reader.read(min(count, 65_536))
            if not chunk:
                raise asyncio.IncompleteReadError(b"", count)
            count -= len(chunk)
        self._unread = 0

    async def _head(self) -> tuple[bool, int, int, bytes]:
        """The head of a frame (RFC 6455 §5.2): is it the last, opcode, length, mask."""
        first, second = await self._reader.readexactly(2)
        final, opcode, length = first >= 0x80, first & 0x0F, second & 0x7F
        if first & 0x70:
            raise _Violation(1002, "an extension that was not agreed on")
        if opcode not in (_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG):
            raise _Violation(1002, "unknown opcode")
        if opcode >= _CLOSE and (length > 125 or not final):
            raise _Violation(1002, "control frame that is long or in fragments")
        if not second & 0x80:
            raise _Violation(1002, "no mask")
        if length >= 126:
            size, least = (2, 126) if length == 126 else (8, 65_536)
            length = int.from_bytes(await self._reader.readexactly(size), "big")
            if not least <= length < 2**63:
                raise _Violation(1002, "length")
        return final, opcode, length, await self._reader.readexactly(4)

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == _PING and not self._closing:
            self.on_ping()
            # A peer that asks and never reads gets one answer, not any number.
            if self.has_room():
                self._write(_PONG, payload)
            else:
                self._pong = payload
        elif opcode == _CLOSE:
            self._peer_closed = True
            code = _close_code(payload)
            by_peer = not self._closing
            self.close(code)
            raise Closed(code, by_peer)


def _close_code(payload: bytes) -> int:
    """The code of a close frame, if the frame is in order (RFC 6455 §5.5.1, §7.4)."""
    if not payload:
        return NO_CODE
    if len(payload) == 1:
        raise _Violation(1002, "half a close code")
    code = int.from_bytes(payload[:2], "big")
    if not (3000 <= code <= 4999 or 1000 <= code <= 1014 and code not in (1004, 1005, 1006)):
        raise _Violation(1002, "close code")
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        raise _Violation(1007, "close reason") from None
    return code


def _unmask(data: bytes, mask: bytes) -> bytes:
    """Each byte XOR the byte of the mask; as two long numbers, for speed."""
    length = len(data)
    repeated = (mask * (length // 4 + 1))[:length]
    return (int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")).to_bytes(length, "big")
