"""An officer at a screen: a real browser, by what is read on the page."""

from __future__ import annotations

import os

from tests.portal.desks import PASSWORD

CHROMIUM = os.environ.get("HEDUI_CHROMIUM", "/usr/bin/chromium")
NO_CHROMIUM = f"no Chromium at {CHROMIUM}: apt-get install chromium fonts-noto-cjk, or set HEDUI_CHROMIUM"


class Seat:
    """An officer at a screen; what the console complains of is kept."""

    def __init__(self, browser, desk, login):
        self.page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
        self.page.set_default_timeout(10_000)
        self.desk, self.complaints = desk, []
        self.page.on(
            "console", lambda said: said.type in ("error", "warning") and self.complaints.append(said.text)
        )
        self.open("/sign-in")
        if login:
            self.sign_in(login)

    def sign_in(self, login):
        self.page.get_by_label("登录名").fill(login)
        self.page.get_by_label("密码").fill(PASSWORD)
        self.press("登录")

    def press(self, button, within=None):
        with self.page.expect_navigation():
            (within or self.page).get_by_role("button", name=button, exact=True).first.click()

    def open(self, path):
        self.page.goto(f"{self.desk.address}{path}")

    def unfold(self, title):
        part = self.page.locator("details", has=self.page.locator(f"summary:text-is('{title}')")).first
        if part.get_attribute("open") is None:
            part.locator("summary").click()
        return part

    def fill(self, title, button, fields):
        """Unfold a form, fill it by its labels (a choice by its words) and send it."""
        part = self.unfold(title)
        for label, value in fields.items():
            field = part.get_by_label(label).first
            if field.evaluate("one => one.tagName") == "SELECT":
                field.select_option(label=value)
            else:
                field.fill(value)
        self.press(button, part)

    def told(self):
        return self.page.locator("[role=status]").first.inner_text()

    def text(self):
        return self.page.inner_text("main")
