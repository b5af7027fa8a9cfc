"""All vectors of docs/protocol/frames.json, and what JSON does to Python."""

import json
import unittest
from pathlib import Path
from typing import Any

import frames

VECTORS = json.loads((Path(__file__).parents[3] / "docs/protocol/frames.json").read_text("utf-8"))[
    "vectors"
]


def data_of(vector: dict[str, Any]) -> str | bytes:
    data: str = vector["data"]
    return data if vector["opcode"] == "text" else bytes.fromhex(data)


def described(frame: frames.Frame) -> dict[str, Any]:
    """A frame as the vectors tell it: without the fields that are absent."""
    known = {key: value for key, value in vars(frame).items() if value is not None}
    kind = type(frame).__name__.lower()
    if kind in ("hello", "welcome"):
        if isinstance(frame, frames.Welcome) and frame.lost:
            known["lost"] = {k: v for k, v in vars(frame.lost).items() if v is not None}
        return {"kind": kind, kind: {"v": 1, **known}}
    if "payload" in known:
        payload = known["payload"]
        known["payload"] = {"text": payload} if isinstance(payload, str) else {"hex": payload.hex()}
    return {"kind": kind, **known}


def expected(vector: dict[str, Any]) -> dict[str, Any]:
    """The same of a vector: no fields that are null or unknown, `ack` absent is 0."""
    frame = vector["frame"]
    kind = frame["kind"]
    if kind not in ("hello", "welcome") or kind not in frame:
        return dict(frame)
    known = {**frames.Hello.__annotations__, **frames.Welcome.__annotations__, "v": 1}
    body = {k: v for k, v in frame[kind].items() if v is not None and k in known}
    if kind == "hello":
        body.setdefault("ack", 0)
    if "lost" in body:
        body["lost"] = {
            k: v for k, v in body["lost"].items() if v is not None and k in ("reason", "ack")
        }
    return {"kind": kind, kind: body}


def written(frame: frames.Frame) -> str | bytes:
    match frame:
        case frames.Hello():
            return frames.write_hello(frame)
        case frames.Welcome():
            return frames.write_welcome(frame)
        case frames.Msg():
            return frames.write_msg(frame.seq, frame.ack, frame.payload)
        case frames.Volatile():
            return frames.write_volatile(frame.payload)
        case frames.Ack():
            return frames.write_ack(frame.ack)
        case frames.Ping():
            return frames.PING
        case frames.Pong():
            return frames.PONG
    raise AssertionError(frame)


class Vectors(unittest.TestCase):
    def read(self, vector: dict[str, Any]) -> dict[str, Any]:
        try:
            read = described(frames.read_frame(data_of(vector)))
        except frames.FrameError as error:
            if error.kind == vector.get("or"):
                return expected(vector)
            raise
        # Its fields cannot be said in a file that everybody can read.
        is_bare = vector["frame"] == {"kind": "hello"}
        return {"kind": read["kind"]} if is_bare else read

    def test_read(self) -> None:
        self.assertGreater(len(VECTORS), 200)
        for vector in VECTORS:
            with self.subTest(vector["name"]):
                if "error" in vector:
                    with self.assertRaises(frames.FrameError) as caught:
                        frames.read_frame(data_of(vector))
                    self.assertEqual(caught.exception.kind, vector["error"])
                else:
                    self.assertEqual(self.read(vector), expected(vector))

    def test_write(self) -> None:
        for vector in VECTORS:
            if not vector["canonical"]:
                continue
            with self.subTest(vector["name"]):
                data = data_of(vector)
                out = written(frames.read_frame(data))
                if vector["frame"]["kind"] in ("hello", "welcome"):
                    assert isinstance(out, str) and isinstance(data, str)
                    self.assertEqual(json.loads(out), json.loads(data))
                else:
                    self.assertEqual(out, data)


class Json(unittest.TestCase):
    def refused(self, data: str | bytes) -> None:
        with self.assertRaises(frames.FrameError):
            frames.read_frame(data)

    def test_depth_is_an_error_like_any_other(self) -> None:
        self.refused("[64," + "[" * 100_000 + "]" * 100_000 + "]")
        self.refused("[64," + "[" * 100_000)
        self.refused("[64," + '{"a":' * 100_000)

    def test_integers_of_thousands_of_digits_are_json(self) -> None:
        self.assertEqual(frames.read_frame(f"[64,{'9' * 10_000}]"), frames.Unknown())
        self.refused(f"[3,{'9' * 10_000}]")
        self.refused(f"[{'9' * 10_000}]")
        self.refused("[3,1e999]")

    def test_constants_and_control_characters(self) -> None:
        self.refused("[64,NaN]")
        self.refused("[64,-Infinity]")
        self.refused('[64,"\n"]')

    def test_minus_zero_is_hello(self) -> None:
        hello = frames.Hello("i", "k", "n", 1, 1, 1)
        text = frames.write_hello(hello).replace("[0,", "[-0.0,")
        self.assertEqual(frames.read_frame(text), hello)

    def test_half_a_pair_comes_back_as_it_came(self) -> None:
        text = '[0,{"v":1,"id":"i","key":"k","nonce":"\\ud800","epoch":1,"win":1,"max":1}]'
        hello = frames.read_frame(text)
        assert isinstance(hello, frames.Hello)
        self.assertIn('"nonce":"\\ud800"', frames.write_hello(hello))


if __name__ == "__main__":
    unittest.main()
