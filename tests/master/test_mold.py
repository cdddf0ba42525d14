"""What the master makes of what a mold says. Molds run code of the application, so they are not believed."""

import os

import pytest

from greenserve.mailbox import Born, Cast, Mailbox, open_mailboxes, open_mold_mailboxes
from greenserve.master import mold
from greenserve.master.mold import Mold, Molds, is_child

#: The parent of all, and nobody's child here.
INIT = 1


@pytest.fixture
def ends():
    """The master's and the mold's end of a conversation, and the end of a worker's mailbox."""
    ours, theirs = open_mold_mailboxes()
    others = open_mailboxes()
    yield ours, theirs, others[0]
    for end in (ours, theirs, *others):
        end.close()


@pytest.fixture
def child():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    yield pid
    os.waitpid(pid, 0)


def test_forked_worker_is_the_masters_child(ends, child):
    ours, theirs, worker_end = ends
    theirs.send(Born(child))

    assert child == Mold(0, ours).fork(3, worker_end)


@pytest.mark.parametrize("answer", [Born(INIT), Born(0), Born(-1), Born("1"), Born(2**70), Cast(1)])
def test_only_a_child_is_taken_for_a_worker(ends, answer):
    """The master kills whom it takes for a worker, perhaps as root."""
    ours, theirs, worker_end = ends
    theirs.send(answer)

    with pytest.raises(OSError, match="the mold"):
        Mold(0, ours).fork(3, worker_end)


def test_mold_that_is_gone_forks_nobody(ends):
    ours, theirs, worker_end = ends
    theirs.close()

    with pytest.raises(OSError, match="gone"):
        Mold(0, ours).fork(3, worker_end)


def test_mold_that_says_nothing_is_not_waited_for_long(ends, monkeypatch):
    monkeypatch.setattr(mold, "ANSWER_MS", 0)
    ours, _, worker_end = ends

    with pytest.raises(OSError, match="does not answer"):
        Mold(0, ours).fork(3, worker_end)


def test_mailbox_comes_with_the_order(ends):
    ours, theirs, worker_end = ends
    ours.hand_over(Cast(3), worker_end)

    assert [Cast(3)] == theirs.receive()

    (handed,) = theirs.handed
    assert os.fstat(worker_end.fileno()) == os.fstat(handed)
    assert not os.get_inheritable(handed)
    os.close(handed)


def test_a_generation_has_its_mold_once_the_loader_says_so(child):
    molds = Molds()
    molds.expect(1).close()
    molds.loads(1, loader=77)
    before = molds.is_loading(1)

    made = molds.made(77, child)

    assert (True, False) == (before, molds.is_loading(1))
    assert made is molds.find(1)
    made.mailbox.close()


@pytest.mark.parametrize("said", [INIT, 0])
def test_loader_without_a_mold_leaves_none(said):
    molds = Molds()
    molds.expect(1).close()
    molds.loads(1, loader=77)

    assert molds.made(77, said) is None

    assert molds.find(1) is None


def test_loader_that_died_leaves_no_mold():
    molds = Molds()
    molds.expect(1).close()
    molds.loads(1, loader=77)

    molds.bury(77)

    assert not molds.is_loading(1)


def test_child_is_known_and_a_stranger_is_not(child):
    assert is_child(child)
    assert not is_child(os.getppid())


def test_mailbox_of_a_worker_takes_no_descriptor(ends):
    """A worker could fill the master with them."""
    ours, theirs, worker_end = ends

    theirs.hand_over(Cast(3), worker_end)

    assert isinstance(ours, Mailbox)
    before = len(os.listdir("/proc/self/fd"))
    ours.receive()
    assert before == len(os.listdir("/proc/self/fd"))
