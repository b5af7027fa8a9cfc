"""Frames of `reconnecting-socket.v1`: how they are read and written.

PROTOCOL.md, "How a frame is read" and "Frames". Nothing here knows of
connections or sessions. `read_frame` gives a frame or raises `FrameError`, and
fails in no other way, whatever it is given.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

#: Text as it stands in the frame, or bytes. The protocol never looks into it.
Payload = str | bytes

LARGEST = 2**53 - 1
HELLO_UNITS = 4096

NOT_A_FRAME = "not a frame"
VERSION = "version"
TOO_LARGE = "too large"


class FrameError(ValueError):
    """What was read is no frame; `kind` says which of the three errors it is."""

    def __init__(self, kind: str = NOT_A_FRAME) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True)
class Hello:
    id: str
    key: str
    nonce: str
    epoch: int
    win: int
    max: int
    sid: str | None = None
    ack: int = 0
    auth: Any = None


@dataclass(frozen=True)
class Lost:
    reason: str
    ack: int | None = None


@dataclass(frozen=True)
class Welcome:
    nonce: str
    sid: str
    ack: int
    win: int
    max: int
    ttl: int
    hb: int
    lost: Lost | None = None


@dataclass(frozen=True)
class Msg:
    seq: int
    ack: int
    payload: Payload


@dataclass(frozen=True)
class Ack:
    ack: int


@dataclass(frozen=True)
class Ping:
    pass


@dataclass(frozen=True)
class Pong:
    pass


@dataclass(frozen=True)
class Volatile:
    payload: Payload


@dataclass(frozen=True)
class Unknown:
    """A frame of an extension."""


Frame = Hello | Welcome | Msg | Ack | Ping | Pong | Volatile | Unknown


def units(data: str | bytes) -> int:
    """The length of a frame: UTF-16 units of text, or bytes."""
    if isinstance(data, bytes) or data.isascii():
        return len(data)
    return len(data.encode("utf-16-le", "surrogatepass")) // 2


# Reading


def read_frame(data: str | bytes) -> Frame:
    """Read what came as one WebSocket message: `str` if its opcode was text."""
    if isinstance(data, str):
        return _read_text(data)
    if data[:1] == b"[":
        try:
            return _read_text(data.decode())
        except UnicodeDecodeError:
            raise FrameError from None
    return _read_binary(data)


_HEAD = re.compile(r"\[ *(?:6|2 *, *(0|[1-9][0-9]{0,15}) *, *(0|[1-9][0-9]{0,15})) *,")


def _read_text(text: str) -> Frame:
    head = _HEAD.match(text)
    if head and text.endswith("]"):
        payload = text[head.end() : -1]
        if head[1] is None:
            return Volatile(payload)
        return _msg(int(head[1]), int(head[2]), payload)
    frame = parse_json(text)
    if not isinstance(frame, list) or not frame:
        raise FrameError
    kind = _integer(frame[0])
    if kind >= 64:
        return Unknown()
    if kind == 0 and len(frame) == 2:
        if units(text) > HELLO_UNITS:
            raise FrameError(TOO_LARGE)
        return _hello(frame[1])
    if kind == 1 and len(frame) == 2:
        return _welcome(frame[1])
    if kind == 3 and len(frame) == 2:
        return Ack(_integer(frame[1]))
    if kind == 4 and len(frame) == 1:
        return Ping()
    if kind == 5 and len(frame) == 1:
        return Pong()
    raise FrameError


def parse_json(text: str) -> Any:
    """JSON by the letter of RFC 8259, or `FrameError`.

    Python's own reader is too generous with `NaN` and `Infinity`, and too strict
    with integers of thousands of digits (which are JSON, but no use to anybody:
    as floats they are merely large).
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant, parse_int=_parse_int)
    except (ValueError, RecursionError):
        raise FrameError from None


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _parse_int(digits: str) -> int | float:
    return int(digits) if len(digits) <= 20 else float(digits)


def _integer(value: Any, least: int = 0) -> int:
    """`value` as an integer of the protocol. `type`, because `True` is an `int`."""
    whole = type(value) is int or (type(value) is float and value.is_integer())
    if not whole or not least <= value <= LARGEST:
        raise FrameError
    return int(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise FrameError
    return value


def _check_version(body: Any) -> None:
    """Before any other field: another version may look as it likes but for `v`."""
    if not isinstance(body, dict):
        raise FrameError
    if _integer(body.get("v")) != 1:
        raise FrameError(VERSION)


def _hello(body: Any) -> Hello:
    _check_version(body)
    sid, ack = body.get("sid"), body.get("ack")
    return Hello(
        id=_text(body.get("id")),
        key=_text(body.get("key")),
        nonce=_text(body.get("nonce")),
        epoch=_integer(body.get("epoch"), 1),
        win=_integer(body.get("win"), 1),
        max=_integer(body.get("max"), 1),
        sid=None if sid is None else _text(sid),
        ack=0 if ack is None else _integer(ack),
        auth=body.get("auth"),
    )


def _welcome(body: Any) -> Welcome:
    _check_version(body)
    lost = body.get("lost")
    return Welcome(
        nonce=_text(body.get("nonce")),
        sid=_text(body.get("sid")),
        ack=_integer(body.get("ack")),
        win=_integer(body.get("win"), 1),
        max=_integer(body.get("max"), 1),
        ttl=_integer(body.get("ttl")),
        hb=_integer(body.get("hb"), 1),
        lost=None if lost is None else _lost(lost),
    )


def _lost(body: Any) -> Lost:
    if not isinstance(body, dict):
        raise FrameError
    ack = body.get("ack")
    return Lost(_text(body.get("reason")), None if ack is None else _integer(ack))


def _read_binary(data: bytes) -> Frame:
    if not data:
        raise FrameError
    if data[0] == 2:
        seq, at = _read_leb128(data, 1)
        ack, at = _read_leb128(data, at)
        return _msg(seq, ack, data[at:])
    if data[0] == 6:
        return Volatile(data[1:])
    if data[0] >= 64:
        return Unknown()
    raise FrameError


def _msg(seq: int, ack: int, payload: Payload) -> Msg:
    if not 1 <= seq <= LARGEST or ack > LARGEST:
        raise FrameError
    return Msg(seq, ack, payload)


def _read_leb128(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins at `at`, and where it ends."""
    number = 0
    for index in range(8):
        if at + index >= len(data):
            raise FrameError
        byte = data[at + index]
        number |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if number > LARGEST or (byte == 0 and index > 0):
                raise FrameError
            return number, at + index + 1
    raise FrameError


# Writing


def write_hello(hello: Hello) -> str:
    body: dict[str, Any] = {
        "v": 1,
        "id": hello.id,
        "key": hello.key,
        "nonce": hello.nonce,
        "epoch": hello.epoch,
        "win": hello.win,
        "max": hello.max,
    }
    if hello.sid is not None:
        body |= {"sid": hello.sid, "ack": hello.ack}
    if hello.auth is not None:
        body["auth"] = hello.auth
    return _write_json([0, body])


def write_welcome(welcome: Welcome) -> str:
    body: dict[str, Any] = {
        "v": 1,
        "nonce": welcome.nonce,
        "sid": welcome.sid,
        "ack": welcome.ack,
        "win": welcome.win,
        "max": welcome.max,
        "ttl": welcome.ttl,
        "hb": welcome.hb,
    }
    if welcome.lost is not None:
        body["lost"] = {"reason": welcome.lost.reason}
        if welcome.lost.ack is not None:
            body["lost"]["ack"] = welcome.lost.ack
    return _write_json([1, body])


def _write_json(frame: list[Any]) -> str:
    # In ASCII: so half a surrogate pair, which JSON can spell as an escape, comes
    # back in `nonce` as it came, and does not fail to be encoded.
    return json.dumps(frame, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def write_msg(seq: int, ack: int, payload: Payload) -> str | bytes:
    if isinstance(payload, str):
        return f"[2,{seq},{ack},{payload}]"
    return b"\x02" + _write_leb128(seq) + _write_leb128(ack) + payload


def write_volatile(payload: Payload) -> str | bytes:
    return f"[6,{payload}]" if isinstance(payload, str) else b"\x06" + payload


def write_ack(ack: int) -> str:
    return f"[3,{ack}]"


PING = "[4]"
PONG = "[5]"


def _write_leb128(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
