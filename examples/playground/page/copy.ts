/** Makes a button copy a text; it says whether that worked, for a moment. */
export function copyOnClick(button: HTMLButtonElement, text: () => string): void {
  const label = button.dataset.label!;
  let timer: ReturnType<typeof setTimeout> | undefined;
  button.addEventListener("click", () => {
    void copy(text()).then((done) => {
      button.textContent = done ? "Copied" : "Not allowed";
      clearTimeout(timer);
      timer = setTimeout(() => (button.textContent = label), 2000);
    });
  });
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyOldWay(text); // pages without https have no clipboard
  }
}

function copyOldWay(text: string): boolean {
  const focused = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "aside";
  document.body.append(area);
  area.select();
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const done = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return done;
}
