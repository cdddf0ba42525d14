# C types of input.py. What the tests fake, the decoder, is any object.

cimport cython

from greenserve.protocol.content cimport FixedContent


@cython.final
cdef class Input:
    cdef object _decoder
    cdef bytearray _buffer
    cdef object _receive
    cdef object _welcome
    cdef object _spool
    cdef bytes _unread
    cdef Py_ssize_t _start
    cdef readonly long long received
    cdef readonly object failure

    cpdef bint is_discardable(self) except -1
    cpdef open_file(self)

    @cython.locals(enough=cython.longlong)
    cpdef bint discard(self, Py_ssize_t limit=*) except -1

    @cython.locals(size=Py_ssize_t, first=bytes, piece=bytes)
    cdef bytes _gather(self, Py_ssize_t limit, bint line)

    @cython.locals(unread=bytes, start=Py_ssize_t, end=Py_ssize_t)
    cdef bytes _take(self, Py_ssize_t limit, bint line)

    cdef _keep(self, bytes piece)

    @cython.locals(content=bytes)
    cdef bytes _pull(self)

    cdef bytes _decode_next(self)
    cdef _send_welcome(self)


cpdef Py_ssize_t find_limit(size) except -1
