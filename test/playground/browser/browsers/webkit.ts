import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { Builder, By, Key as Keys, Origin, type WebDriver } from "selenium-webdriver";
import { type Key, NoAnswer, type Open, inTime } from "../page.ts";

/** MiniBrowser's window is no narrower: a narrower page is put into a frame. */
const NARROWEST = 450;
/** Of MiniBrowser above the page. */
const TOOLBAR = 38;
const ATTEMPTS = 20;
const QUIT_SECONDS = 5;

const keys: Readonly<Record<Key, string>> = {
  Tab: Keys.TAB,
  " ": " ",
  ArrowLeft: Keys.ARROW_LEFT,
  ArrowRight: Keys.ARROW_RIGHT,
};

export const openWebKit: Open = async (url, { width, height, dark }, downloads) => {
  const port = await freePort();
  const server = spawn("xvfb-run", ["-a", "-s", "-screen 0 1600x1200x24", "WebKitWebDriver", `--port=${port}`], {
    env: {
      ...process.env,
      HOME: downloads, // where downloads go, and whatever else a browser keeps
      XDG_CONFIG_HOME: `${downloads}/.config`,
      XDG_DATA_HOME: `${downloads}/.data`,
      XDG_CACHE_HOME: `${downloads}/.cache`,
      GTK_THEME: dark ? "Adwaita:dark" : "Adwaita",
      LANG: "en_GB.UTF-8",
      LIBGL_ALWAYS_SOFTWARE: "1",
      WEBKIT_DISABLE_DMABUF_RENDERER: "1",
      WEBKIT_DISABLE_COMPOSITING_MODE: "1",
    },
    stdio: "ignore",
    detached: true, // a group of its own, which is ended as a whole
  });
  const stop = (): void => {
    process.off("exit", stop);
    try {
      process.kill(-server.pid!, "SIGKILL");
    } catch {
      // it has ended
    }
  };
  process.prependListener("exit", stop); // before its folder is removed
  try {
    const driver = await connect(`http://127.0.0.1:${port}`);
    await driver
      .manage()
      .window()
      .setRect({ x: 0, y: 0, width: Math.max(width, NARROWEST), height: height + TOOLBAR });
    if (width >= NARROWEST) await driver.get(url);
    else {
      await driver.get(`${url}frame.html?${width}x${height}`);
      await driver.switchTo().frame(0);
    }
    return {
      evaluate: (expression) => driver.executeScript(`return (${expression})`),
      async draw(strokes) {
        const actions = driver.actions({ async: true });
        const to = ([x, y]: readonly [number, number]): object => ({
          ...{ x: Math.round(x), y: Math.round(y), duration: 0, origin: Origin.VIEWPORT },
        });
        for (const [first, ...others] of strokes) {
          actions.move(to(first)).press();
          for (const point of others) actions.move(to(point));
          actions.release();
        }
        await actions.perform();
      },
      press: (key, times = 1) =>
        driver
          .actions({ async: true })
          .sendKeys(...Array.from({ length: times }, () => keys[key]))
          .perform(),
      choose: (id, path) => driver.findElement(By.id(id)).sendKeys(path),
      screenshot: async () => Buffer.from(await driver.takeScreenshot(), "base64"),
      faults: () => [],
      async close() {
        await inTime(driver.quit(), "quitting", QUIT_SECONDS).catch(() => undefined);
        stop();
      },
    };
  } catch (error) {
    stop();
    throw error;
  }
};

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** The driver takes a moment to listen. */
async function connect(address: string): Promise<WebDriver> {
  for (let attempt = 1; ; attempt++) {
    await setTimeout(500);
    try {
      const building = new Builder().usingServer(address).withCapabilities({ browserName: "MiniBrowser" }).build();
      return await inTime(Promise.resolve(building), "a session of WebKitWebDriver");
    } catch (error) {
      if (attempt === ATTEMPTS || error instanceof NoAnswer) throw error;
    }
  }
}
