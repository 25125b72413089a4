"""Chromium, driven by Playwright."""

import os
import shutil

import pytest

FOUND = [
    os.environ.get("FASTDIV_CHROMIUM"),
    *map(shutil.which, ("chromium", "chromium-browser", "google-chrome")),
]


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    program = next(filter(None, FOUND), None)
    assert program, "Chromium must be installed: apt-get install chromium, or its path be in FASTDIV_CHROMIUM"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()
