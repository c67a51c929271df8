// Made words: a voice and hiss through the resonances of a mouth that moves, as formant synthesizers make speech (Klatt 1980).
import { Random } from "gradstep/nn";

/** Samples a second, and samples of a word: 0.3 s. */
export const RATE = 8000;
export const LENGTH = 2400;

/** The first three resonances of a mouth that says a vowel, in Hz (Peterson and Barney 1952, men). */
const vowels = {
  a: [730, 1090, 2440],
  i: [270, 2290, 3010],
  u: [300, 870, 2240],
} as const;
type Vowel = keyof typeof vowels;

/** The vowel at the beginning and at the end of a word, and where there is a hiss. */
interface Word {
  readonly name: string;
  readonly from: Vowel;
  readonly to: Vowel;
  readonly hiss?: "first" | "last";
}

/** The ten words. Some have the same sounds in another order. */
export const words: readonly Word[] = [
  { name: "ah", from: "a", to: "a" },
  { name: "ee", from: "i", to: "i" },
  { name: "oo", from: "u", to: "u" },
  { name: "eye", from: "a", to: "i" },
  { name: "ya", from: "i", to: "a" },
  { name: "ow", from: "a", to: "u" },
  { name: "wa", from: "u", to: "a" },
  { name: "we", from: "u", to: "i" },
  { name: "sah", from: "a", to: "a", hiss: "first" },
  { name: "ahs", from: "a", to: "a", hiss: "last" },
];

/** Recordings, row by row. */
export interface Recordings {
  /** [count, {@link LENGTH}], about in [-1, 1]. */
  readonly x: Float32Array;
  /** The index of each recording's word. */
  readonly y: Uint8Array;
}

/** Says words, each by a speaker of its own: with another pitch, another length of the throat, another pace and more or less noise. */
export function say(count: number, seed: number): Recordings {
  const random = new Random(seed);
  const x = new Float32Array(count * LENGTH);
  const y = Uint8Array.from({ length: count }, () => random.below(words.length));
  y.forEach((word, row) => sayOne(words[word], random, x.subarray(row * LENGTH, (row + 1) * LENGTH)));
  return { x, y };
}

/** The word takes 60 to 100 % of the recording. */
function sayOne({ from, to, hiss }: Word, random: Random, samples: Float32Array): void {
  const between = (least: number, most: number): number => least + (most - least) * random.uniform();
  const noise = (): number => random.uniform() + random.uniform() - 1;
  const throat = between(0.9, 1.25); // of a child it is short, and its resonances are high
  const [pitch, glide] = [between(90, 260), between(0.8, 1.2)];
  const length = Math.floor(between(0.6, 1) * LENGTH);
  const start = Math.floor(random.uniform() * (LENGTH - length));
  const [middle, pace] = [between(0.4, 0.6), between(6, 12)];
  const hissed = between(0.3, 0.4);
  const background = between(0.005, 0.05);
  const mouth = [new Resonance(80), new Resonance(100), new Resonance(150)];
  let phase = random.uniform();
  let before = 0;
  for (let i = 0; i < length; i++) {
    const time = i / length;
    const isHiss = hiss === "first" ? time < hissed : hiss === "last" && time > 1 - hissed;
    let sample;
    if (isHiss) {
      const white = noise();
      sample = 0.5 * (white - before); // high frequencies
      before = white;
    } else {
      const moved = 1 / (1 + Math.exp(-pace * (time - middle)));
      phase += (pitch * (1 + (glide - 1) * time)) / RATE;
      phase -= Math.floor(phase);
      const voice = phase < 0.6 ? phase * (0.6 - phase) * (0.4 - phase) : 0; // a smooth pulse of the vocal cords, then a pause
      sample = 12 * voice + 0.02 * noise();
      let pressed = sample;
      mouth.forEach((resonance, k) => {
        const hertz = vowels[from][k] + moved * (vowels[to][k] - vowels[from][k]);
        pressed = resonance.next(pressed, throat * hertz);
      });
      sample = 4 * (pressed - before); // what the lips radiate
      before = pressed;
    }
    samples[start + i] = sample * Math.min(1, 20 * time, 20 * (1 - time));
  }
  const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 1e-6);
  const volume = between(0.3, 1) / loudest;
  for (let i = 0; i < LENGTH; i++) samples[i] = volume * samples[i] + background * noise();
}

/** A resonance of the given width in Hz: a filter of second order, with an amplification of 1 at 0 Hz. */
class Resonance {
  readonly #radius: number;
  #last = 0;
  #before = 0;

  constructor(width: number) {
    this.#radius = Math.exp((-Math.PI * width) / RATE);
  }

  next(sample: number, hertz: number): number {
    const b = 2 * this.#radius * Math.cos((2 * Math.PI * Math.min(hertz, 0.47 * RATE)) / RATE);
    const c = -this.#radius * this.#radius;
    const result = (1 - b - c) * sample + b * this.#last + c * this.#before;
    this.#before = this.#last;
    this.#last = result;
    return result;
  }
}
