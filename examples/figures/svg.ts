import { JSDOM } from "jsdom";

const SVG = "http://www.w3.org/2000/svg";

const { window } = new JSDOM("");
export const { document } = window;

export function element(name: string, attributes: Record<string, string | number>): Element {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  return node;
}

export function text(content: string, x: number, y: number, attributes: Record<string, string | number>): Element {
  const node = element("text", { x, y, ...attributes });
  node.textContent = content;
  return node;
}

/** XML, which is stricter than HTML, with one newline at the end. */
export function serialize(root: Element): string {
  return `${new window.XMLSerializer().serializeToString(root)}\n`;
}
