import os
import select
import signal

import pytest

from greenserve.master.signals import HANDLED, Signals, fork, let_signals_in


@pytest.fixture
def signals():
    signals = Signals()
    yield signals
    signals.close()


def send(*numbers):
    for number in numbers:
        os.kill(os.getpid(), number)


def in_child(act):
    """Run *act* in a fork, and return what it returns, a small number."""
    pid = fork()
    if pid == 0:
        try:
            os._exit(act())
        finally:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_signal_makes_the_descriptor_readable_and_is_a_command(signals):
    send(signal.SIGHUP, signal.SIGTTIN, signal.SIGCHLD, signal.SIGTERM)

    assert select.select([signals], [], [], 0)[0]
    assert {"reload", "grow", "stop"} == set(signals.receive())
    assert [] == signals.receive()


def test_the_handlers_of_before_come_back():
    before = [signal.getsignal(number) for number in HANDLED]

    Signals().close()

    assert before == [signal.getsignal(number) for number in HANDLED]


def test_the_child_of_a_fork_has_signals_held_back_until_it_lets_them_in(signals):
    def act():
        send(signal.SIGTERM)
        held_back = signal.SIGTERM in signal.sigpending()
        signals.reset_in_child()
        let_signals_in()
        return 1 if held_back else 2

    assert -signal.SIGTERM == in_child(act)
    assert [] == signals.receive()


def test_the_child_has_the_handlers_of_a_new_process(signals):
    def act():
        signals.reset_in_child()
        return 0 if all(signal.getsignal(number) == signal.SIG_DFL for number in HANDLED) else 1

    assert 0 == in_child(act)


def test_the_parent_of_a_fork_hears_signals_again(signals):
    in_child(lambda: 0)

    send(signal.SIGHUP)

    assert ["reload"] == signals.receive()
