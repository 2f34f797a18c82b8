import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileSha256 } from '../data/file-sha256';
import { packageRoot } from '../package-root';

/** What a run tells about itself; the rest is found out. */
export interface ProvenanceInput {
  /** What the user chose, or the defaults in force. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Every other setting a result depends on: R, bits, encoding, ADC, ... */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Root seeds by purpose. */
  readonly seeds?: Readonly<Record<string, number>>;
  /** SHA-256 (or the checksum that the source publishes) of every data file or model read, by name. */
  readonly dataChecksums?: Readonly<Record<string, string>>;
  /** What computed: `{ name: 'TensorFlow', version: '2.18.1' }`. */
  readonly engine?: { readonly name: string; readonly version: string };
  readonly results?: Provenance['results'];
  /** When the run began; default: when this process did. */
  readonly startedAt?: Date;
}

/**
 * All that is needed to tell where a number came from and to get it again. No names or paths of the machine. Commit, times
 * and machine are those of the run that put the results together; `results` tells of the runs that computed them.
 */
export interface Provenance {
  readonly package: { readonly name: string; readonly version: string };
  /** `unknown` outside a git checkout. `dirty`: sources differ from the commit (figures, notebooks and what lies beside do not count). */
  readonly git: { readonly commit: string; readonly dirty: boolean | 'unknown' };
  readonly lockFileSha256: string;
  readonly node: string;
  readonly npm: string;
  readonly operatingSystem: {
    readonly platform: string;
    readonly release: string;
    readonly architecture: string;
  };
  readonly cpu: { readonly model: string; readonly cores: number };
  readonly memoryBytes: number;
  readonly engine: { readonly name: string; readonly version: string } | 'unknown';
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly seeds: Readonly<Record<string, number>>;
  readonly dataChecksums: Readonly<Record<string, string>>;
  /**
   * Of the results that were kept by this run or earlier ones: the distinct commits that computed them (`-dirty`: with
   * changes), the distinct engines they ran on, the sum of their computing seconds, and how many are of before results
   * told. Absent where none are kept.
   */
  readonly results?: {
    readonly commits: readonly string[];
    readonly engines: readonly string[];
    readonly seconds: number;
    readonly untold: number;
  };
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly seconds: number;
  /** Largest resident memory of this process so far. */
  readonly peakResidentBytes: number;
}

/** Gathers where results come from, as of now: call it when the results are there. */
export function provenance(input: ProvenanceInput = {}): Provenance {
  const { root, version } = packageRoot();
  const lockFile = join(root, 'package-lock.json');
  const finished = new Date();
  const started = input.startedAt ?? new Date(finished.getTime() - process.uptime() * 1000);
  return {
    package: { name: 'cim-pruning', version },
    git: gitState(root),
    lockFileSha256: existsSync(lockFile) ? fileSha256(lockFile) : 'unknown',
    node: process.versions.node,
    npm: npmVersion(),
    operatingSystem: { platform: platform(), release: release(), architecture: arch() },
    cpu: { model: cpus()[0]?.model.trim() ?? 'unknown', cores: cpus().length },
    memoryBytes: totalmem(),
    engine: input.engine ?? 'unknown',
    parameters: input.parameters ?? {},
    settings: input.settings ?? {},
    seeds: input.seeds ?? {},
    dataChecksums: input.dataChecksums ?? {},
    ...(input.results && { results: input.results }),
    startedAt: started.toISOString(),
    finishedAt: finished.toISOString(),
    seconds: Math.round(finished.getTime() - started.getTime()) / 1000,
    peakResidentBytes: process.resourceUsage().maxRSS * 1024,
  };
}

/** Commit and dirty flag of the checkout at `root`; `unknown` where `root` is not the top of one or git is missing. */
export function gitState(root: string): Provenance['git'] {
  const git = (...words: string[]) =>
    execFileSync('git', ['-C', root, ...words], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    // A package installed below somebody else's repository must not claim that repository's commit.
    if (realpathSync(git('rev-parse', '--show-toplevel')) !== realpathSync(root)) throw new Error();
    // What a run itself writes does not make its sources dirty.
    const others = [':(exclude)figures', ':(exclude)*.ipynb'];
    const changes = git('status', '--porcelain', '--untracked-files=no', '--', '.', ...others);
    const added = git('ls-files', '--others', '--exclude-standard', '--', 'src');
    return { commit: git('rev-parse', 'HEAD'), dirty: changes !== '' || added !== '' };
  } catch {
    return { commit: 'unknown', dirty: 'unknown' };
  }
}

function npmVersion(): string {
  const agent = /\bnpm\/(\S+)/.exec(process.env.npm_config_user_agent ?? '');
  if (agent) return agent[1];
  const folder = dirname(process.execPath);
  for (const place of ['../lib/node_modules/npm', 'node_modules/npm'])
    try {
      return JSON.parse(readFileSync(join(folder, place, 'package.json'), 'utf8')).version;
    } catch {
      // Not there; the next place may have it.
    }
  return 'unknown';
}
