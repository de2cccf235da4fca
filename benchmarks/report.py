"""Seconds until the report's page is open, by its number of images.

    PYTHONPATH=tests/support python benchmarks/report.py

Processor time of the page's own thread in Chromium, the least of several, so that other
work on the machine disturbs it little.
"""

import shutil
import tempfile
from pathlib import Path

from pages import grey_pictures, report_run, with_scores
from playwright.sync_api import Browser, sync_playwright
from voted import random_votes

from simplicert.report import render_report, write_report
from simplicert.report.portraits import Pictures

SIZES = (100, 1000, 2000)
REPEATS = 3


def seconds_to_open(browser: Browser, file: Path) -> float:
    page = browser.new_page()
    meter = page.context.new_cdp_session(page)
    meter.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.goto(file.as_uri())
    page.wait_for_selector("#simplex .scatterlayer")
    metrics = meter.send("Performance.getMetrics")["metrics"]
    page.context.close()
    return float(next(m["value"] for m in metrics if m["name"] == "ThreadTime"))


def main() -> None:
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"]
        )
        taken = {}
        for size in SIZES:
            run = report_run(
                with_scores(random_votes(size)), portraits=[Pictures(grey_pictures)]
            )
            file = write_report(render_report([run]), Path(folder) / f"{size}.html")
            taken[size] = min(seconds_to_open(browser, file) for _ in range(REPEATS))
        for size, seconds in taken.items():
            ratio = seconds / taken[SIZES[0]]
            print(f"{size:>6,} images: {seconds:.2f} s, {ratio:.2f} times the first")


if __name__ == "__main__":
    main()
