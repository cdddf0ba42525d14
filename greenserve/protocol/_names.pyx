# cython: language_level=3, annotation_typing=False, binding=True, boundscheck=False, wraparound=False
"""Field names by their bytes, and what is remembered of each from one head to the next.

A table for each Names of fields.py, which knows what a name is and who may
send it. So a stranger fills no more of this than of that.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

from greenserve.protocol.fields import EVERY_NAME

cdef enum:
    #: Twice as many as Names has keys, so that a search soon comes to its end.
    PLACES = 2048
    #: A search ends after so many places anyhow: who finds names that meet in one place slows nobody down.
    TRIES = 8

cdef extern from *:
    """
    /* 2^64 over the golden ratio: a product with it has in its upper half something of every bit. */
    #define CODE_FACTOR 0x9E3779B97F4A7C15ull
    """
    const uint64_t CODE_FACTOR

cdef dict ROLES = {
    "HTTP_HOST": HOST,
    "CONTENT_LENGTH": LENGTH,
    "HTTP_TRANSFER_ENCODING": CODINGS,
    "HTTP_CONNECTION": CONNECTION,
    "HTTP_EXPECT": EXPECT,
    "HTTP_COOKIE": SECRET,
    "HTTP_AUTHORIZATION": SECRET,
    "HTTP_PROXY_AUTHORIZATION": SECRET,
}


cdef class Field:
    """A field name in one spelling, and what is known of it."""


cdef class NameTable:
    """Finds the fields of a Names by the bytes of their names. What has no place in it is looked up there."""

    def __init__(self, names):
        self.names = names
        self.places = [None] * PLACES
        for known in names.keys:
            name = known.encode("latin-1")
            self.find(name, len(name))

    cdef Field find(self, const byte *name, Py_ssize_t size):
        """Return the field *name*, None if the application must not see it. Raises BadRequest."""
        cdef uint32_t code = code_of(name, size)
        cdef Field field
        cdef int attempt
        for attempt in range(TRIES):
            field = <Field> self.places[(code + attempt) % PLACES]
            if field is None:
                break
            if field.code == code and is_same(field.name, name, size):
                return field
        return self.meet(name[:size], code)

    cdef Field meet(self, bytes name, uint32_t code):
        """Return what Names says of a *name* that is not in the table, and remember it if Names does."""
        cdef str spelling = name.decode("latin-1")
        cdef str key = self.names.keys.get(spelling) or self.names.learn(spelling)
        if key is None:
            return None
        cdef Field field = Field.__new__(Field)
        field.name = name
        field.code = code
        field.key = key
        field.role = ROLES.get(key, 0)
        field.value = ""
        if spelling in self.names.keys:
            self.place(field)
        return field

    cdef int place(self, Field field) except -1:
        cdef int attempt
        for attempt in range(TRIES):
            if self.places[(field.code + attempt) % PLACES] is None:
                self.places[(field.code + attempt) % PLACES] = field
                break
        return 0


cdef bint is_same(bytes known, const byte *name, Py_ssize_t size) noexcept:
    return PyBytes_GET_SIZE(known) == size and memcmp(PyBytes_AS_STRING(known), name, size) == 0


cdef uint32_t code_of(const byte *name, Py_ssize_t size) noexcept:
    """Return a number for *name*, made of its size and its end, where most names differ."""
    cdef uint64_t end = 0
    cdef Py_ssize_t at
    if size >= 8:
        memcpy(&end, name + size - 8, 8)
    else:
        for at in range(size):
            end = end << 8 | name[at]
    return <uint32_t> ((end + size) * CODE_FACTOR >> 32)


cdef NameTable _table = NameTable(EVERY_NAME)

cdef NameTable table_of(names):
    """Return the table of a Names, which is made once for many connections."""
    global _table
    if _table.names is not names:
        if names.table is None:
            names.table = NameTable(names)
        _table = names.table
    return _table
