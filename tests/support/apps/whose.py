"""Says whose request it answers. Reads the content only if asked: what is left unread must not become a request."""


def application(environ, start_response):
    content = environ["wsgi.input"].read() if environ["PATH_INFO"].startswith("/read") else b""
    answer = [environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["REMOTE_PORT"], str(len(content))]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [" ".join(answer).encode("latin-1")]
