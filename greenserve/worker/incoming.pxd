# C types of incoming.py.

from greenserve.protocol.request cimport RequestHead
from greenserve.worker.service cimport Service


cdef class Incoming:
    cdef object _transport
    cdef Service _service
    cdef public bytearray buffer
    cdef double _debt

    cpdef RequestHead read_head(self, data, dict environ, standing)
    cdef bytearray _keep(self, data)
    cdef _remove(self, data, Py_ssize_t size)
