cimport cython

from greenserve.log.line cimport Access
from greenserve.log.outflow cimport Outflow


cdef class Destination:
    cdef object _name
    cdef object _encode
    cdef readonly Outflow outflow

    cpdef write(self, str line)


cdef class AccessLog:
    cdef object _format
    cdef object _destinations

    @cython.locals(line=str, each=Destination)
    cpdef record(self, Access access)

    @cython.locals(each=Destination)
    cpdef write(self, str line)


cdef class ConfiguredAccessLog(AccessLog):
    cdef object _logger
    cdef Py_ssize_t _failed
