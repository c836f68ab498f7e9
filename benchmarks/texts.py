"""How long texts take: a network taught, the states of 200,000 characters, and a page of them in a browser.

    python benchmarks/texts.py [--units 64] [--steps 250]

Of the page: until its first lines are there, and the longest that the browser was busy while 3,000 lines went by.
"""

from __future__ import annotations

import argparse
import shutil
import sysconfig
import tempfile
import time
from pathlib import Path

from dreamer import texts
from dreamer.texts import page
from dreamer.texts.reading import text_of

LENGTH, UNITS = 200_000, 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=64)
    parser.add_argument("--steps", type=int, default=250)
    options = parser.parse_args()
    library = Path(sysconfig.get_paths()["stdlib"])
    tables = text_of([library / "encodings" / f"cp{number}.py" for number in (1250, 1251, 1253, 1254, 1255, 1257)])
    with tempfile.TemporaryDirectory() as folder:
        network = Path(folder) / "char.keras"
        began = time.perf_counter()
        made = texts.train(tables, network, units=options.units, steps=options.steps, seed=2)
        print(f"taught {options.units} units in {time.perf_counter() - began:.0f} s: {made.bits:.2f} bits a character")
        other = text_of([library / "encodings" / "koi8_r.py"])
        for what in ("strings", "comments"):
            best = texts.find(network, other, what, is_python=True)[0]
            print(f"  {what}: unit {best.unit}, AUC {best.auc:.3f}, by luck {best.luck:.3f}")
        text = (tables * 3)[:LENGTH]
        texts.states(network, text[:1000])
        began = time.perf_counter()
        found = texts.states(network, text)
        seconds = time.perf_counter() - began
        print(f"states of {len(text):,} characters: {seconds:.1f} s, {seconds / len(text) * 1e6:.0f} us each")
        place = Path(folder) / "page.html"
        units = page.chosen(found.of(), UNITS)
        page.save(place, page.data_of("200,000", "lstm", "cell", found.pieces, found.of(), units))
        print(f"a page of {UNITS} units: {place.stat().st_size / 1e6:.1f} MB")
        look(place)


def look(place: Path) -> None:
    """Say how the page does in a browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as opened:
        browser = opened.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        shown = browser.new_page()
        began = time.perf_counter()
        shown.goto(place.as_uri())
        shown.locator("#seen span").first.wait_for()
        print(f"  there after {time.perf_counter() - began:.1f} s")
        longest = shown.evaluate(
            """() => new Promise((done) => {
                const view = document.getElementById("text");
                let last = performance.now(), longest = 0, frames = 0;
                const next = () => {
                    const now = performance.now();
                    longest = Math.max(longest, now - last);
                    last = now;
                    view.scrollTop += 500;
                    frames += 1;
                    if (frames < 120) requestAnimationFrame(next); else done(longest);
                };
                requestAnimationFrame(next);
            })"""
        )
        print(f"  scrolled at most {longest:.0f} ms between two frames")
        browser.close()


if __name__ == "__main__":
    main()
