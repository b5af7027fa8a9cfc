"""A small client for the tests: it does what a script says, also what is wrong."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import struct
from typing import Any

from frames import Frame, Hello, Welcome, read_frame, write_hello

PATIENCE = 10


class Raw:
    """WebSocket by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.head = ""

    @classmethod
    async def open(cls, port: int, *fields: str) -> Raw:
        raw = cls(*await asyncio.open_connection("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            "GET /any HTTP/1.1",
            "Host: x",
            "Upgrade: websocket",
            "Connection: keep-alive, Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
            *fields,
        ]
        raw.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        raw.head = (await raw.wait(raw.reader.readuntil(b"\r\n\r\n"))).decode()
        return raw

    @staticmethod
    async def wait(awaitable: Any) -> Any:
        return await asyncio.wait_for(awaitable, PATIENCE)

    def frame(self, opcode: int, payload: bytes, final: bool = True, masked: bool = True) -> None:
        """Write one frame of RFC 6455."""
        length = len(payload)
        first = (0x80 if final else 0) | opcode
        bit = 0x80 if masked else 0
        if length < 126:
            head = struct.pack("!BB", first, bit | length)
        elif length < 65_536:
            head = struct.pack("!BBH", first, bit | 126, length)
        else:
            head = struct.pack("!BBQ", first, bit | 127, length)
        if masked:
            mask = os.urandom(4)
            head += mask
            payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        self.writer.write(head + payload)

    def send(self, *messages: str | bytes) -> None:
        for data in messages:
            if isinstance(data, str):
                self.frame(1, data.encode())
            else:
                self.frame(2, data)

    async def read(self) -> tuple[int, bytes]:
        """The next frame of RFC 6455: its opcode and payload."""
        first, length = await self.wait(self.reader.readexactly(2))
        if length >= 126:
            more = await self.wait(self.reader.readexactly(2 if length == 126 else 8))
            length = int.from_bytes(more, "big")
        return first & 0x0F, await self.wait(self.reader.readexactly(length))

    async def receive(self) -> str | bytes:
        opcode, payload = await self.read()
        assert opcode in (1, 2), (opcode, payload)
        return payload.decode() if opcode == 1 else payload

    async def closed(self) -> tuple[int, str]:
        """Code and reason of the close frame. Messages before it are skipped."""
        opcode, payload = await self.read()
        while opcode != 8:
            opcode, payload = await self.read()
        self.frame(8, payload[:2])
        assert await self.wait(self.reader.read()) == b""
        self.writer.close()
        return int.from_bytes(payload[:2], "big"), payload[2:].decode()

    def close(self, code: int) -> None:
        self.frame(8, struct.pack("!H", code))

    async def gone(self) -> None:
        """Until the server has let go of the connection; whatever it still says."""
        try:
            while await self.wait(self.reader.read(65_536)):
                pass
        except OSError:
            pass
        self.writer.close()


class Client:
    """What a client keeps from connection to connection. Its mistakes are the test's."""

    def __init__(self, port: int, **hello: Any) -> None:
        self.port = port
        self.hello: dict[str, Any] = {
            "id": base64.urlsafe_b64encode(os.urandom(12)).decode(),
            "key": base64.urlsafe_b64encode(os.urandom(16)).decode(),
            "win": 64,
            "max": 65_536,
            "auth": {"principal": "alice"},
            **hello,
        }
        self.epoch = 0
        self.welcome: Welcome

    def next_hello(self, **changed: Any) -> Hello:
        self.epoch += 1
        return Hello(**{"nonce": f"n{self.epoch}", "epoch": self.epoch, **self.hello, **changed})

    async def say_hello(self, **changed: Any) -> Raw:
        raw = await Raw.open(self.port)
        raw.send(write_hello(self.next_hello(**changed)))
        return raw

    async def connect(self, **changed: Any) -> Raw:
        """A connection that was welcomed."""
        raw = await self.say_hello(**changed)
        welcome = read_frame(await raw.receive())
        assert isinstance(welcome, Welcome), welcome
        assert welcome.nonce == f"n{self.epoch}"
        self.welcome = welcome
        return raw

    async def refused(self, **changed: Any) -> int:
        return (await (await self.say_hello(**changed)).closed())[0]


async def frames_until(raw: Raw, wanted: Frame) -> list[Frame]:
    """All frames up to the one that is wanted, without it."""
    found: list[Frame] = []
    while (frame := read_frame(await raw.receive())) != wanted:
        found.append(frame)
    return found


def command(name: str, **fields: Any) -> str:
    return json.dumps({"conformance": name, **fields}, separators=(",", ":"))
