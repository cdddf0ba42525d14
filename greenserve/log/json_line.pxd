cimport cython

from greenserve.log.line cimport Access


@cython.locals(environ=dict, line=str)
cpdef str format_json(Access access)

cdef str variable(object value)
cdef str quote(object value)
cdef str content_type(object fields)
cdef str user(Access access)
