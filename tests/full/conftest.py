"""What the long tests share with those in a browser."""

from tests.browser.conftest import browser, chromium, new_window, start_server

__all__ = ["browser", "chromium", "new_window", "start_server"]
