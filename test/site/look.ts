// Runs in each page of the site before its own scripts, as `look`: follows links, searches, and tells what it finds.
interface Links {
  /** Pages that were read. */
  readonly pages: readonly string[];
  readonly dead: readonly string[];
}

const look = {
  /** Reads every page of the site that links lead to, and notes links and anchors that lead nowhere. */
  async links(): Promise<Links> {
    const root = new URL(".", location.href).href;
    const found = new Map<string, Promise<Document | "file" | undefined>>();
    const wanted: { from: string; to: URL }[] = [];
    const read = (address: string, from: string): void => {
      if (found.has(address)) return;
      const page = fetchPage(address);
      found.set(address, page);
      reading.push(
        page.then((document) => {
          if (document === undefined) dead.push(`${from}: ${address}`);
          else if (document !== "file") collect(document, address);
        }),
      );
    };
    const collect = (document: Document, address: string): void => {
      for (const element of document.querySelectorAll("[href], [src]")) {
        const link = element.getAttribute("href") ?? element.getAttribute("src") ?? "";
        if (link === "" || /^(data|mailto|javascript):/.test(link)) continue;
        const to = new URL(link, address);
        if (!to.href.startsWith(root)) {
          if (to.origin === location.origin || element.tagName !== "A")
            dead.push(`${address}: ${link} leads out of the site`);
          continue;
        }
        wanted.push({ from: address, to });
        read(to.href.replace(/#.*/, ""), address);
      }
    };
    const dead: string[] = [];
    const reading: Promise<void>[] = [];
    read(`${root}index.html`, root);
    for (let i = 0; i < reading.length; i++) await reading[i]; // grows meanwhile
    for (const { from, to } of wanted) {
      const id = decodeURIComponent(to.hash.slice(1));
      const page = await found.get(to.href.replace(/#.*/, ""));
      if (id !== "" && page instanceof Document && !page.getElementById(id))
        dead.push(`${from}: no #${id} in ${to.pathname}`);
    }
    const name = (address: string): string => address.slice(root.length);
    return {
      pages: [...found.keys()].map(name).filter((page) => page.endsWith(".html")),
      dead: [...new Set(dead)].map((fault) => fault.replaceAll(root, "")),
    };
  },

  /** Types into an input as a person would, for scripts that listen. */
  type(selector: string, text: string): void {
    const input = document.querySelector<HTMLInputElement>(selector)!;
    input.focus();
    input.value = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  },

  /** How many elements a selector has. */
  count: (selector: string): number => document.querySelectorAll(selector).length,

  click(selector: string): void {
    document.querySelector<HTMLElement>(selector)!.click();
  },
};

/** A page as a document; "file" for one of another kind, and undefined for what is not there. */
async function fetchPage(address: string): Promise<Document | "file" | undefined> {
  const response = await fetch(address);
  if (!response.ok) return undefined;
  if (!response.headers.get("Content-Type")?.startsWith("text/html")) return "file";
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

Object.assign(globalThis, { look });
