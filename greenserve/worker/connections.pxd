# C types of connections.py.

from greenserve.status cimport Row


cdef class Connections:
    cdef Py_ssize_t _limit
    cdef Py_ssize_t _per_address
    cdef Row _row
    cdef object _changed
    cdef public bint awaited
    cdef set _open
    cdef dict _idle
    cdef dict _addresses

    cpdef rest(self, connection)
    cpdef wake(self, connection)
