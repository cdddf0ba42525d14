"""The message board, used by a person: headless Chromium, with a picture kept of what it shows."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import text_to_be_present_in_element
from selenium.webdriver.support.wait import WebDriverWait

from tests.support.server import RunningServer

#: No sandbox, since tests may run as root; nothing that would call home.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=900,1000",
)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("Chromium is not installed (apt install chromium chromium-driver)")
    options = ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path}/profile"):
        options.add_argument(flag)
    with Chrome(options, Service(driver)) as browser:
        yield browser


def test_board_is_used_in_a_browser(
    board: RunningServer, browser: Chrome, tmp_path: Path, artifacts: Path, request: pytest.FixtureRequest
) -> None:
    """Post with a picture, then watch another person's message come in without a reload."""
    messages, picture = (By.ID, "messages"), tmp_path / "board.png"
    browser.get(board.url)
    browser.save_screenshot(str(picture))

    browser.find_element(By.NAME, "author").send_keys("Grace")
    browser.find_element(By.NAME, "text").send_keys("Written in a browser")
    browser.find_element(By.NAME, "attachment").send_keys(str(picture))
    browser.find_element(By.TAG_NAME, "button").click()
    wait = WebDriverWait(browser, 30)
    wait.until(text_to_be_present_in_element(messages, "Written in a browser"))
    wait.until(text_to_be_present_in_element((By.ID, "live"), "Live"))
    requests.post(f"{board.url}/messages", data={"author": "Ada", "text": "Sent from elsewhere"}, timeout=30)
    wait.until(text_to_be_present_in_element(messages, "Sent from elsewhere"))

    browser.save_screenshot(str(artifacts / f"board-{request.node.callspec.id}.png"))
    assert "Sent from elsewhere" in browser.find_element(By.CSS_SELECTOR, "#messages > :first-child").text
    assert [] == browser.get_log("browser")
