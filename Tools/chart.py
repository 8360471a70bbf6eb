#!/usr/bin/env python3
"""Takes one chart out of a report as a picture of its own.

    chart.py REPORT.html "Accuracy against sparsity" > chart.svg

The page's colours come along, for light and dark.
"""

import re
import sys

if len(sys.argv) != 3:
    sys.exit(__doc__)
page = open(sys.argv[1], encoding="utf-8").read()
drawing = next((text for text in re.findall(r"<svg.*?</svg>", page, re.S) if f'aria-label="{sys.argv[2]}"' in text), None)
if drawing is None:
    sys.exit(f"{sys.argv[1]}: there is no chart '{sys.argv[2]}'")
style = re.search(r"<style>(.*?)</style>", page, re.S)[1]
colours = style[:style.index("* {")]
rules = "\n".join(line.replace("svg .", ".").replace("svg text", "text") for line in style.splitlines()
                  if line.startswith(("svg text", "svg .")))
paper = '<rect width="100%" height="100%" fill="var(--paper)"/>'
head, rest = drawing.split(">", 1)
print(f"{head}>\n<style>{colours}{rules}</style>\n{paper}\n{rest}")
