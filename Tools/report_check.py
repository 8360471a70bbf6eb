#!/usr/bin/env python3
"""Uses a report page as a reader would, in a Chromium without a screen, and says what is wrong.

    python3 Tools/report_check.py REPORT.html [PICTURES]

On a phone (390 pixels wide) and on a desk (1280), in light and dark: nothing may be wider than the window, no script may
fail, texts need a contrast of 4.5 and points one of 3 (WCAG 2.2, 1.4.3 and 1.4.11), and a point of a trade-off front which
is tapped, pointed at or walked to with the keyboard must show its own network. Without scripts the tooltips and the table
must be there. With a folder PICTURES, pictures of the page go there. The exit code is 1 if something is wrong.
"""

import base64
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

BROWSERS = ["chromium", "chromium-browser", "google-chrome"]
# Points of each front that are tried in each way: enough to meet all charts and both ends.
TRIED = 12

# The texts and points that are hard to see, as descriptions.
CONTRASTS = """(() => {
  const parse = (text) => {
    const [r, g, b, a = 1] = (text.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
    return {c: [r, g, b], a};
  };
  const over = (top, under) => under.map((value, i) => top.a * top.c[i] + (1 - top.a) * value);
  const luminance = (c) => {
    const [r, g, b] = c.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  // What may be behind an element: several colours where there is a gradient.
  const behind = (element) => {
    let below = element.parentElement ? behind(element.parentElement) : [[255, 255, 255]];
    const style = getComputedStyle(element);
    below = below.map((colour) => over(parse(style.backgroundColor), colour));
    const stops = style.backgroundImage.match(/rgba?\\([^)]*\\)/g);
    return stops ? below.flatMap((colour) => stops.map((stop) => over(parse(stop), colour))) : below;
  };
  const poor = [];
  const examine = (element, colour, least, what) => {
    for (const background of behind(element)) {
      const value = contrast(over(colour, background), background);
      if (value < least) {
        poor.push(`contrast ${value.toFixed(2)} of ${what} '${element.textContent.trim().slice(0, 40)}'`);
        return;
      }
    }
  };
  let texts = 0;
  for (const element of document.body.querySelectorAll("*")) {
    if (["SCRIPT", "STYLE", "title"].includes(element.tagName) || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    if ([...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) {
      texts += 1;
      const isDrawn = element instanceof SVGElement;
      examine(element, parse(isDrawn ? style.fill : style.color), 4.5, `the text <${element.tagName}>`);
    }
    // In charts and legends; dominated points are faint on purpose.
    if (element.matches(".plots path") && !element.closest(".faint")) {
      examine(element, parse(style.fill), 3, `the point of ${element.classList}`);
    }
  }
  return {texts, poor: [...new Set(poor)]};
})()"""

# What a front's panel shows, and what it should for a network.
HELPERS = """
  const fronts = [...document.querySelectorAll(".front")];
  const texts = (front, selector) => [...front.querySelectorAll(".panel " + selector)].map((e) => e.textContent);
  window.check = {
    charts: fronts.map((front) => [...front.querySelectorAll(".plots svg")].map(
      (drawing) => [...drawing.querySelectorAll(".mark[data-point]")].map((mark) => Number(mark.dataset.point)))),
    mark: (front, chart, place) =>
      fronts[front].querySelectorAll(".plots svg")[chart].querySelectorAll(".mark[data-point]")[place],
    middle: (mark) => {
      const matrix = mark.getScreenCTM();
      return [matrix.e, matrix.f];
    },
    // Others so close, in pixels, may as well be meant.
    near: (front, chart, place, reach) => {
      const here = check.middle(check.mark(front, chart, place));
      return check.charts[front][chart].filter((_, other) => {
        const there = check.middle(check.mark(front, chart, other));
        return Math.hypot(there[0] - here[0], there[1] - here[1]) <= reach;
      });
    },
    shown: (front) => ({
      isVisible: fronts[front].querySelector(".panel").getClientRects().length > 0,
      title: texts(fronts[front], "h4")[0], names: texts(fronts[front], "dt"), values: texts(fronts[front], "dd"),
      widths: texts(fronts[front], "li"), command: texts(fronts[front], "code")[0],
      halos: [...fronts[front].querySelectorAll(".plots svg")].map((drawing) => {
        const halo = drawing.querySelector(".halo");
        return halo.style.display === "none" ? null : [Number(halo.getAttribute("cx")), Number(halo.getAttribute("cy"))];
      }),
    }),
    wanted: (front, network) => {
      const {groups, networks} = JSON.parse(fronts[front].querySelector("script").textContent);
      const {title, facts, widths, command} = networks[network];
      return {
        isVisible: true, title, names: facts.map(([name]) => name), values: facts.map(([, value]) => value),
        widths: widths.map(([group, kept, size]) => `${groups[group]}${kept} of ${size}`), command: command ?? "",
        halos: [...fronts[front].querySelectorAll(".plots svg")].map((drawing) => {
          const mark = drawing.querySelector(`.mark[data-point="${network}"]`);
          if (!mark) return null;
          const {e, f} = mark.transform.baseVal[0].matrix;
          return [e, f];
        }),
      };
    },
  };
"""


class Browser:
    """A Chromium that is spoken to over two pipes (Chrome DevTools Protocol)."""

    def __init__(self, program: str, folder: str):
        to_browser, self.output = os.pipe()
        self.input, from_browser = os.pipe()
        arguments = [
            program, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--hide-scrollbars",
            f"--user-data-dir={folder}", "about:blank",
        ]
        # The browser reads from descriptor 3 and writes to 4.
        shell = f'exec 5<&{to_browser} 6>&{from_browser}; exec 3<&5 4>&6 5<&- 6>&-; exec "$@"'
        self.process = subprocess.Popen(
            ["bash", "-c", shell, "bash", *arguments], pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self.numbers = itertools.count(1)
        self.buffer = b""
        self.session = None
        self.loaded = 0
        self.problems: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log"]:
            self.call(f"{domain}.enable")

    def close(self):
        os.close(self.output)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def receive(self) -> dict:
        while b"\0" not in self.buffer:
            piece = os.read(self.input, 1 << 16)
            if not piece:
                raise RuntimeError("the browser has ended")
            self.buffer += piece
        text, self.buffer = self.buffer.split(b"\0", 1)
        message = json.loads(text)
        name, values = message.get("method"), message.get("params", {})
        if name == "Page.loadEventFired":
            self.loaded += 1
        elif name == "Runtime.exceptionThrown":
            details = values["exceptionDetails"]
            self.problems.append(details.get("exception", {}).get("description", details["text"]))
        elif name == "Log.entryAdded" and values["entry"]["level"] == "error":
            self.problems.append(values["entry"]["text"])
        return message

    def call(self, method: str, **values) -> dict:
        number = next(self.numbers)
        request = {"id": number, "method": method, "params": values}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.output, json.dumps(request).encode() + b"\0")
        while (message := self.receive()).get("id") != number:
            pass
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']['message']}")
        return message["result"]

    def evaluate(self, expression: str):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description", details["text"]))
        return result["result"].get("value")

    def open(self, address: str):
        before = self.loaded
        self.call("Page.navigate", url=address)
        while self.loaded == before:
            self.receive()

    def press(self, key: str):
        codes = {"Tab": 9, "ArrowRight": 39, "ArrowLeft": 37, "Home": 36, "Escape": 27}
        for kind in ["rawKeyDown", "keyUp"]:
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key])

    def hover(self, x: float, y: float):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, x: float, y: float):
        for kind in ["mousePressed", "mouseReleased"]:
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def tap(self, x: float, y: float):
        self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        # The click that follows a tap comes with a later frame.
        self.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def spread(count: int, wanted: int) -> list[int]:
    """So many of the first `count` numbers, evenly, with both ends."""
    if count <= wanted:
        return list(range(count))
    return sorted({round(i * (count - 1) / (wanted - 1)) for i in range(wanted)})


def differs(browser: Browser, front: int, networks: list[int]) -> str | None:
    """What the panel shows that is not of any of these networks."""
    shown = browser.evaluate(f"check.shown({front})")
    wanted = [browser.evaluate(f"check.wanted({front}, {network})") for network in networks]
    if shown in wanted:
        return None
    key = next(key for key in shown if shown[key] != wanted[0][key])
    return f"the panel's {key} is {shown[key]!r}, not {wanted[0][key]!r}"


def looks(browser: Browser, width: int) -> list[str]:
    """Whether the page fits the window and can be read."""
    problems = []
    excess = browser.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    # A phone shows a page that is too wide smaller.
    if excess > 0 or browser.evaluate("window.innerWidth") != width:
        problems.append(f"the page is {browser.evaluate('document.documentElement.scrollWidth')} pixels wide")
    contrasts = browser.evaluate(CONTRASTS)
    if not contrasts["texts"]:
        problems.append("there is no text")
    return problems + contrasts["poor"]


def points(browser: Browser, charts: list, is_phone: bool) -> list[str]:
    """Taps or points at some points of each chart, and walks along the first chart by keyboard."""
    problems = []
    # Browsers move a tap to what a finger may have meant.
    way, act, reach = ("tapped", browser.tap, 12) if is_phone else ("pointed at", browser.hover, 2)
    for front, chart in [(f, c) for f in range(len(charts)) for c in range(len(charts[f]))]:
        for place in spread(len(charts[front][chart]), TRIED):
            mark = f"check.mark({front}, {chart}, {place})"
            browser.evaluate(f'{mark}.scrollIntoView({{block: "center"}})')
            x, y = browser.evaluate(f"check.middle({mark})")
            act(x, y)
            near = browser.evaluate(f"check.near({front}, {chart}, {place}, {reach})")
            problem = differs(browser, front, near)
            if problem:
                problems.append(f"front {front}, chart {chart}, point {place} {way}: {problem}")
    front = next((front for front, drawn in enumerate(charts) if drawn), None)
    if front is not None and not is_phone:
        problems += kept(browser, front, len(charts[front][0]) - 1)
        problems += walk(browser, front, charts[front][0])
    return problems


def kept(browser: Browser, front: int, last: int) -> list[str]:
    """A point that is clicked stays shown while others are pointed at, until Escape is pressed."""
    browser.evaluate(f'check.mark({front}, 0, 0).scrollIntoView({{block: "center"}})')
    places = [browser.evaluate(f"check.middle(check.mark({front}, 0, {place}))") for place in (0, last)]
    problems = []

    def expect(place: int, when: str):
        near = browser.evaluate(f"check.near({front}, 0, {place}, 2)")
        if problem := differs(browser, front, near):
            problems.append(f"{when}: {problem}")

    browser.hover(*places[0])
    browser.click(*places[0])
    browser.hover(*places[1])
    expect(0, "after a click, with another point pointed at")
    browser.press("Escape")
    browser.hover(places[1][0] + 1, places[1][1])
    expect(last, "after a click and Escape, with another point pointed at")
    return problems


def walk(browser: Browser, front: int, networks: list[int]) -> list[str]:
    """From the page's start into the first chart and along all its points."""
    browser.evaluate("document.activeElement.blur(), window.scrollTo(0, 0)")
    here = 'document.activeElement.closest(".mark")?.dataset.point ?? null'
    for _ in range(100):
        browser.press("Tab")
        if browser.evaluate(here) is not None:
            break
    else:
        return ["the Tab key reaches no point"]
    browser.press("Home")
    reached = []
    for _ in networks:
        reached.append(int(browser.evaluate(here)))
        if problem := differs(browser, front, [reached[-1]]):
            return [f"point {reached[-1]} reached by keyboard: {problem}"]
        browser.press("ArrowRight")
    missed = set(networks) - set(reached)
    return [f"arrow keys do not reach {sorted(missed)}"] if missed else []


def unscripted(browser: Browser, address: str) -> list[str]:
    """What is there for readers whose browser runs no scripts."""
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(address)
    found = browser.evaluate(
        """({marks: document.querySelectorAll(".mark[data-point]").length,
          titles: document.querySelectorAll(".mark[data-point] > title").length,
          front: document.querySelectorAll(".mark[data-point]:not(.faint)").length,
          rows: document.querySelectorAll(".front tr[data-point]").length,
          panels: [...document.querySelectorAll(".panel, .hint")].filter((e) => e.getClientRects().length).length})"""
    )
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    problems = []
    if found["titles"] < found["marks"]:
        problems.append(f"only {found['titles']} of {found['marks']} points have a tooltip")
    if found["front"] and not found["rows"]:
        problems.append("there is no table of the front")
    if found["panels"]:
        problems.append("an empty panel is shown")
    return [f"without scripts: {problem}" for problem in problems]


def take_pictures(browser: Browser, folder: pathlib.Path, name: str):
    """The whole page, and the window with the first front's charts at its top."""
    folder.mkdir(parents=True, exist_ok=True)
    for suffix, is_whole in [("", True), ("-front", False)]:
        if not is_whole:
            browser.evaluate('document.querySelector(".front")?.scrollIntoView()')
        picture = browser.call("Page.captureScreenshot", captureBeyondViewport=is_whole)
        (folder / f"{name}{suffix}.png").write_bytes(base64.b64decode(picture["data"]))


def main() -> int:
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 64
    page = pathlib.Path(sys.argv[1]).resolve()
    pictures = pathlib.Path(sys.argv[2]) if len(sys.argv) == 3 else None
    if not page.is_file():
        print(f"{page}: there is no such file", file=sys.stderr)
        return 1
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        print("there is no Chromium: apt-get install chromium", file=sys.stderr)
        return 1
    problems = []
    count = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(program, folder)
        try:
            for width, scheme in itertools.product([390, 1280], ["light", "dark"]):
                is_phone = width < 500
                browser.call(
                    "Emulation.setDeviceMetricsOverride", width=width, height=844 if is_phone else 900,
                    deviceScaleFactor=2 if is_phone else 1, mobile=is_phone)
                browser.call("Emulation.setTouchEmulationEnabled", enabled=is_phone)
                browser.call(
                    "Emulation.setEmulatedMedia",
                    features=[{"name": "prefers-color-scheme", "value": scheme}])
                browser.problems.clear()
                browser.open(page.as_uri())
                if pictures:
                    take_pictures(browser, pictures, f"{page.stem}-{width}-{scheme}")
                found = looks(browser, width)
                charts = browser.evaluate(HELPERS + "check.charts")
                count = sum(len(chart) for front in charts for chart in front)
                # Where a script has failed, what the points do tells nothing more.
                if not browser.problems:
                    found += points(browser, charts, is_phone)
                found += browser.problems
                problems += [f"{width} pixels, {scheme}: {problem}" for problem in found]
            problems += unscripted(browser, page.as_uri())
        finally:
            browser.close()
    for problem in problems:
        print(f"{page.name}: {problem}", file=sys.stderr)
    if not problems:
        print(f"{page.name}: fine, with {count} points in charts of fronts")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
