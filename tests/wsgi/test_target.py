import pytest

from greenserve.errors import AppLoadError
from greenserve.wsgi.target import Call, parse_target


@pytest.mark.parametrize(
    ("text", "module", "attributes", "call"),
    [
        ("shop", "shop", ("application",), None),
        ("shop.wsgi", "shop.wsgi", ("application",), None),
        ("shop:app", "shop", ("app",), None),
        ("shop:site.app", "shop", ("site", "app"), None),
        ("my-shop:app", "my-shop", ("app",), None),
        ("shop:create_app()", "shop", ("create_app",), Call((), {})),
        ("shop:site.create()", "shop", ("site", "create"), Call((), {})),
        ('shop:create_app("prod", debug=False)', "shop", ("create_app",), Call(("prod",), {"debug": False})),
        ("shop:create_app({'a': [1, -2.5]}, None)", "shop", ("create_app",), Call(({"a": [1, -2.5]}, None), {})),
        ("shop:create_app('a:b')", "shop", ("create_app",), Call(("a:b",), {})),
    ],
)
def test_target_is_read_as_gunicorn_reads_it(text, module, attributes, call):
    target = parse_target(text)

    assert (module, attributes, call) == (target.module, target.attributes, target.call)


@pytest.mark.parametrize(
    "attribute",
    [
        "",
        "a b",
        "1",
        "a[0]",
        "a()()",
        "f(open('x'))",
        "f(a)",
        "f(*[1])",
        "f(**{})",
        "f({[]: 1})",
        "lambda: 1",
        "f(",
        "a; b",
        "f(__import__('os'))",
    ],
)
def test_attribute_that_would_have_to_be_evaluated_is_refused(attribute):
    with pytest.raises(AppLoadError, match="attribute half") as refusal:
        parse_target(f"shop:{attribute}")

    assert "MODULE:CALLABLE" in str(refusal.value)


@pytest.mark.parametrize("text", ["", ":app", ".shop:app", "shop..wsgi", "shop."])
def test_module_half_that_is_no_name_is_refused(text):
    with pytest.raises(AppLoadError, match="module half"):
        parse_target(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("./shop:app", "'shop:app'"),
        ("src/shop.py:app", "'src.shop:app'"),
        ("./shop.py", "'shop'"),
        ("/srv/shop.py:app", "--chdir /srv shop:app"),
        ("../shop.py:app", "--chdir .. shop:app"),
    ],
)
def test_path_in_place_of_a_module_is_told_the_module(text, meant):
    with pytest.raises(AppLoadError) as refusal:
        parse_target(text)

    assert meant in str(refusal.value)
