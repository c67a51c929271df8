// What the page and its worker tell each other.
import type { RuleName } from "../../mnist/rules.ts";

export const CONVOLUTIONS = "convolutions";

/** What is trained, and with what. */
export interface Setup {
  readonly rule: RuleName;
  readonly lr: number;
  /** Widths of the hidden layers, or the convolutional net of the MNIST command. */
  readonly hidden: readonly number[] | typeof CONVOLUTIONS;
}

/** How far a network has come. */
export interface Standing {
  readonly setup: Setup;
  /** Passes over the training images. */
  readonly epochs: number;
  /** Weights of the first convolution, if there is one: 3 x 3 for each of its channels. */
  readonly filters: Float32Array | undefined;
}

export type Request =
  | { readonly kind: "open"; readonly train: string; readonly test: string; readonly setup: Setup }
  | { readonly kind: "restart"; readonly setup: Setup }
  | { readonly kind: "rate"; readonly lr: number }
  | { readonly kind: "train"; readonly epochs: number }
  | { readonly kind: "pause" }
  | { readonly kind: "predict"; readonly image: Float32Array }
  | { readonly kind: "example" }
  | { readonly kind: "save" }
  | { readonly kind: "load"; readonly file: Uint8Array };

/** While training runs. */
export interface Progress {
  readonly kind: "progress";
  readonly epochs: number;
  /** The mean over the batches since the last report. */
  readonly loss: number;
  /** Of test images: of all of them where `whole`. */
  readonly accuracy: number;
  readonly whole: boolean;
  readonly samplesPerSecond: number;
  /** As in {@link Standing}. */
  readonly filters: Float32Array | undefined;
}

export type Reply =
  | {
      readonly kind: "ready";
      readonly train: number;
      readonly test: number;
      readonly threads: number;
      readonly standing: Standing;
    }
  | { readonly kind: "fresh"; readonly standing: Standing }
  | Progress
  | { readonly kind: "stopped"; readonly finished: boolean }
  | { readonly kind: "prediction"; readonly probabilities: readonly number[] }
  | { readonly kind: "example"; readonly image: Float32Array; readonly label: number }
  | { readonly kind: "saved"; readonly file: Uint8Array<ArrayBuffer>; readonly standing: Standing }
  | { readonly kind: "loaded"; readonly standing: Standing; readonly accuracy: number }
  | { readonly kind: "failed"; readonly what: Request["kind"]; readonly message: string };
