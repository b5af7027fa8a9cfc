"""RFC 6455: the handshake, and all that a peer may do wrong in frames."""

import asyncio
import contextlib
import struct
import unittest
from collections.abc import AsyncIterator

import websocket
from scripted_client import Raw


class Echo:
    """Sends back what comes; and remembers how each connection ended."""

    def __init__(self) -> None:
        self.ends: asyncio.Queue[websocket.Closed] = asyncio.Queue()
        self.tasks: list[asyncio.Task[None]] = []

    def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.append(asyncio.create_task(self.serve(reader, writer)))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            socket = await websocket.accept(reader, writer, high_water=65_536, close_timeout=5)
        except websocket.HandshakeFailed:
            writer.close()
            return
        socket.text_limit, socket.binary_limit = 300_000, 100_000
        try:
            while True:
                try:
                    socket.send(await socket.receive())
                except websocket.TooBig:
                    socket.close(4413, "too large")
        except websocket.Closed as closed:
            self.ends.put_nowait(closed)
        await socket.finish()


@contextlib.asynccontextmanager
async def echo() -> AsyncIterator[tuple[int, Echo]]:
    handler = Echo()
    server = await asyncio.start_server(handler, "127.0.0.1", 0, limit=16_384)
    async with server:
        yield server.sockets[0].getsockname()[1], handler
        # The clients are gone by now.
        await Raw.wait(asyncio.gather(*handler.tasks))


class Handshake(unittest.IsolatedAsyncioTestCase):
    async def request(self, *lines: str) -> bytes:
        async with echo() as (port, _):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
            head: bytes = await Raw.wait(reader.read())
            writer.close()
            return head

    async def test_accept(self) -> None:
        async with echo() as (port, _):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(
                b"GET /chat HTTP/1.1\r\nHost: x\r\nupgrade: WebSocket\r\nCONNECTION: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            head = await Raw.wait(reader.readuntil(b"\r\n\r\n"))
            # The example of RFC 6455 §1.3.
            self.assertIn(b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", head)
            self.assertNotIn(b"Sec-WebSocket-Protocol", head)
            writer.close()

    async def test_subprotocol(self) -> None:
        async with echo() as (port, _):
            raw = await Raw.open(port, "Sec-WebSocket-Protocol: other, reconnecting-socket.v1")
            self.assertIn("Sec-WebSocket-Protocol: reconnecting-socket.v1\r\n", raw.head)
            raw.writer.close()
            raw = await Raw.open(port, "Sec-WebSocket-Protocol: other")
            self.assertIn("101", raw.head)
            self.assertNotIn("Sec-WebSocket-Protocol", raw.head)
            raw.writer.close()

    async def test_refused(self) -> None:
        good = [
            "GET / HTTP/1.1",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ]
        for at, line, status in (
            (0, "POST / HTTP/1.1", b"405"),
            (1, "Upgrade: h2c", b"426"),
            (2, "Connection: close", b"400"),
            (3, "Sec-WebSocket-Version: 8", b"426"),
            (4, "Sec-WebSocket-Key: short", b"400"),
            (4, "Sec-WebSocket-Key: ****", b"400"),
        ):
            with self.subTest(line):
                lines = [*good[:at], line, *good[at + 1 :]]
                self.assertTrue((await self.request(*lines)).startswith(b"HTTP/1.1 " + status))

    async def test_endless_head(self) -> None:
        self.assertEqual(await self.request("GET / HTTP/1.1", "A: " + "x" * 20_000), b"")


class Frames(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        stack = contextlib.AsyncExitStack()
        self.addAsyncCleanup(stack.aclose)
        self.port, self.echo = await stack.enter_async_context(echo())
        self.kept: list[Raw] = []
        self.addAsyncCleanup(self.let_go)
        await self.open()

    async def let_go(self) -> None:
        for raw in self.kept:
            raw.writer.close()

    async def open(self) -> None:
        self.raw = await Raw.open(self.port)
        self.kept.append(self.raw)

    async def fails(self, code: int) -> None:
        self.assertEqual((await self.raw.closed())[0], code)
        end = await Raw.wait(self.echo.ends.get())
        self.assertEqual((end.code, end.by_peer), (code, False))

    async def test_lengths(self) -> None:
        for length in (0, 1, 125, 126, 65_535, 65_536, 100_000):
            data = bytes(at % 251 for at in range(length))
            self.raw.send(data)
            self.assertEqual(await self.raw.receive(), data)
        self.raw.send("é 钥 😀")
        self.assertEqual(await self.raw.receive(), "é 钥 😀")

    async def test_fragments_with_a_ping_between(self) -> None:
        text = "é😀".encode()
        self.raw.frame(1, text[:1], final=False)
        self.raw.frame(9, b"are you there")
        self.raw.frame(0, b"", final=False)
        self.raw.frame(0, text[1:4], final=False)
        self.raw.frame(0, text[4:])
        self.assertEqual(await self.raw.read(), (10, b"are you there"))
        self.assertEqual(await self.raw.receive(), "é😀")

    async def test_pong_is_ignored(self) -> None:
        self.raw.frame(10, b"?")
        self.raw.send("x")
        self.assertEqual(await self.raw.receive(), "x")

    async def test_continuation_of_nothing(self) -> None:
        self.raw.frame(0, b"x")
        await self.fails(1002)

    async def test_message_within_a_message(self) -> None:
        self.raw.frame(1, b"x", final=False)
        self.raw.frame(1, b"x")
        await self.fails(1002)

    async def test_no_mask(self) -> None:
        self.raw.frame(1, b"x", masked=False)
        await self.fails(1002)

    async def test_reserved(self) -> None:
        for opcode in (3, 7, 11, 15, 0x41, 0x21, 0x11):
            with self.subTest(opcode):
                await self.open()
                self.raw.frame(opcode, b"x")
                await self.fails(1002)

    async def test_control_frames(self) -> None:
        for payload, final in ((b"x" * 126, True), (b"x", False)):
            with self.subTest(final):
                await self.open()
                self.raw.frame(9, payload, final=final)
                await self.fails(1002)

    async def test_length_that_is_not_the_shortest(self) -> None:
        for length in (b"\xfe\x00\x05", b"\xff" + bytes(7) + b"\x7f", b"\xff\xff" + bytes(7)):
            with self.subTest(length):
                await self.open()
                self.raw.writer.write(b"\x82" + length)
                await self.fails(1002)

    async def test_text_that_is_not_utf8(self) -> None:
        for data in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf0\x9f\x98", b"\xf4\x90\x80\x80"):
            with self.subTest(data):
                await self.open()
                self.raw.frame(1, data)
                await self.fails(1007)

    async def test_too_big(self) -> None:
        self.raw.send(b"x" * 100_001)
        await self.fails_as_too_big()

    async def test_too_big_in_fragments(self) -> None:
        self.raw.frame(2, b"x" * 60_000, final=False)
        self.raw.frame(0, b"x" * 60_000, final=False)
        self.raw.frame(0, b"x" * 60_000)
        await self.fails_as_too_big()

    async def test_too_big_by_its_head_alone(self) -> None:
        self.raw.writer.write(b"\x82\xff" + struct.pack("!Q", 2**62) + b"mask")
        self.assertEqual(await self.raw.read(), (8, struct.pack("!H", 4413) + b"too large"))

    async def fails_as_too_big(self) -> None:
        self.assertEqual(await self.raw.closed(), (4413, "too large"))
        self.assertFalse((await Raw.wait(self.echo.ends.get())).by_peer)

    async def test_close_codes(self) -> None:
        for code in (1000, 1001, 1003, 1007, 1011, 1014, 3000, 4400, 4999):
            with self.subTest(code):
                await self.open()
                self.raw.close(code)
                self.assertEqual((await self.raw.closed())[0], code)
                end = await Raw.wait(self.echo.ends.get())
                self.assertEqual((end.code, end.by_peer), (code, True))

    async def test_close_codes_that_are_not_sent(self) -> None:
        for payload, code in (
            (struct.pack("!H", 0), 1002),
            (struct.pack("!H", 999), 1002),
            (struct.pack("!H", 1004), 1002),
            (struct.pack("!H", 1005), 1002),
            (struct.pack("!H", 1006), 1002),
            (struct.pack("!H", 1015), 1002),
            (struct.pack("!H", 2999), 1002),
            (struct.pack("!H", 5000), 1002),
            (b"\x03", 1002),
            (struct.pack("!H", 1000) + b"\xff", 1007),
        ):
            with self.subTest(payload):
                await self.open()
                self.raw.frame(8, payload)
                await self.fails(code)

    async def test_close_without_a_code(self) -> None:
        self.raw.frame(8, b"")
        self.assertEqual(await self.raw.read(), (8, b""))
        end = await Raw.wait(self.echo.ends.get())
        self.assertEqual((end.code, end.by_peer), (1005, True))
        await self.raw.gone()

    async def test_broken(self) -> None:
        self.raw.frame(1, b"x", final=False)
        self.raw.writer.close()
        end = await Raw.wait(self.echo.ends.get())
        self.assertEqual((end.code, end.by_peer), (1006, True))


if __name__ == "__main__":
    unittest.main()
