// Reads what `export` writes with the readers of the tools it is for, and compares numbers with ours.
//   node bench/check-exports.mjs [--model MODEL] [--data DIR] [--python PYTHON]
//     [--timeloop-python DIR --accelergy DIR --cimloop DIR] [--cross-sim DIR]
// MODEL is a pruned network (default: the ResNet-20 that comes with the package). ONNX: onnx's checker, then the logits of 64
// test pictures in onnxruntime beside ours. Each DIR is a checkout (Accelergy-Project/timeloop-python and accelergy,
// mit-emze/cimloop, sandialabs/cross-sim; nothing is built); without it that reader is left out. CiMLoop's loader reads every
// problem in its macro basic_analog, Timeloop's front end the tables; CrossSim multiplies random inputs by every layer. PYTHON
// has the packages below (default: an environment in bench/.scratch). Anything that is refused or differs is an error.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { option, python, scratch } from './scratch-python.mjs';

const here = dirname(fileURLToPath(import.meta.url));
/** @type {typeof import('../dist/index.js')} */
const cim = createRequire(import.meta.url)(join(here, '..', 'dist', 'index.js'));

const PICTURES = 64;
const PACKAGES = [
  ...['numpy', 'scipy', 'onnx', 'onnxruntime'],
  ...['pyyaml', 'ruamel.yaml', 'jinja2', 'deepdiff', 'pyfiglet', 'psutil', 'joblib'],
];

const model = option('model', 'resnet20-cifar10-r128-adc2');
const { network } = cim.openIntegerModel(model);
const folder = join(scratch, 'exports');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const format of /** @type {const} */ (['onnx', 'timeloop', 'crosssim'])) {
  for (const { path, content } of cim.exportNetwork(network, format, { name: 'network' })) {
    const file = join(folder, format, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}

const dataset = await cim.openDataset({ dir: option('data', '') || undefined, fallback: true });
const { height, width, channels, pixels } = dataset.test;
const pictures = {
  ...dataset.test,
  count: PICTURES,
  pixels: pixels.subarray(0, PICTURES * height * width * channels),
};
const inference = cim.createIntegerInference(network);
writeFileSync(join(folder, 'pictures.bin'), pictures.pixels);
writeFileSync(join(folder, 'logits.bin'), inference.logits(pictures));
inference.dispose();
const macs = cim.macCounts(network.description);
const layers = [...network.layers.values()].map(({ name, rows, columns }, i) => {
  writeFileSync(
    join(folder, `${i}.codes.bin`),
    cim.crossbarCodes(/** @type {any} */ (network.layers.get(name))),
  );
  return { name, rows, columns, macs: macs.get(name) };
});
writeFileSync(
  join(folder, 'expected.json'),
  JSON.stringify({ layers, pictures: [PICTURES, height, width, channels] }),
);

const checkouts = ['timeloop-python', 'accelergy', 'cimloop', 'cross-sim'].map((name) => option(name, ''));
const program = python('exports', PACKAGES);
execFileSync(program, [join(here, 'read_exports.py'), folder, ...checkouts], { stdio: 'inherit' });
