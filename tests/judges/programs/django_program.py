import os
from hashlib import sha256

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import path
from django.views.static import serve

settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="secret", ALLOWED_HOSTS=["*"], DATA_UPLOAD_MAX_MEMORY_SIZE=None)


def text(request):
    return HttpResponse("a few words", content_type="text/plain")


def echo(request):
    return HttpResponse(request.body, content_type="application/octet-stream")


def upload(request):
    return HttpResponse(f"{request.POST['title']} {sha256(request.FILES['file'].read()).hexdigest()}")


def stream(request):
    return StreamingHttpResponse((f"block {number}\n" for number in range(3)), content_type="text/plain")


def cookie(request):
    response = HttpResponse(request.COOKIES.get("seen", "never"))
    response.set_cookie("seen", "before")
    return response


def away(request):
    return HttpResponseRedirect("/text")


def broken(request):
    raise RuntimeError("as it was asked to")


urlpatterns = [path(view.__name__, view) for view in (text, echo, upload, stream, cookie, away, broken)]
urlpatterns.append(path("files/<path>", serve, {"document_root": os.environ["FILES"]}))

app = get_wsgi_application()
