export { openChromium } from "./chromium.ts";
export { openFirefox } from "./firefox.ts";
export { installBrowsers } from "./install.ts";
export { openWebKit } from "./webkit.ts";
