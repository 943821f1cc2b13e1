// Finds steps of a run by their names: those that match are marked in the graph and in the
// gantt, and Enter goes from one to the next. Several that are drawn as one match by any.
let text = ""; // what is in the names that are sought
let at = ""; // the key of the step that was gone to
let centre = null; // brings a step into sight

const field = () => document.querySelector("#find [name=find]");
const boxes = () => [...document.querySelectorAll("#graphbox a[data-step]")];
const key = (s) => (s.dataset.run || "") + " " + s.dataset.step;
const matches = (s) => (text ? (s.dataset.members || s.dataset.step).split("\n").filter((name) => name.toLowerCase().includes(text)) : []);

export function begin(centring) {
  centre = centring;
  const form = document.getElementById("find");
  form.addEventListener("submit", (e) => { e.preventDefault(); next(); });
  field().addEventListener("input", () => { at = ""; count(); });
  field().addEventListener("change", () => history.replaceState(history.state, "", carried(location.href)));
  count();
}

// read takes from the address what is sought.
export function read() {
  field().value = new URLSearchParams(location.search).get("find") || "";
  count();
}

// carried returns an address under which the same is sought.
export function carried(address) {
  const to = new URL(address, location.href);
  if (field().value) to.searchParams.set("find", field().value);
  else to.searchParams.delete("find");
  return to.href;
}

// mark marks what matches, anew if the server has drawn it anew.
export function mark() {
  const keys = new Set(boxes().filter((s) => matches(s).length).map(key));
  for (const s of document.querySelectorAll(".drawing a[data-step]")) {
    s.classList.toggle("sought", keys.has(key(s)));
    s.classList.toggle("reached", at === key(s));
  }
}

// count says how many steps match.
function count() {
  text = field().value.toLowerCase();
  const n = boxes().reduce((sum, s) => sum + matches(s).length, 0);
  say(text ? `${n} ${n === 1 ? "step" : "steps"}` : "");
  mark();
}

// next goes to the next step that matches.
function next() {
  const all = boxes().filter((s) => matches(s).length);
  if (!all.length) return;
  const i = (all.findIndex((s) => key(s) === at) + 1) % all.length;
  at = key(all[i]);
  mark();
  centre(all[i]);
  say(`${i + 1} of ${all.length}: ${matches(all[i])[0]}`);
}

function say(words) {
  document.querySelector("#find output").textContent = words;
}
