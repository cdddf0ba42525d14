import os
from hashlib import sha256

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPFound
from pyramid.response import Response
from pyramid.wsgi import wsgiapp2
from webob.static import DirectoryApp


def text(request):
    return Response("a few words", content_type="text/plain")


def echo(request):
    return Response(request.body, content_type="application/octet-stream")


def upload(request):
    return Response(f"{request.POST['title']} {sha256(request.POST['file'].file.read()).hexdigest()}")


def stream(request):
    return Response(app_iter=(f"block {number}\n".encode() for number in range(3)), content_type="text/plain")


def cookie(request):
    response = Response(request.cookies.get("seen", "never"))
    response.set_cookie("seen", "before")
    return response


def away(request):
    return HTTPFound("/text")


def broken(request):
    raise RuntimeError("as it was asked to")


with Configurator() as config:
    for view in (text, echo, upload, stream, cookie, away, broken):
        config.add_route(view.__name__, f"/{view.__name__}")
        config.add_view(view, route_name=view.__name__)
    config.add_route("files", "/files/*subpath")
    config.add_view(wsgiapp2(DirectoryApp(os.environ["FILES"])), route_name="files")
    app = config.make_wsgi_app()
