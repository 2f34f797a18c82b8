import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { pruneByPytorch } from '../../src/admm/prune-by-pytorch';
import { isRefresh, REFRESHED_METHOD, refreshedSteps } from '../../src/admm/refreshing';
import {
  choosesBits,
  drawAfter,
  RELAXED_METHOD,
  relaxedLimit,
  relaxedSteps,
} from '../../src/admm/relaxation';
import { generatedPictures } from '../../src/data/generated-pictures';
import { certifyNetwork } from '../../src/experiments/certify-network';
import { initialParameters } from '../../src/networks/initial-parameters';
import { readSafetensors } from '../../src/networks/read-safetensors';
import { packageRoot } from '../../src/package-root';
import { type PytorchStage, runPytorch } from '../../src/training/pytorch/run-pytorch';
import { scratchFolder } from '../networks/scratch-folder';
import { mixedNetwork } from './small-networks';
import { standInPython } from './stand-in-python';

const scratch = scratchFolder();
mkdirSync(scratch('.'), { recursive: true });
const python = standInPython(scratch('python'));
const network = mixedNetwork({ dropout: 0 });
const dataset = generatedPictures({ train: 40, test: 8, size: 16, classes: 4 });
const start = initialParameters(network, 2);
const stage: PytorchStage = {
  epochs: 1,
  batchSize: 8,
  rate: 0.1,
  warmup: 0,
  weightDecay: 0,
  labelSmoothing: 0,
  crop: 0,
  cutout: 0,
  averageDecay: 0,
  distillation: 0,
};
const job = { network, dataset, normalisation: dataset, stage, seed: 3, start };

describe('runPytorch', () => {
  it('writes pictures, start and stage for the other engine, tells its epochs and reads its result', async () => {
    const notes: string[] = [];
    const note = (line: string) => notes.push(line);
    const result = await runPytorch(python, scratch('one'), job, { note });
    expect(notes).toEqual(['epoch 1/1: loss 1.500, train 50.0 %, test 40.00 %, 2 s']);
    expect(result?.engine).toEqual({ name: 'stand-in', version: '1' });
    expect(result?.tensors.get('fc1.weight')?.data).toEqual(start.get('fc1.weight')!.data);
    const { tensors } = readSafetensors(scratch('one/data.safetensors'));
    expect(tensors.get('train.pixels')).toMatchObject({ shape: [40, 16, 16, 3], data: dataset.train.pixels });
    expect(tensors.get('test.labels')?.data).toEqual(dataset.test.labels);
    const written = JSON.parse(readFileSync(scratch('one/job.json'), 'utf8'));
    expect(written).toMatchObject({ stage, seed: 3, teacher: null, description: network });

    // What is no record, as a warning, is told as it is.
    vi.stubEnv('STAND_IN_WARNS', '{UserWarning} slow');
    await runPytorch(python, scratch('warned'), job, { note });
    vi.unstubAllEnvs();
    expect(notes.splice(1)).toEqual(['{UserWarning} slow', notes[0]]);
    const signal = AbortSignal.abort();
    expect(await runPytorch('no such python', scratch('stopped'), job, { note, signal })).toBeUndefined();

    // A result of the same training is taken as it is, one of another is not.
    await runPytorch('no such python', scratch('one'), job, { note });
    const others = [
      { seed: 4 },
      { stage: { ...stage, rate: 0.2 } },
      { start: initialParameters(network, 5) },
    ];
    for (const other of [...others, { teacher: start }, { dataset: { ...dataset, checksums: {} } }])
      await expect(
        runPytorch('no such python', scratch('one'), { ...job, ...other }, { note }),
      ).rejects.toThrow('--pytorch: cannot run no such python');
    expect(notes).toHaveLength(1);
  });

  it('fails with the last line of what the other engine said', async () => {
    const failing = runPytorch(
      python,
      scratch('two'),
      { ...job, start: undefined },
      { note: () => undefined },
    );
    await expect(failing).rejects.toThrow('failed: RuntimeError: no start');
  });
});

describe('pruneByPytorch', () => {
  const options = {
    python,
    description: network,
    parameters: start,
    normalisation: dataset,
    dataset,
    calibration: dataset.train,
    seed: 1,
    adcBits: 1,
    bits: { weightBits: 8, inputBits: 8 },
    note: () => undefined,
    stage: {
      ...stage,
      prune: { rows: 32, bitLimit: 1, interval: 1, relax: 0.5, pull: [0.01, 0.1] as const },
    },
  };

  it('gives an integer network of exactly the codes that came back, with a certificate', async () => {
    const pruned = await pruneByPytorch({ ...options, folder: scratch('pruned') });
    for (const { codes, rows, columns } of pruned!.network.layers.values())
      for (let column = 0; column < columns; column++) {
        const own = Array.from({ length: rows }, (_, row) => codes[row * columns + column]);
        // Batch norm's factor may be negative, and turns all signs of a column.
        const sign = Math.sign(own[0]);
        expect(own.map((code) => code * sign)).toEqual([1, 2, -4, ...Array(rows - 3).fill(0)]);
      }
    expect(certifyNetwork(pruned!.network).lossless).toBe(true);
  });

  it('says how the bits were chosen', async () => {
    const refreshed = {
      ...options.stage,
      prune: { rows: 32, bitLimit: 1, refreshes: 3, pull: [0.001, 0.001] as const },
    };
    const made = await pruneByPytorch({ ...options, folder: scratch('refreshed'), stage: refreshed });
    expect(made!.network.pruning?.method).toBe(REFRESHED_METHOD);
    const relaxed = await pruneByPytorch({ ...options, folder: scratch('relaxed') });
    expect(relaxed!.network.pruning?.method).toBe(RELAXED_METHOD);
    expect(JSON.parse(readFileSync(scratch('refreshed/job.json'), 'utf8')).stage).toEqual(refreshed);
  });

  it('starts from the codes of a pruned network', async () => {
    const { network: first } = (await pruneByPytorch({ ...options, folder: scratch('first') }))!;
    await pruneByPytorch({ ...options, folder: scratch('second'), start: first });
    const { tensors } = readSafetensors(scratch('second/start.safetensors'));
    // [out, in]: codes 1, 2, -4 times one scale a channel, then zeros.
    const { shape, data } = tensors.get('fc1.weight')!;
    for (let out = 0; out < shape[0]; out++) {
      const row = Array.from(data.slice(out * shape[1], (out + 1) * shape[1]) as Float32Array);
      expect(row[1] / row[0]).toBeCloseTo(2, 5);
      expect(row[2] / row[0]).toBeCloseTo(-4, 5);
      expect(row.slice(3).every((value) => value === 0)).toBe(true);
    }
  });

  it('tells the other engine the bits of weights that are not 8, and refuses larger codes', async () => {
    const weightsOf = (weightBits: number) => ({
      ...options,
      folder: scratch(`weights-${weightBits}`),
      bits: { weightBits, inputBits: 8 },
    });
    const pruned = await pruneByPytorch(weightsOf(4));
    expect(pruned!.network.weightBits).toBe(4);
    const toldTo = (folder: string) => JSON.parse(readFileSync(scratch(`${folder}/job.json`), 'utf8')).stage;
    expect(toldTo('weights-4').prune.weightBits).toBe(4);
    expect(toldTo('pruned').prune).not.toHaveProperty('weightBits');
    // The codes that come back reach 4.
    await expect(pruneByPytorch(weightsOf(3))).rejects.toThrow(/no '[^']+\.codes' \(I8 .*, at most 3\)/);
  });

  it('starts a training of fewer weight bits from a network of more', async () => {
    const { network: first } = (await pruneByPytorch({ ...options, folder: scratch('eight') }))!;
    const bits = { weightBits: 4, inputBits: 8 };
    const second = await pruneByPytorch({ ...options, folder: scratch('four'), start: first, bits });
    expect(second!.network.weightBits).toBe(4);
  });
});

describe('the programs for PyTorch', () => {
  const relaxed = { rows: 128, bitLimit: 1, interval: 20, relax: 0.57, pull: [0.001, 0.1] as const };
  const refreshed = { rows: 128, bitLimit: 1, refreshes: 13, pull: [0.01, 0.002] as const };

  it.each([relaxed, { ...relaxed, firstBitLimit: 7, bitLimit: 3 }, { ...relaxed, relax: 0.99 }, refreshed])(
    'choose bits, under the limits, and draw weights when our own engine does: %j',
    (prune) => {
      const STEPS = 111;
      const told = execFileSync('python3', [
        '-B',
        '-c',
        `import json, sys
sys.path.insert(0, sys.argv[1])
from bit_schedule import bit_limit, chooses_bits, is_relaxed, pull_after
prune = json.loads(sys.argv[2])
print(json.dumps([[of(prune, step, ${STEPS}) for of in (chooses_bits, bit_limit, is_relaxed, pull_after)]
                  for step in range(${STEPS})]))`,
        join(packageRoot().root, 'src/training/pytorch'),
        JSON.stringify(prune),
      ]);
      const rows = JSON.parse(told.toString()) as [boolean, number, boolean, number][];
      expect(rows).toHaveLength(STEPS);
      for (const [step, [chooses, limit, isRelaxed, share]] of rows.entries()) {
        const at = `step ${step}`;
        if ('refreshes' in prune) {
          // Its bits before the first step are those of the start.
          expect(chooses, at).toBe(step === 0 || isRefresh(step, STEPS, prune.refreshes));
          expect(limit, at).toBe(prune.bitLimit);
          expect(isRelaxed, at).toBe(false);
          expect(share, at).toBeCloseTo(drawAfter(prune.pull, step, refreshedSteps(STEPS)), 12);
          continue;
        }
        const relaxation = { ...prune, share: prune.relax };
        const last = relaxedSteps(relaxation, STEPS);
        expect(chooses, at).toBe(choosesBits(relaxation, step, STEPS));
        if (chooses) expect(limit, at).toBe(relaxedLimit(relaxation, prune.bitLimit, step, STEPS));
        expect(isRelaxed, at).toBe(step < last);
        expect(share, at).toBeCloseTo(drawAfter(prune.pull, step, last), 12);
      }
    },
  );

  it('are Python that compiles', () => {
    const folder = join(packageRoot().root, 'src/training/pytorch');
    const files = readdirSync(folder).filter((name) => name.endsWith('.py'));
    expect(files).toContain('run_job.py');
    const check = 'import ast, sys\nfor name in sys.argv[1:]: ast.parse(open(name).read(), name)';
    execFileSync('python3', ['-c', check, ...files.map((name) => join(folder, name))]);
    rmSync(join(folder, '__pycache__'), { recursive: true, force: true });
  });
});
