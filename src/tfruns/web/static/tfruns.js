// Every page works without this script.
"use strict";

for (const form of document.querySelectorAll("form[data-submit-now]")) form.submit();

// A link to a line of a log leads to its page.
const line = /^#L(\d+)$/.exec(location.hash);
if (line && document.querySelector(".log.whole") && !document.getElementById(`L${line[1]}`)) location.search = `?line=${line[1]}`;

// Show the log of an open run as it grows, and the whole page again when a status changes.
start();

function start() {
  const live = document.getElementById("live");
  if (live) follow(live.dataset);
  const log = document.querySelector(".log.growing");
  if (log) log.scrollTop = log.scrollHeight;
}

// Browsers open at most six connections to a server, so that a seventh followed page would keep all others from
// loading: pages in the background catch up when they are shown.
function follow(page) {
  const query = new URLSearchParams({ status: page.status, phase: page.phase || "", offset: page.offset || "" });
  const source = document.hidden ? undefined : new EventSource(`${page.events}?${query}`);
  const stopped = new AbortController();
  const stop = () => {
    source?.close();
    stopped.abort();
  };
  const changed = () => {
    stop();
    follow(page);
  };
  document.addEventListener("visibilitychange", changed, { signal: stopped.signal });
  if (!source) return;
  source.addEventListener("log", (event) => {
    const lines = JSON.parse(event.data);
    page.offset = lines.offset ?? "";
    appendToLog(lines.lines);
  });
  source.addEventListener("end", stop);
  source.addEventListener("status", () => {
    stop();
    refresh();
  });
  source.addEventListener("error", () => {
    stop();
    setTimeout(() => follow(page), 5000);
  });
}

const MAX_LINES = 5000;

// Each line is a list of parts, each with its classes and its text.
function appendToLog(lines) {
  const log = document.getElementById("log-text");
  if (!log) return;
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  log.append(...lines.map(lineOf));
  while (log.childElementCount > MAX_LINES) log.firstElementChild.remove();
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}

function lineOf(parts) {
  const line = document.createElement("span");
  line.className = "line";
  for (const [classes, text] of parts) {
    const part = document.createElement("span");
    part.className = classes;
    part.textContent = text;
    line.append(part);
  }
  return line;
}

// A person who is typing or choosing keeps what they entered: the page says that it is out of date instead.
async function refresh() {
  const fields = [...document.querySelectorAll("main :is(input:not([type=hidden]), textarea, select)")];
  const outdated = document.getElementById("outdated");
  if (fields.some(isChanged)) {
    outdated.hidden = false;
    return;
  }
  const response = await fetch(location.href);
  const next = new DOMParser().parseFromString(await response.text(), "text/html");
  const main = next.querySelector("main");
  if (!response.ok || !main) {
    location.reload();
    return;
  }
  const open = new Set([...document.querySelectorAll("main details[open] > summary")].map((item) => item.textContent));
  const focused = document.activeElement?.id;
  document.querySelector("main").replaceWith(main);
  for (const summary of main.querySelectorAll("details > summary")) if (open.has(summary.textContent)) summary.parentElement.open = true;
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  document.title = next.title;
  start();
}

function isChanged(field) {
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.options) return [...field.options].some((option) => option.selected !== option.defaultSelected && option.index > 0);
  return field.value !== field.defaultValue;
}

// A form with `data-passkey` is sent with the proof of a passkey.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  const kind = form.dataset.passkey;
  if (!kind || form.dataset.proven) return;
  event.preventDefault();
  try {
    if (kind !== "first") form.elements.passkey.value = await credential(form, "get");
    if (kind !== "confirm") form.elements.created.value = await credential(form, "create");
    form.dataset.proven = "yes";
    form.requestSubmit(event.submitter);
  } catch (error) {
    const notice = form.querySelector("[role=alert]");
    notice.textContent = `${error.message} Nothing was sent.`;
    notice.hidden = false;
  }
});

async function credential(form, kind) {
  const { csrf_token, tool, seen } = form.elements;
  const path = new URL(form.action).pathname;
  const body = new URLSearchParams({ csrf_token: csrf_token.value, tool: tool.value, seen: seen.value, path, kind });
  const response = await fetch("/app/-/passkeys/options", { method: "POST", body, headers: { accept: "application/json" } });
  const options = await response.json();
  if (!response.ok) throw new Error(`${options.message} ${options.solution ?? ""}`);
  const publicKey =
    kind === "get"
      ? PublicKeyCredential.parseRequestOptionsFromJSON(options)
      : PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return JSON.stringify((await navigator.credentials[kind]({ publicKey })).toJSON());
}
