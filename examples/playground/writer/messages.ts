// What the page of the GPT and its worker tell each other.

export type Request =
  | { readonly kind: "open"; readonly book: string }
  | { readonly kind: "train" }
  | { readonly kind: "pause" }
  | { readonly kind: "restart" }
  | { readonly kind: "prompt"; readonly text: string };

export type Reply =
  | { readonly kind: "ready"; readonly characters: number; readonly parameters: number; readonly threads: number }
  | {
      readonly kind: "progress";
      readonly steps: number;
      /** Nats a character, the mean since the last report. */
      readonly loss: number;
      readonly charactersPerSecond: number;
    }
  /** What the network writes after the prompt, after so many steps. */
  | { readonly kind: "written"; readonly steps: number; readonly prompt: string; readonly text: string }
  | { readonly kind: "failed"; readonly message: string };
