// To be imported first: uPlot formats numbers in the browser's language when it is loaded, and throws for one that Intl does
// not know, such as the "C" of a system without a locale.
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, "language", { value: "en" });
}
