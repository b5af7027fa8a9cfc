"""What the server keeps of each client: PROTOCOL.md, "Sessions, as the server keeps them".

In memory, so that a restart loses it. A store that is shared would offer the same
operations, made atomic by fencing ("More than one server").
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from frames import Hello, Lost
from session import Session

if TYPE_CHECKING:
    from connection import Connection

#: Of each client. It could make any number of them by beginning sessions.
TOMBSTONES = 8
#: Clients that have nothing but tombstones, of one principal and of all.
DEAD_OF_PRINCIPAL = 256
DEAD = 16_384


class Refused(Exception):
    """A `hello` that comes to nothing: the connection is closed with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def crowded(token: str) -> str:
    """With a time at random, so that clients do not come back all at once."""
    return f"{token}; retry={random.randint(5000, 10_000)}"


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
    def __init__(self, tombstone_ttl: float, sessions: int, sessions_of_principal: int) -> None:
        self.clients: dict[str, Client] = {}
        self._tombstone_ttl = tombstone_ttl
        self._sessions = sessions
        self._sessions_of_principal = sessions_of_principal
        #: Clients with a session, of each principal; those of them that have no
        #: connection; and those that have nothing but tombstones.
        self._alive: Counter[str] = Counter()
        self._all_alive = 0
        self._away = Ranks()
        self._dead = Ranks()

    def claim(self, hello: Hello, principal: str) -> Client:
        """Steps 3 and 4 of the handshake: whose is this `id`, and is the `hello` the
        latest? Nothing is changed if it is refused."""
        key = hashlib.sha256(hello.key.encode("utf-8", "surrogatepass")).digest()
        client = self.clients.get(hello.id) or Client(hello.id, key, principal)
        if client.principal != principal or not hmac.compare_digest(client.key, key):
            raise Refused(4403, "forbidden")
        if hello.epoch <= client.epoch:
            raise Refused(4409, "superseded")
        return client

    def in_the_way(self, client: Client) -> Client | None:
        """Whose session has to end so that this client can have one: of those that have
        no connection, the one that has been so for the longest."""
        if client.session:
            return None
        if self._alive[client.principal] >= self._sessions_of_principal:
            first = self._away.first(client.principal)
            if not first:
                raise Refused(4429, crowded("too many sessions"))
            return first
        if self._all_alive >= self._sessions:
            first = self._away.first()
            if not first:
                raise Refused(4503, crowded("full"))
            return first
        return None

    def admit(self, client: Client, epoch: int) -> None:
        """From here on its `hello` counts."""
        client.epoch = epoch
        self.clients[client.id] = client
        self._away.remove(client)

    def begun(self, client: Client) -> None:
        self._alive[client.principal] += 1
        self._all_alive += 1
        self._dead.remove(client)

    def left(self, client: Client) -> None:
        """It has no connection any more."""
        self._away.add(client)

    def bury(self, client: Client, reason: str) -> None:
        """Put a tombstone in the place of the session."""
        session = client.session
        assert session
        client.session = None
        self._all_alive -= 1
        self._alive[client.principal] -= 1
        if not self._alive[client.principal]:
            del self._alive[client.principal]
        self._away.remove(client)
        client.tombstones[session.sid] = Lost(reason, session.done)
        if len(client.tombstones) > TOMBSTONES:
            del client.tombstones[next(iter(client.tombstones))]
        loop = asyncio.get_running_loop()
        loop.call_later(self._tombstone_ttl, self._forget, client, session.sid)
        self._dead.add(client)
        for first in (
            self._dead.beyond(DEAD_OF_PRINCIPAL, client.principal),
            self._dead.beyond(DEAD),
        ):
            if first:
                self._drop(first)

    def _forget(self, client: Client, sid: str) -> None:
        client.tombstones.pop(sid, None)
        if not client.session and not client.tombstones:
            self._drop(client)

    def _drop(self, client: Client) -> None:
        self._dead.remove(client)
        if self.clients.get(client.id) is client:
            del self.clients[client.id]


class Ranks:
    """Clients, in the order in which they came, of all and of each principal."""

    def __init__(self) -> None:
        self._all: dict[str, Client] = {}
        self._of: dict[str, dict[str, Client]] = {}

    def add(self, client: Client) -> None:
        self._all[client.id] = client
        self._of.setdefault(client.principal, {})[client.id] = client

    def remove(self, client: Client) -> None:
        # Another may have the name, if this one was forgotten.
        if self._all.get(client.id) is not client:
            return
        del self._all[client.id]
        own = self._of[client.principal]
        del own[client.id]
        if not own:
            del self._of[client.principal]

    def _members(self, principal: str | None) -> dict[str, Client]:
        return self._all if principal is None else self._of.get(principal, {})

    def first(self, principal: str | None = None) -> Client | None:
        return next(iter(self._members(principal).values()), None)

    def beyond(self, most: int, principal: str | None = None) -> Client | None:
        """The first, if there are more than this."""
        return self.first(principal) if len(self._members(principal)) > most else None
