#!/usr/bin/env python3
"""Takes one chart out of a report page, as an SVG file that stands alone: for documentation.

    python3 Tools/report_picture.py REPORT.html "Groups lost, predicted and measured" docs/pictures/redundancy.svg

The chart is named by its title. The page's styles for charts, in its light colours, and its background go into the file.
"""

import re
import sys


def main() -> int:
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 64
    source, title, target = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        page = file.read()
    charts = {
        re.search(r'aria-label="([^"]*)"', chart).group(1): chart
        for chart in re.findall(r"<svg .*?</svg>", page, re.DOTALL)
    }
    if title not in charts:
        known = ", ".join(f"'{name}'" for name in charts) or "none"
        print(f"{source}: there is no chart '{title}'; there are: {known}", file=sys.stderr)
        return 1
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL).group(1)
    colours = re.search(r":root \{.*?\}", style, re.DOTALL).group(0)
    rules = [line for line in style.splitlines() if line.startswith("svg ")]
    opening, content = charts[title].split(">", 1)
    parts = [
        opening + ">",
        "<style>\n" + "\n".join([colours, *rules]) + "\n</style>",
        '<rect width="100%" height="100%" fill="var(--paper)"/>',
        content.strip(),
    ]
    with open(target, "w", encoding="utf-8") as file:
        file.write("\n".join(parts) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
