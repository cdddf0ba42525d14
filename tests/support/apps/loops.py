"""Runs asyncio inside a request, as async views do."""

import asyncio
import time


async def count():
    for number in range(3):
        await asyncio.sleep(0.1)
        yield number


async def answer():
    asyncio.get_running_loop()
    numbers = [number async for number in count()]
    await asyncio.gather(*(asyncio.sleep(0.1) for _ in range(3)))
    await asyncio.to_thread(time.sleep, 0.1)
    return str(numbers).encode()


def application(environ, start_response):
    content = asyncio.run(answer())
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [content]
