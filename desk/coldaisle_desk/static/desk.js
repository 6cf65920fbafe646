// The page asks for a panel again when a source of it has changed. One tab of a browser holds the stream and tells the others, because
// a browser opens no more than six connections to a server; a hidden tab holds none, and all tabs of all runs together hold SLOTS.
"use strict";

const SLOTS = 3, AGAIN_MS = 2000;
const stream = document.body.dataset.events;
const known = {}; // version of each source that this page has heard of
const asked = new Map(); // by panel: the time of its last request, and whether another is due

function refresh(panel) {
  const now = performance.now(), every = Number(panel.dataset.every);
  const state = asked.get(panel) || { at: -every, due: 0 };
  asked.set(panel, state);
  if (state.due) return;
  state.due = setTimeout(() => {
    state.due = 0;
    state.at = performance.now();
    panel.dispatchEvent(new Event("fresh"));
  }, Math.max(0, state.at + every - now));
}

function refreshAll() {
  document.querySelectorAll("[data-needs]").forEach(refresh);
}

function hear(versions) {
  const changed = Object.keys(versions).filter((name) => known[name] !== versions[name]);
  Object.assign(known, versions);
  document.body.dataset.heard = String(Number(document.body.dataset.heard || 0) + 1);
  for (const panel of document.querySelectorAll("[data-needs]")) {
    if (panel.dataset.needs.split(" ").some((name) => changed.includes(name))) refresh(panel);
  }
}

function tell(state) {
  document.body.dataset.link = state;
  const place = document.getElementById("link");
  if (place) place.textContent = { live: "", waiting: "waiting for the desk" }[state];
}

function follow() {
  const address = new URL(stream, location.href).href;
  const channel = new BroadcastChannel(address);
  channel.onmessage = (message) => {
    if (message.data.hello && document.body.dataset.stream) channel.postMessage({ versions: known, state: document.body.dataset.link });
    if (message.data.versions) hear(message.data.versions);
    if (message.data.state) tell(message.data.state);
  };
  const hold = () => {
    if (document.hidden) return;
    const stopped = new AbortController();
    document.addEventListener("visibilitychange", () => stopped.abort(), { once: true });
    navigator.locks
      .request(address, { signal: stopped.signal }, () => holding(address, channel, stopped.signal))
      .catch((error) => { if (error.name !== "AbortError") throw error; });
  };
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { refreshAll(); hold(); } });
  hold();
  channel.postMessage({ hello: true }); // the tab that holds the stream says what it knows
}

async function holding(address, channel, signal) {
  document.body.dataset.stream = "held";
  while (!signal.aborted) await withSlot(0, (lasting) => listen(address, channel, signal, lasting));
  delete document.body.dataset.stream;
}

// Windows of different runs each want a stream: those that find no slot free look every two seconds.
function withSlot(place, use) {
  if (place === SLOTS) return use(false);
  return navigator.locks.request("coldaisle-stream-" + place, { ifAvailable: true }, (slot) => (slot ? use(true) : withSlot(place + 1, use)));
}

function listen(address, channel, signal, lasting) {
  return new Promise((done) => {
    const source = new EventSource(address);
    const say = (state) => { tell(state); channel.postMessage({ state }); };
    const end = () => { signal.removeEventListener("abort", end); source.close(); done(); };
    source.onopen = () => say("live");
    source.onerror = () => {
      say("waiting");
      if (source.readyState === EventSource.CLOSED) setTimeout(end, AGAIN_MS);
    };
    source.onmessage = (event) => {
      const versions = JSON.parse(event.data);
      hear(versions);
      channel.postMessage({ versions, state: "live" });
      if (lasting) return;
      source.close();
      setTimeout(end, AGAIN_MS);
    };
    signal.addEventListener("abort", end);
  });
}

// The moment of a replay, the day and the source of the alarms are hidden fields that go with every request of a panel.
const slider = document.getElementById("slider");

function move(value) {
  const at = document.getElementById("at"), last = Number(slider.max);
  slider.value = String(value);
  at.value = value >= last ? "" : String(value);
  document.getElementById("shown").textContent = value >= last ? "latest" : (value / 10).toFixed(1) + " %";
  refreshAll();
}

function replay(button) {
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    button.setAttribute("aria-pressed", "false");
    button.textContent = "Play again";
  };
  button.addEventListener("click", () => {
    if (timer) return stop();
    button.setAttribute("aria-pressed", "true");
    button.textContent = "Pause";
    if (Number(slider.value) >= Number(slider.max)) move(0);
    timer = setInterval(() => {
      const next = Math.min(Number(slider.max), Number(slider.value) + 5);
      move(next);
      if (next >= Number(slider.max)) stop();
    }, 500);
  });
  slider.addEventListener("input", () => move(Number(slider.value)));
}

function choose(event) {
  const button = event.target.closest("button");
  if (!button) return;
  for (const field of ["day", "source"]) {
    if (field in button.dataset) {
      document.getElementById(field).value = button.dataset[field];
      refreshAll();
    }
  }
  if (button.dataset.copy) {
    navigator.clipboard.writeText(button.dataset.copy).then(() => {
      button.textContent = "copied";
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    });
  }
}

document.addEventListener("click", choose);
document.addEventListener("click", (event) => { // a link to an episode opens the list that holds it
  const link = event.target.closest('a[href^="#"]');
  const place = link && document.getElementById(link.getAttribute("href").slice(1));
  const closed = place && place.closest("details:not([open])");
  if (closed) closed.open = true;
});
if (slider) replay(document.getElementById("play"));
if (stream) {
  follow(); // the first event brings the panels
  setTimeout(() => { if (!document.body.dataset.heard) refreshAll(); }, 5000);
}
