"""Applications made by calls."""


def create_app(greeting="hello", shout=False):
    content = (greeting.upper() if shout else greeting).encode()

    def application(environ, start_response):
        start_response("200 OK", [("Content-Length", str(len(content)))])
        return [content]

    return application


def forgets_to_return():
    create_app()


def raises():
    raise RuntimeError("the factory broke")
