import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Command,
  helpText,
  parseCommandLine,
  realNumber,
  wholeNumber,
} from '../../src/commands/command';
import { requireWritable } from '../../src/commands/output-file';
import { commands, oneLine, runCommandLine } from '../../src/commands/run-command-line';
import { InputError } from '../../src/errors';
import { initialParameters } from '../../src/networks/initial-parameters';
import { networkByName } from '../../src/networks/network-by-name';
import { readSafetensors, readSafetensorsMetadata } from '../../src/networks/read-safetensors';
import { saveParameters } from '../../src/networks/save-parameters';
import { writeSafetensors } from '../../src/networks/write-safetensors';
import { loadIntegerNetwork } from '../../src/quantization/model-file';
import { scratchFolder } from '../networks/scratch-folder';

const scratch = scratchFolder();

/** Runs a command line in this process. */
async function run(...args: string[]) {
  const out: string[] = [];
  const err: unknown[] = [];
  const status = await runCommandLine(args, {
    log: (line) => out.push(line),
    error: (line) => err.push(line),
  });
  return { status, out: out.join('\n'), err };
}

/** The one line with which a command line is refused. */
async function refusal(...args: string[]): Promise<string> {
  const { status, out, err } = await run(...args);
  expect(status).toBe(1);
  expect(out).toBe('');
  expect(err).toHaveLength(1);
  expect(err[0]).toMatch(/^cim-pruning: .+$/);
  return String(err[0]);
}

const sample: Command = {
  name: 'sample',
  usage: 'WORD [--count N]',
  summary: 'Does nothing.',
  options: {
    count: { value: 'N', help: 'how many' },
    quick: { help: 'hurry' },
    output: { value: 'OUT', help: 'file' },
  },
  words: [1, 2],
  run: async () => ({ data: {}, text: '' }),
};

describe('parseCommandLine', () => {
  it('takes words and options in any order, and -o for --output', () => {
    const { words, options } = parseCommandLine(sample, [
      'a',
      '--count',
      '3',
      '-o',
      'x',
      'b',
      '--quick',
      '--json',
    ]);
    expect(words).toEqual(['a', 'b']);
    expect(options).toEqual({ count: '3', output: 'x', quick: true, json: true });
    expect(parseCommandLine(sample, ['a', '--count=3']).options).toEqual({ count: '3' });
  });

  it('refuses unknown options, missing values and too few or too many words in one line', () => {
    for (const args of [
      ['a', '--colour'],
      ['a', '-x'],
      ['a', '--count'],
      [],
      ['a', 'b', 'c'],
      ['a', '--quick=1'],
    ]) {
      const parse = () => parseCommandLine(sample, args);
      expect(parse).toThrow(InputError);
      expect(parse).toThrow(/^[^\n]*sample[^\n]*$/);
    }
    const { output: _, ...options } = sample.options;
    expect(() => parseCommandLine({ ...sample, options }, ['a', '-o', 'x'])).toThrow(/-o is not known/);
  });

  it('asks for no words beside --help', () => {
    expect(parseCommandLine(sample, ['--help']).options.help).toBe(true);
  });
});

describe('numbers of options', () => {
  it('are whole where they must be, within their range', () => {
    expect(wholeNumber({ rows: '128' }, 'rows', 1, 65535)).toBe(128);
    expect(wholeNumber({}, 'rows', 1, 65535)).toBeUndefined();
    for (const text of ['0', '1.5', 'x', '', ' ', '65536', '-1', 'NaN', '1e99'])
      expect(() => wholeNumber({ rows: text }, 'rows', 1, 65535)).toThrow(
        `--rows ${text}: a whole number from 1 to 65535 is needed`,
      );
    for (const blank of ['', ' '])
      expect(() => wholeNumber({ seed: blank }, 'seed', 0, 9)).toThrow(InputError);
  });

  it('are real elsewhere', () => {
    expect(realNumber({ rate: '0.05' }, 'rate', 0, 1)).toBe(0.05);
    for (const text of ['2', 'fast', '', ' ', 'Infinity'])
      expect(() => realNumber({ rate: text }, 'rate', 0, 1)).toThrow(/--rate .*a number from 0 to 1/);
  });
});

describe('help', () => {
  it('shows every option of every verb, and its usage', async () => {
    for (const command of commands) {
      const { status, out, err } = await run(command.name, '--help');
      expect([status, err]).toEqual([0, []]);
      expect(out).toBe(helpText(command));
      expect(out).toContain(`usage: cim-pruning ${command.name}`);
      for (const name of [...Object.keys(command.options), 'json', 'help'])
        expect(out).toContain(`--${name}`);
      for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(130);
    }
  });

  it('lists the verbs', async () => {
    for (const args of [[], ['--help'], ['help']]) {
      const { status, out } = await run(...args);
      expect(status).toBe(0);
      for (const { name } of commands) expect(out).toMatch(new RegExp(`^ +${name} `, 'm'));
    }
  });
});

describe('bad input', () => {
  it('is one line and status 1: verbs, words and options', async () => {
    expect(await refusal('prun')).toMatch(/unknown verb 'prun'; known are setup, data, /);
    expect(await refusal('certify')).toMatch(/usage: cim-pruning certify OUT/);
    expect(await refusal('certify', 'x', '--bits', '3')).toMatch(/certify: .*--bits/);
    expect(await refusal('train', 'resnet21')).toMatch(/resnet21.*resnet20/);
    expect(await refusal('train', 'tiny', '--epochs', 'many')).toMatch(/--epochs many/);
    expect(await refusal('train', 'tiny', '--precision', 'half')).toMatch(/--precision half/);
    expect(await refusal('reproduce', '--profile', 'huge')).toMatch(/--profile huge/);
    expect(await refusal('reproduce', '--experiment', 'huge')).toMatch(/--experiment huge: allowed are \w+/);
    expect(await refusal('reproduce', '--experiment', 'methods', '--points', 'r64-adc2-3x3')).toMatch(
      /--points r64-adc2-3x3: only imagenet prunes a part/,
    );
    expect(await refusal('reproduce', '--experiment', 'methods', '--lines', 'ours')).toMatch(
      /--lines ours: allowed are unpruned/,
    );
    expect(await refusal('reproduce', '--experiment', 'methods', '--points', 'r64')).toMatch(
      /--points r64: rR-adcB is needed, R rows and B of 1 to 8 bits, as r128-adc3$/m,
    );
    const allocated = [
      'prune',
      'tiny-generated',
      '--adc-bits',
      '7',
      '--allocate',
      '-o',
      scratch('a.safetensors'),
    ];
    expect(await refusal(...allocated)).toMatch(/--adc-bits 7: with --allocate one of 1, 2, .*6 is needed/);
    expect(
      await refusal('prune', 'tiny-generated', '--method', 'training', '-o', scratch('a.safetensors')),
    ).toMatch(/give the ADC resolution with --adc-bits B or --start PRUNED/);
    expect(await refusal('reproduce', '--experiment', 'imagenet', '--distil', 'r64')).toMatch(
      /--distil r64: rR-adcB is needed/,
    );
    for (const [option, value] of [
      ['--calibration', '15'],
      ['--patches', '0'],
    ])
      expect(await refusal('reproduce', '--experiment', 'imagenet', option, value)).toMatch(
        new RegExp(`${option} ${value}`),
      );
    expect(await refusal('bench', 'everything')).toMatch(/everything/);
    expect(await refusal('data', 'cifar11')).toMatch(
      /data cifar11: allowed are list, cifar10, .*resnet18-imagenet/,
    );
    expect(await refusal('data', 'constructor')).toMatch(/constructor/);
  });

  it('is one line where memory runs out, and none of our own errors is', () => {
    const allocate = (body: () => unknown) => {
      try {
        body();
      } catch (error) {
        return oneLine(error);
      }
    };
    expect(allocate(() => new Uint8Array(2 ** 52))).toMatch(
      /^cim-pruning: out of memory \(.*\): fewer or smaller pictures are needed$/,
    );
    expect(allocate(() => new ArrayBuffer(2 ** 50))).toMatch(/^cim-pruning: out of memory/);
    expect(oneLine(new RangeError('Maximum call stack size exceeded'))).toBeUndefined();
    expect(oneLine(new TypeError('x is undefined'))).toBeUndefined();
  });

  it('is one line and status 1: ADCs and cells of simulate', async () => {
    const pruned = ['simulate', 'resnet20-cifar10-r128-adc2', '--dataset', 'generated'];
    const tiny = ['simulate', 'tiny-generated', '--dataset', 'generated'];
    expect(await refusal(...pruned, '--adc-bits', '17')).toMatch(/--adc-bits 17: .* 1 to 16/);
    expect(await refusal(...tiny)).toMatch(/--adc-bits: needed/);
    const three = [...tiny, '--adc-bits', '3'];
    expect(await refusal(...three, '--step', '0')).toMatch(/--step 0: a number above 0/);
    expect(await refusal(...three, '--rounding', 'up')).toMatch(/--rounding up: one of half-even/);
    expect(await refusal(...three, '--range', 'percentile')).toMatch(/--range percentile: percentile:SHARE/);
    expect(await refusal(...three, '--range', 'percentile:0.9:1')).toMatch(/percentile:SHARE/);
    expect(await refusal(...three, '--seeds', '2')).toMatch(/--seeds: without --device or --converter/);
    const statistics = ['--statistics', scratch('drawn.json')];
    expect(await refusal(...three, '--device', 'isaac-reram', ...statistics)).toMatch(
      /--statistics: not with/,
    );
    expect(await refusal(...three, '--range', 'widest')).toMatch(
      /--range widest: one of lossless, full-scale/,
    );
    expect(await refusal(...three, '--range', 'maximum:1')).toMatch(/--range maximum:1: one of lossless/);
    expect(await refusal(...three, '--range', 'maximum', '--statistics', scratch('seen.json'))).toMatch(
      /--statistics and --range exclude each other/,
    );
    expect(await refusal(...three, '--range', 'maximum', '--step', '2')).toMatch(
      /--step 2: not with --range/,
    );
    expect(await refusal(...tiny, '--adc-bits', 'lossless', '--range', 'maximum')).toMatch(
      /--range: a lossless ADC has none/,
    );
    expect(await refusal(...tiny, '--adc-bits', 'lossless', '--step', '2')).toMatch(
      /--step: a lossless ADC has none/,
    );
    expect(await refusal(...three, '--range-per', 'column')).toMatch(/--range-per column: it needs --range/);
    expect(await refusal(...three, '--range', 'maximum', '--range-per', 'row')).toMatch(
      /--range-per row: one of layer, array, column/,
    );
    expect(await refusal(...three, '--device', 'memristor')).toMatch(/device: "memristor" is unknown/);
    expect(await refusal(...three, '--converter', scratch('no.json'))).toMatch(/cannot read .*no\.json/);
    writeFileSync(scratch('sar.json'), '{"type":"sar","noise":-1}');
    expect(await refusal(...three, '--converter', scratch('sar.json'))).toMatch(/converter\.noise: -1/);
    for (const option of ['--device', '--converter']) {
      writeFileSync(scratch('null.json'), 'null');
      expect(await refusal(...three, option, scratch('null.json'))).toMatch(
        /device: null|converter\.type: missing/,
      );
    }
    expect(await refusal(...tiny, '--adc-bits', 'lossless', '--converter', scratch('sar.json'))).toMatch(
      /--converter: it needs an ADC of some bits/,
    );
    expect(await refusal(...three, '--statistics', scratch('no/such.json'))).toMatch(/cannot write/);
    expect(await refusal('simulate', scratch('case.json'), '--adc-bits', '3')).toMatch(
      /--adc-bits: a case file has its own configuration/,
    );
  });

  it('is one line and status 1: files', async () => {
    const text = scratch('text.safetensors');
    writeFileSync(text, 'no tensors');
    const folder = scratch('folder.safetensors');
    mkdirSync(folder);
    const float = scratch('float.safetensors');
    const network = networkByName('tiny');
    saveParameters(float, network, initialParameters(network, 1));
    expect(await refusal('certify', scratch('missing.safetensors'))).toMatch(
      /missing.safetensors' not found/,
    );
    expect(await refusal('certify', text)).toMatch(/no safetensors file/);
    expect(await refusal('certify', folder)).toMatch(/is a folder/);
    expect(await refusal('certify', float)).toMatch(/a float network/);
    expect(await refusal('hardware', float)).toMatch(/a float network/);
    expect(await refusal('simulate', scratch('none.json'))).toMatch(/cannot read .*no such file/);
    writeFileSync(scratch('case.json'), '{"W":');
    expect(await refusal('simulate', scratch('case.json'))).toMatch(/case.json/);
    expect(await refusal('evaluate', float, '--network', 'resnet20', '--dataset', 'generated')).toMatch(
      /float.safetensors/,
    );
    expect(await refusal('evaluate', float, '--data', scratch('nowhere'))).toMatch(/nowhere/);
    const prune = ['prune', float, '--dataset', 'generated', '--adc-bits', '3'];
    expect(await refusal(...prune)).toMatch(/-o OUT/);
    expect(await refusal(...prune, '-o', scratch('no/such/out.safetensors'))).toMatch(
      /cannot write .*no such file/,
    );
    expect(await refusal(...prune, '-o', folder)).toMatch(/cannot write .*is a folder/);
    expect(await refusal(...prune, '-o', `${text}/out.safetensors`)).toMatch(/cannot write .*no folder/);
    expect(await refusal(...prune, '-o', float)).toMatch(/cannot write .*float.safetensors: it is an input/);
    expect(await refusal('simulate', float, '--adc-bits', '3', '--statistics', float)).toMatch(/is an input/);
    expect(await refusal(...prune, '-o', '/dev/null')).toMatch(/cannot write \/dev\/null: is no file/);
    expect(await refusal(...prune, '--method', 'best', '-o', scratch('out'))).toMatch(
      /--method best: allowed/,
    );
    expect(await refusal(...prune, '--compensation', 'all', '-o', scratch('out'))).toMatch(
      /--compensation all/,
    );
    const training = [...prune, '--method', 'training', '-o', scratch('out.safetensors')];
    expect(await refusal(...training, '--checkpoints', text)).toMatch(/cannot write .*text\.safetensors/);
    expect(await refusal(...training, '--pytorch', '')).toMatch(/--pytorch: '' is no Python/);
    for (const name of ['cifar10', 'imagenet-folder'])
      expect(await refusal('data', name, '--dir', text)).toMatch(/text\.safetensors/);
    expect(await refusal('prune', float, '--adc-bits', '9', '-o', scratch('out'))).toMatch(/--adc-bits 9/);
    expect(await refusal(...prune, '--encoding', 'gray', '-o', 'out')).toMatch(
      /--encoding gray: .*offset, csd/,
    );
    expect(await refusal(...prune, '--cell-bits', '5', '-o', 'out')).toMatch(/--cell-bits 5/);
    for (const allocate of ['--allocate', '--allocate-planes'])
      expect(await refusal(...prune, '--method', 'training', allocate, '-o', 'out')).toContain(
        `${allocate}: not with --method training`,
      );
    const train = ['train', 'tiny', '--dataset', 'generated', '--epochs', '1'];
    expect(await refusal(...train, '-o', scratch('no/out.safetensors'))).toMatch(/cannot write/);
    expect(await refusal(...train, '--checkpoint', scratch('no/state.safetensors'))).toMatch(/cannot write/);
  });

  it('is one line and status 1: options that would be without effect', async () => {
    const out = ['-o', scratch('out.safetensors')];
    const prune = (...options: string[]) =>
      refusal('prune', 'tiny-generated', '--dataset', 'generated', '--adc-bits', '3', ...options, ...out);
    const training = ['--method', 'training'];
    const pytorch = [...training, '--pytorch', 'python3'];
    for (const [given, line] of [
      [['--start', 'x'], '--start: only --method training has it'],
      [['--epochs', '2'], '--epochs: only --method training has it'],
      [['--pytorch', 'python3'], '--pytorch: only --method training has it'],
      [['--method', 'bit-only', '--frozen-batch-norm'], '--frozen-batch-norm: only --method training has it'],
      [[...training, '--encoding', 'offset'], '--encoding offset: allowed are sign-split, csd'],
      [[...training, '--encoding', 'csd', '--pytorch', 'python3'], '--encoding: not with --pytorch'],
      [[...training, '--balanced-rows'], '--balanced-rows: not with --method training'],
      [[...training, '--ridge', '0.1'], '--ridge: not with --method training'],
      [[...training, '--interval', '9'], '--interval: only --relax and --pytorch have it'],
      [[...training, '--pull', '0.1:0.1'], '--pull: only --relax, --mask-refreshes and --pytorch have it'],
      [[...training, '--mask-refreshes', '2', '--pull', '1:0.1'], '--pull 1:0.1: A:B is needed'],
      [[...training, '--pruned-gradient', '0.5'], '--pruned-gradient: only --mask-refreshes has it'],
      [[...pytorch, '--pruned-gradient', '0.5'], '--pruned-gradient: only --mask-refreshes has it'],
      [[...training, '--mask-refreshes', '2', '--pruned-gradient', '2'], '--pruned-gradient 2:'],
      [[...training, '--start', 'x', '--first-bit-limit', '7'], '--first-bit-limit: not with --start'],
      [[...training, '--relax', '0.5', '--admm-epochs', '1'], '--admm-epochs: not with --relax'],
      [[...training, '--relax', '0.5', '--mask-refreshes', '1'], '--mask-refreshes: not with --relax'],
      [[...training, '--start', 'x', '--admm-epochs', '1'], '--admm-epochs: not with --start'],
      [[...pytorch, '--admm-rate', '0.1'], '--admm-rate: not with --pytorch'],
      [[...pytorch, '--precision', 'float32'], '--precision: not with --pytorch'],
      [[...pytorch, '--value-limit', '3'], '--value-limit: not with --pytorch'],
      [[...pytorch, '--mask-refreshes', '2', '--relax', '0.5'], '--relax: not with --mask-refreshes'],
      [[...pytorch, '--mask-refreshes', '2', '--interval', '9'], '--interval: not with --mask-refreshes'],
      [['--allocate', '--allocate-planes'], '--allocate: --allocate-planes does that too'],
    ] as const)
      expect(await prune(...given)).toContain(line);
    for (const [given, line] of [
      [['--experiment', 'budgets', '--encoding', 'csd'], '--encoding: experiment budgets has none'],
      [['--experiment', 'crossbar', '--points', 'r128-adc3'], '--points: experiment crossbar has none'],
      [['--experiment', 'projections', '--quick'], '--quick: experiment projections has none'],
      [['--experiment', 'rivals', '--profile', 'small'], '--profile: experiment rivals has none'],
      [['--profile', 'small', '--model', 'tiny'], '--model: profile small has none'],
      [['--rows', '64'], '--rows: profile smoke has none'],
    ] as const)
      expect(await refusal('reproduce', ...given)).toContain(line);
    const train = ['train', 'tiny', '--pytorch', 'python3', '--schedule', 'cosine', '--dataset', 'generated'];
    for (const option of ['precision', 'evaluate-every', 'stop-after', 'checkpoint', 'resizing', 'views'])
      expect(await refusal(...train, `--${option}`, '1')).toContain(`--${option}: not with --pytorch`);
    expect(await refusal('train', 'tiny', '--distillation', '0.5')).toMatch(
      /--distillation: only with --teacher/,
    );
    const bench = ['bench', 'projection', '--model', 'tiny-generated', '--columns', '5'];
    expect(await refusal(...bench)).toMatch(/--columns: --model has columns of its own/);
    const exported = ['export', 'resnet20-cifar10-r128-adc2', '--to', 'onnx', ...out];
    expect(await refusal(...exported, '--data', 'x')).toMatch(/--data: only --to neurosim takes a picture/);
    expect(await refusal('bench', 'crossbar', '--columns', '5')).toMatch(
      /--columns: bench crossbar has none/,
    );
    const hardware = ['hardware', 'resnet20-cifar10-r128-adc2'];
    expect(await refusal(...hardware, '--dataset', 'generated')).toMatch(/--dataset: only --skip takes/);
    expect(await refusal(...hardware, '--skip', 'rows', '--size', '4')).toMatch(/--size 4: a whole number/);
    for (const model of ['tiny-generated', 'resnet20-cifar10-r128-adc2'])
      expect(await refusal('evaluate', model, '--network', 'vgg16', '--dataset', 'generated')).toMatch(
        /holds (tiny|resnet20), not vgg16/,
      );
  });

  it('an output is writable where its folder is', () => {
    expect(() => requireWritable(scratch('fresh.safetensors'))).not.toThrow();
  });
});

describe('cim-pruning in a process of its own', () => {
  const root = `${__dirname}/../..`;
  const cli = (...args: string[]) =>
    spawnSync(process.execPath, ['-r', `${root}/test/typescript-hook.cjs`, `${root}/src/cli.ts`, ...args], {
      encoding: 'utf8',
    });

  const float = scratch('tiny.safetensors');
  const pruned = scratch('pruned.safetensors');
  beforeAll(() => {
    const network = networkByName('tiny');
    saveParameters(float, network, initialParameters(network, 1));
  });

  it('prunes a network and certifies it, --json printing one JSON document on stdout', {
    timeout: 120_000,
  }, async () => {
    const settings = ['--dataset', 'generated', '--adc-bits', '2', '--rows', '64', '--calibration', '16'];
    const quick = ['--iterations', '3', '--patches', '200', '-o', pruned, '--json'];
    const { status, stdout } = cli('prune', float, ...settings, ...quick);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ lossless: true, adcBits: 2, tileRows: 64 });
    const metadata = readSafetensorsMetadata(pruned);
    expect(JSON.parse(metadata.pruning)).toMatchObject({ adcBits: 2, tileRows: 64 });
    expect(JSON.parse(metadata.provenance)).toMatchObject({
      seeds: { root: 1 },
      parameters: { calibration: 16, iterations: 3 },
    });

    const certificate = await run('certify', pruned, '--json');
    expect(certificate.status).toBe(0);
    expect(JSON.parse(certificate.out)).toMatchObject({ lossless: true, requiredAdcBits: 2 });
    expect((await run('certify', pruned)).out).toMatch(/lossless with ADCs of 2 bits/);
    const elsewhere = (await run('certify', pruned, '--rows', '16')).out;
    expect(elsewhere).toMatch(/needs ADCs of \d bits at R = 16 \(limits were kept for R = 64\)/);
    expect(elsewhere).not.toMatch(/yes/);
    const evaluated = await run('evaluate', pruned, '--dataset', 'generated', '--pictures', '20', '--json');
    expect(JSON.parse(evaluated.out)).toMatchObject({ pictures: 20, network: 'tiny' });
    expect(JSON.parse((await run('hardware', pruned, '--json')).out)).toBeTypeOf('object');
  });

  it('tells what that network costs and exports it, and refuses in one line what it cannot', async () => {
    const dense = ['--dense', float];
    const whole = JSON.parse((await run('hardware', pruned, ...dense, '--json')).out);
    expect(whole.baselines.map(({ name }: { name: string }) => name)).toContain('dense, measured');
    const data = ['--dataset', 'generated'];
    const skipping = await run('hardware', pruned, ...dense, '--skip', 'rows', ...data, '--json');
    expect(JSON.parse(skipping.out).conversions).toBeLessThan(whole.conversions);
    const preset = scratch('preset.json');
    const save = (json: unknown) => writeFileSync(preset, JSON.stringify(json));
    save({ adcModel: 'flash', node: 20, constants: [{ name: 'macro.dac.power', value: 0, unit: 'mW' }] });
    const own = JSON.parse((await run('hardware', pruned, '--preset', preset, '--json')).out);
    expect(own).toMatchObject({ adcModel: 'flash' });
    expect(own.layers[0].energyPj.dac).toBe(0);
    const puma = await run('hardware', pruned, '--preset', 'puma');
    expect(puma.out).toMatch(/PUMA: 0\.25 mW \* b[\s\S]*\npreset puma: PUMA \(Ankit/);
    expect((await run('hardware', '--help')).out).toMatch(/--preset NAME +isaac, tinyadc, puma/);
    expect(await refusal('hardware', pruned, '--preset', 'pumas')).toMatch(
      /preset: "pumas" is unknown; one of isaac, tinyadc, puma, forms/,
    );
    expect((await run('hardware', pruned, ...dense, '--layers')).out).toMatch(/Layers of pruned/);
    for (const format of ['onnx', 'crosssim', 'timeloop', 'neurosim']) {
      const folder = scratch(`exported-${format}`);
      const traced = format === 'neurosim' ? data : [];
      const { out } = await run('export', pruned, '--to', format, '-o', folder, ...traced, '--json');
      for (const file of JSON.parse(out).files) expect(existsSync(`${folder}/${file}`)).toBe(true);
    }
    expect(await refusal('export', pruned, '-o', scratch('x'))).toMatch(/--to \(missing\): allowed are onnx/);
    expect(await refusal('export', pruned, '--to', 'onnx')).toMatch(/-o FOLDER is needed/);
    expect(await refusal('export', pruned, '--to', 'onnx', '-o', `${pruned}/in`)).toMatch(/cannot write/);
    save([{ name: 'macro.dac.power', value: -1, unit: 'mW' }]);
    expect(await refusal('hardware', pruned, '--preset', preset)).toMatch(
      /preset\.json: macro\.dac\.power\.value: -1 mW is negative/,
    );
    writeFileSync(preset, '{');
    expect(await refusal('hardware', pruned, '--preset', preset)).toMatch(/preset\.json: no JSON/);
    expect(await refusal('hardware', pruned, '--preset', scratch('no.json'))).toMatch(/cannot read/);
    expect(await refusal('hardware', pruned, '--adc', 'survey')).toMatch(/survey: \d bits is outside/);
    expect(await refusal('hardware', pruned, '--adc', 'best')).toMatch(/--adc best: allowed are sar-saberi/);
    expect(await refusal('hardware', pruned, '--skip', 'all')).toMatch(/--skip all: allowed are none/);
    expect(await refusal('hardware', pruned, '--arrays', '1')).toMatch(/arrays: 1 are not enough/);
  });

  it('neither costs nor exports a network that breaks its limits', async () => {
    const { tensors, metadata } = readSafetensors(pruned);
    const broken = scratch('broken.safetensors');
    const record = { ...JSON.parse(metadata.pruning), adcBits: 1 };
    writeSafetensors(broken, tensors, { ...metadata, pruning: JSON.stringify(record) });
    expect((await run('certify', broken)).status).toBe(1);
    const says =
      /broken\.safetensors: layer 'conv1', row tile \d, channel \d+, plane \d: [23] ones where 1 are/;
    expect(await refusal('hardware', broken)).toMatch(says);
    expect(await refusal('export', broken, '--to', 'onnx', '-o', scratch('broken'))).toMatch(says);
    expect(existsSync(scratch('broken'))).toBe(false);
  });

  it('prunes in offset encoding with flips, and tells so', async () => {
    const pruned = scratch('flipped.safetensors');
    const settings = ['--dataset', 'generated', '--adc-bits', '4', '--rows', '16', '--calibration', '16'];
    const quick = ['--iterations', '1', '--patches', '64', '-o', pruned];
    await run('prune', float, ...settings, '--encoding', 'offset', '--flip', ...quick);
    expect(JSON.parse(readSafetensorsMetadata(pruned).pruning)).toMatchObject({ encoding: 'offset' });
    const { out, status } = await run('certify', pruned);
    expect(status).toBe(0);
    expect(out).toMatch(/offset/);
    expect(JSON.parse((await run('hardware', pruned, '--json')).out)).toBeTypeOf('object');
  });

  it('prunes for DACs of several bits, which certify, simulate and hardware read from the file', async () => {
    const pruned = scratch('dac.safetensors');
    const data = ['--dataset', 'generated'];
    const settings = [...data, '--adc-bits', '4', '--dac-bits', '2', '--rows', '64', '--calibration', '16'];
    const quick = ['--iterations', '1', '--patches', '64', '-o', pruned];
    expect((await run('prune', float, ...settings, ...quick)).status).toBe(0);
    const certificate = JSON.parse((await run('certify', pruned, '--json')).out);
    expect(certificate).toMatchObject({ lossless: true, requiredAdcBits: 4 });
    const few = [...data, '--pictures', '8', '--json'];
    const accuracy = async (...words: string[]) => JSON.parse((await run(...words, ...few)).out).top1;
    expect(await accuracy('simulate', pruned, '--adc-bits', '4')).toBe(await accuracy('evaluate', pruned));
    const { out } = await run('hardware', pruned, '--dense', float);
    expect(out).toMatch(/R = 64, 2-bit DACs, 4-bit ADCs/);
    expect(out).toMatch(/note: 2-bit DACs: energy and area double a bit/);
    expect(out).not.toMatch(/clipped operation/);
    const skipping = await run('hardware', pruned, '--skip', 'rows', ...data);
    expect(skipping.status).toBe(0);
  });

  it('prunes by a rival at bits allocated to the layers, which certify, simulate and hardware read from the file', async () => {
    const float = scratch('tiny-rival.safetensors');
    const network = networkByName('tiny');
    saveParameters(float, network, initialParameters(network, 1));
    const pruned = scratch('rival.safetensors');
    const settings = ['--dataset', 'generated', '--adc-bits', '2', '--rows', '64', '--calibration', '16'];
    const rival = ['--method', 'bit-only', '--compensation', 'none', '--allocate', '--patches', '100'];
    const { status, out } = await run('prune', float, ...settings, ...rival, '-o', pruned, '--json');
    expect(status).toBe(0);
    const { adcBits, lossless } = JSON.parse(out);
    expect(lossless).toBe(true);
    const bits = Object.values<number>(adcBits);
    expect(Math.min(...bits)).toBeLessThan(Math.max(...bits));
    expect(JSON.parse((await run('certify', pruned, '--json')).out)).toMatchObject({
      adcBits: adcBits,
      requiredAdcBits: Math.max(...bits),
    });
    expect((await run('hardware', pruned)).out).toMatch(/\d to \d-bit ADCs/);
    const simulated = await run('simulate', pruned, '--dataset', 'generated', '--json');
    const evaluated = await run('evaluate', pruned, '--dataset', 'generated', '--json');
    expect(JSON.parse(simulated.out)).toMatchObject({ adc: { bits: adcBits } });
    expect(JSON.parse(simulated.out).top1).toBe(JSON.parse(evaluated.out).top1);
  });

  it('allocates bits to layers and planes, which certify, simulate, hardware and export read from the file', async () => {
    const float = scratch('tiny-planes.safetensors');
    const network = networkByName('tiny');
    saveParameters(float, network, initialParameters(network, 1));
    const pruned = scratch('planes.safetensors');
    const settings = ['--dataset', 'generated', '--adc-bits', '2', '--rows', '64', '--calibration', '16'];
    const rival = ['--weight-bits', '4', '--method', 'greedy', '--compensation', 'none', '--patches', '100'];
    const { out } = await run(
      'prune',
      float,
      ...settings,
      ...rival,
      '--allocate-planes',
      '-o',
      pruned,
      '--json',
    );
    const { adcBits, lossless } = JSON.parse(out);
    expect(lossless).toBe(true);
    expect(Object.values(adcBits).some(Array.isArray)).toBe(true);
    const certificate = await run('certify', pruned, '--json');
    expect([certificate.status, JSON.parse(certificate.out).adcBits]).toEqual([0, adcBits]);
    const { layers } = JSON.parse((await run('hardware', pruned, '--json')).out);
    for (const { name, adcBits: own } of layers) expect(own).toEqual(adcBits[name]);
    const again = scratch('planes-again.safetensors');
    const like = ['prune', float, '--dataset', 'generated', '--adc-bits-of', pruned, '-o', again];
    const more = ['--calibration', '32', '--iterations', '1', '--patches', '100'];
    expect(JSON.parse((await run(...like, ...more, '--json')).out)).toMatchObject({
      tileRows: 64,
      adcBits,
      lossless: true,
    });
    expect(loadIntegerNetwork(again).weightBits).toBe(4);
    expect(await refusal(...like, '--rows', '32')).toMatch(/--rows: not with --adc-bits-of, which tells it/);
    expect((await run('hardware', pruned, '--layers')).out).toMatch(/(\d \d \d) /);
    for (const format of ['crosssim', 'timeloop'])
      expect((await run('export', pruned, '--to', format, '-o', scratch(format))).status).toBe(0);
    const simulate = ['simulate', pruned, '--dataset', 'generated'];
    const simulated = JSON.parse((await run(...simulate, '--json')).out);
    const evaluated = JSON.parse((await run('evaluate', pruned, '--dataset', 'generated', '--json')).out);
    expect(simulated.top1).toBe(evaluated.top1);
    expect(await refusal(...simulate, '--range', 'maximum')).toMatch(
      /range: the ADCs of \w+ differ by bit plane/,
    );
  });

  it('retrains a pruned network within the limits that it has, where no others are given', async () => {
    const pruned = scratch('narrow.safetensors');
    const data = ['--dataset', 'generated', '--calibration', '16'];
    const asked = ['--adc-bits', '2', '--weight-bits', '3', '--rows', '32', '--iterations', '1'];
    await run('prune', 'tiny-generated', ...data, ...asked, '-o', pruned);
    const records = [JSON.parse((await run('certify', pruned, '--json')).out)];
    const retrained = scratch('retrained.safetensors');
    const own = [
      '--method',
      'training',
      '--start',
      pruned,
      '--epochs',
      '1',
      '--checkpoints',
      scratch('states'),
    ];
    const { status } = await run('prune', 'tiny-generated', ...data, ...own, '-o', retrained);
    expect(status).toBe(0);
    records.push(JSON.parse((await run('certify', retrained, '--json')).out));
    for (const record of records)
      expect(record).toMatchObject({ tileRows: 32, adcBits: 2, requiredAdcBits: 2, lossless: true });
    for (const path of [pruned, retrained]) expect(loadIntegerNetwork(path).weightBits).toBe(3);
  });

  it('ends with status 1 and one line where its result is lost, quietly where the reader has gone', () => {
    const command = `'${process.execPath}' '${root}/dist/cli.js' prune --help`;
    const shell = (rest: string) =>
      spawnSync('bash', ['-c', `set -o pipefail; ${command} ${rest}`], { encoding: 'utf8' });
    const full = shell('> /dev/full');
    expect(full.status).toBe(1);
    expect(full.stderr).toBe('cim-pruning: cannot write the result on stdout: no space left on the disk\n');
    expect(shell('| true')).toMatchObject({ status: 0, stderr: '' });
  });

  it('ends with status 1 and one line on stderr for bad input', () => {
    const { status, stdout, stderr } = cli('certify', scratch('missing.safetensors'), '--json');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^cim-pruning: [^\n]+\n$/);
  });
});
