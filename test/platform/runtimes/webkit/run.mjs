import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

const PORT = 4723;
const env = {
  ...process.env,
  WEBKIT_DISABLE_DMABUF_RENDERER: "1",
  WEBKIT_DISABLE_COMPOSITING_MODE: "1",
  LIBGL_ALWAYS_SOFTWARE: "1",
};
const browserOptions = {
  binary: "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser",
  args: ["--automation"],
};

/** A command of the WebDriver protocol. */
async function command(method, path, body) {
  const response = await fetch(`http://127.0.0.1:${PORT}${path}`, {
    method,
    ...(body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`WebDriver: ${value.error}: ${value.message}`);
  return value;
}

async function started() {
  for (let attempts = 100; ; attempts--) {
    try {
      return await command("GET", "/status");
    } catch (error) {
      if (attempts === 0) throw error;
      await delay(100);
    }
  }
}

export const run = async ({ bundle, withPage }) => {
  const script = await bundle({ entry: "page", format: "iife" });
  const driver = spawn("xvfb-run", ["-a", "WebKitWebDriver", `--port=${PORT}`], { env, detached: true });
  try {
    await started();
    const { sessionId, capabilities } = await command("POST", "/session", {
      capabilities: { alwaysMatch: { "webkitgtk:browserOptions": browserOptions } },
    });
    const session = `/session/${sessionId}`;
    await command("POST", `${session}/timeouts`, { pageLoad: 120_000 });
    const result = await withPage(script, async (url) => {
      await command("POST", `${session}/url`, { url });
      return command("POST", `${session}/execute/sync`, { script: "return JSON.stringify(result)", args: [] });
    });
    await command("DELETE", session);
    return { version: capabilities.browserVersion, result: JSON.parse(result) };
  } finally {
    process.kill(-driver.pid); // xvfb-run and what it has started
  }
};
