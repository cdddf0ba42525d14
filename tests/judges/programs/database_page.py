"""sqlite-web as its own command starts it."""

import os

from sqlite_web import sqlite_web

sqlite_web.initialize_app([os.environ["DATABASE"]])
app = sqlite_web.app
