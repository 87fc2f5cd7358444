// A host of MCP Apps: it shows a document in a sandbox, and sends it the result of a tool.
import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";

window.opened = [];
window.sizes = [];
window.requests = [];

window.showApp = async (html, csp, result, opensLinks) => {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.title = "App";
  frame.style.width = "900px";
  frame.style.height = "800px";
  document.body.append(frame);
  const bridge = new AppBridge(null, { name: "host", version: "1" }, { openLinks: {} }, { hostContext: { theme: "dark" } });
  bridge.onopenlink = async ({ url }) => {
    window.opened.push(url);
    return opensLinks ? {} : { isError: true };
  };
  bridge.oncalltool = async (params) => window.requests.push(params);
  bridge.onmessage = async (params) => window.requests.push(params);
  bridge.onsizechange = (size) => window.sizes.push(size);
  const ready = new Promise((resolve) => { bridge.oninitialized = resolve; });
  await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
  frame.srcdoc = html;
  await ready;
  await bridge.sendToolInput({ arguments: {} });
  await bridge.sendToolResult(result);
};
