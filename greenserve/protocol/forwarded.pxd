# C types of forwarded.py.


cdef class Forwarding:
    cdef object _proxies
    cdef Py_ssize_t _hops
    cdef frozenset _believed
    cdef list _scheme_fields
    cdef tuple _keys
    cdef str _root
    cdef bint _mounts

    cpdef settle(self, dict environ)
    cdef bint _finds_claims(self, dict environ) except -1
