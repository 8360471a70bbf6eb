// Shows what a network of a trade-off front is when its point is pointed at, tapped or walked to, in all charts of the
// front together. Without this script the charts, their tooltips and the tables remain.
"use strict";
for (const front of document.querySelectorAll(".front")) {
  const source = front.querySelector("script");
  if (source) makeLive(front, JSON.parse(source.textContent));
}

function makeLive(front, {initial, groups, networks}) {
  /** Pixels around a point within which it is meant: a finger is no sharper. */
  const reach = 28;
  const panel = front.querySelector(".panel");
  const charts = [...front.querySelectorAll(".plots svg")].map(chart);
  let shown = null, isKept = false;

  /** A drawing with its points by ascending cost, and a halo for the one that is shown. */
  function chart(drawing) {
    const place = (mark) => mark.transform.baseVal[0].matrix;
    const marks = [...drawing.querySelectorAll(".mark[data-point]")].sort((a, b) => place(a).e - place(b).e);
    for (const mark of marks) {
      const title = mark.querySelector("title");
      mark.setAttribute("role", "img");
      mark.setAttribute("aria-label", title.textContent);
      mark.setAttribute("tabindex", "-1");
      title.remove(); // The browser's tooltip would cover the chart.
    }
    const halo = document.createElementNS(drawing.namespaceURI, "circle");
    halo.setAttribute("class", "halo");
    halo.setAttribute("r", "9");
    drawing.append(halo);
    return {drawing, marks, halo, place};
  }

  const number = (element) => Number(element.dataset.point);

  function show(network) {
    if (network === shown || !networks[network]) return;
    shown = network;
    for (const element of front.querySelectorAll("[data-point]")) {
      element.classList.toggle("active", number(element) === network);
    }
    for (const {marks, halo, place} of charts) {
      const mark = marks.find((mark) => number(mark) === network);
      // One stop of the Tab key for each chart; arrows lead on from there.
      for (const other of marks) other.setAttribute("tabindex", other === (mark ?? marks[0]) ? "0" : "-1");
      halo.style.display = mark ? "" : "none";
      if (!mark) continue;
      halo.setAttribute("cx", place(mark).e);
      halo.setAttribute("cy", place(mark).f);
    }
    describe(networks[network]);
  }

  function describe({title, facts, widths, command}) {
    const element = (name, text) => Object.assign(document.createElement(name), {textContent: text});
    panel.querySelector("h4").textContent = title;
    panel.querySelector("dl").replaceChildren(
      ...facts.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
    panel.querySelector("ul").replaceChildren(...widths.map(([group, kept, size]) => {
      const item = element("li", "");
      item.style.setProperty("--kept", size > 0 ? kept / size : 0);
      item.append(element("span", groups[group]), element("b", `${kept} of ${size}`));
      return item;
    }));
    const code = panel.querySelector("code");
    code.textContent = command ?? "";
    code.hidden = !command;
  }

  function keep(isWanted) {
    isKept = isWanted;
    panel.querySelector("p").hidden = !isWanted;
  }

  /** The network that a pointer means: the nearest within reach in a chart, else that of the table's row or column. */
  function meant(event) {
    const chart = charts.find(({drawing}) => drawing.contains(event.target));
    if (!chart) {
      const element = event.target.closest("[data-point]");
      return element ? number(element) : null;
    }
    let nearest = null, least = reach;
    for (const mark of chart.drawing.querySelectorAll(".mark[data-point]")) {
      const {e, f} = mark.getScreenCTM();
      const distance = Math.hypot(e - event.clientX, f - event.clientY);
      // Of points in one place the last one drawn is seen.
      if (distance <= least) [nearest, least] = [number(mark), distance];
    }
    return nearest;
  }

  front.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse" || isKept || panel.contains(event.target)) return;
    const network = meant(event);
    if (network !== null) show(network);
  });
  front.addEventListener("click", (event) => {
    if (panel.contains(event.target) || event.target.closest("details")) return;
    const network = meant(event);
    if (network !== null) show(network);
    keep(network !== null);
  });
  front.addEventListener("focusin", (event) => {
    if (!event.target.matches(".mark")) return;
    keep(false);
    show(number(event.target));
  });
  front.addEventListener("keydown", (event) => {
    const chart = charts.find(({marks}) => marks.includes(event.target));
    if (!chart) return;
    const {marks} = chart, last = marks.length - 1, here = marks.indexOf(event.target);
    const next = {
      ArrowRight: here + 1, ArrowUp: here + 1, ArrowLeft: here - 1, ArrowDown: here - 1, Home: 0, End: last,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    marks[Math.min(last, Math.max(0, next))].focus();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") keep(false);
  });
  // Where points lie too close to be hit one by one.
  panel.querySelectorAll("button").forEach((button, side) => button.addEventListener("click", () => {
    const {marks} = charts[0], here = marks.findIndex((mark) => number(mark) === shown);
    const next = marks[here + (side === 0 ? -1 : 1)];
    if (next) show(number(next));
    keep(true);
  }));

  front.classList.add("live");
  front.querySelector(".hint").hidden = false;
  panel.hidden = false;
  show(initial);
}
