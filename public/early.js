// What can't wait until the page has come alive, and what brings it to life.
"use strict";

// The browser may offer to install the page. The page has a button of its own for that, and looks here for the offer.
addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  offer(event);
});
addEventListener("appinstalled", () => offer(undefined));

function offer(event) {
  globalThis.installation = event;
  dispatchEvent(new Event("installation"));
}

// There is no worker where the connection isn't secure, and none where the browser doesn't want one: the page works alike.
// What it keeps is fetched once the page itself has all it needs.
addEventListener("load", () => navigator.serviceWorker?.register("/sw.js").catch(() => {}));

// The page can be read as it came: it is painted first, and comes alive after that.
const { script, module } = document.currentScript.dataset;
if (script) requestAnimationFrame(() => setTimeout(comeAlive));

async function comeAlive() {
  const compiling = fetch(module);
  const { default: start, hydrate } = await import(script);
  await start({ module_or_path: compiling });
  hydrate();
}
