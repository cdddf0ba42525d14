"""Breaks while it is imported, two calls deep."""


def connect():
    raise LookupError("no database at db.example")


def configure():
    connect()


configure()
