// What can't wait until the page has come alive.

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
navigator.serviceWorker?.register("/sw.js").catch(() => {});
