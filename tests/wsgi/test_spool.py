"""Content that is kept until the application reads it."""

import errno
import io

import pytest

from greenserve.errors import ContentNotStored, SpoolFull
from greenserve.wsgi.spool import Spool, Spooling


def fill(spool, *blocks):
    for block in blocks:
        spool.write(block)
    spool.rewind()


def test_short_content_stays_in_memory():
    spool = Spool(Spooling(memory=4))

    fill(spool, b"ab", b"cd")

    assert isinstance(spool.file, io.BytesIO)
    assert (b"abcd", 4) == (spool.file.read(), spool.length)


@pytest.mark.security("no predictable files in /tmp (gunicorn 27 dirty pid fix, Passenger races)")
def test_long_content_goes_to_a_file_without_a_name(tmp_path):
    spool = Spool(Spooling(memory=4, directory=str(tmp_path)))

    fill(spool, b"ab", b"cd", b"ef\ngh")

    assert not isinstance(spool.file, io.BytesIO)
    assert [] == list(tmp_path.iterdir())
    assert ([b"abcdef\n", b"gh"], 9) == (spool.file.readlines(), spool.length)
    spool.close()


def test_directory_that_is_missing_is_named(tmp_path):
    spool = Spool(Spooling(memory=0, directory=str(tmp_path / "missing")))

    with pytest.raises(ContentNotStored, match=r"missing \(No such file or directory\): see tmp_upload_dir"):
        spool.write(b"x")


def test_full_disk_is_noticed_whenever_it_fails(monkeypatch):
    """A short last block is written only when the file is rewound, or closed."""
    spool = Spool(Spooling())
    spool.file = open("/dev/full", "w+b")  # noqa: SIM115  # the spool closes it
    spool.write(b"x")

    with pytest.raises(ContentNotStored, match="No space left on device") as caught:
        spool.rewind()
    spool.close()

    assert errno.ENOSPC == caught.value.__cause__.errno
    assert spool.file.closed


def test_all_requests_together_have_only_so_much_room():
    spooling = Spooling(memory=0, limit=10)
    first, second = Spool(spooling), Spool(spooling)
    first.write(b"x" * 8)

    with pytest.raises(SpoolFull):
        second.write(b"x" * 3)

    second.close()
    first.close()
    third = Spool(spooling)
    third.write(b"x" * 10)
    third.close()


def test_what_stays_in_memory_takes_no_room():
    spool = Spool(Spooling(memory=4, limit=1))

    spool.write(b"four")
    spool.close()

    assert 4 == spool.length
