// What the page of TensorFlow.js and its worker tell each other.

/** The networks, by their functions in examples/tfjs/networks.ts. */
export const networks = {
  mlp: "a network of dense layers, 784-128-10, batch 64",
  lstm: "an LSTM of 128 units, 32 steps, batch 32",
  gpt: "a GPT of 4 blocks, 16 × 64 tokens",
  cnn: "a net of two convolutions, batch 64",
  autoencoder: "an autoencoder with batch normalization, batch 32",
} as const;
export type NetworkName = keyof typeof networks;

/** Milliseconds of a step, or why there is none. */
export type Measured = number | string;

export type Reply =
  | { readonly kind: "measured"; readonly name: NetworkName; readonly alone: Measured; readonly ours: Measured }
  | { readonly kind: "done" };
