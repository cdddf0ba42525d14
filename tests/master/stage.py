"""A real master with pretended workers, run as a program: `python stage.py ACT [SETTING=VALUE ...]`.

Each act is what a worker does between its birth and its end; the tests play
the operator, and read the log.
"""

import os
import select
import sys
import time
from pathlib import Path

from greenserve.config import Config
from greenserve.errors import ConfigError
from greenserve.kinds import Address, Bind
from greenserve.log import open_error_log
from greenserve.mailbox import Command, Drain, Failed, Hello, Ready, ReopenLogs, Retire, Withdrawn
from greenserve.master.master import Master

HELLO = Hello("26.9.0", "libev-cext", "plain Python code")


def say(text):
    """Write a line in one piece, among others that do the same."""
    os.write(1, f"{text}\n".encode())


def serve(seat):
    """Be a good worker: ready at once, gone when told, or when the master is gone."""
    seat.mailbox.send(HELLO)
    return serve_on(seat)


def serve_on(seat):
    seat.row["heartbeat_ms"] = time.monotonic_ns() // 1_000_000
    seat.mailbox.send(Ready(0.01))
    while not seat.mailbox.closed:
        wait(seat)
        for message in seat.mailbox.receive():
            if isinstance(message, Drain):
                seat.mailbox.send(Withdrawn())
                say(f"pid {os.getpid()} drains within {message.grace:g} s")
                return 0
            if isinstance(message, ReopenLogs):
                say(f"pid {os.getpid()} reopens its logs")
    say(f"pid {os.getpid()} is an orphan")
    return 0


def wait(seat):
    poll = select.poll()
    poll.register(seat.mailbox.fileno(), select.POLLIN)
    poll.poll()


def fail(seat):
    seat.mailbox.send(HELLO)
    seat.mailbox.send(Failed(4, "the application's own traceback\nand what to do"))
    return 4


def fail_from_second_generation(seat):
    return serve(seat) if seat.generation == 1 else fail(seat)


def die(seat):
    os._exit(7)


def die_from_second_generation(seat):
    return serve(seat) if seat.generation == 1 else die(seat)


def explode(seat):
    raise RuntimeError("a fault of ours")


def explode_in_service(seat):
    if seat.number == 1:
        seat.mailbox.send(Ready(0.01))
        raise SystemExit(7)
    return serve(seat)


def ignore_drain(seat):
    seat.mailbox.send(Ready(0.01))
    while True:
        wait(seat)
        seat.mailbox.receive()


def retire_first(seat):
    if seat.number == 1:
        seat.mailbox.send(Retire("it has served 300 requests"))
    return serve(seat)


def babble(seat):
    """Say nothing that makes sense, then serve."""
    end = seat.mailbox._end
    end.send(b'\xff\xfe\n["Ready"]\n["Failed", "x", null]\n["Command", ["reload"]]\n["Command", "dance"]\n{}\n')
    return serve(seat)


def ask_for_reload(seat):
    if seat.generation == 1:
        seat.mailbox.send(Command("reload"))
    return serve(seat)


def report_modules(seat):
    say(f"loaded: {' '.join(sorted(sys.modules))}")
    return serve(seat)


def show_descriptors(seat):
    links = [
        os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{name}")
    ]
    say(f"descriptors: {sum(link.startswith('socket:') for link in links)} sockets")
    return serve(seat)


def make_config(pairs):
    values = {"wsgi_app": "stage:act", "bind": (Address("tcp", "127.0.0.1", 0),)}
    kinds = {"workers": int, "timeout": float, "graceful_timeout": float, "bind": lambda text: (Bind().read(text),)}
    for name, value in (pair.split("=", 1) for pair in pairs):
        values[name] = kinds.get(name, str)(value)
    return Config(**values)


def reload_config():
    """The configuration of a reload stands in the file that RELOAD_FROM names."""
    path = os.environ.get("RELOAD_FROM")
    words = Path(path).read_text().split() if path else sys.argv[2:]
    if "wrong" in words:
        raise ConfigError("greenserve.toml line 3: workers = 'many' is not a number")
    return make_config(words)


def main():
    open_error_log("-", "debug")
    try:
        return Master(make_config(sys.argv[2:]), reload_config, globals()[sys.argv[1]]).run()
    except ConfigError as error:
        print(error, file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
