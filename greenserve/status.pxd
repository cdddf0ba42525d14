# C types of status.py.

cimport cython

cdef dict _INDEX
cdef Py_ssize_t _HEARTBEAT
cdef Py_ssize_t _CONNECTIONS
cdef Py_ssize_t _ACCEPTING
cdef Py_ssize_t WIDTH


cdef class Row:
    cdef long long[::1] _cells
    cdef object _line
    cdef object _stacks

    cpdef note(self, head)


cdef class Cell:
    cdef long long[::1] _number

    cpdef add(self, long long number)


cdef class Scoreboard:
    cdef object _memory
    cdef long long[::1] _cells
    cdef object _lines
    cdef object _stacks
    cdef Py_ssize_t _in_use
    cdef Py_ssize_t _leaving

    @cython.locals(cells="long long[::1]", count="long long", fewest="long long", start=Py_ssize_t)
    cpdef long long fewest_connections(self, long long since, long long most)
