// Every page works without this script.
"use strict";

for (const form of document.querySelectorAll("form[data-submit-now]")) form.submit();

// Show the log of an open run as it grows, and the whole page again when a status changes.
start();

function start() {
  const live = document.getElementById("live");
  if (live) follow(live.dataset);
}

function follow(page) {
  const query = new URLSearchParams({ status: page.status, phase: page.phase || "", offset: page.offset || "" });
  const source = new EventSource(`${page.events}?${query}`);
  source.addEventListener("log", (event) => {
    const lines = JSON.parse(event.data);
    page.offset = lines.offset ?? "";
    appendToLog(lines.text);
  });
  source.addEventListener("end", () => source.close());
  source.addEventListener("status", () => {
    source.close();
    refresh();
  });
  source.addEventListener("error", () => {
    source.close();
    setTimeout(() => follow(page), 5000);
  });
}

function appendToLog(text) {
  const log = document.getElementById("log-text");
  if (!log) return;
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  log.append(text);
  if (isAtEnd) log.scrollTop = log.scrollHeight;
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
