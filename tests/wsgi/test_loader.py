import re
import sys
import textwrap

import pytest

from greenserve.errors import AppLoadError
from greenserve.mailbox import MAX_MESSAGE, Failed, encode_message
from greenserve.wsgi.loader import load_application, make_importable

#: Lines that a screen may have beside the application's own traceback.
ROOM = 15


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A current directory that is importable, and forgotten afterwards."""
    known = set(sys.modules)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


@pytest.fixture
def write(folder):
    def write(name, source=""):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))

    return write


@pytest.fixture
def screen_of(folder):
    """Return the screen for a target, once it is seen to be short and free of the loader's frames."""

    def screen_of(target):
        with pytest.raises(AppLoadError) as failure:
            load_application(target)
        screen = str(failure.value)
        assert repr(target) in screen.splitlines()[0]
        assert_short(screen)
        return screen

    return screen_of


def assert_short(screen):
    ours = re.sub(r"(?ms)^(Traceback|  File).*?^\w[\w.]*(Error|Exit|Interrupt)\b.*?$", "", screen)
    assert len(ours.splitlines()) <= ROOM
    assert "greenserve/wsgi" not in screen
    assert "importlib" not in screen
    assert "Traceback (most recent call last):\n\n" not in screen


SHOP = """
    import json
    from types import SimpleNamespace

    def application(environ, start_response):
        return [b"application"]

    def create_app(name="shop", *, debug=False):
        def made(environ, start_response):
            return [name, debug]
        return made

    site = SimpleNamespace(app=application, create=create_app)
    number = 5
"""


# What loads.


@pytest.mark.parametrize("target", ["shop", "shop:application", "shop:site.app"])
def test_application_is_found(write, target):
    write("shop.py", SHOP)

    application = load_application(target)

    assert [b"application"] == application({}, None)


@pytest.mark.parametrize(
    ("target", "arguments"),
    [
        ("shop:create_app()", ["shop", False]),
        ('shop:create_app("prod", debug=True)', ["prod", True]),
        ("shop:site.create('nested')", ["nested", False]),
    ],
)
def test_factory_is_called_with_its_literals(write, target, arguments):
    write("shop.py", SHOP)

    application = load_application(target)

    assert arguments == application({}, None)


def test_decorated_application_is_judged_by_what_it_accepts(write):
    """werkzeug's @Request.application wraps a function of one argument into an application of two."""
    write(
        "shop.py",
        """
        import functools

        def as_wsgi(view):
            @functools.wraps(view)
            def application(*arguments):
                return view(arguments[0])
            return application

        @as_wsgi
        def application(request):
            return [b"wrapped"]
        """,
    )

    application = load_application("shop")

    assert [b"wrapped"] == application({}, None)


@pytest.mark.parametrize(
    "source",
    [
        "application = lambda environ, start_response: []",
        "class Site:\n    def __call__(self, environ, start_response): return []\napplication = Site()",
        "class application:\n    def __init__(self, environ, start_response): pass\n    def __iter__(self): return iter(())",
        "import functools\ndef wsgi(site, environ, start_response): return []\napplication = functools.partial(wsgi, 'site')",
        "application = type('Site', (), {'wsgi': lambda self, environ, start_response: []})().wsgi",
        "def application(*args, **kwargs): return []",
        "application = max",
    ],
    ids=["lambda", "object", "iterable class", "partial", "bound method", "any arguments", "without signature"],
)
def test_every_shape_of_application_is_accepted(write, source):
    write("shop.py", source)

    application = load_application("shop")

    assert callable(application)


def test_folder_is_put_first_once(monkeypatch):
    monkeypatch.setattr(sys, "path", ["/other", "/srv"])

    make_importable("/srv")
    make_importable("/srv")

    assert ["/srv", "/other"] == sys.path


# The module half.


@pytest.mark.parametrize(
    ("target", "advice"),
    [
        ("shpo:app", "Did you mean 'shop:app'?"),
        ("Shop", "Did you mean 'shop'?"),
        ("mysite.wgsi:app", "Did you mean 'mysite.wsgi:app'?"),
        ("shop.py:app", "use 'shop:app'"),
        ("shop.application", "Did you mean 'shop:application'?"),
        ("deep:app", "--chdir src"),
        ("elsewhere:app", "--chdir FOLDER"),
        ("**:app", "--chdir FOLDER"),
    ],
)
def test_missing_module_is_told_what_was_meant(write, screen_of, target, advice):
    write("shop.py", SHOP)
    write("mysite/__init__.py")
    write("mysite/wsgi.py")
    write("src/deep.py")

    screen = screen_of(target)

    assert advice in screen
    assert "Traceback" not in screen


def test_missing_module_names_the_folder_that_was_searched(folder, screen_of):
    screen = screen_of("shop:app")

    assert f"there is no module 'shop' in {folder}" in screen


def test_dependency_that_is_not_installed_is_another_matter_than_the_target(write, screen_of):
    write("shop.py", "import flsak_of_another_name")

    screen = screen_of("shop")

    assert "raised ModuleNotFoundError while it was imported" in screen
    assert 'shop.py", line 1, in <module>' in screen
    assert "-m pip install flsak_of_another_name" in screen


def test_dependency_is_installed_under_the_name_of_its_package(write, screen_of, monkeypatch):
    """Installing the name of the module may install a stranger's code."""
    monkeypatch.setitem(sys.modules, "MySQLdb", None)
    write("shop.py", "import MySQLdb")

    screen = screen_of("shop")

    assert "pip install mysqlclient" in screen


def test_another_active_environment_is_named(write, screen_of, monkeypatch, folder):
    monkeypatch.setenv("VIRTUAL_ENV", str(folder / "venv"))
    write("shop.py", "import not_installed_here")

    screen = screen_of("shop")

    assert f"The active environment is another one, {folder / 'venv'}" in screen
    assert "pip install" not in screen


def test_missing_module_of_the_application_itself_is_not_to_be_installed(write, screen_of):
    write("shop/__init__.py", "import shop.modles")

    screen = screen_of("shop")

    assert "'shop' is your own, but it has no module 'shop.modles'" in screen
    assert "pip" not in screen


def test_syntax_error_shows_file_line_and_caret(write, screen_of):
    write("shop.py", "x = 1\ndef f(:\n    pass\n")

    screen = screen_of("shop")

    assert 'shop.py", line 2\n    def f(:\n          ^\nSyntaxError' in screen
    assert "Correct the line shown above" in screen


@pytest.mark.parametrize(
    ("source", "raised", "advice"),
    [
        ("1 / 0", "ZeroDivisionError", "python -c 'import shop'"),
        ("from json import nope", "ImportError", "the name does not"),
        ("import sys; sys.exit(3)", "SystemExit", '__name__ == "__main__"'),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", "python -c 'import shop'"),
        ("import os; os.environ['SHOP_SECRET']", "KeyError", "--env SHOP_SECRET=VALUE"),
        ("{}['key']", "KeyError", "python -c 'import shop'"),
    ],
)
def test_exception_at_import_is_shown_with_the_application_s_own_traceback(write, screen_of, source, raised, advice):
    write("shop.py", source)

    screen = screen_of("shop")

    assert f"the module 'shop' raised {raised} while it was imported" in screen
    assert 'shop.py", line 1, in <module>' in screen
    assert advice in screen


def test_import_by_importlib_and_chained_exceptions_show_only_the_application(write, screen_of):
    write("inner.py", "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise ValueError('inner') from error\n")
    write("shop.py", "from importlib import import_module\nload = import_module\nload('inner')\n")

    with pytest.raises(AppLoadError) as failure:
        load_application("shop")

    frames = re.findall(r'File ".*?(\w+\.py)"', str(failure.value))
    assert ["inner.py", "shop.py", "inner.py"] == frames


def test_screen_of_an_endless_traceback_fits_a_message_to_the_master(write):
    write("shop.py", "raise ValueError('\\U0001f600' * 100_000)")

    with pytest.raises(AppLoadError) as failure:
        load_application("shop")

    assert len(encode_message(Failed(4, str(failure.value)))) < MAX_MESSAGE


# The attribute half.


@pytest.mark.parametrize(
    ("source", "target", "advice"),
    [
        (SHOP, "shop:aplication", "Did you mean 'shop:application'?"),
        (SHOP, "shop:create", "Did you mean 'shop:create_app()'?"),
        ("app = lambda environ, start_response: []", "shop", "Did you mean 'shop:app'?"),
        ("def make(): pass\ndef serve(a, b): pass", "shop", "It has these callables: shop:make(), shop:serve"),
        ("from json import dumps", "shop", "nothing that could be called"),
        (SHOP, "shop:site.ap", "Did you mean 'app' in place of 'ap'?"),
    ],
)
def test_missing_attribute_is_told_what_was_meant(write, screen_of, source, target, advice):
    write("shop.py", source)

    screen = screen_of(target)

    assert "has no '" in screen
    assert advice in screen


@pytest.mark.parametrize("target", ["mysite", "mysite:application", "mysite:wsgi"])
def test_package_of_a_django_project_is_told_its_wsgi_module(write, screen_of, target):
    write("mysite/__init__.py")
    write("mysite/wsgi.py", SHOP)

    screen = screen_of(target)

    assert "Did you mean 'mysite.wsgi'?" in screen


def test_property_that_raises_is_the_application_s_failure(write, screen_of):
    write("shop.py", "class Site:\n    @property\n    def app(self):\n        return self.missing\nsite = Site()\n")

    screen = screen_of("shop:site.app")

    assert "raised AttributeError" in screen
    assert 'shop.py", line 4, in app' in screen


def test_factory_that_raises_shows_its_traceback(write, screen_of):
    write("shop.py", "def create_app():\n    raise RuntimeError('no database')\n")

    screen = screen_of("shop:create_app()")

    assert "the factory 'create_app' of module 'shop' raised RuntimeError" in screen
    assert 'shop.py", line 2, in create_app' in screen


def test_type_error_inside_a_factory_is_not_taken_for_a_wrong_call(write, screen_of):
    write("shop.py", "def create_app():\n    len(1, 2)\n")

    screen = screen_of("shop:create_app()")

    assert "raised TypeError" in screen


def test_view_in_place_of_the_application_is_told_of_it(write, screen_of):
    write(
        "shop.py",
        """
        class Flask:
            def __call__(self, environ, start_response):
                return []

        app = Flask()

        def hello():
            return "Hello"
    """,
    )

    assert "The application may be 'shop:app', which the module has too." in screen_of("shop:hello")


def test_factory_called_with_wrong_arguments_is_shown_its_definition(write, screen_of):
    write("shop.py", "def create_app(config): pass")

    screen = screen_of("shop:create_app()")

    assert "missing a required argument: 'config'" in screen
    assert "create_app(config)" in screen
    assert "Traceback" not in screen


@pytest.mark.parametrize(
    ("source", "target", "fault", "advice"),
    [
        ("def create_app(): pass", "shop:create_app()", "returned is None", "return the application at its end"),
        ("def create_app(): return 'x'", "shop:create_app()", "returned is a str", "which most frameworks call"),
        ("async def create_app(): pass", "shop:create_app()", "returned is a coroutine", "in place of async def"),
        ("number = 5", "shop:number", "is an int, not an application", "Name the application object"),
        ("number = 5", "shop:number()", "is an int, which cannot be called", "Leave out the parentheses"),
        ("import json", "shop:json", "is a module", "Did you mean 'json:app'"),
        ("def app(environ, start_response): pass", "shop:app()", "not a factory", "use 'shop:app'"),
        ("def create_app(): pass", "shop:create_app", "is a factory", "Did you mean 'shop:create_app()'?"),
        ("def create_app(config): pass", "shop:create_app", "is a factory", "Did you mean 'shop:create_app(config=...)'?"),
        ("def create_app(a=1, b=2): pass", "shop:create_app", "is a factory", "Did you mean 'shop:create_app()'?"),
        ("class App:\n    def __call__(self, e, s): pass", "shop:App", "is a factory", "Did you mean 'shop:App()'?"),
        ("class App:\n    def __call__(self, one): pass\napp = App()", "shop:app", "(environ, start_response)", "PEP 3333"),
    ],
)
def test_what_is_not_an_application_is_named_for_what_it_is(write, screen_of, source, target, fault, advice):
    write("shop.py", source)

    screen = screen_of(target)

    assert fault in screen
    assert advice in screen


@pytest.mark.parametrize(
    "source",
    [
        "async def application(scope, receive, send): pass",
        "class Api:\n    async def __call__(self, scope, receive, send): pass\napplication = Api()",
        "async def application(environ, start_response): yield b''",
    ],
    ids=["function", "object", "generator"],
)
def test_asgi_application_is_told_what_serves_it(write, screen_of, source):
    write("shop.py", source)

    screen = screen_of("shop")

    assert "is asynchronous (ASGI), and greenserve serves WSGI" in screen
    assert "a2wsgi" in screen


def test_django_s_asgi_module_is_told_its_wsgi_module(write, screen_of):
    write("mysite/__init__.py")
    write("mysite/asgi.py", "async def application(scope, receive, send): pass")

    screen = screen_of("mysite.asgi")

    assert "did you mean 'mysite.wsgi'?" in screen


def test_object_that_cannot_even_be_looked_at_has_a_screen(write, screen_of):
    """Flask's `request` raises at the first look, and an import of it next to the application must not matter."""
    write(
        "shop.py",
        """
        class Proxy:
            def __call__(self): pass
            def __getattr__(self, name): raise RuntimeError("Working outside of request context.")
        Proxy.__module__ = "werkzeug.local"
        request = Proxy()
        def handler(): pass
        """,
    )

    of_the_proxy, of_the_module = screen_of("shop:request"), screen_of("shop")

    assert "the attribute 'request' of module 'shop' raised RuntimeError when it was looked at" in of_the_proxy
    assert "It has these callables: shop:handler()" in of_the_module


def test_file_with_the_name_of_a_module_of_python_is_told_to_be_renamed(write, screen_of):
    write("signal.py", SHOP)

    screen = screen_of("signal:application")

    assert "It is not the 'signal' of this folder" in screen


def test_long_definition_is_cut(write, screen_of):
    write("shop.py", f"def create_app({', '.join(f'argument{number}' for number in range(50))}): pass")

    screen = screen_of("shop:create_app()")

    assert max(map(len, screen.splitlines())) < 250


def test_value_of_an_attribute_is_never_shown(write, screen_of):
    """The attribute named by mistake may be the secret key."""
    write("shop.py", "SECRET_KEY = 'hunter2'")

    screen = screen_of("shop:SECRET_KEY")

    assert "hunter2" not in screen
