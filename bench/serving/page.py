"""Drives the page of effdet serve, for bench/serving/page."""

import pathlib
import sys

from playwright.sync_api import sync_playwright

address, picture, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 900, "height": 1000})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    page.wait_for_function("document.body.innerText.includes('Ready.')")
    assert not page.is_visible("#token"), "a token is asked for, though the server wants none"
    page.set_input_files("#file", picture)
    page.wait_for_function("document.body.innerText.includes('found in')")
    rows = page.locator("#found tr").count()
    assert rows > 0, "nothing was found"
    page.screenshot(path=folder / "found.png", full_page=True)

    page.locator("#score").fill("1")
    assert page.locator("#found tr").count() < rows, "the slider changes nothing"
    page.locator("#score").focus()
    page.keyboard.press("ArrowLeft")  # by the keyboard alone
    page.locator("#score").fill("0.05")
    assert page.locator("#found tr").count() >= rows

    broken = folder / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff no picture")
    page.set_input_files("#file", broken)
    page.wait_for_function("document.body.innerText.includes('JPEG')")
    broken.unlink()

    telephone = browser.new_page(viewport={"width": 375, "height": 812}, device_scale_factor=2)
    telephone.goto(address)
    telephone.set_input_files("#file", picture)
    telephone.wait_for_function("document.body.innerText.includes('found in')")
    assert telephone.evaluate("document.documentElement.scrollWidth <= innerWidth"), "wider than a telephone"
    telephone.screenshot(path=folder / "telephone.png", full_page=True)
    assert not errors, errors
    print(f"the page works in Chromium {browser.version}: {rows} found, screenshots in {folder}")
    browser.close()
