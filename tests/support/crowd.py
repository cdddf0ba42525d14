"""A crowd of bad clients, in a process of its own: `crowd.py KIND COUNT HOST PORT`.

Prints a line when all have begun, and when all are gone one with the number
that the server closed and the bytes they got. Ends early when its stdin does.
"""

import asyncio
import json
import random
import socket
import struct
import sys

#: Seconds between two bytes of a client that trickles.
PAUSE = 1.0

OPEN_AT_ONCE = 200

#: What each kind sends first; those that trickle go on with one byte after another.
OPENINGS = {
    "head": b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ",
    "content": b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n",
    "reader": b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n",
    "idle": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
}

#: Where a client may break off.
STAGES = [
    b"",
    b"G",
    b"GET / HTTP/1.1\r\nHost: a\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    b"NONSENSE\r\n\r\n",
]


class Crowd:
    def __init__(self, kind: str, count: int, host: str, port: int) -> None:
        self.kind = kind
        self.count = count
        self.address = (host, port)
        self.begun = 0
        self.closed = 0
        self.received = 0
        self.doors = asyncio.Semaphore(OPEN_AT_ONCE)

    async def run(self) -> None:
        clients = asyncio.gather(*(self.be_client(number) for number in range(self.count)))
        ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        await asyncio.wait([clients, ended], return_when=asyncio.FIRST_COMPLETED)
        clients.cancel()
        print(json.dumps({"closed": self.closed, "received": self.received}), flush=True)

    async def be_client(self, number: int) -> None:
        async with self.doors:
            connection = await self.connect()
            await self.begin(connection, number)
        self.begun += 1
        if self.begun == self.count:
            print("begun", flush=True)
        if self.kind != "abort":
            await self.go_on(connection)
            self.closed += 1
        connection.close()

    async def connect(self) -> socket.socket:
        connection = socket.socket()
        if self.kind == "reader":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, self.address)
        return connection

    async def begin(self, connection: socket.socket, number: int) -> None:
        loop = asyncio.get_running_loop()
        if self.kind == "abort":
            await loop.sock_sendall(connection, STAGES[number % len(STAGES)])
            if number % 2:
                # Reset instead of a polite end.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        await loop.sock_sendall(connection, OPENINGS[self.kind])
        if self.kind == "idle":
            await loop.sock_recv(connection, 1000)

    async def go_on(self, connection: socket.socket) -> None:
        """Trickle, or read a little, until the server has had enough."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(random.random() * PAUSE)
        try:
            if self.kind == "idle":
                self.received += len(await loop.sock_recv(connection, 1000))
                return
            while True:
                if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    # Reset by the server; what is left to read would take minutes at this pace.
                    return
                if self.kind == "reader":
                    data = await loop.sock_recv(connection, 10)
                else:
                    data = await self.trickle(connection)
                self.received += len(data or b"")
                if data == b"":
                    return
                await asyncio.sleep(PAUSE)
        except ConnectionError:
            return

    async def trickle(self, connection: socket.socket) -> "bytes | None":
        """Send one more byte; return what the server says, None for nothing yet."""
        try:
            return connection.recv(1000)
        except BlockingIOError:
            await asyncio.get_running_loop().sock_sendall(connection, b"x")
            return None


if __name__ == "__main__":
    kind, count, host, port = sys.argv[1:]
    asyncio.run(Crowd(kind, int(count), host, int(port)).run())
