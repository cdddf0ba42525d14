"""What bad clients ask for: a large answer, a stream, content that is read whole."""

BIG = b"x" * (10 << 20)


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/echo":
        length = len(environ["wsgi.input"].read())
        start_response("200 OK", [])
        return [str(length).encode()]
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/big":
        return [BIG]
    if path == "/stream":
        return (b"x" * 1000 for _ in range(10_000))
    return [b"hello"]
