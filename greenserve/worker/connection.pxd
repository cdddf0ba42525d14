# C types of connection.py.

cimport cython

from greenserve.protocol.request cimport RequestHead
from greenserve.worker.incoming cimport Incoming
from greenserve.worker.service cimport Service
from greenserve.wsgi.exchange cimport Exchange
from greenserve.wsgi.input cimport Input


cdef class Connection:
    cdef object _transport
    cdef dict _base
    cdef dict _facts
    cdef dict _environ
    cdef Service _service
    cdef Incoming _incoming
    cdef object _receive_content
    cdef Exchange _exchange
    cdef double _began
    cdef object _greenlet
    cdef object _tunnel
    cdef object _standing
    cdef long _served
    cdef double _deadline
    cdef bint _asleep
    cdef bint _evicted
    cdef bint _lingers
    cdef public bint idle
    cdef public str address

    cdef bint _serve_next(self) except -1
    cdef RequestHead _read_head(self)
    cdef bytes _receive_first(self)
    cdef double _idle_time(self)

    @cython.locals(content=Input)
    cdef bint _answer(self, RequestHead head) except -1

    cdef Exchange _run(self, RequestHead head, Input content)

    @cython.locals(content=Input)
    cdef bint _outlives(self, Exchange exchange) except -1
