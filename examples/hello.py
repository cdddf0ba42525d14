"""The plainest WSGI application: greenserve hello:application"""


def application(environ, start_response):
    content = b"Hello from greenserve\n"
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(content)))])
    return [content]
