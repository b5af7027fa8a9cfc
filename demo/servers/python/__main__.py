"""A server of `reconnecting-socket.v1` with the application of the conformance judge.

Run it as `python3 demo/servers/python --port 8080`.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

# So that `python3 -m demo.servers.python` finds the files beside this one, too.
sys.path[:0] = [str(Path(__file__).parent)]

from conformance import Conformance  # noqa: E402
from server import Options, Server  # noqa: E402


def options_of(arguments: list[str]) -> tuple[str, int, Options]:
    parser = argparse.ArgumentParser(prog="python3 demo/servers/python", description=__doc__)
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=0, help="0: any that is free")
    add("--ttl", type=int, default=120_000, metavar="MS", help="session without a connection")
    add("--hb", type=int, default=25_000, metavar="MS", help="silence until the client pings")
    add("--win", type=int, default=256, metavar="MESSAGES")
    add("--max", type=int, default=1_048_576, metavar="BYTES", help="largest payload")
    add("--hello-timeout", type=int, default=10_000, metavar="MS")
    add("--silence", type=int, default=0, metavar="MS", help="until the server pings")
    add("--drain", type=int, default=5_000, metavar="MS", help="longest wait at SIGTERM")
    given = parser.parse_args(arguments)
    if min(given.win, given.max, given.hb) < 1 or given.ttl < 0:
        parser.error("--win, --max and --hb are positive, --ttl is not negative")
    if 0 < given.silence < 2 * given.hb:
        parser.error("--silence is at least twice --hb")
    return (
        given.host,
        given.port,
        Options(
            ttl=given.ttl,
            hb=given.hb,
            win=given.win,
            max=given.max,
            hello_timeout=given.hello_timeout / 1000,
            silence=given.silence / 1000,
            drain_timeout=given.drain / 1000,
        ),
    )


async def main(host: str, port: int, options: Options) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = Server(Conformance(), options)
    port = await server.listen(host, port)
    print(f"ws://{host}:{port}", flush=True)
    await stop.wait()
    await server.drain()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    # JSON that is nested deeper than this is refused. Python counts its calls, and
    # would allow less than 1000; the stack of the main thread has room for this.
    sys.setrecursionlimit(5_000)
    asyncio.run(main(*options_of(sys.argv[1:])))
