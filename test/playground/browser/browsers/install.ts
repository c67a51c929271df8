import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

const binaries = {
  chromium: "/usr/bin/chromium",
  "firefox-esr": "/usr/bin/firefox-esr",
  "webkit2gtk-driver": "/usr/bin/WebKitWebDriver",
  xvfb: "/usr/bin/xvfb-run",
} as const;

/** Installs the Debian packages that are missing, where it may. */
export function installBrowsers(): void {
  const missing = Object.entries(binaries).flatMap(([name, path]) => (existsSync(path) ? [] : [name]));
  if (missing.length === 0) return;
  execFileSync("apt-get", ["update"], { stdio: "inherit" });
  execFileSync("apt-get", ["install", "-y", ...missing], { stdio: "inherit" });
}
