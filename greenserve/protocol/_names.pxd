# What _names.pyx offers to _head.pyx.

cimport cython
from libc.stdint cimport uint32_t

ctypedef unsigned char byte


cdef enum Role:
    # What a field is to us, beside a key for the application.
    HOST = 1
    LENGTH = 2
    CODINGS = 4
    CONNECTION = 8
    EXPECT = 16
    # Nobody's secret is kept for a comparison with what another client sends.
    SECRET = 32


@cython.final
cdef class Field:
    cdef bytes name
    cdef uint32_t code
    cdef str key
    cdef int role
    # The last value, empty at first.
    cdef str value


@cython.final
cdef class NameTable:
    cdef object names
    cdef list places

    cdef Field find(self, const byte *name, Py_ssize_t size)
    cdef Field meet(self, bytes name, uint32_t code)
    cdef int place(self, Field field) except -1


cdef NameTable table_of(names)
