/** Which bits of which polarity every weight may use. */
export interface BitMask {
  /** Bit p of an entry allows 2^p; [rows * columns]. */
  readonly mask: Uint8Array;
  /** 1 or -1: the polarity whose columns hold the bits; 0 only where the mask is 0 and no sign is known. */
  readonly sign: Int8Array;
}

/** The bits that sign-split codes use. */
export function maskOf(codes: Int8Array): BitMask {
  const mask = new Uint8Array(codes.length);
  const sign = new Int8Array(codes.length);
  for (let i = 0; i < codes.length; i++) {
    mask[i] = Math.abs(codes[i]);
    sign[i] = Math.sign(codes[i]);
  }
  return { mask, sign };
}

/** All bits of the weights that are not zero, each in its own polarity: the values may change, the choice stays. */
export function supportOf(codes: Int8Array, weightBits: number): BitMask {
  const { mask, sign } = maskOf(codes);
  return { mask: mask.map((bits) => (bits === 0 ? 0 : 2 ** (weightBits - 1) - 1)), sign };
}
