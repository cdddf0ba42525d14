"""Chunked content is whole, and looks like any other, before the application sees it."""

import pytest

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def chunked(*blocks, fields=b"", trailers=b""):
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(block), block) for block in blocks)
    return HEAD + fields + b"\r\n" + chunks + b"0\r\n" + trailers + b"\r\n"


class Recorder:
    """An application that remembers the environ of each call, and echoes."""

    def __init__(self):
        self.environs = []

    def __call__(self, environ, start_response):
        self.environs.append(environ)
        content = environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [content]


@pytest.fixture
def recorder():
    return Recorder()


def test_application_reads_it_by_its_length(serve, recorder):
    """Django, Bottle, falcon and WebOb read CONTENT_LENGTH bytes and no more; some decode chunks if they see the field."""
    client = serve(recorder)

    client.send(chunked(b"one ", b"two") + LAST)
    answers = client.receive()

    first, second = recorder.environs
    assert b"one two" in answers
    assert "7" == first["CONTENT_LENGTH"]
    assert "HTTP_TRANSFER_ENCODING" not in first
    assert "CONTENT_LENGTH" not in second


def test_empty_content_has_length_zero(serve, recorder):
    client = serve(recorder)

    client.send(chunked(fields=b"Connection: close\r\n"))
    client.receive()

    assert "0" == recorder.environs[0]["CONTENT_LENGTH"]


def test_long_content_comes_back_to_the_byte(serve, recorder, tmp_path):
    blocks = [bytes([number]) * 10_000 for number in range(60)]
    client = serve(recorder, spool_memory=100_000, tmp_upload_dir=str(tmp_path))

    client.send(chunked(*blocks, fields=b"Connection: close\r\n"))
    answer = client.receive()

    assert answer.endswith(b"".join(blocks))
    assert recorder.environs[0]["wsgi.input"].closed


def test_next_request_follows_spooled_content(serve, recorder):
    client = serve(recorder, spool_memory=0)

    client.send(chunked(b"first") + chunked(b"second", fields=b"Connection: close\r\n"))
    answers = client.receive()

    assert 2 == answers.count(b"HTTP/1.1 200 OK")
    assert answers.endswith(b"second")


def test_client_that_waits_for_100_gets_it_before_the_application_is_called(serve, recorder):
    client = serve(recorder)

    client.send(HEAD + b"Expect: 100-continue\r\n\r\n")
    welcome = client.receive(b"\r\n\r\n")
    called = len(recorder.environs)
    client.send(b"2\r\nhi\r\n0\r\n\r\n")

    assert b"HTTP/1.1 100 Continue\r\n\r\n" == welcome
    assert 0 == called
    assert client.receive(b"hi").startswith(b"HTTP/1.1 200 OK")


@pytest.mark.security("chunk data must end CRLF")
@pytest.mark.security("trailers bounded, forbidden fields rejected, never merged into security headers")
@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"5\r\nhelloX0\r\n\r\n", b"400"),
        (b"0x5\r\nhello\r\n0\r\n\r\n", b"400"),
        (b"ffffff\r\n", b"413"),
        (b"1\r\nx\r\n0\r\nContent-Length: 3\r\n\r\n", b"400"),
        (b"1\r\nx\r\n0\r\n" + b"X: " + b"x" * 9000 + b"\r\n\r\n", b"431"),
        (b"1\r\nx", b"408"),
    ],
    ids=["no CRLF", "prefix", "too much", "framing in trailers", "long trailers", "silence"],
)
def test_refused_content_never_reaches_the_application(serve, recorder, content, status):
    client = serve(recorder, limit_request_content=1000, content_timeout=0.05)

    client.send(HEAD + b"\r\n" + content)
    answer = client.receive()

    assert answer.startswith(b"HTTP/1.1 " + status)
    assert [] == recorder.environs


@pytest.mark.security("final `0 CRLF CRLF` mandatory")
def test_client_that_leaves_midway_never_reaches_the_application(serve, recorder):
    client = serve(recorder)

    client.send(HEAD + b"\r\n5\r\nhe")
    client.socket.shutdown(1)

    assert b"" == client.receive()
    assert [] == recorder.environs


def test_content_that_cannot_be_kept_is_507_and_an_error_in_the_log(serve, recorder, tmp_path, caplog):
    client = serve(recorder, spool_memory=0, tmp_upload_dir=str(tmp_path / "missing"))

    client.send(chunked(b"x"))
    answer = client.receive()

    assert answer.startswith(b"HTTP/1.1 507 Insufficient Storage\r\n")
    assert ["ERROR"] == [record.levelname for record in caplog.records]
    assert "tmp_upload_dir" in caplog.text


# Trailers.


@pytest.mark.security("trailers bounded, forbidden fields rejected, never merged into security headers")
def test_trailers_are_offered_apart_from_fields(serve, recorder):
    client = serve(recorder)

    client.send(chunked(b"x", fields=b"Connection: close\r\nDigest: a\r\n", trailers=b"Digest: b\r\nX-Time: 3\r\n"))
    client.receive()

    environ = recorder.environs[0]
    assert [("Digest", "b"), ("X-Time", "3")] == environ["greenserve.trailers"]
    assert "a" == environ["HTTP_DIGEST"]
    assert "HTTP_X_TIME" not in environ


def test_requests_without_chunks_have_no_trailers(serve, recorder):
    client = serve(recorder)

    client.send(LAST)
    client.receive()

    assert "greenserve.trailers" not in recorder.environs[0]


# Streaming it instead.


def test_streamed_content_is_read_as_it_comes(serve):
    seen = []

    def application(environ, start_response):
        seen.append((environ.get("CONTENT_LENGTH"), environ.get("HTTP_TRANSFER_ENCODING"), environ["wsgi.input_terminated"]))
        start_response("200 OK", [])
        yield environ["wsgi.input"].read(3)
        yield environ["wsgi.input"].read()
        yield repr(environ["greenserve.trailers"]).encode()

    client = serve(application, stream_chunked=True)

    client.send(HEAD + b"Connection: close\r\n\r\n3\r\none\r\n")
    first = client.receive(b"3\r\none\r\n")
    client.send(b"3\r\ntwo\r\n0\r\nX: y\r\n\r\n")
    rest = client.receive()

    assert [(None, None, True)] == seen
    assert first.startswith(b"HTTP/1.1 200 OK")
    assert b"3\r\ntwo\r\nc\r\n[('X', 'y')]\r\n0\r\n\r\n" == rest


def test_streamed_content_that_ends_early_makes_reading_raise(serve):
    raised = []

    def application(environ, start_response):
        try:
            environ["wsgi.input"].read()
        except ConnectionError as error:
            raised.append(error)
            raise

    client = serve(application, stream_chunked=True)

    client.send(HEAD + b"\r\n5\r\nhe")
    client.socket.shutdown(1)

    assert b"" == client.receive()
    assert 1 == len(raised)
