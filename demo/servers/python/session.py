"""One half of a session, and the session's state: PROTOCOL.md, "One half".

A session outlives its connections. What it needs of one is a `Link`; when there
is none, messages wait. All of this is plain code that runs in one event loop: no
method but those marked `async` lets anything else run in between.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from frames import Msg, Payload, write_ack, write_msg, write_volatile

IN_FLIGHT = 1024
ALLOWANCE = 16
FIRST_UNACKNOWLEDGED_MESSAGES = 8
UNACKNOWLEDGED_MESSAGES = 128
UNACKNOWLEDGED_BYTES = 65_536
ACK_DELAY = 0.25
WAITING_MESSAGES = 1000
WAITING_BYTES = 4_194_304
HOPELESS = 3


class Violation(Exception):
    """The peer did what it must not: the connection is closed with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Link(Protocol):
    """What a session needs of a live connection."""

    def send(self, data: str | bytes) -> None: ...

    def has_room(self) -> bool:
        """If not, `Session.pump` is called once there is room again."""


class Application:
    """What is told of sessions. `run` is started with each, and cancelled with it."""

    async def authenticate(self, auth: object) -> str:
        """The principal; or raises `Refused` of the server."""
        raise NotImplementedError

    async def run(self, session: Session) -> None:
        """Receive messages and consume them, in order."""
        raise NotImplementedError

    def volatile(self, session: Session, payload: Payload) -> None:
        """A message without a number came."""

    def too_large(self, session: Session, payload: Payload) -> None:
        """A message was thrown away: the client does not accept one of this size."""

    def ended(self, session: Session, reason: str, lost: Sequence[Payload]) -> None:
        """The session is over. `lost`: what was sent and not acknowledged."""


def size_of(payload: Payload) -> int:
    """In bytes: text in UTF-8. Fails for text that has none (half a pair)."""
    return len(payload if isinstance(payload, bytes) else payload.encode())


class Session:
    """The names of the fields are those of the document."""

    def __init__(
        self,
        sid: str,
        principal: str,
        win: int,
        application: Application,
        quit: Callable[[Session, str], None],
    ) -> None:
        self.sid = sid
        self.principal = principal
        self.win = win
        self.virgin = True
        self.ended = False
        self.pending: deque[tuple[Payload, int]] = deque()
        self.unacked: deque[tuple[Payload, int]] = deque()
        self.numbered = self.acked = self.sent = 0
        self.received = self.done = self.told = 0
        self._application = application
        self._quit = quit
        self._link: Link | None = None
        self._peer_win = self._peer_max = 0
        self._allowance = 0
        self._told_at_first = 0
        self._waiting_bytes = 0
        self._came_since_told = 0
        self._timer: asyncio.TimerHandle | None = None
        self._ack_due = False
        self._inbox: deque[Payload] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._nonsense_at: int | None = None
        self._nonsense = 0

    # A connection begins and ends

    def is_possible(self, ack: int) -> bool:
        return self.acked <= ack <= self.numbered

    def attach(self, link: Link, ack: int, win: int, max_: int) -> None:
        """A `welcome` was written, which said `done`. `ack`, `win`, `max_`: of `hello`."""
        self._forget(ack)
        self._link = link
        self._peer_win, self._peer_max = win, max_
        self.sent = self.acked
        self.told = self.done
        self._came_since_told = 0
        self._allowance = ALLOWANCE
        self._told_at_first = self.told
        self.pump()

    def detach(self) -> None:
        self._link = None
        self._stop_timer()

    def end(self) -> list[Payload]:
        """Everything stops. What was not acknowledged, to be told to the application."""
        self.detach()
        self.ended = True
        lost = [payload for payload, _ in (*self.unacked, *self.pending)]
        self.unacked.clear()
        self.pending.clear()
        self._inbox.clear()
        return lost

    def ended_in_nonsense(self) -> bool:
        """A connection ended with 4400. Is it hopeless: was it thus too often here?"""
        position = self.received + self.acked
        self._nonsense = self._nonsense + 1 if position == self._nonsense_at else 1
        self._nonsense_at = position
        return self._nonsense >= HOPELESS

    def quit(self, reason: str = "gone") -> None:
        """End the session for good, as the application wishes."""
        self._quit(self, reason)

    @property
    def is_idle(self) -> bool:
        """All that came is consumed, and all that was sent is acknowledged."""
        return self.done == self.received and not self.unacked and not self.pending

    # Out

    def send(self, payload: Payload) -> None:
        """Accept a message. Who sends many waits for `room` first."""
        if self.is_full and not self._link:
            self.quit("overflow")
        if self.ended:
            return
        size = size_of(payload)
        self.pending.append((payload, size))
        self._waiting_bytes += size
        self.pump()
        self._measure()

    @property
    def is_full(self) -> bool:
        """More waits for the client than may."""
        return len(self.pending) >= WAITING_MESSAGES or self._waiting_bytes >= WAITING_BYTES

    async def room(self) -> None:
        """Wait until fewer messages wait than may: so a client that does not read
        stops the application, and with it its own window, and not our memory."""
        await self._room.wait()

    def send_volatile(self, payload: Payload) -> None:
        """Send now or never."""
        if self._link and self._link.has_room() and size_of(payload) <= self._peer_max:
            self._link.send(write_volatile(payload))

    def pump(self) -> None:
        """Send what may be sent. There is no other place where messages are sent."""
        while self._link and self._may_send() and self._link.has_room():
            if self.sent == self.numbered:
                if not self.pending:
                    break
                payload, size = self.pending.popleft()
                if size > self._peer_max:
                    self._waiting_bytes -= size
                    self._application.too_large(self, payload)
                    continue
                self.unacked.append((payload, size))
                self.numbered += 1
            payload, _ = self.unacked[self.sent - self.acked]
            self.sent += 1
            self._link.send(write_msg(self.sent, self.done, payload))
            self._has_told()
        if self._ack_due:
            self.write_ack()
        self._measure()

    def _may_send(self) -> bool:
        return self.sent - self.acked < min(self._peer_win, self._allowance, IN_FLIGHT)

    def on_ack(self, ack: int) -> None:
        if ack > self.numbered:
            raise Violation(4400, "ack of what was not sent")
        if ack > self.acked:
            self._allowance += ack - self.acked
            self._forget(ack)
            self.pump()

    def _forget(self, ack: int) -> None:
        while self.acked < ack:
            _, size = self.unacked.popleft()
            self._waiting_bytes -= size
            self.acked += 1
        # It may be ahead of what was sent again on this connection: the peer had it
        # from the connection before.
        self.sent = max(self.sent, self.acked)

    def _measure(self) -> None:
        if self.is_full:
            self._room.clear()
        else:
            self._room.set()

    # In

    def on_msg(self, msg: Msg, largest: int) -> None:
        self.on_ack(msg.ack)
        if msg.seq <= self.received:
            return
        if msg.seq > self.received + 1:
            raise Violation(4400, "gap")
        if msg.seq > self.done + self.win:
            raise Violation(4400, "too many")
        size = size_of(msg.payload)
        if size > largest:
            raise Violation(4413, "too large")
        self.received = msg.seq
        self._came_since_told += size
        self._inbox.append(msg.payload)
        self._news.set()

    def on_volatile(self, payload: Payload, largest: int) -> None:
        if self.received - self.done < self.win and size_of(payload) <= largest:
            self._application.volatile(self, payload)

    async def receive(self) -> Payload:
        """The next message, for the application, which has to `consume` each."""
        while not self._inbox:
            self._news.clear()
            await self._news.wait()
        return self._inbox.popleft()

    def consume(self) -> None:
        """The application has dealt with the first message that it has not consumed."""
        assert self.done < self.received
        self.done += 1
        if not self._link:
            return
        acknowledged = self.told - self._told_at_first
        threshold = min(
            FIRST_UNACKNOWLEDGED_MESSAGES + acknowledged / 2,
            UNACKNOWLEDGED_MESSAGES,
            self.win / 2,
        )
        if self.done - self.told >= threshold or self._came_since_told >= UNACKNOWLEDGED_BYTES:
            self.write_ack()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(ACK_DELAY, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self.write_ack()

    def write_ack(self) -> None:
        """Write what is due, or leave it to `pump` if there is no room: a client that
        never reads must not fill our memory with acknowledgements either."""
        self._ack_due = self.done > self.told
        if self._ack_due and self._link and self._link.has_room():
            self._link.send(write_ack(self.done))
            self._has_told()

    def _has_told(self) -> None:
        self.told = self.done
        self._came_since_told = 0
        self._ack_due = False

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
