/** Pictures of one split in memory: uint8, NHWC, RGB, `labels[i]` in 0..classes-1. */
export interface PictureSet {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** [count, height, width, channels] */
  readonly pixels: Uint8Array;
  readonly labels: Int32Array;
}

/** Pictures without labels. */
export type Unlabelled = Omit<PictureSet, 'labels'>;

/** A data set with its provenance. */
export interface Dataset {
  readonly name: string;
  /** For titles: `CIFAR10`, or `generated pictures (not CIFAR10)`. */
  readonly title: string;
  /** False for pictures the package generated. */
  readonly real: boolean;
  readonly classes: readonly string[];
  /** Per channel, of pixels / 255. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly train: PictureSet;
  readonly test: PictureSet;
  /** SHA-256 of every file read, by file name; for generated pictures of the pixels. */
  readonly checksums: Readonly<Record<string, string>>;
}
