"""The application that the conformance judge speaks to."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from frames import FrameError, Payload, parse_json
from session import WAITING_BYTES, Application, Session
from store import Refused

LONGEST_HOLD = 3_600_000


class Conformance(Application):
    """Answers each message by the same message, but for a few commands."""

    async def authenticate(self, auth: object) -> str:
        principal = auth.get("principal") if isinstance(auth, dict) else None
        if not isinstance(principal, str) or not principal:
            raise Refused(4401, "unauthenticated")
        if isinstance(auth, dict) and auth.get("forbidden") is True:
            raise Refused(4403, "forbidden")
        return principal

    async def run(self, session: Session) -> None:
        while True:
            payload = await session.receive()
            await session.room()
            match command_of(payload):
                case {"conformance": "hold", "ms": int() | float() as ms}:
                    await asyncio.sleep(min(ms, LONGEST_HOLD) / 1000)
                    session.send(payload)
                case {"conformance": "say", "count": int() as count, "bytes": int() as size}:
                    session.consume()
                    await self._say(session, count, size)
                    continue
                case {"conformance": "end"}:
                    session.consume()
                    session.quit()
                    return
                case None if can_be_sent(payload):
                    session.send(payload)
            # Here is also what was not answered: a command that nobody knows, and text
            # that is not JSON. It counts as consumed, or it would come for ever.
            session.consume()

    def volatile(self, session: Session, payload: Payload) -> None:
        if can_be_sent(payload):
            session.send_volatile(payload)

    async def _say(self, session: Session, count: int, size: int) -> None:
        pad = "x" * min(size, WAITING_BYTES)
        for number in range(1, count + 1):
            await session.room()
            session.send(json.dumps({"said": number, "pad": pad}, separators=(",", ":")))
            await asyncio.sleep(0)  # However many these are, others have their turn.


def command_of(payload: Payload) -> dict[str, Any] | None:
    """The command, if it is one; in bytes as well, if they are JSON in UTF-8."""
    try:
        value = parse_json(payload if isinstance(payload, str) else payload.decode())
    except (FrameError, UnicodeDecodeError):
        return None
    return value if isinstance(value, dict) and "conformance" in value else None


def can_be_sent(payload: Payload) -> bool:
    """Bytes may be anything, but text has to be JSON."""
    if isinstance(payload, bytes):
        return True
    try:
        parse_json(payload)
    except FrameError:
        return False
    return True
