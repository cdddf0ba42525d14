import os
from hashlib import sha256

import cherrypy


class Root:
    @cherrypy.expose
    def text(self):
        cherrypy.response.headers["Content-Type"] = "text/plain"
        return "a few words"

    @cherrypy.expose
    @cherrypy.config(**{"request.process_request_body": False})
    def echo(self):
        cherrypy.response.headers["Content-Type"] = "application/octet-stream"
        return cherrypy.request.rfile.read()

    @cherrypy.expose
    def upload(self, title, file):
        return f"{title} {sha256(file.file.read()).hexdigest()}"

    @cherrypy.expose
    @cherrypy.config(**{"response.stream": True})
    def stream(self):
        cherrypy.response.headers["Content-Type"] = "text/plain"
        return (f"block {number}\n" for number in range(3))

    @cherrypy.expose
    def cookie(self):
        cherrypy.response.cookie["seen"] = "before"
        seen = cherrypy.request.cookie.get("seen")
        return seen.value if seen else "never"

    @cherrypy.expose
    def away(self):
        raise cherrypy.HTTPRedirect("/text", 302)

    @cherrypy.expose
    def broken(self):
        raise RuntimeError("as it was asked to")


cherrypy.config.update({"log.screen": False})
app = cherrypy.Application(
    Root(), config={"/files": {"tools.staticdir.on": True, "tools.staticdir.dir": os.environ["FILES"], "tools.etags.on": True}}
)
