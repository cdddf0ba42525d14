"""The real loop, real forks and real signals, with workers that only pretend (stage.py)."""

import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

STAGE = Path(__file__).with_name("stage.py")
ROOT = STAGE.parent.parent.parent

#: A test that waits this long for a line has failed.
PATIENCE = 20.0


class Play:
    """A master on stage, and all that it and its workers print."""

    def __init__(self, act, *settings, before=(), stdin=None, **environ):
        self.said = ""
        environ = {**os.environ, "PYTHONPATH": str(ROOT), **environ}
        command = [*before, sys.executable, "-W", "error", str(STAGE), act, *settings]
        self.process = subprocess.Popen(
            command, env=environ, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )

    @property
    def pid(self):
        return self.process.pid

    def read_until(self, pattern, times=1):
        """Return all matches of *pattern* once there are so many; what was said before counts too."""
        deadline = time.monotonic() + PATIENCE
        while len(found := re.findall(pattern, self.said, re.MULTILINE)) < times:
            assert self.read(deadline), f"{pattern!r} was never said, but:\n{self.said}"
        return found

    def read(self, deadline):
        output = self.process.stdout
        if not select.select([output], [], [], max(0, deadline - time.monotonic()))[0]:
            return False
        data = os.read(output.fileno(), 65536)
        self.said += data.decode()
        return data != b""

    def send(self, number):
        self.process.send_signal(number)

    def wait(self):
        """Return the exit code, once nobody is left who could say anything."""
        deadline = time.monotonic() + PATIENCE
        while self.read(deadline):
            pass
        return self.process.wait(PATIENCE)

    def stop(self, number=signal.SIGTERM):
        self.send(number)
        return self.wait()

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def play():
    plays = []

    def begin(*arguments, **options):
        plays.append(Play(*arguments, **options))
        return plays[-1]

    yield begin
    for one in plays:
        one.close()


READY = r"worker (\d+) \(pid (\d+)\) is ready after 0\.01 s"


# The beginning.


def test_a_started_server_says_what_it_is_once(play):
    master = play("serve", "workers=3")

    master.read_until(READY, times=3)

    assert 0 == master.stop()
    lines = [line.partition("] [INFO] ")[2] for line in master.said.splitlines() if "[INFO]" in line]
    assert lines[0].startswith("greenserve 0.1.0 (gevent 26.9.0, libev-cext, plain Python code, CPython 3.")
    assert re.fullmatch(r"listening on http://127\.0\.0\.1:\d+", lines[1])
    assert ["3 workers", f"pid {master.pid}"] == lines[2:4]
    assert 1 == master.said.count("greenserve 0.1.0")


@pytest.mark.parametrize("seconds", ["3000000", "1e300"])
def test_the_master_sleeps_however_long_the_timeouts_are(play, seconds):
    """poll() takes 24 days at the most."""
    master = play("ignore_drain", f"timeout={seconds}", f"graceful_timeout={seconds}")
    master.read_until(READY)
    master.send(signal.SIGTERM)
    master.read_until(r"stopping: what is in flight has ")

    assert 0 == master.stop(signal.SIGQUIT)
    assert "Traceback" not in master.said


def test_the_master_loads_nothing_of_the_worker(play):
    """What it loads, every fork inherits; a worker must patch before anything captures an unpatched name."""
    master = play("report_modules")

    loaded = set(master.read_until(r"^loaded: (.*)$")[0].split())

    assert set() == loaded & {
        "gevent",
        "greenlet",
        "ssl",
        "queue",
        "subprocess",
        "multiprocessing",
        "concurrent.futures",
        "watchfiles",
    }
    assert 1 == len(os.listdir(f"/proc/{master.pid}/task")), "the master has one thread"


def test_a_worker_inherits_the_listener_and_its_mailbox_and_nothing_else(play):
    master = play("show_descriptors", "workers=3")

    assert ["2", "2", "2"] == master.read_until(r"^descriptors: (\d+) sockets", times=3)


def test_an_application_that_cannot_be_loaded_is_shown_once(play):
    master = play("fail", "workers=4")

    assert 4 == master.wait()
    assert 1 == master.said.count("the application's own traceback\nand what to do\n")


def test_a_descriptor_that_was_passed_and_is_named_too_is_one_listener(play):
    """Units made for gunicorn pass a socket and say `--bind fd://3`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pass_it = ["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&0', "sh"]
        master = play("serve", "bind=fd://3", before=pass_it, stdin=listener)
        master.read_until(READY)

    assert 0 == master.stop()
    assert 1 == master.said.count("listening on")


def test_workers_that_die_in_boot_end_the_server(play):
    master = play("die", "workers=2")

    assert 3 == master.wait()
    assert "exited with code 7 while it loaded the application" in master.said


def test_an_error_of_ours_in_a_worker_ends_it_with_its_traceback(play):
    master = play("explode")

    assert 3 == master.wait()
    assert "RuntimeError: a fault of ours" in master.said


def test_a_worker_that_fails_in_service_is_not_said_to_fail_at_its_start(play):
    """As when gevent throws an error of the interpreter's own into what serves."""
    master = play("explode_in_service", "workers=2")

    master.read_until(r"\[WARNING\] worker 1 \(pid \d+\) ends for the reason that stands before")

    master.stop()
    assert "cannot start" not in master.said


def test_what_keeps_it_from_starting_is_said_in_one_sentence(play, tmp_path):
    path = tmp_path / "pid"
    path.write_text(f"{os.getppid()}\n")

    master = play("serve", f"pidfile={path}")

    assert 1 == master.wait()
    assert [f"--pid {path} names pid {os.getppid()}, which is alive"] == re.findall(r"^--pid .* is alive", master.said)


# The end.


@pytest.mark.parametrize(("number", "grace"), [(signal.SIGTERM, "30"), (signal.SIGINT, "0"), (signal.SIGQUIT, "0")])
def test_a_signal_stops_the_server_with_its_grace(play, number, grace):
    master = play("serve", "workers=2")
    master.read_until(READY, times=2)

    assert 0 == master.stop(number)
    assert [grace, grace] == re.findall(r"drains within (\d+) s", master.said)


def test_a_stop_that_comes_twice_at_once_is_one(play):
    """timeout(1) signals its child, and then the group the child is in."""
    master = play("ignore_drain", "graceful_timeout=0.01")
    master.read_until(READY)

    master.send(signal.SIGTERM)
    master.send(signal.SIGTERM)

    assert 0 == master.wait()
    assert 1 == master.said.count("stopping")
    assert "is killed: it has not left within 0.01 s" in master.said


def test_a_second_signal_hurries(play):
    master = play("ignore_drain")
    master.read_until(READY)
    master.send(signal.SIGTERM)
    master.read_until("what is in flight has 30 s")

    assert 0 == master.stop(signal.SIGINT)
    assert "is killed: it has not left within 0 s" in master.said


def test_who_does_not_leave_in_time_is_killed(play):
    master = play("ignore_drain", "graceful_timeout=0.01")
    master.read_until(READY)

    assert 0 == master.stop()
    assert "is killed: it has not left within 0.01 s" in master.said


def test_workers_notice_that_the_master_was_killed(play):
    master = play("serve", "workers=2")
    master.read_until(READY, times=2)

    master.send(signal.SIGKILL)

    master.read_until(r"^pid \d+ is an orphan$", times=2)


def test_ctrl_c_in_a_terminal_is_no_crash(play):
    """It reaches the workers as well as the master."""
    master = play("serve", "workers=2")
    master.read_until(READY, times=2)

    os.killpg(master.pid, signal.SIGINT)

    assert 0 == master.wait()
    assert "ERROR" not in master.said


# Crashes.


def test_a_killed_worker_is_replaced_and_the_log_says_why(play):
    master = play("serve")
    number, pid = master.read_until(READY)[0]

    os.kill(int(pid), signal.SIGKILL)

    master.read_until(READY, times=2)
    assert f"worker {number} (pid {pid}) was killed by SIGKILL; the kernel's out-of-memory killer is likely" in master.said


def test_a_stuck_worker_is_killed_and_replaced(play):
    """Its heartbeat is of its birth and never comes again."""
    master = play("serve", "timeout=0.2")

    master.read_until(r"worker 1 \(pid \d+\) is killed: its hub has been stuck for 0\.\d s")

    assert 2 == len(master.read_until(READY, times=2))


def test_a_worker_that_babbles_is_heard_out(play):
    master = play("babble")

    master.read_until(READY)

    assert 0 == master.stop()
    assert "unknown command 'dance'" in master.said


def test_a_worker_that_retires_is_replaced_before_it_leaves(play):
    master = play("retire_first")

    master.read_until(r"worker 1 \(pid \d+\) has left")

    assert ["retires", "worker 1", "worker 2", "has left"] == re.findall(
        r"retires|worker \d(?= .* is ready)|has left", master.said
    )


# Reload and the other commands.


def test_reload_replaces_every_worker(play):
    master = play("serve", "workers=2")
    master.read_until(READY, times=2)

    master.send(signal.SIGHUP)

    master.read_until(r"\(pid \d+\) has left", times=2)
    assert 0 == master.stop()
    assert "generation 2: 2 workers ready" in master.said


def test_a_worker_may_ask_for_a_reload(play):
    master = play("ask_for_reload")

    master.read_until("generation 2: 1 worker ready")


@pytest.mark.parametrize("act", ["fail_from_second_generation", "die_from_second_generation"])
def test_new_code_that_does_not_start_never_replaces_the_old(play, act):
    master = play(act, "workers=2")
    master.read_until(READY, times=2)

    master.send(signal.SIGHUP)

    master.read_until("the new code was not taken: generation 2 did not start, generation 1 goes on")
    assert 0 == master.stop()
    assert 2 == len(re.findall("drains within 30 s", master.said))


def test_reload_takes_the_new_configuration(play, tmp_path):
    settings = tmp_path / "settings"
    settings.write_text("workers=3 graceful_timeout=7")
    master = play("serve", "workers=1", RELOAD_FROM=str(settings))
    master.read_until(READY)

    master.send(signal.SIGHUP)

    master.read_until("generation 2: 3 workers ready")
    assert 0 == master.stop()
    assert 4 == len(re.findall("drains within 7 s", master.said)), "the three, and the one they replaced"


def test_a_wrong_configuration_changes_nothing(play, tmp_path):
    settings = tmp_path / "settings"
    settings.write_text("wrong")
    master = play("serve", RELOAD_FROM=str(settings))
    master.read_until(READY)

    master.send(signal.SIGHUP)

    master.read_until("the configuration in force stays: greenserve.toml line 3: workers = 'many' is not a number")
    assert 0 == master.stop()
    assert 1 == len(re.findall("drains within", master.said))


def test_ttin_grows_and_ttou_shrinks_but_not_below_one(play):
    master = play("serve")
    master.read_until(READY)

    master.send(signal.SIGTTIN)
    master.read_until(READY, times=2)
    master.send(signal.SIGTTOU)
    master.read_until("has left")
    master.send(signal.SIGTTOU)

    master.read_until("1 worker from now on", times=2)
    assert 0 == master.stop()


def test_usr1_has_everyone_reopen_the_logs(play):
    master = play("serve", "workers=2")
    master.read_until(READY, times=2)

    master.send(signal.SIGUSR1)

    master.read_until(r"^pid \d+ reopens its logs", times=2)


# Another master in its place.


def test_usr2_starts_the_same_command_anew_which_takes_over(play, tmp_path):
    path = tmp_path / "pid"
    master = play("serve", "workers=2", f"pidfile={path}")
    master.read_until(READY, times=2)

    master.send(signal.SIGUSR2)
    (heir,) = master.read_until(r"pid (\d+) is to be the new master")
    master.read_until(rf"pid {master.pid}, the master before this one, is gone")

    assert 0 == master.process.wait(PATIENCE)
    assert f"{heir}\n" == path.read_text()
    os.kill(int(heir), signal.SIGTERM)
    master.wait()
    assert not path.exists()


def test_a_master_that_is_killed_during_an_upgrade_leaves_all_to_the_new_one(play, tmp_path):
    """The new one's pid file is beside that of the old one, as gunicorn has it, and then in its place."""
    path = tmp_path / "pid"
    master = play("ignore_drain", f"pidfile={path}")
    master.read_until(READY)
    master.send(signal.SIGUSR2)
    (heir,) = master.read_until(r"pid (\d+) is to be the new master")
    master.read_until("serves: this one leaves")
    assert [f"{master.pid}\n", f"{heir}\n"] == [path.read_text(), path.with_suffix(".2").read_text()]

    master.send(signal.SIGKILL)
    master.read_until(rf"pid {master.pid}, the master before this one, is gone")

    assert f"{heir}\n" == path.read_text()


def test_a_stop_in_the_middle_of_an_upgrade_stops_both(play, tmp_path):
    path = tmp_path / "sock"
    master = play("serve", f"bind=unix:{path}")
    master.read_until(READY)
    master.send(signal.SIGUSR2)
    (heir,) = master.read_until(r"pid (\d+) is to be the new master")

    assert 0 == master.stop()
    assert f"[{heir}] [INFO] the server has stopped" in master.said


def test_a_second_upgrade_waits_for_the_first(play):
    master = play("ignore_drain")
    master.read_until(READY)
    master.send(signal.SIGUSR2)
    master.read_until("is to be the new master")

    master.send(signal.SIGUSR2)

    master.read_until("an upgrade is under way already")


def test_a_terminal_that_changes_its_size_is_no_reason_to_rest(play):
    master = play("serve")
    master.read_until(READY)

    master.send(signal.SIGWINCH)
    master.send(signal.SIGUSR1)
    master.read_until("the logs are open anew")

    assert "the workers leave" not in master.said


# The service manager.


@pytest.fixture
def manager(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        yield manager


def hear(manager):
    """Return the next notification, as a dict."""
    return dict(line.split("=", 1) for line in manager.recv(4096).decode().splitlines())


def test_the_service_manager_is_told_of_every_change(play, manager):
    master = play("serve", "workers=2", NOTIFY_SOCKET=manager.getsockname())

    ready = hear(manager)
    master.send(signal.SIGHUP)
    reloading = hear(manager)
    ready_again = hear(manager)
    master.send(signal.SIGTERM)
    stopping = hear(manager)

    assert {"READY": "1", "MAINPID": str(master.pid), "STATUS": "generation 1: 2 workers ready"} == ready
    assert "1" == reloading["RELOADING"]
    assert 0 < int(reloading["MONOTONIC_USEC"])
    assert ("1", "generation 2: 2 workers ready") == (ready_again["READY"], ready_again["STATUS"])
    assert "1" == stopping["STOPPING"]


def test_the_service_manager_is_told_that_new_code_did_not_start(play, manager):
    master = play("fail_from_second_generation", NOTIFY_SOCKET=manager.getsockname())
    hear(manager)

    master.send(signal.SIGHUP)

    assert "1" == hear(manager)["RELOADING"]
    reason = "the application's own traceback"
    assert f"generation 1: goes on, for generation 2 did not start: {reason}" == hear(manager)["STATUS"]


def test_a_watchdog_of_the_service_manager_is_fed_while_nothing_happens(play, manager):
    play("serve", NOTIFY_SOCKET=manager.getsockname(), WATCHDOG_USEC="100000")

    fed = [hear(manager) for _ in range(4)]

    assert {"WATCHDOG": "1"} in fed[2:]


# Files.


def test_the_pid_file_lives_as_long_as_the_server(play, tmp_path):
    path = tmp_path / "pid"
    master = play("serve", f"pidfile={path}")
    master.read_until(READY)

    assert f"{master.pid}\n" == path.read_text()
    assert 0 == master.stop()
    assert not path.exists()
