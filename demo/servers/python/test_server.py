"""The rules of sessions, over real sockets, with a client that follows a script."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
import unittest
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import frames
import session as sessions
from conformance import Conformance
from frames import Ack, Lost, Msg, Payload, Ping, Pong, Volatile, read_frame
from scripted_client import Client, Raw, command, frames_until
from server import Options, Server
from session import Session


class Watched(Conformance):
    """Tells the test what happens, and consumes or authenticates when it is let."""

    def __init__(self) -> None:
        self.ends: asyncio.Queue[tuple[str, Sequence[Payload]]] = asyncio.Queue()
        self.sessions: list[Session] = []
        self.authenticating = asyncio.Event()
        self.may_authenticate = asyncio.Event()
        self.may_authenticate.set()
        self.may_consume = asyncio.Event()
        self.may_consume.set()
        self.refused: list[Payload] = []

    async def authenticate(self, auth: object) -> str:
        self.authenticating.set()
        await self.may_authenticate.wait()
        return await super().authenticate(auth)

    async def run(self, session: Session) -> None:
        self.sessions.append(session)
        await self.may_consume.wait()
        await super().run(session)

    def too_large(self, session: Session, payload: Payload) -> None:
        self.refused.append(payload)

    def ended(self, session: Session, reason: str, lost: Sequence[Payload]) -> None:
        self.ends.put_nowait((reason, lost))


class Case(unittest.IsolatedAsyncioTestCase):
    options: dict[str, Any] = {}

    async def asyncSetUp(self) -> None:
        self.application = Watched()
        self.server = Server(
            self.application,
            Options(**{"max": 65_536, "win": 64, "drain_timeout": 0, **self.options}),
        )
        self.port = await self.server.listen("127.0.0.1", 0)
        self.addAsyncCleanup(self.stop)
        self.opened: list[Raw] = []

    async def stop(self) -> None:
        for raw in self.opened:
            raw.writer.transport.abort()
        await self.server.drain()

    def client(self, **hello: Any) -> Client:
        return Client(self.port, **hello)

    async def connect(self, client: Client, **changed: Any) -> Raw:
        raw = await client.connect(**changed)
        self.opened.append(raw)
        return raw

    async def resume(self, client: Client, ack: int) -> Raw:
        sid = client.welcome.sid
        raw = await self.connect(client, sid=sid, ack=ack)
        self.assertEqual(client.welcome.sid, sid)
        self.assertIsNone(client.welcome.lost)
        return raw

    async def lost(self, client: Client, sid: str, reason: str, ack: int | None) -> Raw:
        raw = await self.connect(client, sid=sid)
        self.assertNotEqual(client.welcome.sid, sid)
        self.assertEqual(client.welcome.ack, 0)
        self.assertEqual(client.welcome.lost, Lost(reason, ack))
        return raw

    async def ended(self) -> tuple[str, Sequence[Payload]]:
        end: tuple[str, Sequence[Payload]] = await Raw.wait(self.application.ends.get())
        return end

    async def drop(self, raw: Raw) -> None:
        """Cut, and wait until the server knows."""
        connections = set(self.server._connections)
        raw.writer.transport.abort()
        while connections <= self.server._connections:
            await asyncio.sleep(0)

    async def answered(self, raw: Raw, wanted: frames.Frame) -> None:
        """The next frame but acknowledgements, which may come at any time."""
        frame = read_frame(await raw.receive())
        while isinstance(frame, Ack):
            frame = read_frame(await raw.receive())
        self.assertEqual(frame, wanted)


class Handshake(Case):
    async def test_welcome(self) -> None:
        client = self.client()
        await self.connect(client)
        welcome = client.welcome
        self.assertEqual((welcome.ack, welcome.win, welcome.max), (0, 64, 65_536))
        self.assertEqual((welcome.ttl, welcome.hb, welcome.lost), (120_000, 25_000, None))

    async def test_authentication(self) -> None:
        for auth, code in (
            (None, 4401),
            ("alice", 4401),
            ({"principal": ""}, 4401),
            ({"principal": 1}, 4401),
            ({"forbidden": True}, 4401),
            ({"principal": "alice", "forbidden": True}, 4403),
        ):
            with self.subTest(auth):
                self.assertEqual(await self.client(auth=auth).refused(), code)
        self.assertEqual(self.server.store.clients, {})

    async def test_refused_changes_nothing(self) -> None:
        client = self.client()
        raw = await self.connect(client)
        epoch = client.epoch
        for changed, code in (
            ({"key": "another"}, 4403),
            ({"auth": {"principal": "bob"}}, 4403),
            ({"auth": None}, 4401),
            ({"epoch": epoch}, 4409),
        ):
            self.assertEqual(await client.refused(**changed), code)
        raw.send("[2,1,0,1]")
        await self.answered(raw, Msg(1, 0, "1"))
        client.epoch = epoch
        await self.resume(client, 1)

    async def first(self, *data: str | bytes) -> int:
        raw = await Raw.open(self.port)
        raw.send(*data)
        return (await raw.closed())[0]

    async def test_what_is_no_hello(self) -> None:
        hello = frames.write_hello(self.client().next_hello())
        for data, code in (
            ('[0,{"v":2}]', 4426),
            ('[1,{"v":2}]', 4426),
            ('[0,{"v":"1"}]', 4400),
            ("[4]", 4400),
            ("[2,1,0,1]", 4400),
            ("[7]", 4400),
            (b"", 4400),
            (hello.replace(',"win":64', ""), 4400),
            (hello[:-2] + " " * 4096 + "}]", 4400),
            ("[64," + "1" * 12_284 + "]", 4400),
            ("é" * 12_289, 4400),
            (b"\x40" * 12_289, 4400),
            ("x" * 60_000, 4400),
        ):
            with self.subTest(str(data)[:40]):
                self.assertEqual(await self.first(data), code)

    async def test_extension_and_bytes(self) -> None:
        raw = await Raw.open(self.port)
        hello = frames.write_hello(self.client().next_hello())
        raw.send("[64,1]", b"\xff", hello.encode())
        self.assertIsInstance(read_frame(await raw.receive()), frames.Welcome)
        raw.send(hello)
        self.assertEqual((await raw.closed())[0], 4400)


    async def test_so_many_before_the_welcome(self) -> None:
        raw = await Raw.open(self.port)
        self.opened.append(raw)
        raw.send(*["[64]"] * 40)
        for _ in range(24):
            raw.frame(9, b"")
        for _ in range(24):
            self.assertEqual(await raw.read(), (10, b""))
        raw.frame(9, b"")
        self.assertEqual(await raw.closed(), (4400, "too early"))


class Deadline(Case):
    options = {"hello_timeout": 0.2}

    async def test_timeout(self) -> None:
        raw = await Raw.open(self.port)
        self.assertEqual(await raw.closed(), (4408, "hello timeout"))

    async def test_timeout_of_the_request(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"GET /")
        raw = Raw(reader, writer)
        await raw.gone()

    async def test_timeout_of_authentication(self) -> None:
        self.application.may_authenticate.clear()
        self.assertEqual(await self.client().refused(), 4408)


class Early(Case):
    async def hello(self, client: Client) -> Raw:
        self.application.may_authenticate.clear()
        raw = await client.say_hello()
        self.opened.append(raw)
        await Raw.wait(self.application.authenticating.wait())
        return raw

    async def test_eight_wait(self) -> None:
        raw = await self.hello(self.client())
        raw.send(*(f"[2,{n},0,{n}]" for n in range(1, 8)))
        raw.frame(9, b"")
        self.assertEqual(await raw.read(), (10, b""))
        self.application.may_authenticate.set()
        self.assertIsInstance(read_frame(await raw.receive()), frames.Welcome)
        for n in range(1, 8):
            await self.answered(raw, Msg(n, n - 1, str(n)))

    async def test_nine_are_too_many(self) -> None:
        raw = await self.hello(self.client())
        raw.send(*["[64]"] * 9)
        self.assertEqual(await raw.closed(), (4400, "too early"))

    async def test_what_waited_comes_to_its_own(self) -> None:
        raw = await self.hello(self.client())
        raw.send("[2,1,0,1]", "[7]", "[2,2,0,2]")
        self.application.may_authenticate.set()
        self.assertEqual((await raw.closed())[0], 4400)
        self.assertEqual(self.application.sessions[0].received, 1)

    async def test_end_during_authentication(self) -> None:
        client = self.client()
        await self.drop(await self.hello(client))
        self.application.may_authenticate.set()
        self.assertEqual(self.server.store.clients, {})


class Sessions(Case):
    async def test_virgin_is_adopted(self) -> None:
        client = self.client()
        raw = await self.connect(client)
        sid = client.welcome.sid
        await self.connect(client)
        self.assertEqual(client.welcome.sid, sid)
        self.assertEqual((await raw.closed())[0], 4409)
        await self.connect(client, sid="another", ack=7)
        self.assertEqual(client.welcome.sid, sid)
        self.assertEqual(client.welcome.lost, Lost("unknown"))

    async def test_loss_is_told_again(self) -> None:
        client = self.client()
        raw = await self.connect(client)
        sid = client.welcome.sid
        raw.send("[2,1,0,1]")
        await self.answered(raw, Msg(1, 0, "1"))
        raw.close(1000)
        self.assertEqual((await raw.closed())[0], 1000)
        self.assertEqual(await self.ended(), ("closed", ["1"]))
        await self.lost(client, sid, "closed", 1)
        again = client.welcome.sid
        await self.lost(client, sid, "closed", 1)
        self.assertEqual(client.welcome.sid, again)

    async def test_given_up(self) -> None:
        client = self.client()
        raw = await self.connect(client)
        sid = client.welcome.sid
        raw.send("[64]", "[4]")
        await self.answered(raw, Pong())
        await self.connect(client)
        self.assertNotEqual(client.welcome.sid, sid)
        self.assertIsNone(client.welcome.lost)
        self.assertEqual((await raw.closed())[0], 4409)
        await self.lost(client, sid, "unknown", 0)

    async def test_acks_that_are_not_possible(self) -> None:
        for ack in (0, 3):
            with self.subTest(ack):
                client = self.client()
                raw = await self.connect(client)
                raw.send("[2,1,0,1]", "[2,2,0,2]")
                await self.answered(raw, Msg(1, 0, "1"))
                await self.answered(raw, Msg(2, 1, "2"))
                raw.send("[3,1]", "[4]")
                await frames_until(raw, Pong())
                sid = client.welcome.sid
                await self.connect(client, sid=sid, ack=ack)
                self.assertEqual(client.welcome.lost, Lost("invalid", 2))

    async def test_takeover(self) -> None:
        client = self.client()
        old = await self.connect(client)
        old.send("[2,1,0,1]")
        await self.answered(old, Msg(1, 0, "1"))
        new = await self.resume(client, 0)
        old.send("[2,2,0,2]")
        old.close(1000)
        self.assertEqual(await old.closed(), (4409, "superseded"))
        await self.answered(new, Msg(1, 1, "1"))
        new.send("[2,2,1,3]")
        await self.answered(new, Msg(2, 1, "3"))

    async def test_ends_that_keep(self) -> None:
        client = self.client()
        raw = await self.connect(client)
        raw.send("[2,1,0,1]")
        await self.answered(raw, Msg(1, 0, "1"))
        for code in (1001, 3000, 4400, 4408, 4999):
            raw.close(code)
            await raw.closed()
            raw = await self.resume(client, 0)
            self.assertEqual(client.welcome.ack, 1)
            await self.answered(raw, Msg(1, 1, "1"))
        raw.frame(1, b"\xff")
        self.assertEqual((await raw.closed())[0], 1007)
        raw = await self.resume(client, 0)
        await self.drop(raw)
        await self.resume(client, 0)

    async def test_end_as_too_large(self) -> None:
        client = self.client()
        raw = await self.connect(client)
        sid = client.welcome.sid
        raw.close(4413)
        await raw.closed()
        await self.lost(client, sid, "too large", 0)

    async def test_poison(self) -> None:
        client = self.client()
        raw = await self.connect(client)
        sid = client.welcome.sid
        raw.send("[2,1,0,1]")
        await self.answered(raw, Msg(1, 0, "1"))
        for _ in range(2):
            raw.send("[7]")
            self.assertEqual((await raw.closed())[0], 4400)
            raw = await self.resume(client, 0)
        raw.close(4400)
        await raw.closed()
        self.assertEqual(await self.ended(), ("poison", ["1"]))
        await self.lost(client, sid, "poison", 1)

    async def test_progress_is_no_poison(self) -> None:
        client = self.client()
        raw = await self.connect(client)
        for n in range(1, 6):
            raw.send(f"[2,{n},{n - 1},1]", "[oops]")
            self.assertEqual((await raw.closed())[0], 4400)
            raw = await self.resume(client, n - 1)

    async def test_end(self) -> None:
        client = self.client()
        raw = await self.connect(client)
        sid = client.welcome.sid
        raw.send("[2,1,0," + command("end") + "]")
        self.assertEqual(await frames_until(raw, Ack(1)), [])
        self.assertEqual(await raw.closed(), (4410, "gone"))
        await self.lost(client, sid, "gone", 1)

    async def test_tombstones_are_bounded(self) -> None:
        client = self.client()
        for _ in range(40):
            raw = await self.connect(client)
            raw.close(1000)
            await raw.closed()
        record = self.server.store.clients[client.hello["id"]]
        self.assertEqual(len(record.tombstones), 8)

    async def test_clients_with_nothing_but_tombstones_are_bounded(self) -> None:
        for number in range(260):
            raw = await self.connect(self.client(id=f"c{number}"))
            raw.close(1000)
            await raw.closed()
        self.assertEqual(list(self.server.store.clients), [f"c{n}" for n in range(4, 260)])


class Room(Case):
    options = {"sessions": 3, "sessions_of_principal": 2}

    def of(self, principal: str) -> Client:
        return self.client(auth={"principal": principal})

    async def refusal(self, client: Client) -> tuple[int, str]:
        code, reason = await (await client.say_hello()).closed()
        return code, re.sub(r"; retry=\d+$", "; retry", reason)

    async def test_of_one_principal(self) -> None:
        first, second = self.client(), self.client()
        raw = await self.connect(first)
        await self.connect(second)
        third = self.client()
        self.assertEqual(await self.refusal(third), (4429, "too many sessions; retry"))
        self.assertNotIn(third.hello["id"], self.server.store.clients)
        # Who has a session needs no room, and takes nobody's.
        raw = await self.resume(first, 0)
        await self.drop(raw)
        await self.connect(third)
        self.assertEqual(await self.ended(), ("evicted", []))
        self.assertEqual(await self.refusal(first), (4429, "too many sessions; retry"))

    async def test_of_all(self) -> None:
        clients = [self.of(name) for name in "abc"]
        raws = [await self.connect(client) for client in clients]
        self.assertEqual(await self.refusal(self.of("d")), (4503, "full; retry"))
        for raw in (raws[1], raws[0]):
            await self.drop(raw)
        await self.connect(self.of("d"))
        await self.resume(clients[0], 0)
        raws[2].close(1000)
        await raws[2].closed()
        await self.lost(clients[1], clients[1].welcome.sid, "evicted", 0)


class Expiry(Case):
    options = {"ttl": 50}

    async def test_expired(self) -> None:
        self.application.may_consume.clear()
        client = self.client()
        raw = await self.connect(client)
        raw.send("[2,1,0,1]", "[4]")
        await frames_until(raw, Pong())
        await self.drop(raw)
        self.assertEqual(await self.ended(), ("expired", []))
        await self.lost(client, client.welcome.sid, "expired", 0)


class Forgetting(Case):
    options = {"ttl": 0, "tombstone_ttl": 0.05}

    async def test_forgotten(self) -> None:
        client = self.client()
        await self.drop(await self.connect(client))
        await self.ended()
        while self.server.store.clients:
            await asyncio.sleep(0.01)
        client.hello["key"] = "another"
        await self.connect(client)


class Messages(Case):
    async def asyncSetUp(self) -> None:
        await super().asyncSetUp()
        self.scripted = self.client()
        self.raw = await self.connect(self.scripted)

    async def closes(self, code: int) -> None:
        self.assertEqual((await self.raw.closed())[0], code)

    async def test_payloads(self) -> None:
        deep = "[" * 200 + "]" * 200
        payloads: list[Payload] = [' "é 😀" ', "1.50e+400", deep, b"", b"\xff[", b'"x"']
        for n, payload in enumerate(payloads, 1):
            self.raw.send(frames.write_msg(n, n - 1, payload))
            await self.answered(self.raw, Msg(n, n - 1, payload))

    async def test_not_json(self) -> None:
        self.raw.send("[2,1,0,]", "[2,2,0,oops]", "[2,3,0,NaN]", "[2,4,0,1,2]")
        self.assertEqual(await frames_until(self.raw, Ack(4)), [])
        self.raw.send("[2,5,0,5]")
        await self.answered(self.raw, Msg(1, 4, "5"))

    async def test_duplicate(self) -> None:
        self.raw.send("[2,1,0,1]", "[2,1,0," + "2" * 65_536 + "]", "[2,2,0,2]")
        await self.answered(self.raw, Msg(1, 0, "1"))
        await self.answered(self.raw, Msg(2, 1, "2"))

    async def test_gap(self) -> None:
        self.raw.send("[2,2,0,2]")
        await self.closes(4400)
        await self.resume(self.scripted, 0)
        self.assertEqual(self.scripted.welcome.ack, 0)

    async def test_ack_beyond(self) -> None:
        self.raw.send("[3,1]")
        await self.closes(4400)
        raw = await self.resume(self.scripted, 0)
        raw.send("[2,1,1,1]")
        self.assertEqual((await raw.closed())[0], 4400)

    async def test_sizes(self) -> None:
        largest = '"' + "x" * 65_534 + '"'
        self.raw.send(frames.write_msg(1, 0, largest))
        await self.answered(self.raw, Msg(1, 0, largest))
        self.raw.send(frames.write_msg(2, 1, '"' + "é" * 32_767 + '" '))
        await self.closes(4413)
        await self.lost(self.scripted, self.scripted.welcome.sid, "too large", 1)

    async def test_frames_that_are_too_large(self) -> None:
        for data in ("[64," + "1" * 65_600 + "]", b"\x40" * 65_601, "é" * 200_000, "x" * 10**6):
            with self.subTest(len(data)):
                client = self.client()
                raw = await self.connect(client)
                raw.send(data)
                self.assertEqual((await raw.closed())[0], 4413)
                await self.lost(client, client.welcome.sid, "too large", 0)

    async def test_volatile_and_ping(self) -> None:
        self.raw.send("[6,1]", b"\x06\xff", "[6,oops]", "[5]", "[64]", "[4]")
        self.assertEqual(await frames_until(self.raw, Pong()), [Volatile("1"), Volatile(b"\xff")])

    async def test_too_large_for_the_client(self) -> None:
        raw = await self.resume(self.scripted, 0)
        raw.send("[4]")
        await self.answered(raw, Pong())
        raw = await self.connect(self.scripted, sid=self.scripted.welcome.sid, max=3)
        raw.send('[2,1,0,"xx"]', '[2,2,0,"x"]', '[6,"xx"]', '[6,"x"]')
        found = await frames_until(raw, Msg(1, 1, '"x"'))
        self.assertIn(Volatile('"x"'), found)
        self.assertNotIn(Volatile('"xx"'), found)
        self.assertEqual(self.application.refused, ['"xx"'])


class Acknowledgements(Case):
    async def said(self, raw: Raw, *numbers: int) -> None:
        for n in numbers:
            frame = read_frame(await raw.receive())
            while isinstance(frame, Ack):
                frame = read_frame(await raw.receive())
            assert isinstance(frame, Msg), frame
            self.assertEqual((frame.seq, frame.payload), (n, f'{{"said":{n},"pad":""}}'))

    async def quiet(self, raw: Raw) -> None:
        raw.send("[4]")
        self.assertEqual(await frames_until(raw, Pong()), [])

    async def test_slow_start(self) -> None:
        client = self.client()
        raw = await self.connect(client)
        raw.send("[2,1,0," + command("say", count=40, bytes=0) + "]")
        await self.said(raw, *range(1, 17))
        await self.quiet(raw)
        raw.send("[3,2]")
        await self.said(raw, *range(17, 21))
        await self.quiet(raw)
        raw.send("[3,1]")
        await self.quiet(raw)
        raw = await self.resume(client, 4)
        await self.said(raw, *range(5, 21))
        await self.quiet(raw)

    async def test_ack_of_what_came_on_the_connection_before(self) -> None:
        client = self.client()
        raw = await self.connect(client)
        raw.send("[2,1,0," + command("say", count=40, bytes=0) + "]")
        await self.said(raw, *range(1, 17))
        raw = await self.connect(client, sid=client.welcome.sid, ack=0, win=4)
        await self.said(raw, *range(1, 5))
        raw.send("[3,10]")
        await self.said(raw, *range(11, 15))
        await self.quiet(raw)

    async def test_window_of_the_client(self) -> None:
        raw = await self.connect(self.client(win=1))
        raw.send("[2,1,0," + command("say", count=3, bytes=0) + "]")
        for n in range(1, 4):
            await self.said(raw, n)
            await self.quiet(raw)
            raw.send(f"[3,{n}]")

    async def test_window_of_the_server(self) -> None:
        self.application.may_consume.clear()
        raw = await self.connect(self.client())
        raw.send(*(f"[2,{n},0,{n}]" for n in range(1, 65)), "[6,1]", "[4]")
        await self.answered(raw, Pong())
        raw.send("[2,65,0,65]")
        self.assertEqual(await raw.closed(), (4400, "too many"))
        self.assertEqual(self.application.sessions[0].received, 64)

    async def test_held(self) -> None:
        self.application.may_consume.clear()
        client = self.client()
        raw = await self.connect(client)
        raw.send("[2,1,0,1]", "[2,2,0,2]")
        await self.quiet(raw)
        raw = await self.resume(client, 0)
        self.assertEqual(client.welcome.ack, 0)
        raw.send("[2,1,0,1]", "[2,2,0,2]")
        await self.quiet(raw)
        self.application.may_consume.set()
        await self.answered(raw, Msg(1, 0, "1"))
        await self.answered(raw, Msg(2, 1, "2"))

    async def test_threshold_and_timer(self) -> None:
        raw = await self.connect(self.client())
        nothing = command("say", count=0, bytes=0)
        sent = 0
        # 8, and half of what was acknowledged; but at most half of the window.
        for last in (8, 20, 38, 65, 97, 129):
            raw.send(*(f"[2,{n},0,{nothing}]" for n in range(sent + 1, last + 1)))
            sent = last
            self.assertEqual(read_frame(await raw.receive()), Ack(last))
        raw.send(f"[2,130,0,{nothing}]")
        self.assertEqual(read_frame(await raw.receive()), Ack(130))  # By the timer.


class Heartbeats(Case):
    options = {"silence": 0.05}

    async def test_any_frame_is_a_sign_of_life(self) -> None:
        raw = await self.connect(self.client())
        for sign in ("[5]", "[64]", "[3,0]"):
            await self.answered(raw, Ping())
            raw.send(sign)


class Silence(Case):
    options = {"silence": 0.05, "pong_timeout": 0.05}

    async def test_silence(self) -> None:
        client = self.client()
        raw = await self.connect(client)
        await self.answered(raw, Ping())
        self.assertEqual(await raw.closed(), (4408, "silent"))
        await self.resume(client, 0)


class SlowReaders(Case):
    options = {"high_water": 10_000, "close_timeout": 0.2, "win": 2000}

    def buffered(self) -> int:
        (connection,) = self.server._connections
        return connection._socket._writer.transport.get_write_buffer_size()

    async def until(self, condition: Callable[[], bool]) -> None:
        async def wait() -> None:
            while not condition():
                await asyncio.sleep(0.001)

        await Raw.wait(wait())

    async def test_messages_wait_and_then_all_come(self) -> None:
        raw = await self.connect(self.client(win=2000))
        raw.send("[2,1,0," + command("say", count=200, bytes=50_000) + "]")
        await self.until(lambda: bool(self.application.sessions))
        (session,) = self.application.sessions
        await self.until(lambda: session.is_full)
        self.assertLess(session._waiting_bytes, sessions.WAITING_BYTES + 60_000)
        self.assertLess(self.buffered(), 10_000 + 60_000)
        for n in range(1, 201):
            frame = read_frame(await raw.receive())
            while isinstance(frame, Ack):
                frame = read_frame(await raw.receive())
            assert isinstance(frame, Msg)
            self.assertEqual(frame.seq, n)
            raw.send(f"[3,{n}]")

    async def test_neither_pongs_nor_acknowledgements_pile_up(self) -> None:
        raw = await self.connect(self.client())
        (connection,) = self.server._connections
        # The kernel would take megabytes.
        ends = (raw.writer, socket.SO_RCVBUF), (connection._socket._writer, socket.SO_SNDBUF)
        for writer, option in ends:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, option, 65_536)
        raw.send("[2,1,0," + command("say", count=16, bytes=60_000) + "]")
        await self.until(lambda: self.buffered() >= 10_000)
        (session,) = self.application.sessions
        nothing = command("say", count=0, bytes=0)
        raw.send(*(f"[2,{n},0,{nothing}]" for n in range(2, 1500)))
        for _ in range(5000):
            raw.send("[4]")
            raw.frame(9, b"x" * 100)
        raw.send("[2,1500,0,1]")
        await self.until(lambda: session.done == 1500)
        self.assertLess(self.buffered(), 10_000 + 61_000)
        # Of all that, this is what is made up for: messages, one acknowledgement of
        # all, and the answer to the last ping of WebSocket.
        found: list[tuple[int, bytes]] = []
        while not (found and read_frame(found[-1][1].decode()) == Msg(17, 1500, "1")):
            opcode, payload = await raw.read()
            found.append((opcode, payload if opcode == 1 else b"[5]"))
            raw.send(frames.write_ack(sum(data.startswith(b"[2,") for _, data in found)))
        self.assertLess(len(found), 200)

    async def test_overflow(self) -> None:
        raw = await self.connect(self.client())
        await self.until(lambda: bool(self.application.sessions))
        (session,) = self.application.sessions
        await self.drop(raw)
        for n in range(1001):
            session.send(str(n))
        reason, lost = await self.ended()
        self.assertEqual((reason, len(lost)), ("overflow", 1000))

    async def test_who_does_not_answer_a_close_is_cut(self) -> None:
        raw = await self.connect(self.client())
        raw.send("[7]")
        while self.server._connections:
            await asyncio.sleep(0.01)


class Draining(Case):
    options = {"drain_timeout": 30}

    async def test_drain(self) -> None:
        self.application.may_consume.clear()
        busy, idle = await self.connect(self.client()), await self.connect(self.client())
        silent = await Raw.open(self.port)
        busy.send("[2,1,0,1]", "[4]")
        await self.answered(busy, Pong())
        drain = asyncio.create_task(self.server.drain())
        for raw in (silent, idle):
            code, reason = await raw.closed()
            self.assertEqual(code, 4503)
            self.assertRegex(reason, r"^draining; retry=\d+$")
        late = await Raw.open(self.port)
        self.assertEqual((await late.closed())[0], 4503)
        self.application.may_consume.set()
        await self.answered(busy, Msg(1, 0, "1"))
        busy.send("[3,1]")
        self.assertEqual(await frames_until(busy, Ack(1)), [])
        self.assertEqual((await busy.closed())[0], 4503)
        await Raw.wait(drain)


class Program(unittest.IsolatedAsyncioTestCase):
    async def start(self, *arguments: str, cwd: Path | None = None) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, cwd=cwd
        )
        self.addCleanup(self.stop, process)
        return process

    def stop(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is None:
            process.kill()

    async def play(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        line = (await Raw.wait(process.stdout.readline())).decode()
        match = re.fullmatch(r"ws://127\.0\.0\.1:(\d+)\n", line)
        assert match, line
        client = Client(int(match[1]))
        raw = await client.connect()
        self.assertEqual((client.welcome.ttl, client.welcome.win), (1500, 64))
        deep = "[" * 2000 + "]" * 2000
        raw.send(f"[2,1,0,{deep}]")
        self.assertEqual(read_frame(await raw.receive()), Msg(1, 0, deep))
        raw.send("[3,1]")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(await frames_until(raw, Ack(1)), [])
        code, reason = await raw.closed()
        self.assertEqual(code, 4503)
        self.assertIn("retry=", reason)
        self.assertEqual(await Raw.wait(process.wait()), 0)

    async def test_as_a_directory(self) -> None:
        await self.play(await self.start(os.path.dirname(__file__), "--ttl", "1500", "--win", "64"))

    async def test_as_a_module(self) -> None:
        root = Path(__file__).resolve().parents[3]
        arguments = ("-m", "demo.servers.python", "--ttl", "1500", "--win", "64")
        await self.play(await self.start(*arguments, cwd=root))


if __name__ == "__main__":
    unittest.main()
