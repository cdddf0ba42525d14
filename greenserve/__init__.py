"""A WSGI server for blocking Python code: one greenlet per connection, one hub per core."""

__version__ = "0.1.0"
