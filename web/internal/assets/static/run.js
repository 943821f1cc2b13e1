// The drawings of a run: the graph is moved and made larger, what is looked at in one is
// marked in both, and what is chosen is shown without a new page.
import { begin as beginFind, carried, mark, read } from "./find.js";
import { look } from "./live.js";
import { become } from "./morph.js";
import { begin as beginStretch } from "./stretch.js";
import { tell } from "./times.js";

const most = 4; // how much larger than drawn the graph may be seen
let least = 0.6; // how much smaller it is made at most so that it fits, which can still be read
let view = null; // the part of the graph that the user has moved to; null: none, it fits
let follows = false;

const frame = () => document.getElementById("graphbox");
const graph = () => document.querySelector("#graphbox svg.graph");
const steps = () => [...document.querySelectorAll("#graphbox a[data-step]")];
const size = (svg) => ({ w: +svg.getAttribute("width"), h: +svg.getAttribute("height") });

export function begin() {
  if (!frame()) return;
  tools();
  shown();
  if (graph()) centre(telling());
  beginStretch();
  beginFind(centre);
  document.addEventListener("leat:shown", shown);
  document.addEventListener("pointerover", point);
  document.addEventListener("focusin", point);
  document.addEventListener("click", choose);
  document.addEventListener("submit", zoomIn);
  addEventListener("resize", shown);
  addEventListener("popstate", () => { read(); go(location.href, false); });
  addEventListener("keydown", press);
  frame().addEventListener("wheel", wheel, { passive: false });
  frame().addEventListener("pointerdown", grab);
}

// telling returns the step that matters most: the one that is chosen, or else has failed, or
// is running.
function telling() {
  return ["selected", "state-failed", "state-running", "state-retry"].map((c) => document.querySelector(`#graphbox .${c}[data-step]`)).find((s) => s);
}

function tools() {
  const at = document.querySelector("[data-tools]");
  const button = (text, title, act) => {
    const b = document.createElement("button");
    Object.assign(b, { type: "button", className: "small", textContent: text, title });
    b.addEventListener("click", () => act(b));
    at.append(b, " ");
    return b;
  };
  button("+", "larger (+)", () => zoom(1.4));
  button("−", "smaller (-)", () => zoom(1 / 1.4));
  button("fit", "all of it (0)", fit);
  const f = button("follow", "keep what runs in sight (f)", follow);
  f.id = "follow";
  f.setAttribute("aria-pressed", "false");
}

// shown brings what the server has drawn anew into the state that the user has left it in.
function shown() {
  const svg = graph();
  if (!svg) return;
  frame().dataset.moved = view ? "yes" : "no";
  const scale = fitting(svg);
  svg.style.width = view ? "" : `${size(svg).w * scale}px`;
  svg.style.height = view ? "" : `${size(svg).h * scale}px`;
  if (view) svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
  mark();
  if (follows) centre(document.querySelector("#graphbox .state-running[data-step], #graphbox .state-retry[data-step]"));
}

// fitting returns how large the graph is seen where all of it fits the frame: as it is
// drawn, or smaller. What would be too small does not fit, and is scrolled.
function fitting(svg) {
  const s = size(svg);
  const high = parseFloat(getComputedStyle(frame()).maxHeight) || s.h;
  return Math.max(Math.min(1, frame().clientWidth / s.w, high / s.h), least);
}

// seen returns the part of the graph that is in the frame.
function seen(svg) {
  if (view) return view;
  const box = frame(), scale = fitting(svg);
  return { x: box.scrollLeft / scale, y: box.scrollTop / scale, w: box.clientWidth / scale, h: box.clientHeight / scale };
}

function zoom(by, at) {
  const svg = graph();
  if (!svg) return;
  const old = seen(svg);
  const before = frame().getBoundingClientRect();
  const fx = at ? (at.clientX - before.left) / before.width : 0.5;
  const fy = at ? (at.clientY - before.top) / before.height : 0.5;
  set(old); // from here on it fills the frame
  const r = svg.getBoundingClientRect();
  const w = Math.min(Math.max(old.w / by, r.width / most), Math.max(size(svg).w, size(svg).h, r.width) * 2);
  const h = (w * r.height) / r.width;
  set({ x: old.x + (old.w - w) * fx, y: old.y + (old.h - h) * fy, w, h });
}

function set(next) {
  view = next;
  shown();
}

// fit has all of the graph seen, however small it gets.
function fit() {
  least = 0;
  const svg = graph();
  if (svg) svg.setAttribute("viewBox", `0 0 ${size(svg).w} ${size(svg).h}`);
  set(null);
}

// centre brings a step into the middle of the frame, as far as the graph reaches.
function centre(step) {
  const svg = graph();
  if (!step || !svg) return;
  const b = step.getBoundingClientRect();
  const r = frame().getBoundingClientRect();
  const dx = b.left + b.width / 2 - r.left - r.width / 2;
  const dy = b.top + b.height / 2 - r.top - r.height / 2;
  if (!view) return frame().scrollBy({ left: dx, top: dy, behavior: "instant" });
  const scale = view.w / r.width;
  view = { ...view, x: view.x + dx * scale, y: view.y + dy * scale };
  svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
}

function follow() {
  follows = !follows;
  const b = document.getElementById("follow");
  b.setAttribute("aria-pressed", String(follows));
  shown();
}

function wheel(e) {
  if (!e.ctrlKey && !e.metaKey) return; // the page is scrolled
  e.preventDefault();
  zoom(e.deltaY < 0 ? 1.15 : 1 / 1.15, e);
}

function grab(e) {
  const svg = graph();
  if (e.button !== 0 || !svg || e.target.closest("a") || !view) return;
  const from = view;
  const scale = from.w / svg.getBoundingClientRect().width;
  const move = (m) => set({ ...from, x: from.x - (m.clientX - e.clientX) * scale, y: from.y - (m.clientY - e.clientY) * scale });
  const end = () => { removeEventListener("pointermove", move); removeEventListener("pointerup", end); };
  addEventListener("pointermove", move);
  addEventListener("pointerup", end);
}

// point marks in both drawings what the pointer or the focus is on.
function point(e) {
  const at = e.target.closest?.(".drawing a[data-step]");
  for (const s of document.querySelectorAll(".drawing a.near")) if (!at || !same(s, at)) s.classList.remove("near");
  if (at) for (const s of document.querySelectorAll(`.drawing a[data-step="${CSS.escape(at.dataset.step)}"]`)) s.classList.toggle("near", same(s, at));
}

const same = (a, b) => a.dataset.step === b.dataset.step && a.dataset.run === b.dataset.run;

function choose(e) {
  if (e.defaultPrevented || e.button !== 0 || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey) return;
  const a = e.target.closest(".drawing a[href], #stretch a[href], .stepside a[href], #preview a[href]");
  const to = a && new URL(a.getAttribute("href"), location.href);
  if (!to || to.pathname !== location.pathname || to.searchParams.get("id") !== new URLSearchParams(location.search).get("id")) return;
  e.preventDefault();
  go(to.href, true);
}

// zoomIn has the gantt drawn for the stretch of time that is asked for.
function zoomIn(e) {
  if (!e.target.matches("#stretch")) return;
  e.preventDefault();
  const asked = [...new FormData(e.target)].filter(([, value]) => value !== "");
  go(location.pathname + "?" + new URLSearchParams(asked), true);
}

// go shows what the server renders for another address of the same run.
async function go(address, push) {
  if (push) address = carried(address);
  const r = await fetch(address).catch(() => null);
  if (!r || !r.ok) return location.assign(address);
  const page = new DOMParser().parseFromString(await r.text(), "text/html");
  for (const fresh of page.querySelectorAll("[data-part]")) {
    const old = document.querySelector(`[data-part="${CSS.escape(fresh.dataset.part)}"]`);
    if (!old) return location.assign(address);
    tell(fresh);
    become(old, document.adoptNode(fresh));
  }
  if (push) history.pushState(null, "", address);
  document.getElementById("stretch").reset();
  shown();
  look();
}

const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function press(e) {
  if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input, textarea, select, dialog")) return;
  const within = e.target.closest("#graphbox");
  switch (e.key) {
    case "f": follow(); break;
    case "+": zoom(1.4); break;
    case "-": zoom(1 / 1.4); break;
    case "0": fit(); break;
    default:
      if (!within || !ways[e.key]) return;
      step(e.target.closest("a[data-step]"), ways[e.key]);
  }
  e.preventDefault();
}

// step moves the focus to the nearest step in a direction.
function step(from, [dx, dy]) {
  const all = steps();
  if (!from) return all[0]?.focus();
  const middle = (s) => { const b = s.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]; };
  const [x, y] = middle(from);
  let best = null, least = Infinity;
  for (const s of all) {
    const [u, v] = middle(s);
    const along = (u - x) * dx + (v - y) * dy;
    const far = along + 2 * Math.abs((u - x) * dy + (v - y) * dx);
    if (along > 1 && far < least) [best, least] = [s, far];
  }
  best?.focus();
}
