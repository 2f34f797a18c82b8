import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../src/commands/command';
import { pruneCommand } from '../../src/commands/prune';
import { runFineTuning } from '../../src/commands/run-fine-tuning';
import { trainCommand } from '../../src/commands/train';
import { useFastEngines } from '../../src/experiments/fast-engines';
import { byPytorch, fineTuningRecipes, IMPORTED } from '../../src/experiments/fine-tuning-recipes';
import { ingredients, type Recipe } from '../../src/experiments/recipes';
import { dropClaims } from '../../src/experiments/verify-report';
import { initialParameters } from '../../src/networks/initial-parameters';
import { networkByName } from '../../src/networks/network-by-name';
import { readSafetensorsMetadata } from '../../src/networks/read-safetensors';
import { saveParameters } from '../../src/networks/save-parameters';
import { scratchFolder } from '../networks/scratch-folder';

useFastEngines({ threads: 1 });

const scratch = scratchFolder();
const data = scratch('pictures');
const model = scratch('imported.safetensors');
const context = { note: () => undefined, onProgress: () => undefined, signal: new AbortController().signal };
const SIZE = '--size 16 --resize 16';
const LAYERS = `--rows 32 --calibration 16 --iterations 1 --patches 200 ${SIZE}`;

const recipe = (name: string, line: string): Recipe => ({
  name,
  data: 'imagenet-folder',
  line,
  minutes: 1,
  time: 'estimated',
});

const recipes = [
  recipe('fine-tuned', `train tiny --start {${IMPORTED}} --epochs 1 --batch-size 16 ${SIZE}`),
  recipe('layers', `prune {fine-tuned} --adc-bits 2 ${LAYERS}`),
  recipe(
    'fine-tuned-pruned',
    `prune {fine-tuned} --method training --start {layers} --adc-bits 2 --rows 32 --calibration 16 --epochs 1 --batch-size 16 ${SIZE}`,
  ),
];

beforeAll(async () => {
  const description = networkByName('tiny');
  saveParameters(model, description, initialParameters(description, 1));
  const colours = { red: '#b33', green: '#3b3', blue: '#33b' };
  for (const [part, count] of Object.entries({ train: 12, val: 5 }))
    for (const [name, background] of Object.entries(colours)) {
      mkdirSync(join(data, part, name), { recursive: true });
      for (let i = 0; i < count; i++)
        await sharp({ create: { width: 20 + i, height: 20, channels: 3, background } })
          .jpeg()
          .toFile(join(data, part, name, `${i}.jpg`));
    }
});

const run = (folder: string) =>
  runFineTuning({
    dataDir: data,
    model,
    folder: scratch(folder),
    figures: scratch('figures'),
    recipes,
    size: 16,
    context,
  });

describe('reproduce --experiment fine-tuning', () => {
  it('fine-tunes the imported network on other classes, prunes it, and measures the drop on all test pictures', async () => {
    const { result, verdict } = await run('first');
    expect(result.networks.map(({ name, kind }) => [name, kind])).toEqual([
      ['fine-tuned', 'float'],
      ['fine-tuned, 8 bits', '8-bit'],
      ['fine-tuned-pruned', 'pruned'],
    ]);
    expect(result.networks[2].measured).toMatchObject({
      accuracy: { pictures: 15 },
      crossbar: { agrees: true },
    });
    expect(result.networks[2].recounted).toMatchObject({ lossless: true, requiredAdcBits: 2 });
    expect(verdict.results.map(({ id }) => id)).toEqual([
      'fine-tuned-pruned lossless',
      'fine-tuned-pruned crossbar',
      'fine-tuned-pruned drop',
    ]);
    expect(Object.keys(result.checksums)).toContain('val (names, sizes)');
    const provenance = JSON.parse(
      readSafetensorsMetadata(scratch('first/fine-tuned.safetensors')).provenance,
    );
    expect(Object.keys(provenance.dataChecksums)).toEqual(['train (names, sizes)', 'val (names, sizes)']);
    expect(readdirSync(scratch('figures'))).toContain('09-fine-tuning.md');
  });

  it('asks for pictures and network in one line', async () => {
    const options = { folder: scratch('none'), figures: scratch('none'), context };
    await expect(runFineTuning(options)).rejects.toThrow(/--data DIR and the network with --model FILE/);
  });
});

describe('dropClaims', () => {
  it('fail where a pruned network loses more than it may', async () => {
    const { result } = await run('first');
    const drop = result.networks[2].measured!.fromFloat!.mean;
    for (const [most, passed] of [
      [drop + 0.01, true],
      [drop - 0.01, false],
    ] as const) {
      const { claims, obtained } = dropClaims(result, most);
      const claim = claims.find(({ id }) => id.endsWith(' drop'))!;
      expect(Number(obtained[claim.id]) <= Number(claim.expected)).toBe(passed);
    }
  });
});

describe('the fine-tuning recipes', () => {
  it('are command lines that the verbs take, each after what it is made from', () => {
    const made = new Set<string>([IMPORTED]);
    for (const own of fineTuningRecipes) {
      const [verb, ...args] = own.line.split(' ');
      expect(() => parseCommandLine(verb === 'train' ? trainCommand : pruneCommand, args)).not.toThrow();
      for (const name of ingredients(own)) expect(made).toContain(name);
      made.add(own.name);
    }
  });

  it('have PyTorch train the float network alone, where that is asked for', () => {
    for (const own of fineTuningRecipes) {
      const other = byPytorch(own);
      if (own.name === 'fine-tuned')
        expect(other).toMatchObject({ engine: 'pytorch', line: `${own.line} --half` });
      else expect(other).toEqual(own);
    }
  });
});
