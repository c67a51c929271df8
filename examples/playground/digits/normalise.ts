// A drawing as MNIST's makers treated theirs: scaled to fit 20×20 with its proportions kept, then put into 28×28 with
// its centre of mass in the middle.

const SIDE = 28;
const BOX = 20;
const FAINT = 0.05;

/** How much ink each pixel has, from 0 to 1, row by row. */
export interface Drawing {
  readonly ink: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** The drawing as a network knows digits: 784 pixels from 0 to 1; undefined when there is none. */
export function normalise(drawing: Drawing): Float32Array<ArrayBuffer> | undefined {
  const box = boundsOf(drawing);
  if (box === undefined) return undefined;
  const small = shrink(drawing, box);
  return centre(small);
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function boundsOf({ ink, width, height }: Drawing): Box | undefined {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if (ink[y * width + x] < FAINT) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  return right < 0 ? undefined : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** The box at its new size: each pixel the mean of the area that it covers. */
function shrink({ ink, width }: Drawing, box: Box): Drawing {
  const scale = BOX / Math.max(box.width, box.height);
  const size = {
    width: Math.max(1, Math.round(box.width * scale)),
    height: Math.max(1, Math.round(box.height * scale)),
  };
  const columns = shares(box.width, size.width);
  const rows = shares(box.height, size.height);
  const small = new Float32Array(size.width * size.height);
  rows.forEach((row, i) => {
    columns.forEach((column, j) => {
      let sum = 0;
      for (const [y, byY] of row)
        for (const [x, byX] of column) sum += byY * byX * ink[(box.top + y) * width + box.left + x];
      small[i * size.width + j] = sum;
    });
  });
  return { ink: small, ...size };
}

/** For each of `to` equal parts of `from` pixels: which pixels it covers, and their shares of it. */
function shares(from: number, to: number): (readonly [number, number])[][] {
  const length = from / to;
  return Array.from({ length: to }, (_, i) => {
    const [start, end] = [i * length, (i + 1) * length];
    const first = Math.floor(start);
    return Array.from({ length: Math.min(from, Math.ceil(end - 1e-9)) - first }, (_, k) => {
      const pixel = first + k;
      return [pixel, (Math.min(end, pixel + 1) - Math.max(start, pixel)) / length] as const;
    });
  });
}

function centre({ ink, width, height }: Drawing): Float32Array<ArrayBuffer> {
  let [sum, sumX, sumY] = [0, 0, 0];
  ink.forEach((value, i) => {
    sum += value;
    sumX += value * (i % width);
    sumY += value * Math.floor(i / width);
  });
  const place = (middle: number, size: number): number =>
    Math.min(SIDE - size, Math.max(0, Math.round((SIDE - 1) / 2 - middle)));
  const [left, top] = [place(sumX / sum, width), place(sumY / sum, height)];
  const image = new Float32Array(SIDE * SIDE);
  ink.forEach((value, i) => (image[(top + Math.floor(i / width)) * SIDE + left + (i % width)] = Math.min(1, value)));
  return image;
}
