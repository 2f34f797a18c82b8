/** Convolutions as plain loops in double precision, to compare the engine with. Pictures NHWC, kernels HWIO. */
export interface PlainShape {
  readonly stride: number;
  readonly padding: number;
}

type Sides = readonly [number, number, number, number];

export const outputSide = (side: number, kernel: number, { stride, padding }: PlainShape) =>
  Math.floor((side + 2 * padding - kernel) / stride) + 1;

/** Calls `visit` with the flat indices of every product y += x * w. */
function eachProduct(
  [n, h, w, c]: Sides,
  [kernel, , , o]: Sides,
  shape: PlainShape,
  visit: (y: number, x: number, weight: number) => void,
): void {
  const outH = outputSide(h, kernel, shape);
  const outW = outputSide(w, kernel, shape);
  for (let picture = 0; picture < n; picture++)
    for (let oy = 0; oy < outH; oy++)
      for (let ox = 0; ox < outW; ox++)
        for (let ky = 0; ky < kernel; ky++)
          for (let kx = 0; kx < kernel; kx++) {
            const y = oy * shape.stride + ky - shape.padding;
            const x = ox * shape.stride + kx - shape.padding;
            if (y < 0 || y >= h || x < 0 || x >= w) continue;
            for (let i = 0; i < c; i++)
              for (let j = 0; j < o; j++)
                visit(
                  ((picture * outH + oy) * outW + ox) * o + j,
                  ((picture * h + y) * w + x) * c + i,
                  ((ky * kernel + kx) * c + i) * o + j,
                );
          }
}

export function plainConv2d(
  x: ArrayLike<number>,
  xShape: Sides,
  w: ArrayLike<number>,
  wShape: Sides,
  shape: PlainShape,
): Float64Array {
  const [n, height, width] = xShape;
  const places = outputSide(height, wShape[0], shape) * outputSide(width, wShape[0], shape);
  const y = new Float64Array(n * places * wShape[3]);
  eachProduct(xShape, wShape, shape, (at, from, weight) => {
    y[at] += x[from] * w[weight];
  });
  return y;
}

/** Gradients with respect to x and w of sum(y * gradient). */
export function plainConv2dGradients(
  x: ArrayLike<number>,
  xShape: Sides,
  w: ArrayLike<number>,
  wShape: Sides,
  gradient: ArrayLike<number>,
  shape: PlainShape,
): { dx: Float64Array; dw: Float64Array } {
  const dx = new Float64Array(x.length);
  const dw = new Float64Array(w.length);
  eachProduct(xShape, wShape, shape, (at, from, weight) => {
    dx[from] += gradient[at] * w[weight];
    dw[weight] += gradient[at] * x[from];
  });
  return { dx, dw };
}
