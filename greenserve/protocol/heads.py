"""Which parser reads the heads of requests: the compiled one if it can be had, the plain one otherwise."""

try:
    from greenserve.protocol._head import parse_request_head
except ImportError:
    from greenserve.protocol.head import parse_request_head

__all__ = ["parse_request_head"]
