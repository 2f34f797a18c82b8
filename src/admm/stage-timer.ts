/** What pruning a layer consists of. */
export const pruningStages = ['moments', 'solving', 'projecting', 'moving', 'inference'] as const;
export type PruningStage = (typeof pruningStages)[number];

/** Seconds spent on each stage. */
export type StageSeconds = Readonly<Record<PruningStage, number>>;

/** Of several layers together. */
export function totalSeconds(layers: readonly StageSeconds[]): StageSeconds {
  const sum = (stage: PruningStage) => layers.reduce((total, seconds) => total + seconds[stage], 0);
  return Object.fromEntries(pruningStages.map((stage) => [stage, sum(stage)])) as Record<
    PruningStage,
    number
  >;
}

export interface StageTimer {
  /** Runs `body` and adds its time to the stage's. */
  time<T>(stage: PruningStage, body: () => T): T;
  seconds(): StageSeconds;
}

export function createStageTimer(): StageTimer {
  const total = Object.fromEntries(pruningStages.map((stage) => [stage, 0])) as Record<PruningStage, number>;
  return {
    time(stage, body) {
      const started = performance.now();
      try {
        return body();
      } finally {
        total[stage] += (performance.now() - started) / 1000;
      }
    },
    seconds: () => ({ ...total }),
  };
}
