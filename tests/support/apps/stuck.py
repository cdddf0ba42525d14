"""`/stuck` never gives the processor back to the hub."""


def application(environ, start_response):
    while environ["PATH_INFO"] == "/stuck":
        pass
    start_response("200 OK", [("Content-Length", "4")])
    return [b"fine"]
