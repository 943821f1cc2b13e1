// Writes times in the zone that the user has chosen, and how long ago they are.
const root = document.documentElement.dataset;

const zone = { utc: "UTC", local: undefined, "": undefined }[root.zone || ""] ?? (root.zone && !["utc", "local"].includes(root.zone) ? root.zone : undefined);
const options = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: root.zone === "utc" ? "UTC" : zone };

function exact() {
  try {
    return new Intl.DateTimeFormat("sv-SE", { ...options, timeZoneName: "short" });
  } catch {
    return new Intl.DateTimeFormat("sv-SE", { ...options, timeZone: undefined, timeZoneName: "short" }); // the zone is unknown here
  }
}

const write = exact();
const parts = { seconds: { hour: "2-digit", minute: "2-digit", second: "2-digit" }, minutes: { hour: "2-digit", minute: "2-digit" }, days: { month: "short", day: "numeric" } };
const forms = { full: write, exact: new Intl.DateTimeFormat("sv-SE", { ...options, timeZone: write.resolvedOptions().timeZone, timeZoneName: "short", fractionalSecondDigits: 3 }) };
for (const [name, form] of Object.entries(parts)) forms[name] = new Intl.DateTimeFormat("en-GB", { ...form, hourCycle: "h23", timeZone: write.resolvedOptions().timeZone });

export function tell(within) {
  for (const t of within.querySelectorAll("time[datetime]")) {
    const at = new Date(t.dateTime);
    if (isNaN(at)) continue;
    const full = write.format(at);
    const text = t.dataset.as === "ago" ? ago(at) : full;
    if (t.textContent !== text) t.textContent = text;
    if (t.title !== full) t.title = full;
  }
  for (const t of within.querySelectorAll("svg text[data-time]")) {
    const at = new Date(t.dataset.time);
    const text = isNaN(at) ? t.textContent : (forms[t.dataset.form] || forms.minutes).format(at);
    if (t.textContent !== text) t.textContent = text;
  }
}

function ago(at) {
  const s = Math.round((Date.now() - at) / 1000);
  if (Math.abs(s) < 1) return "now";
  return s < 0 ? "in " + span(-s) : span(s) + " ago";
}

function span(s) {
  if (s < 60) return s + " s";
  if (s < 3600) return Math.floor(s / 60) + " min" + (s < 600 && s % 60 ? " " + (s % 60) + " s" : "");
  if (s < 86400) return Math.floor(s / 3600) + " h" + (Math.floor((s % 3600) / 60) ? " " + Math.floor((s % 3600) / 60) + " min" : "");
  return Math.floor(s / 86400) + " d" + (Math.floor((s % 86400) / 3600) ? " " + Math.floor((s % 86400) / 3600) + " h" : "");
}

setInterval(() => document.hidden || tell(document), 1000);
