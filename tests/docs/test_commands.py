"""The commands of the tutorial and of README work in their order, and show what the pages say."""

from tests.docs.conftest import Reader
from tests.docs.pages import read_page


def test_tutorial_leads_from_nothing_to_a_reload(reader: Reader) -> None:
    reader.follow(read_page("docs/tutorial/first-server.md"))


def test_smallest_example_of_the_readme_answers(reader: Reader) -> None:
    reader.follow(read_page("README.md", section="The smallest example"))
