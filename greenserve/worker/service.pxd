# C types of service.py.

from greenserve.status cimport Cell, Row
from greenserve.worker.connections cimport Connections
from greenserve.wsgi.exchange cimport Exchange


cdef class Service:
    cdef public object application
    cdef public object run
    cdef public object config
    cdef public object waiter
    cdef public Row row
    cdef Cell _in_flight
    cdef Cell _requests
    cdef public object limits
    cdef public object spooling
    cdef public Connections connections
    cdef public object gate
    cdef public object introductions
    cdef public object parse_head
    cdef public double quiet_time
    cdef public double first_idle_time
    cdef public double idle_time
    cdef public bint draining
    cdef public object counted
    cdef public object tunnel_begun
    cdef object _access_log
    cdef object _handshakes
    cdef object _refusals
    cdef int _pid
    cdef str _date
    cdef double _date_ends

    cpdef str date(self)
    cpdef began(self)
    cpdef ended(self, dict environ, Exchange exchange, double began)
    cdef _leave(self)
