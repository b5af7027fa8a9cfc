"""The server: the sessions of all clients, and who has them.

PROTOCOL.md, "The handshake" and "Sessions, as the server keeps them".
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import dataclass

from connection import Connection, State
from frames import Hello, Lost, Welcome, write_welcome
from session import Application, Session
from store import Client, Store, crowded
from websocket import HandshakeFailed, accept

log = logging.getLogger(__name__)


@dataclass
class Options:
    """Times are in seconds, but for `ttl` and `hb`, which are told in ms."""

    ttl: int = 120_000
    hb: int = 25_000
    win: int = 256
    max: int = 1_048_576
    hello_timeout: float = 10
    #: 0: as the document says.
    silence: float = 0
    pong_timeout: float = 10
    close_timeout: float = 2
    drain_timeout: float = 5
    tombstone_ttl: float = 600
    high_water: int = 1_048_576
    #: Connections that have not been welcomed.
    strangers: int = 1000
    #: Of all, and of one principal.
    sessions: int = 100_000
    sessions_of_principal: int = 1000

    def __post_init__(self) -> None:
        self.silence = self.silence or max(2 * self.hb / 1000 + 10, 120)


class Server:
    def __init__(self, application: Application, options: Options) -> None:
        self.application = application
        self.options = options
        self.store = Store(options.tombstone_ttl, options.sessions, options.sessions_of_principal)
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining = False
        self._listener: asyncio.Server | None = None

    async def listen(self, host: str, port: int) -> int:
        """Start; and the port, in case it was 0."""
        self._listener = await asyncio.start_server(self._accept, host, port, limit=16_384)
        port = self._listener.sockets[0].getsockname()[1]
        return port

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._connect(reader, writer)
        except TimeoutError:
            writer.transport.abort()
        except (HandshakeFailed, OSError):
            pass
        finally:
            writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        options = self.options
        strangers = len(self._tasks) - sum(c.state is State.LIVE for c in self._connections)
        if strangers > options.strangers:
            return
        deadline = asyncio.get_running_loop().time() + options.hello_timeout
        async with asyncio.timeout_at(deadline):
            socket = await accept(
                reader,
                writer,
                high_water=options.high_water,
                close_timeout=options.close_timeout,
            )
        connection = Connection(self, socket)
        if self._draining:
            connection.close(4503, _draining())
        self._connections.add(connection)
        try:
            await connection.run(deadline)
        finally:
            self._connections.discard(connection)

    # The handshake

    def welcome(self, connection: Connection, hello: Hello, principal: str) -> None:
        """Steps 3 to 9. Plain code, so that nothing is done to this `id` in between."""
        client = self.store.claim(hello, principal)
        in_the_way = self.store.in_the_way(client)
        self.store.admit(client, hello.epoch)
        if in_the_way:
            self._end(in_the_way, "evicted")
        if client.connection:
            client.connection.fence()
            self._detach(client)
        session, ack = self._choose(client, hello)
        client.stop_expiry()
        client.connection = connection
        lost = None
        if hello.sid is not None and hello.sid != session.sid:
            lost = client.tombstones.get(hello.sid, Lost("unknown"))
        welcome = Welcome(
            nonce=hello.nonce,
            sid=session.sid,
            ack=session.done,
            win=self.options.win,
            max=self.options.max,
            ttl=self.options.ttl,
            hb=self.options.hb,
            lost=lost,
        )
        connection.go_live(client, session, write_welcome(welcome), hello, ack)

    def _choose(self, client: Client, hello: Hello) -> tuple[Session, int]:
        """The session that this `hello` gets, and the `ack` that it has in it."""
        session = client.session
        if session:
            if hello.sid == session.sid:
                if session.is_possible(hello.ack):
                    return session, hello.ack
                self._end(client, "invalid")
            elif session.virgin:
                return session, 0
            else:
                self._end(client, "unknown")
        return self._begin(client), 0

    def _begin(self, client: Client) -> Session:
        def quit(session: Session, reason: str) -> None:
            if client.session is session:
                self._end(client, reason, 4410, reason)

        session = Session(
            secrets.token_urlsafe(16), client.principal, self.options.win, self.application, quit
        )
        client.session = session
        self.store.begun(client)
        client.task = asyncio.create_task(self._run(session))
        return session

    async def _run(self, session: Session) -> None:
        try:
            await self.application.run(session)
        except Exception:
            log.exception("the application failed")
            session.quit()

    # The end of a connection, and of a session

    def detached(self, client: Client, code: int, by_peer: bool) -> None:
        """The connection that had the session of this client has ended."""
        session = self._detach(client)
        if code == 1000 and by_peer:
            self._end(client, "closed")
        elif code == 4413:
            self._end(client, "too large")
        elif code == 4400 and session.ended_in_nonsense():
            self._end(client, "poison")
        else:
            self.store.left(client)
            loop = asyncio.get_running_loop()
            client.expiry = loop.call_later(self.options.ttl / 1000, self._end, client, "expired")

    def _detach(self, client: Client) -> Session:
        assert client.session
        client.connection = None
        client.session.detach()
        return client.session

    def _end(self, client: Client, reason: str, code: int = 0, close_reason: str = "") -> None:
        """End the session, and close its connection, if there is one, with `code`."""
        session, connection = client.session, client.connection
        assert session
        if connection:
            session.write_ack()
            client.connection = connection.client = None
            connection.close(code, close_reason)
        client.stop_expiry()
        if client.task:
            client.task.cancel()
        lost = session.end()
        self.store.bury(client, reason)
        self.application.ended(session, reason, lost)

    async def drain(self) -> None:
        """Go away. New connections are turned away; those that live are closed when
        all is consumed and acknowledged, or when the time is over."""
        self._draining = True
        for connection in list(self._connections):
            if connection.state is not State.LIVE:
                connection.close(4503, _draining())
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.options.drain_timeout
        while clients := [c for c in self.store.clients.values() if c.session]:
            late = loop.time() >= deadline
            for client in clients:
                session = client.session
                if session and (late or session.is_idle or not client.connection):
                    self._end(client, "draining", 4503, _draining())
            await asyncio.sleep(0.02)
        if self._listener:
            self._listener.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self.options.close_timeout + 1)


def _draining() -> str:
    return crowded("draining")
