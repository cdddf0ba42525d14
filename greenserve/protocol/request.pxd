# C types of request.py: what cimports RequestHead reads an attribute in a few instructions.

cimport cython


@cython.final
cdef class RequestHead:
    cdef public dict environ
    cdef public Py_ssize_t size
    cdef public str method
    cdef public bint http11
    cdef public object content_length
    cdef public bint chunked
    cdef public bint persistent
    cdef public bint expects_continue
    cdef public str upgrade
    cdef public Py_ssize_t dropped_fields
