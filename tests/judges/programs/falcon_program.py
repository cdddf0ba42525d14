import os
from hashlib import sha256

import falcon


class Text:
    def on_get(self, request, response):
        response.content_type = "text/plain"
        response.text = "a few words"

    on_head = on_get


class Echo:
    def on_post(self, request, response):
        response.content_type = "application/octet-stream"
        response.data = request.bounded_stream.read()


class Upload:
    def on_post(self, request, response):
        parts = {part.name: part.stream.read() for part in request.get_media()}
        response.text = f"{parts['title'].decode()} {sha256(parts['file']).hexdigest()}"


class Stream:
    def on_get(self, request, response):
        response.content_type = "text/plain"
        response.stream = (f"block {number}\n".encode() for number in range(3))


class Cookie:
    def on_get(self, request, response):
        response.set_cookie("seen", "before", secure=False)
        response.text = request.cookies.get("seen", "never")


class Away:
    def on_get(self, request, response):
        raise falcon.HTTPFound("/text")


class Broken:
    def on_get(self, request, response):
        raise RuntimeError("as it was asked to")


app = falcon.App()
for resource in (Text, Echo, Upload, Stream, Cookie, Away, Broken):
    app.add_route(f"/{resource.__name__.lower()}", resource())
app.add_static_route("/files", os.environ["FILES"])
