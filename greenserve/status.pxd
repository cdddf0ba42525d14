# C types of status.py.


cdef class Row:
    cdef long long[::1] _cells
    cdef object _line
    cdef object _stacks

    cpdef add(self, str column, long long number=*)
    cpdef note(self, head)
