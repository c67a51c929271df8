/** Across and down, in pixels of the window. */
export type Point = readonly [x: number, y: number];
/** Where a pointer goes while it is pressed. */
export type Stroke = readonly Point[];
export type Key = "Tab" | " " | "ArrowLeft" | "ArrowRight";

/** How a browser is opened. */
export interface Look {
  readonly width: number;
  readonly height: number;
  /** Whether the system prefers dark. */
  readonly dark: boolean;
}

/** The playground in a browser; whatever it does is given up after `ANSWER_SECONDS`. */
export interface Page {
  /** The value of an expression in the page, or what it is a promise of: JSON. */
  evaluate(expression: string): Promise<unknown>;
  /** Draws with a real pointer. */
  draw(strokes: readonly Stroke[]): Promise<void>;
  /** Strikes a key on what has the focus. */
  press(key: Key, times?: number): Promise<void>;
  /** Chooses a file of this machine in the file input of an id. */
  choose(id: string, path: string): Promise<void>;
  screenshot(): Promise<Buffer>;
  /** What the browser itself has complained of, or has asked of other hosts: for those that tell. */
  faults(): readonly string[];
  close(): Promise<void>;
}

/** Opens a page; downloads go to a folder. */
export type Open = (url: string, look: Look, downloads: string) => Promise<Page>;

const ANSWER_SECONDS = 30;

/** A browser did not answer: nothing more is asked of it. */
export class NoAnswer extends Error {}

/** The value of a promise that comes in time. */
export async function inTime<Value>(promise: Promise<Value>, what: string, seconds = ANSWER_SECONDS): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswer(`no answer in ${seconds} s: ${what}`)), seconds * 1000);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The page with a limit of time on all that is asked of it. */
export const limited = (page: Page): Page => ({
  evaluate: (expression) => inTime(page.evaluate(expression), expression),
  draw: (strokes) => inTime(page.draw(strokes), `drawing ${strokes.length} strokes`),
  press: (key, times = 1) => inTime(page.press(key, times), `${times} times ${key}`),
  choose: (id, path) => inTime(page.choose(id, path), `choosing a file in ${id}`),
  screenshot: () => inTime(page.screenshot(), "a screenshot"),
  faults: () => page.faults(),
  close: () => inTime(page.close(), "closing the browser"),
});
