"""One connection: PROTOCOL.md, "The server, state by state" and "Heartbeats"."""

from __future__ import annotations

import asyncio
import enum
import logging
from typing import TYPE_CHECKING

import frames
from frames import FrameError, Hello
from session import Session, Violation
from store import Client, Refused
from websocket import Closed, TooBig, WebSocket

if TYPE_CHECKING:
    from server import Server

log = logging.getLogger(__name__)

#: The longest frame before the `welcome`, in units or bytes.
EARLY_SIZE = 12_288
#: Frames that may wait while nobody knows yet who it is.
EARLY_FRAMES = 8
#: All that may come before the `welcome`, extensions and pings of WebSocket included.
FRAMES_BEFORE = 64
#: Room for the framing around the largest payload.
FRAMING = 64


class State(enum.Enum):
    SILENT = enum.auto()
    AUTHENTICATING = enum.auto()
    LIVE = enum.auto()
    CLOSED = enum.auto()


class Connection:
    def __init__(self, server: Server, socket: WebSocket) -> None:
        self.state = State.SILENT
        self.client: Client | None = None
        self._server = server
        self._options = server.options
        self._socket = socket
        self._loop = asyncio.get_running_loop()
        self._early: list[str | bytes] = []
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._heard = 0.0
        self._pinged = False
        self._before = 0
        socket.on_ping = self._on_ping
        self._limit(EARLY_SIZE)

    def _limit(self, size: int) -> None:
        # A unit has at most three bytes in UTF-8, so what is beyond this is beyond
        # `size` units too, and need not be read to know it.
        self._size = size
        self._socket.binary_limit, self._socket.text_limit = size, 3 * size

    async def run(self, deadline: float) -> None:
        """Until the connection is over. `deadline`: for `hello` and authentication."""
        self._timer = self._loop.call_at(deadline, self.close, 4408, "hello timeout")
        try:
            while True:
                try:
                    self._on_data(await self._socket.receive())
                except TooBig:
                    self._too_large()
                except Violation as violation:
                    self.close(violation.code, violation.reason)
                if self.state is State.AUTHENTICATING:
                    # So a check that waits for nothing is over before the next frame.
                    await asyncio.sleep(0)
        except Closed as closed:
            self._over(closed.code, closed.by_peer)
        except Exception:
            log.exception("internal error")
            self.close(1011, "internal error")
        finally:
            self._over(1006, by_peer=True)
            await self._socket.finish()

    # The end

    def close(self, code: int, reason: str) -> None:
        """Close it. From here on nothing that comes is heard."""
        self._socket.close(code, reason)
        self._over(code, by_peer=False)

    def fence(self) -> None:
        """A later connection has the session: this one must not touch it any more."""
        self.client = None
        self.close(4409, "superseded")

    def _over(self, code: int, by_peer: bool) -> None:
        if self.state is State.CLOSED:
            return
        self.state = State.CLOSED
        self._early.clear()
        self._stop_timer()
        if self._task:
            self._task.cancel()
        client, self.client = self.client, None
        if client:
            self._server.detached(client, code, by_peer)

    def _stop_timer(self) -> None:
        """There is one at a time: for `hello`, for silence, or for the answer to a ping."""
        if self._timer:
            self._timer.cancel()

    # What comes

    def _on_data(self, data: str | bytes) -> None:
        if self.state is State.CLOSED:
            return
        self._count()
        if frames.units(data) > self._size:
            self._too_large()
        elif self.state is State.SILENT:
            self._on_first(data)
        elif self.state is State.AUTHENTICATING:
            if len(self._early) == EARLY_FRAMES:
                raise Violation(4400, "too early")
            self._early.append(data)
        else:
            self._on_live(data)

    def _count(self) -> None:
        if self.state is not State.LIVE:
            self._before += 1
            if self._before > FRAMES_BEFORE:
                raise Violation(4400, "too early")

    def _on_ping(self) -> None:
        self._count()
        if self.state is State.LIVE:
            self._hear()

    def _too_large(self) -> None:
        self.close(4413 if self.state is State.LIVE else 4400, "too large")

    def _on_first(self, data: str | bytes) -> None:
        try:
            frame = frames.read_frame(data)
        except FrameError as error:
            code = 4426 if error.kind == frames.VERSION else 4400
            raise Violation(code, error.kind) from None
        if isinstance(frame, Hello):
            self.state = State.AUTHENTICATING
            self._task = asyncio.create_task(self._authenticate(frame))
        elif not isinstance(frame, frames.Unknown):
            raise Violation(4400, "hello expected")

    async def _authenticate(self, hello: Hello) -> None:
        try:
            principal = await self._server.application.authenticate(hello.auth)
            if self.state is State.AUTHENTICATING:
                self._server.welcome(self, hello, principal)
                for data in self._early:
                    self._on_data(data)
        except (Refused, Violation) as refusal:
            self.close(refusal.code, refusal.reason)
        except Exception:
            log.exception("authentication failed")
            self.close(1011, "internal error")

    def go_live(
        self, client: Client, session: Session, welcome: str, hello: Hello, ack: int
    ) -> None:
        """The session is ours: write the `welcome`, and go on sending."""
        self.state = State.LIVE
        self.client = client
        self._limit(self._options.max + FRAMING)
        self._stop_timer()
        self._heard = self._loop.time()
        self._watch()
        self._socket.on_room = session.pump
        self._socket.send(welcome)
        session.attach(self._socket, ack, hello.win, hello.max)

    def _on_live(self, data: str | bytes) -> None:
        assert self.client and self.client.session
        session = self.client.session
        self._hear()
        session.virgin = False
        try:
            frame = frames.read_frame(data)
        except FrameError as error:
            raise Violation(4400, error.kind) from None
        match frame:
            case frames.Msg():
                session.on_msg(frame, self._options.max)
            case frames.Ack():
                session.on_ack(frame.ack)
            case frames.Volatile():
                session.on_volatile(frame.payload, self._options.max)
            case frames.Ping():
                if self._socket.has_room():
                    self._socket.send(frames.PONG)
            case frames.Pong() | frames.Unknown():
                pass
            case _:
                raise Violation(4400, "handshake out of turn")

    # Heartbeats

    def _hear(self) -> None:
        """A sign of life. The timer is left to find out, unless it waits for this."""
        self._heard = self._loop.time()
        if self._pinged:
            self._pinged = False
            self._stop_timer()
            self._watch()

    def _watch(self) -> None:
        """Ping when nothing was heard for long."""
        quiet = self._loop.time() - self._heard
        if quiet < self._options.silence:
            self._timer = self._loop.call_later(self._options.silence - quiet, self._watch)
        else:
            self._ping()

    def _ping(self) -> None:
        self._socket.send(frames.PING)
        self._pinged = True
        now = self._loop.time()
        self._timer = self._loop.call_later(self._options.pong_timeout, self._judge, now)

    def _judge(self, pinged: float) -> None:
        if self._loop.time() - pinged > 2 * self._options.pong_timeout:
            self._ping()  # It was us who slept.
        else:
            self.close(4408, "silent")
