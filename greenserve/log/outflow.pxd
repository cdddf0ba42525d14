cimport cython


cdef class Outflow:
    cdef object __weakref__
    cdef readonly object file
    cdef readonly Py_ssize_t lost
    cdef object _schedule
    cdef object _note_loss
    cdef object _note_recovery
    cdef Py_ssize_t _lost_now
    cdef bint _scheduled
    cdef object _writing
    cdef list _lines
    cdef Py_ssize_t _size
    cdef bytes _rest
    cdef bint _torn
    cdef bytes _mend

    cpdef add(self, bytes lines)
    cpdef flush(self)
    cdef _write(self)
    @cython.locals(lines=list, count=Py_ssize_t, size=Py_ssize_t, room=Py_ssize_t)
    cdef bytes _take_piece(self)
    cdef _advance(self, Py_ssize_t written)
