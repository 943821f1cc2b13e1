// The gantt of a run: a line follows the pointer and says what time is there, and the
// stretch of time that is dragged over is the one that is drawn then.
const box = () => document.getElementById("ganttbox");
const gantt = () => document.querySelector("#ganttbox svg.gantt");
const far = 4; // pixels from which on it is a drag

let at = null; // where the pointer is, in the units of the drawing
let drag = null; // when the stretch begins that is being dragged, and where that was

export function begin() {
  if (!box()) return;
  box().addEventListener("pointermove", move);
  box().addEventListener("pointerdown", down);
  box().addEventListener("pointerup", up);
  box().addEventListener("pointercancel", leave);
  box().addEventListener("pointerleave", () => drag?.far || leave());
  box().addEventListener("dragstart", (e) => e.preventDefault());
  addEventListener("keydown", (e) => {
    if (e.key !== "Escape" || !drag) return;
    e.stopPropagation();
    drag = null;
    draw();
  }, true);
  document.addEventListener("leat:shown", draw);
}

// places are those of the axis, with their times, between which time goes on evenly.
const places = () => (gantt()?.querySelector("[data-scale]")?.dataset.scale.split(" ") || []).map((p) => p.split(":").map(Number));

// between returns what is as far between two values as v is between two others, in the
// pair of places that v lies in.
function between(v, from, to) {
  const all = places();
  const i = Math.max(all.findLastIndex((p, i) => i < all.length - 1 && p[from] <= v), 0);
  const [a, b] = [all[i], all[i + 1]];
  const part = b[from] > a[from] ? Math.min(Math.max((v - a[from]) / (b[from] - a[from]), 0), 1) : 0;
  return { value: a[to] + part * (b[to] - a[to]), fine: Math.abs(b[1] - a[1]) / Math.max(b[0] - a[0], 1) };
}

const timeAt = (x) => between(x, 0, 1);
const placeOf = (ms) => between(ms, 1, 0).value;

// written returns a time since the beginning, as exact as a pixel is.
function written({ value, fine }) {
  const digits = Math.min(Math.max(Math.ceil(-Math.log10(fine / 1000)), 0), 6);
  const s = Math.round((value / 1000) * 10 ** digits) / 10 ** digits;
  const h = Math.floor(s / 3600), m = Math.floor((s % 3600) / 60);
  return (h ? h + "h" : "") + (h || m ? m + "m" : "") + +(s % 60).toFixed(digits) + "s";
}

// place returns where a pointer is.
function place(e) {
  const r = gantt().getBoundingClientRect(), v = gantt().viewBox.baseVal, all = places();
  const x = ((e.clientX - r.left) * v.width) / r.width, y = ((e.clientY - r.top) * v.height) / r.height;
  const ends = [all[0][0], all[all.length - 1][0]];
  return { x: Math.min(Math.max(x, ends[0]), ends[1]), y, within: x >= ends[0] && x <= ends[1] };
}

function move(e) {
  if (!places().length) return;
  at = place(e);
  if (!e.buttons) drag = null; // it was let go elsewhere
  if (drag && !drag.far && Math.abs(e.clientX - drag.client) >= far) {
    drag.far = true;
    box().setPointerCapture(e.pointerId); // and no link is followed
  }
  if (!at.within && !drag?.far) at = null;
  draw();
}

function down(e) {
  if (e.button !== 0 || e.pointerType === "touch" || !places().length) return; // a finger scrolls
  const p = place(e);
  if (p.within) drag = { time: timeAt(p.x), client: e.clientX, far: false };
}

function up(e) {
  const done = drag?.far ? [drag.time, timeAt(place(e).x)] : null;
  drag = null;
  if (done) ask(done.sort((a, b) => a.value - b.value));
  draw();
}

function leave() {
  at = drag = null;
  draw();
}

// ask has the stretch shown, as the form would.
function ask([from, to]) {
  const form = document.getElementById("stretch");
  if (written(from) === written(to)) return;
  form.elements.from.value = written(from);
  form.elements.to.value = written(to);
  form.requestSubmit();
}

// draw draws the line and the stretch, anew if the server has drawn what is below.
function draw() {
  const svg = gantt();
  let g = document.getElementById("cursor");
  if (!at) return g?.remove();
  if (!g) {
    g = make("g");
    g.id = "cursor";
    g.append(make("rect"), make("path"), make("text"));
  }
  if (g.parentNode !== svg) svg.append(g);
  const [area, line, text] = g.children;
  const height = svg.viewBox.baseVal.height - 36; // without the axis
  const left = drag?.far ? placeOf(drag.time.value) : at.x;
  set(area, { x: Math.min(left, at.x), y: 0, width: Math.abs(at.x - left), height });
  set(line, { d: `M${at.x} 0V${height}` });
  const turned = at.x > svg.viewBox.baseVal.width * 0.75;
  set(text, { x: at.x + (turned ? -6 : 6), y: Math.min(Math.max(at.y - 6, 12), height + 12), "text-anchor": turned ? "end" : "start" });
  text.textContent = drag?.far ? [drag.time, timeAt(at.x)].sort((a, b) => a.value - b.value).map(written).join(" – ") : written(timeAt(at.x));
}

const make = (name) => document.createElementNS("http://www.w3.org/2000/svg", name);

function set(e, attributes) {
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
}
