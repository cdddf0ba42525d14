"""Waits 50 ms, as for a database, and says hello."""

import time

import hello


def app(environ, start_response):
    time.sleep(0.05)
    return hello.app(environ, start_response)
