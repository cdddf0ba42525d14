# cython: language_level=3, annotation_typing=False, binding=True, boundscheck=False, wraparound=False
"""The compiled twin of head.py: the bytes of an ordinary head straight to a finished environ.

Reads what nearly every request looks like, in one pass, and takes no other.
Whatever it is not sure of goes as a whole to the plain parser, which has the
rules of refusal and their words: to be `Unsure` is always right, and only slow.
So each check here may be stricter than the plain one and never laxer.

No loop over bytes counts them. CPython keeps a NUL behind the last byte of
bytes and bytearray, and no class of bytes that a loop runs over has it.
"""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.unicode cimport PyUnicode_DecodeLatin1
from libc.string cimport memchr, memcmp

from greenserve.protocol._names cimport CODINGS, CONNECTION, EXPECT, HOST, LENGTH, SECRET, Field, NameTable, byte, table_of
from greenserve.protocol.request cimport RequestHead

from greenserve.errors import ProtocolError
from greenserve.protocol import head as plain
from greenserve.protocol.fields import EVERY_NAME
from greenserve.protocol.framing import MAX_LENGTH_DIGITS, parse_connection, parse_expectation
from greenserve.protocol.limits import Limits
from greenserve.protocol.target import check_host, decode_path, is_target

cdef extern from "Python.h":
    const unsigned char *PyUnicode_1BYTE_DATA(object)
    Py_ssize_t PyUnicode_GET_LENGTH(object)
    const Py_ssize_t PY_SSIZE_T_MAX

#: A longer value is not kept: strangers write them, one for each name in a table.
cdef Py_ssize_t MAX_KEPT_VALUE = 256

cdef Py_ssize_t MAX_DIGITS = MAX_LENGTH_DIGITS

cdef enum:
    TAB = 0x09
    LF = 0x0A
    CR = 0x0D
    SPACE = 0x20
    PERCENT = 0x25
    SLASH = 0x2F
    COLON = 0x3A
    QUESTION_MARK = 0x3F
    DEL = 0x7F

cdef enum:
    #: "GET / HTTP/1.1" and two line ends. The longest usual method fits into it, too.
    SHORTEST_HEAD = 18
    #: "HTTP/1.1" and two line ends.
    SHORTEST_VERSION = 12

cdef enum Class:
    TARGET = 1
    #: A byte of a target that ends neither the path nor its plain beginning.
    PATH = 2

#: The classes that each byte belongs to, filled from the patterns of the plain parser.
cdef int CLASSES[256]

cdef void sort_bytes() except *:
    for number in range(256):
        character = chr(number)
        CLASSES[number] = (
            (TARGET if is_target(character) else 0)
            | (PATH if is_target(character) and character not in "?%" else 0)
        )

sort_bytes()


class Unsure(Exception):
    """Here is what the plain parser has to look at."""


def parse_request_head(buffer, dict base_environ not None, limits, Py_ssize_t seen=0, names=EVERY_NAME):
    """Do what greenserve.protocol.head.parse_request_head promises."""
    try:
        return read_buffer(buffer, base_environ, bounds_of(limits), seen, table_of(names))
    except (Unsure, ProtocolError):
        pass
    return plain.parse_request_head(buffer, base_environ, limits, seen, names)


cdef RequestHead read_buffer(buffer, dict base_environ, Bounds bounds, Py_ssize_t seen, NameTable table):
    """Return the head that *buffer* begins with. While it is read nobody can change its size."""
    cdef Py_buffer view
    if type(buffer) is not bytearray and type(buffer) is not bytes:
        raise Unsure
    cdef Py_ssize_t known_size = find_size(buffer, seen) if seen else 0
    PyObject_GetBuffer(buffer, &view, PyBUF_SIMPLE)
    try:
        if view.len < SHORTEST_HEAD:
            raise Unsure
        head = read_head(<const byte *> view.buf, <const byte *> view.buf + view.len, base_environ, bounds, table)
    finally:
        PyBuffer_Release(&view)
    if known_size and head.size != known_size:
        raise Unsure
    return head


cdef Py_ssize_t find_size(buffer, Py_ssize_t seen) except -1:
    """Return where a head ends that came in pieces: it must not be read from its beginning for each of them."""
    cdef Py_ssize_t end = buffer.find(b"\r\n\r\n", max(seen - 3, 0))
    if end < 0:
        raise Unsure
    return end + 4


cdef RequestHead read_head(const byte *start, const byte *end, dict base_environ, Bounds bounds, NameTable table):
    cdef RequestHead head = RequestHead.__new__(RequestHead)
    cdef const byte *at = start
    head.environ = base_environ.copy()
    head.method = head.environ["REQUEST_METHOD"] = read_method(&at)
    read_target(&at, head.environ)
    head.http11 = head.persistent = read_version(&at, end, head.environ)
    if at - start - 2 > bounds.line:
        raise Unsure
    cdef int met = read_fields(&at, end, head, bounds, table)
    head.size = at - start
    if head.size > bounds.head:
        raise Unsure
    settle_head(head, met)
    return head


# The request line.


cdef str read_method(const byte **at):
    cdef str method = usual_method(at[0])
    at[0] += PyUnicode_GET_LENGTH(method) + 1
    return method


cdef str usual_method(const byte *at):
    """Return the method at *at*, where there are at least SHORTEST_HEAD bytes."""
    if memcmp(at, b"GET ", 4) == 0:
        return "GET"
    if memcmp(at, b"POST ", 5) == 0:
        return "POST"
    if memcmp(at, b"HEAD ", 5) == 0:
        return "HEAD"
    if memcmp(at, b"PUT ", 4) == 0:
        return "PUT"
    if memcmp(at, b"PATCH ", 6) == 0:
        return "PATCH"
    if memcmp(at, b"DELETE ", 7) == 0:
        return "DELETE"
    if memcmp(at, b"OPTIONS ", 8) == 0:
        return "OPTIONS"
    raise Unsure


cdef int read_target(const byte **at, dict environ) except -1:
    """Set what the target says, if it is a path with perhaps a query."""
    cdef const byte *start = at[0]
    cdef const byte *path_end = start
    if start[0] != SLASH:
        raise Unsure
    while CLASSES[path_end[0]] & PATH:
        path_end += 1
    cdef bint escaped = path_end[0] == PERCENT
    while escaped and path_end[0] != QUESTION_MARK and CLASSES[path_end[0]] & TARGET:
        path_end += 1
    cdef const byte *end = path_end
    while CLASSES[end[0]] & TARGET:
        end += 1
    if end[0] != SPACE:
        raise Unsure
    cdef str target = text(start, end)
    cdef str path = target if path_end == end else text(start, path_end)
    environ["RAW_URI"] = target
    environ["PATH_INFO"] = decode_path(path) if escaped else path
    environ["QUERY_STRING"] = "" if path_end == end else text(path_end + 1, end)
    at[0] = end + 1
    return 0


cdef bint read_version(const byte **at, const byte *end, dict environ) except -1:
    """Return whether it is HTTP/1.1; HTTP/1.0 is the only other that is usual."""
    cdef const byte *version = at[0]
    if end - version < SHORTEST_VERSION or memcmp(version, b"HTTP/1.", 7) != 0 or memcmp(version + 8, b"\r\n", 2) != 0:
        raise Unsure
    if version[7] != c"1" and version[7] != c"0":
        raise Unsure
    cdef bint http11 = version[7] == c"1"
    environ["SERVER_PROTOCOL"] = "HTTP/1.1" if http11 else "HTTP/1.0"
    at[0] = version + 10
    return http11


# Fields.


cdef int read_fields(const byte **at, const byte *end, RequestHead head, Bounds bounds, NameTable table) except -1:
    """Set a key for each field that the application may see; return the roles that matter for settle_head()."""
    cdef int met = 0
    cdef Py_ssize_t kept = 0
    cdef dict environ = head.environ
    cdef Py_ssize_t others = len(environ)
    cdef const byte *line
    cdef Field field
    cdef str value
    while at[0][0] != CR:
        line = at[0]
        field = read_name(at, end, table)
        if field is None:
            read_value(at, end)
            head.dropped_fields += 1
        else:
            value = environ[field.key] = read_field_value(at, end, field)
            kept += 1
            if field.role:
                met |= settle_field(head, field.role, value, bounds)
        if at[0] - line - 2 > bounds.field_size:
            raise Unsure
    if at[0][1] != LF or kept + head.dropped_fields > bounds.fields:
        raise Unsure
    # Of two fields with one key the later would have won.
    if len(environ) != others + kept:
        raise Unsure
    at[0] += 2
    return met


cdef Field read_name(const byte **at, const byte *end, NameTable table):
    """Return the field whose name is here, None if the application must not see it."""
    cdef const byte *name = at[0]
    cdef const byte *colon = <const byte *> memchr(name, COLON, end - name)
    if colon is NULL:
        raise Unsure
    at[0] = colon + 1
    # If this is no token, or reaches over the end of a line, then it is not in the table.
    return table.find(name, colon - name)


cdef str read_field_value(const byte **at, const byte *end, Field field):
    """Return the value that is here: if it is the last one of this field again, the very same str."""
    while at[0][0] == SPACE or at[0][0] == TAB:
        at[0] += 1
    if stands_here(at[0], end, field.value):
        at[0] += PyUnicode_GET_LENGTH(field.value) + 2
        return field.value
    cdef str value = read_value(at, end)
    if not field.role & SECRET and PyUnicode_GET_LENGTH(value) <= MAX_KEPT_VALUE:
        field.value = value
    return value


cdef bint stands_here(const byte *at, const byte *end, str value) noexcept:
    """Return whether the bytes here are *value*, which was found to be text, and the end of a line."""
    cdef Py_ssize_t size = PyUnicode_GET_LENGTH(value)
    return (
        end - at >= size + 2
        and at[size] == CR
        and at[size + 1] == LF
        and memcmp(at, PyUnicode_1BYTE_DATA(value), size) == 0
    )


cdef str read_value(const byte **at, const byte *end):
    """Return the text up to the end of the line, without white space around it."""
    cdef const byte *first = at[0]
    cdef const byte *line_end = <const byte *> memchr(first, CR, end - first)
    if line_end is NULL or line_end[1] != LF or not is_text(first, line_end):
        raise Unsure
    at[0] = line_end + 2
    while first < line_end and (first[0] == SPACE or first[0] == TAB):
        first += 1
    while first < line_end and ((line_end - 1)[0] == SPACE or (line_end - 1)[0] == TAB):
        line_end -= 1
    return text(first, line_end)


cdef bint is_text(const byte *at, const byte *end) noexcept:
    """Return whether no byte is a control. Looks at all of them, so that the compiler can take many at once."""
    cdef byte control = 0
    while at < end:
        control |= ((at[0] < SPACE) & (at[0] != TAB)) | (at[0] == DEL)
        at += 1
    return not control


cdef inline str text(const byte *start, const byte *end):
    return <str> PyUnicode_DecodeLatin1(<const char *> start, end - start, NULL)


# What the fields mean.


cdef int settle_field(RequestHead head, int role, str value, Bounds bounds) except -1:
    """Decide what follows from one field alone; return its role, or 0 if there is no more to decide.

    If it is repeated, then nobody will hear what was decided.
    """
    if role == HOST:
        settle_host(value)
    elif role == LENGTH:
        head.content_length = read_length(value, bounds)
    elif role == CODINGS:
        if not head.http11 or not reads(value, b"chunked", 7):
            raise Unsure
        head.chunked = True
    elif role == CONNECTION and (reads(value, b"keep-alive", 10) or reads(value, b"Keep-Alive", 10)):
        head.persistent = True
        return 0
    elif role == CONNECTION and reads(value, b"close", 5):
        head.persistent = False
        return 0
    return role


cdef bint reads(str value, const char *word, Py_ssize_t size) noexcept:
    """Return whether *value* is *word*."""
    return PyUnicode_GET_LENGTH(value) == size and memcmp(PyUnicode_1BYTE_DATA(value), word, size) == 0


cdef int settle_head(RequestHead head, int met) except -1:
    """Decide what follows from all fields together, of which *met* are roles."""
    cdef dict environ = head.environ
    if head.http11 and not met & HOST or head.chunked and met & LENGTH:
        raise Unsure
    if met & CONNECTION:
        head.persistent, head.upgrade = parse_connection(environ, head.http11)
    if met & EXPECT:
        head.expects_continue = parse_expectation(environ, head.http11) and (head.chunked or bool(head.content_length))
    return 0


#: The host that was last found well-formed: the same str needs no second look.
cdef str _good_host = None

cdef int settle_host(str host) except -1:
    global _good_host
    if host is not _good_host:
        check_host(host)
        _good_host = host
    return 0


cdef Py_ssize_t read_length(str digits, Bounds bounds) except -1:
    cdef const byte *at = PyUnicode_1BYTE_DATA(digits)
    cdef Py_ssize_t size = PyUnicode_GET_LENGTH(digits)
    cdef Py_ssize_t length = 0
    if not 0 < size <= MAX_DIGITS:
        raise Unsure
    while c"0" <= at[0] <= c"9":
        length = 10 * length + (at[0] - c"0")
        at += 1
    if at != PyUnicode_1BYTE_DATA(digits) + size or length > bounds.content:
        raise Unsure
    return length


# Limits.


@cython.final
cdef class Bounds:
    """Limits, as C numbers."""

    cdef object limits
    cdef Py_ssize_t line
    cdef Py_ssize_t fields
    cdef Py_ssize_t field_size
    cdef Py_ssize_t head
    cdef Py_ssize_t content

    def __init__(self, limits):
        self.limits = limits
        self.line = number_of(limits.line or None)
        self.fields = number_of(limits.fields or None)
        self.field_size = number_of(limits.field_size or None)
        self.head = number_of(limits.head)
        self.content = number_of(limits.content)


cdef Py_ssize_t number_of(limit) except? -1:
    return PY_SSIZE_T_MAX if limit is None else min(limit, PY_SSIZE_T_MAX)


cdef Bounds _bounds = Bounds(Limits())

cdef Bounds bounds_of(limits):
    """Return the bounds that *limits* are. A worker has one Limits, which never changes."""
    global _bounds
    if _bounds.limits is not limits:
        _bounds = Bounds(limits)
    return _bounds
