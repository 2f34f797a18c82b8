import { binding } from './binding.mjs';
import { build, packageLinks } from './build.mjs';
import { chromium } from './chromium.mjs';
import { engineCheck } from './engine-check.mjs';
import { libtensorflowStep } from './libtensorflow.mjs';
import { notebookKernel } from './notebook-kernel.mjs';
import { npmPackages } from './npm-packages.mjs';

import { pythonEnvironment } from './python-environment.mjs';
import { crossbarKernel, projectionCore } from './webassembly.mjs';

/**
 * What has to be there, each step needing only those before it. Python comes before libtensorflow because its pip fetches the wheel.
 *
 * @type {readonly import('./context.mjs').Step[]}
 */
export const STEPS = [
  npmPackages,
  pythonEnvironment,
  libtensorflowStep(),
  binding,
  build,
  projectionCore,
  crossbarKernel,
  packageLinks,
  notebookKernel,
  chromium,
  engineCheck,
];
