// Every page works without this script.
"use strict";

for (const form of document.querySelectorAll("form[data-submit-now]")) form.submit();

// Show the log of an open run as it grows, and load the page again when the status changes.
const live = document.getElementById("live");
if (live) follow(live.dataset);

function follow(page) {
  const query = new URLSearchParams({ status: page.status, phase: page.phase, offset: page.offset });
  const source = new EventSource(`${page.events}?${query}`);
  source.addEventListener("log", (event) => appendToLog(JSON.parse(event.data).text));
  source.addEventListener("end", () => source.close());
  source.addEventListener("status", () => {
    source.close();
    reload();
  });
  source.addEventListener("error", () => source.close());
}

function appendToLog(text) {
  const log = document.getElementById("log-text");
  if (!log) return;
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  log.append(text);
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}

// A person who is typing keeps what they typed: the page says that it is out of date instead.
function reload() {
  const isTyping = [...document.querySelectorAll("main input:not([type=hidden])")].some((input) => input.value !== input.defaultValue);
  if (!isTyping) location.reload();
  else document.getElementById("outdated").hidden = false;
}
