"""What the server keeps of each client: PROTOCOL.md, "Sessions, as the server keeps them".

In memory, so that a restart loses it. A store that is shared would offer the same
operations, made atomic by fencing ("More than one server").
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from frames import Hello, Lost
from session import Session

if TYPE_CHECKING:
    from connection import Connection

#: Of each client. It could make any number of them by beginning sessions.
TOMBSTONES = 32


class Refused(Exception):
    """A `hello` that comes to nothing: the connection is closed with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass
class Client:
    """All that is known of one `id`."""

    id: str
    key: bytes
    principal: str
    epoch: int = 0
    session: Session | None = None
    tombstones: dict[str, Lost] = field(default_factory=dict)
    #: Of the session that lives: who owns it, what runs for it, when it expires.
    connection: Connection | None = None
    task: asyncio.Task[None] | None = None
    expiry: asyncio.TimerHandle | None = None

    def stop_expiry(self) -> None:
        if self.expiry:
            self.expiry.cancel()
            self.expiry = None


class Store:
    def __init__(self, tombstone_ttl: float) -> None:
        self.clients: dict[str, Client] = {}
        self._tombstone_ttl = tombstone_ttl

    def claim(self, hello: Hello, principal: str) -> Client:
        """Steps 3 and 4 of the handshake: whose is this `id`, and is the `hello` the
        latest? Nothing is changed if it is refused."""
        key = hashlib.sha256(hello.key.encode("utf-8", "surrogatepass")).digest()
        client = self.clients.get(hello.id) or Client(hello.id, key, principal)
        if client.principal != principal or not hmac.compare_digest(client.key, key):
            raise Refused(4403, "forbidden")
        if hello.epoch <= client.epoch:
            raise Refused(4409, "superseded")
        client.epoch = hello.epoch
        self.clients[hello.id] = client
        return client

    def bury(self, client: Client, reason: str) -> None:
        """Put a tombstone in the place of the session."""
        session = client.session
        assert session
        client.session = None
        client.tombstones[session.sid] = Lost(reason, session.done)
        if len(client.tombstones) > TOMBSTONES:
            del client.tombstones[next(iter(client.tombstones))]
        loop = asyncio.get_running_loop()
        loop.call_later(self._tombstone_ttl, self._forget, client, session.sid)

    def _forget(self, client: Client, sid: str) -> None:
        client.tombstones.pop(sid, None)
        if not client.session and not client.tombstones:
            self.clients.pop(client.id, None)
