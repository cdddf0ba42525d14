cimport cython


cdef class Access:
    cdef readonly dict environ
    cdef readonly object status
    cdef readonly object fields
    cdef readonly object sent
    cdef readonly object started
    cdef readonly object elapsed
    cdef readonly object pid


cdef class Instants:
    cdef object _write
    cdef dict _written

    cpdef str text(self, object second)
    cdef str _add(self, object second)


cdef Instants instants


cdef class Variable:
    cdef readonly tuple keys


cpdef object remote_address(Access access)

@cython.locals(value=object)
cpdef str basic_user(Access access)

cpdef str when(Access access)
cpdef str status_code(Access access)
cpdef str sent(Access access)


cdef Py_ssize_t count_unsafe(str text)


cdef class Template:
    cdef list _computed
    cdef list _gaps
    cdef list _pieces
    cdef list _variables
    cdef Py_ssize_t _unsafe

    @cython.locals(pieces=list, environ=dict, place=Py_ssize_t, key=str, line=str)
    cpdef str line(self, Access access)

    cdef str _line_by_value(self, Access access)
