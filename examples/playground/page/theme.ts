// What scripts draw with: the colours of page.css, which follow the system's light or dark.

const dark = matchMedia("(prefers-color-scheme: dark)");

export const isDark = (): boolean => dark.matches;

/** Calls back when the system goes light or dark. */
export const onTheme = (callback: () => void): void => dark.addEventListener("change", callback);

/** Whether movement should start only when asked for. */
export const reducedMotion = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** The value of a custom property of the page, such as `--ink`. */
export const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();
