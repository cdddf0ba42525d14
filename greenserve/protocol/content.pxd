# C types of content.py.

cimport cython

from greenserve.protocol.request cimport RequestHead

cdef int _SIZE, _DATA, _DATA_END, _TRAILERS


@cython.final
cdef class FixedContent:
    cdef readonly long long remaining
    cdef readonly bint finished

    cpdef bytes decode(self, bytearray buffer)


@cython.final
cdef class ChunkedContent:
    cdef readonly bint finished
    cdef readonly list trailers
    cdef object _limits
    cdef int _expects
    cdef object _left
    cdef object _total
    cdef object _overhead
    cdef Py_ssize_t _trailer_size

    @cython.locals(taken=Py_ssize_t, pieces=list)
    cpdef bytes decode(self, bytearray buffer)

    @cython.locals(position=Py_ssize_t, after=Py_ssize_t)
    cdef Py_ssize_t _take(self, bytearray buffer, view, list pieces) except -1

    @cython.locals(size=Py_ssize_t)
    cdef Py_ssize_t _take_data(self, view, Py_ssize_t position, list pieces) except -1

    cdef Py_ssize_t _take_data_end(self, bytearray buffer, Py_ssize_t position) except -1

    @cython.locals(end=Py_ssize_t, line=bytes)
    cdef Py_ssize_t _take_line(self, bytearray buffer, Py_ssize_t position) except -1

    cdef _check_line_size(self, Py_ssize_t size)
    cdef _open_chunk(self, bytes line)
    cdef _add_trailer(self, bytes line)


cpdef content_after(RequestHead head, limits)
