// The review of a run in the chat of an assistant (MCP Apps, revision 2026-01-26). It shows, and decides nothing.
"use strict";

const KEY = "tfruns/review";
const waiting = new Map();
let lastId = 0;
let base = "";

function send(message) {
  parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
}

function request(method, params) {
  const id = ++lastId;
  send({ id, method, params });
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

addEventListener("message", ({ source, data }) => {
  if (source !== parent || data?.jsonrpc !== "2.0") return;
  if (data.method) return receive(data);
  const asked = waiting.get(data.id);
  waiting.delete(data.id);
  if (data.error) asked?.reject(data.error);
  else asked?.resolve(data.result);
});

function receive({ id, method, params }) {
  if (method === "ui/notifications/tool-result") show(params?._meta?.[KEY]);
  else if (method === "ui/notifications/host-context-changed") adapt(params);
  else if (method === "ping" || method === "ui/resource-teardown") send({ id, result: {} });
  else if (id !== undefined) send({ id, error: { code: -32601, message: "Method not found" } });
}

// The HTML is that of tfruns, which escapes every text. The policy of this document forbids scripts in it.
function show(review) {
  const main = document.getElementById("main");
  if (!review?.html) {
    main.textContent = "This result has no review.";
    return;
  }
  base = review.url;
  main.replaceChildren(...new DOMParser().parseFromString(review.html, "text/html").body.childNodes);
}

function adapt(context) {
  if (context?.theme === "light" || context?.theme === "dark") document.documentElement.style.colorScheme = context.theme;
}

// Links and the button open pages in the browser of the person, who decides there.
document.addEventListener("click", async (event) => {
  const target = event.target.closest("[data-open], a[href]");
  if (!target) return;
  event.preventDefault();
  const url = new URL(target.dataset.open ?? target.getAttribute("href"), base);
  if (url.origin !== new URL(base).origin) return;
  try {
    const result = await request("ui/open-link", { url: url.href });
    if (result?.isError) throw result;
  } catch {
    document.getElementById("address").textContent = `This app did not open the page. Open it in your browser: ${url.href}`;
  }
});

new ResizeObserver(() => {
  const { width, height } = document.documentElement.getBoundingClientRect();
  send({ method: "ui/notifications/size-changed", params: { width: Math.ceil(width), height: Math.ceil(height) } });
}).observe(document.documentElement);

request("ui/initialize", {
  protocolVersion: "2026-01-26",
  appInfo: { name: "tfruns", version: document.documentElement.dataset.version },
  appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
}).then(({ hostContext }) => {
  adapt(hostContext);
  send({ method: "ui/notifications/initialized" });
});
