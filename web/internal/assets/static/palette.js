// A list of everywhere one can go, narrowed by what is typed: pages, queues, and the search.
const root = document.documentElement.dataset.root;

let dialog = null;

export async function palette() {
  if (dialog?.open) return;
  dialog ||= build();
  dialog.showModal();
  dialog.querySelector("input").value = "";
  await places();
  narrow();
}

function build() {
  const d = document.createElement("dialog");
  d.className = "palette";
  d.setAttribute("aria-label", "Go to");
  const input = document.createElement("input");
  input.type = "search";
  input.placeholder = "Go to a page or a queue, or search tasks";
  for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list", "aria-label": "Go to", autocomplete: "off" })) input.setAttribute(name, value);
  const list = document.createElement("ul");
  list.id = "palette-list";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Places");
  d.append(input, list);
  input.addEventListener("input", narrow);
  d.addEventListener("keydown", press);
  document.body.append(d);
  return d;
}

let known = [];

async function places() {
  const pages = [...document.querySelectorAll("nav.pages a")].map((a) => ({ name: a.textContent, href: a.href }));
  known = pages;
  try {
    const answer = await fetch(root + "/api/v1/queues?limit=500", { headers: { Accept: "application/json" } });
    if (answer.ok) known = pages.concat((await answer.json()).items.map((q) => ({ name: "Queue " + q.queue, href: root + "/queue?name=" + encodeURIComponent(q.queue) })));
  } catch {
    // the pages are enough
  }
}

function narrow() {
  const text = dialog.querySelector("input").value.trim();
  const words = text.toLowerCase().split(/\s+/);
  const found = known.filter((p) => words.every((w) => p.name.toLowerCase().includes(w))).slice(0, 12);
  if (text) found.push({ name: `Search tasks: ${text}`, href: root + "/tasks?q=" + encodeURIComponent(text) });
  dialog.querySelector("ul").replaceChildren(...found.map(row));
}

function row(place, i) {
  const li = document.createElement("li");
  li.setAttribute("role", "option");
  li.setAttribute("aria-selected", String(i === 0));
  li.id = "place-" + i;
  li.textContent = place.name;
  li.addEventListener("click", () => location.assign(place.href));
  if (i === 0) dialog.querySelector("input").setAttribute("aria-activedescendant", li.id);
  return li;
}

function press(e) {
  const all = [...dialog.querySelectorAll("li")];
  const at = all.findIndex((li) => li.getAttribute("aria-selected") === "true");
  const by = { ArrowDown: 1, ArrowUp: -1 }[e.key];
  if (e.key === "Enter" && all[at]) all[at].click();
  if (!by || !all.length) return;
  e.preventDefault();
  const next = (at + by + all.length) % all.length;
  all[at]?.setAttribute("aria-selected", "false");
  all[next].setAttribute("aria-selected", "true");
  dialog.querySelector("input").setAttribute("aria-activedescendant", all[next].id);
  all[next].scrollIntoView({ block: "nearest" });
}
