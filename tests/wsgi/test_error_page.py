"""The application that stands in for one that cannot be loaded."""

from greenserve.wsgi.error_page import ErrorPage


def ask(page):
    told = []
    environ = {"REQUEST_METHOD": "GET"}
    return b"".join(page(environ, lambda status, fields: told.append((status, fields)))).decode(), *told[0]


def test_the_screen_is_shown_and_cannot_be_markup():
    text, status, fields = ask(ErrorPage("SyntaxError: <script>alert('&')</script>"))

    assert "500 Internal Server Error" == status
    assert "SyntaxError: &lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;" in text
    assert "<script>" not in text
    assert str(len(text)) == dict(fields)["Content-Length"]


def test_a_path_that_is_no_text_is_shown_all_the_same():
    assert "caf\\udce9.py" in ask(ErrorPage("caf\udce9.py"))[0]
