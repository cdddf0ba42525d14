# C types of status.py.

cdef dict _INDEX


cdef class Row:
    cdef long long[::1] _cells
    cdef object _line
    cdef object _stacks

    cpdef note(self, head)


cdef class Cell:
    cdef long long[::1] _number

    cpdef add(self, long long number)
