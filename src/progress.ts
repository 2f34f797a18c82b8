/** How far a long piece of work has come. `done` and `total` are in the work's own units. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  /** What is being done now, a few words. */
  readonly note?: string;
}

/** Takes reports from anything that may run longer than two seconds; shell, notebook and log each show them their way. */
export type OnProgress = (progress: Progress) => void;
