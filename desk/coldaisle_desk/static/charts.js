// Small multiples of the sensors: a line for what was sent, marks for what the broker got where it differs.
"use strict";

(() => {
  const place = document.getElementById("charts");
  if (!place) return;
  const plots = new Map();
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function frame(client) {
    const figure = document.createElement("figure");
    const caption = document.createElement("figcaption");
    const drawing = document.createElement("div");
    caption.append(Object.assign(document.createElement("b"), { textContent: client }), document.createElement("span"));
    drawing.setAttribute("role", "img");
    figure.append(caption, drawing);
    place.append(figure);
    return { caption: caption.lastChild, drawing };
  }

  function label(seconds, step) { // the times are local ones of the scenario, so they are written as UTC
    const time = new Date(seconds * 1000);
    const parts = step >= 86400 ? { weekday: "short", day: "2-digit" } : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    return time.toLocaleString("en-GB", { ...parts, timeZone: "UTC" });
  }

  function options(width, light) {
    const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--hair"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
    return {
      width, height: 130, padding: [8, 6, 0, 0], legend: { show: false },
      cursor: { sync: { key: "sensors" }, points: { size: 5 }, drag: { x: false, y: false } },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      axes: [{ ...axis, size: 26, space: 60, values: (_, marks, __, ___, step) => marks.map((mark) => label(mark, step)) }, { ...axis, size: 40, space: 28 }],
      series: [
        {},
        { stroke: colour("--day"), width: 1.2, points: { show: false }, spanGaps: false },
        { stroke: colour("--alert"), paths: () => null, points: { show: true, size: 5, fill: colour("--alert"), stroke: light } },
        { stroke: colour("--alert"), paths: () => null, points: { show: true, size: 6, fill: light, stroke: colour("--alert"), width: 1.5 } },
      ],
    };
  }

  function draw(curves) {
    const names = Object.keys(curves.sensors);
    for (const client of names) {
      const { sent: measured, differs, every, first } = curves.sensors[client];
      const sent = measured.map((value, slot) => slot % every === first ? value : undefined); // null is a gap in the line, undefined is none
      const times = sent.map((_, slot) => curves.begin + slot * curves.step);
      const altered = sent.map(() => null), removed = sent.map(() => null);
      for (const [slot, value] of Object.entries(differs)) {
        if (value === null) removed[slot] = sent[slot];
        else altered[slot] = value;
      }
      const known = plots.get(client) || frame(client);
      const count = Object.keys(differs).length;
      known.caption.textContent = count ? ` ${count} not as sent` : "";
      known.drawing.setAttribute("aria-label", `${client}: ${sent.filter((value) => value != null).length} readings, ${count} not received as sent`);
      const data = [times, sent, altered, removed];
      if (known.plot) known.plot.setData(data);
      else known.plot = new uPlot(options(known.drawing.clientWidth, colour("--paper")), data, known.drawing);
      plots.set(client, known);
    }
    place.dataset.drawn = String(names.length);
  }

  function load() {
    const moment = new URLSearchParams(new FormData(document.getElementById("moment")));
    fetch(`${place.dataset.curves}?${moment}`).then((answer) => answer.ok ? answer.json() : null).then((curves) => curves && draw(curves)).catch(() => {});
  }

  function again() { // other colours or another width
    for (const known of plots.values()) {
      if (known.plot) known.plot.destroy();
      known.plot = null;
    }
    load();
  }

  let width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; again(); } });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  place.addEventListener("fresh", load);
})();
