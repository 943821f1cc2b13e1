// What every page does once it is there.
import { follow } from "./live.js";
import { tell } from "./times.js";
import { listen } from "./keys.js";
import { act } from "./deeds.js";

tell(document);
follow();
listen();
act();
for (const name of (document.documentElement.dataset.modules || "").split(" ").filter(Boolean)) {
  import(`./${name}.js`).then((m) => m.begin());
}
