# C types of transport.py.

cimport cython

from greenserve.worker._wire cimport Wire as CompiledWire


cdef class Transport:
    cdef public CompiledWire wire
    cdef object _waiter
    cdef object _patience
    cdef unsigned int _steps
    cdef double _turn_began
    cdef bint _shared
    cdef int _unsent_limit
    cdef double _linger_end

    cpdef bytes receive(self, double deadline, Py_ssize_t size=*)
    cpdef bytes receive_now(self, Py_ssize_t size=*)

    @cython.locals(size=Py_ssize_t, data=bytes, sent=Py_ssize_t)
    cdef _send_all(self, tuple pieces, bint more)

    cpdef take_turns(self)
    cdef _wait(self, unsigned int events, double deadline)


cdef bytes join(tuple pieces)
