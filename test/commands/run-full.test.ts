import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { parseCommandLine } from '../../src/commands/command';
import { pruneCommand } from '../../src/commands/prune';
import { refuseWithoutEffect } from '../../src/commands/prune-by-training';
import { pytorchDefaults, pytorchPruning, pytorchStage } from '../../src/commands/pytorch-options';
import { runFull } from '../../src/commands/run-full';
import { announcement } from '../../src/commands/run-recipes';
import { pytorchRecipe, recipeFrom, trainCommand } from '../../src/commands/train';
import { trainingNumbers } from '../../src/commands/training-options';
import { generatedPictures } from '../../src/data/generated-pictures';
import type * as openDataset from '../../src/data/open-dataset';
import { useFastEngines } from '../../src/experiments/fast-engines';
import { fineTuningRecipes } from '../../src/experiments/fine-tuning-recipes';
import { networkPaths } from '../../src/experiments/network-files';
import { modelFolder, openFloatModel } from '../../src/experiments/open-model';
import { ingredients, type Recipe, recipes, recipesFor } from '../../src/experiments/recipes';
import { readSafetensorsMetadata } from '../../src/networks/read-safetensors';
import { scratchFolder } from '../networks/scratch-folder';
import { standInPython } from '../training/stand-in-python';

useFastEngines({ threads: 1 });

const scratch = scratchFolder();

// The same pictures for every step, but fewer and smaller ones.
vi.mock('../../src/data/open-dataset', async (original) => ({
  ...(await original<typeof openDataset>()),
  openDataset: async () => generatedPictures({ train: 256, test: 40, size: 16 }),
}));

const recipe = (name: string, line: string, tolerance?: number): Recipe => ({
  name,
  data: 'generated',
  line,
  minutes: 1,
  time: 'estimated',
  tolerance,
});

/** The float network in two phases, its bits after training, and those retrained. */
const tiny = [
  recipe('phase', 'train tiny --epochs 2 --stop-after 1 --batch-size 64'),
  recipe('float', 'train tiny --start {phase} --epochs 1 --batch-size 64', 90),
  recipe('bits', 'prune {float} --adc-bits 2 --rows 32 --calibration 16 --iterations 1 --patches 200'),
  recipe(
    'pruned',
    'prune {float} --method training --start {bits} --adc-bits 2 --rows 32 --calibration 16 --epochs 1 --batch-size 64',
    90,
  ),
  recipe(
    'further',
    'prune {pruned} --adc-bits 1 --rows 32 --calibration 16 --iterations 1 --patches 200',
    90,
  ),
];
const expectedTop1 = { float: 90, 'float, 8 bits': 90, pruned: 90, further: 90 };

async function full(all: readonly Recipe[], network?: string, python?: string) {
  const notes: string[] = [];
  const context = {
    note: (line: string) => notes.push(line),
    onProgress: () => undefined,
    signal: new AbortController().signal,
  };
  const wanted = { folder: scratch('full'), recipes: all, expectedTop1, network, python };
  const outcome = await runFull({ ...wanted, context });
  return { ...outcome, notes };
}

describe('reproduce --profile full', () => {
  it('makes networks from nothing, tells their times first, verifies them, and makes nothing twice', {
    timeout: 300_000,
  }, async () => {
    const train = vi.spyOn(trainCommand, 'run');
    const prune = vi.spyOn(pruneCommand, 'run');
    const calls = () => train.mock.calls.length + prune.mock.calls.length;
    const { result, verdict, notes } = await full(tiny);
    expect(calls()).toBe(5);
    expect(notes[0]).toBe('5 recipes, about 0.1 h on two cores in all:');
    expect(notes).toContain(announcement(tiny[0]));
    expect(result.networks.map(({ name }) => name)).toEqual(['float', 'float, 8 bits', 'pruned', 'further']);
    expect(result.networks[2].recounted).toMatchObject({ lossless: true, requiredAdcBits: 2 });
    // Pruned further, of the same float network.
    expect(result.networks[3]).toMatchObject({
      float: 'float',
      recounted: { lossless: true, requiredAdcBits: 1 },
    });
    expect(result.networks[2].measured).toMatchObject({ accuracy: { pictures: 40 } });
    expect(verdict.results.map(({ verdict: own }) => own)).toEqual(Array(8).fill('PASS'));
    const retrained = readSafetensorsMetadata(scratch('full/pruned.safetensors'));
    expect(JSON.parse(retrained.start)).toEqual({
      model: 'bits',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(JSON.parse(retrained.settings).admmEpochs).toBe(0);
    expect(JSON.parse(retrained.provenance).parameters.calibration).toBe(16);
    const curve = JSON.parse(readSafetensorsMetadata(scratch('full/phase.safetensors')).curve);
    expect(curve).toHaveLength(1);

    const again = await full(tiny);
    expect(calls()).toBe(5);
    expect(again.result).toEqual(result);

    // Another last step is made, and what it is made from is taken over; so is a file that was lost.
    const { mtimeMs } = statSync(scratch('full/float.safetensors'));
    await full([...tiny.slice(0, 3), { ...tiny[3], line: `${tiny[3].line} --rate 0.01` }]);
    expect(calls()).toBe(6);
    rmSync(scratch('full/bits.safetensors'));
    await full(tiny, 'bits');
    expect(calls()).toBe(7);
    expect(statSync(scratch('full/float.safetensors')).mtimeMs).toBe(mtimeMs);
  });

  it('without PyTorch leaves out its recipes and what only these lead to', async () => {
    const bits = 'prune {FLOAT} --adc-bits 2 --rows 32 --calibration 16 --iterations 1 --patches 200';
    const own = [
      { ...recipe('elsewhere', 'train tiny --epochs 1'), engine: 'pytorch' as const },
      recipe('after', bits.replace('FLOAT', 'elsewhere')),
      recipe('long-after', bits.replace('FLOAT', 'after')),
      recipe('from-the-package', bits.replace('FLOAT', 'tiny-generated')),
      recipe('float', 'train tiny --epochs 1 --batch-size 64', 90),
    ];
    const { result, notes } = await full(own, undefined, scratch('no-python'));
    expect(notes[0]).toContain('these are taken as they are: elsewhere, after, long-after');
    expect(notes.slice(1, 4)).toEqual([
      '2 recipes, about 0.0 h on two cores in all:',
      ...own.slice(3).map((each) => `  ${announcement(each)}`),
    ]);
    expect(result.networks.map(({ name }) => name)).toEqual(['float', 'float, 8 bits']);
    await expect(full(own, 'long-after', scratch('no-python'))).rejects.toThrow(
      'no-python has no PyTorch, which elsewhere, after, long-after needs',
    );
  });

  it('refuses a network without a recipe in one line that names those there are', async () => {
    await expect(full(tiny, 'resnet21')).rejects.toThrow(
      '--model resnet21: recipes are phase, float, bits, pruned, further',
    );
  });
});

describe('train --pytorch', () => {
  it('notes the networks that it started and learnt from', async () => {
    const output = scratch('by-pytorch.safetensors');
    const words = [
      'tiny',
      '--schedule',
      'cosine',
      '--pytorch',
      standInPython(scratch('python')),
      '-o',
      output,
    ];
    const from = ['--start', 'tiny-generated', '--teacher', 'tiny-generated'];
    const { words: names, options } = parseCommandLine(trainCommand, [...words, ...from]);
    const { signal } = new AbortController();
    await trainCommand.run(names, options, { signal, note: () => undefined, onProgress: () => undefined });
    const { recipe, provenance } = readSafetensorsMetadata(output);
    const { sha256 } = openFloatModel('tiny-generated');
    for (const told of [JSON.parse(recipe), JSON.parse(provenance).parameters])
      expect(told).toMatchObject({ start: sha256, teacher: sha256, epochs: pytorchRecipe(options).epochs });
  });
});

describe('the recipes', () => {
  it('make every network that comes with the package, each after what it is made from', () => {
    const made = new Set<string>();
    for (const own of recipes) {
      for (const name of ingredients(own)) expect(made).toContain(name);
      made.add(own.name);
    }
    expect(made.size).toBe(recipes.length);
    const verified = recipes.filter(({ tolerance }) => tolerance !== undefined).map(({ name }) => name);
    for (const path of networkPaths())
      expect(verified).toContain(path.replace(/.*[\\/]|\.safetensors$/g, ''));
  });

  it('are command lines that the verbs take', () => {
    for (const { line, engine } of [...recipes, ...fineTuningRecipes]) {
      const [verb, ...args] = line.split(' ');
      const command = verb === 'train' ? trainCommand : pruneCommand;
      expect(verb).toBe(command.name);
      const { options } = parseCommandLine(command, args);
      if (verb === 'train') expect(() => recipeFrom(options)).not.toThrow();
      else expect(() => refuseWithoutEffect({ ...options, pytorch: engine && 'python3' })).not.toThrow();
    }
  });

  it('ask for what the committed networks say that they were trained with', () => {
    const metadata = (name: string) => readSafetensorsMetadata(join(modelFolder(), `${name}.safetensors`));
    const optionsOf = (name: string) => {
      const [verb, ...args] = recipes.find((own) => own.name === name)!.line.split(' ');
      return parseCommandLine(verb === 'train' ? trainCommand : pruneCommand, args).options;
    };
    expect(recipeFrom(optionsOf('tiny-generated'))).toMatchObject(
      JSON.parse(metadata('tiny-generated').recipe),
    );
    for (const { name, line, engine, tolerance } of recipes) {
      // A step on the way leaves no file here.
      if (engine !== 'pytorch' || tolerance === undefined) continue;
      const options = optionsOf(name);
      if (line.startsWith('train')) expect(JSON.parse(metadata(name).recipe)).toEqual(pytorchRecipe(options));
      else
        expect(JSON.parse(metadata(name).settings)).toMatchObject({
          ...pytorchStage(trainingNumbers(options, pytorchDefaults)),
          prune: pytorchPruning(options, Number(options.rows), Number(options['adc-bits'])),
        });
    }
  });

  it('of one network are those that it is made from and its own', () => {
    expect(recipesFor('float', tiny).map(({ name }) => name)).toEqual(['phase', 'float']);
    expect(recipesFor(undefined, tiny)).toEqual(tiny);
  });

  it('say how long they take', () => {
    const line = 'train tiny';
    expect(announcement({ ...recipe('x', line), minutes: 150 })).toBe(
      'x: train tiny; about 2.5 h on two cores (estimated)',
    );
  });
});

describe('data/runs.csv', () => {
  const root = join(modelFolder(), '..');
  const [heading, ...rows] = readFileSync(join(root, 'runs.csv'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => [...line.matchAll(/("([^"]*)"|[^,]*)(,|$)/g)].map(([, plain, quoted]) => quoted ?? plain))
    .map((cells) => cells.slice(0, 9));

  it('has a row for every network that comes with the package', () => {
    const files = rows.map((row) => row[heading.indexOf('file')]);
    for (const path of networkPaths()) expect(files).toContain(path.replace(/.*[\\/]|\.safetensors$/g, ''));
  });

  it('is the table that data/models/README.md shows', () => {
    const shown = readFileSync(join(root, 'models', 'README.md'), 'utf8');
    for (const row of [heading, ...rows]) {
      expect(row).toHaveLength(9);
      expect(shown).toContain(`| ${row.join(' | ')} |`);
    }
  });
});
