# C types of input.py.

cimport cython


@cython.final
cdef class Input:
    cdef object _decoder
    cdef bytearray _buffer
    cdef object _receive
    cdef object _welcome
    cdef object _spool
    cdef bytearray _unread
    cdef readonly Py_ssize_t received
    cdef readonly object failure

    cpdef bint is_discardable(self) except -1
    cpdef open_file(self)
    cpdef bint discard(self, Py_ssize_t limit=*) except -1
    cdef bytes _take(self, Py_ssize_t size)
    cdef bint _pull(self) except -1
    cdef bytes _decode_next(self)
    cdef _send_welcome(self)
