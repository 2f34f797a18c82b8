import { resolve, sep } from 'node:path';
import { packageRoot } from '../package-root';
import { gitState, type Provenance } from '../reports/provenance';
import { engineVersion } from '../tensor/engine';

/** Where a kept result came from. */
export interface ResultOrigin {
  /** When it was there, ISO 8601, UTC. */
  readonly at: string;
  /** What computing took, without the results within that have an origin of their own. */
  readonly seconds: number;
  /** Git commit of the sources, `-dirty` behind it where they differed; `unknown` outside a checkout. */
  readonly commit: string;
  /** Name and version of the tensor engine; absent in results of before it was kept. */
  readonly engine?: string;
}

let found: string | undefined;
let secondsKept = 0;

/** Starts the clock of a result that is about to be computed; call what it returns when that is there. */
export function timeResult(): () => ResultOrigin {
  const commit = sourcesCommit();
  const [started, keptBefore] = [performance.now(), secondsKept];
  return () => {
    const passed = (performance.now() - started) / 1000;
    const seconds = passed - (secondsKept - keptBefore);
    secondsKept = keptBefore + passed;
    const { name, version } = engineVersion();
    const engine = `${name} ${version}`;
    return { at: new Date().toISOString(), seconds: Math.round(seconds * 1000) / 1000, commit, engine };
  };
}

/** Asked once a process, when its first result begins: a commit made while it computes is not of its sources. */
function sourcesCommit(): string {
  if (found === undefined) {
    const { commit, dirty } = gitState(packageRoot().root);
    found = dirty === true ? `${commit}-dirty` : commit;
  }
  return found;
}

const used = new Map<string, ResultOrigin | undefined>();

/** Remembers that this process used the kept result in a file; `origin` undefined: it does not tell. */
export function noteUse(path: string, origin: ResultOrigin | undefined): void {
  used.set(resolve(path), origin);
}

/** Of the kept results in a folder and below it that this process used, for provenance; undefined where there are none. */
export function resultsUsed(folder: string): Provenance['results'] {
  const below = resolve(folder) + sep;
  return originsOf([...used.keys()].filter((path) => path.startsWith(below)));
}

/** The same of the kept results in some files. */
export function originsOf(paths: readonly string[]): Provenance['results'] {
  const known = paths.map((path) => resolve(path)).filter((path) => used.has(path));
  const origins = known.map((path) => used.get(path));
  if (origins.length === 0) return undefined;
  const told = origins.filter((origin) => origin !== undefined);
  return {
    commits: [...new Set(told.map((origin) => origin.commit))].sort(),
    engines: [...new Set(told.map(({ engine = 'unknown' }) => engine))].sort(),
    seconds: Math.round(told.reduce((sum, { seconds }) => sum + seconds, 0) * 1000) / 1000,
    untold: origins.length - told.length,
  };
}

/** Of two sets of results together. */
export function joinedOrigins(a: Provenance['results'], b: Provenance['results']): Provenance['results'] {
  if (!a || !b) return a ?? b;
  return {
    commits: [...new Set([...a.commits, ...b.commits])].sort(),
    engines: [...new Set([...(a.engines ?? []), ...(b.engines ?? [])])].sort(),
    seconds: Math.round((a.seconds + b.seconds) * 1000) / 1000,
    untold: a.untold + b.untold,
  };
}
