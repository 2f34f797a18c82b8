import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { build, packageLinks } from '../../src/setup/build.mjs';
import { contextWithFakes, sandbox, silentTask, write } from './sandbox.mjs';

/** In place of the compiler: copies cli and index, or fails as it would. */
const COMPILER = `
const fs = require('node:fs');
const text = fs.readFileSync('src/cli.ts', 'utf8');
if (text.includes('wrong')) { console.log("src/cli.ts(1,1): error TS2322: Type 'a' is not 'b'."); process.exit(2); }
fs.mkdirSync('dist', { recursive: true });
for (const name of ['cli', 'index']) fs.writeFileSync('dist/' + name + '.js', text);
`;

function checkout() {
  const root = sandbox();
  write(join(root, 'node_modules/typescript/bin/tsc'), COMPILER);
  write(join(root, 'src/cli.ts'), '#!/usr/bin/env node\n');
  write(join(root, 'src/index.ts'), '');
  write(join(root, 'tsconfig.json'), '{}');
  write(join(root, 'package-lock.json'), '{}');
  return { root, context: contextWithFakes(root) };
}

describe('the build', () => {
  it('runs when a source has changed and not otherwise', async () => {
    const { root, context } = checkout();
    expect(await build.ready(context)).toBeNull();
    await build.work(context, silentTask);
    expect(await build.ready(context)).not.toBeNull();
    write(join(root, 'src/index.ts'), 'export {};');
    expect(await build.ready(context)).toBeNull();
  });

  it('deletes compiled files whose source is gone', async () => {
    const { root, context } = checkout();
    write(join(root, 'dist/old/gone.js'), '');
    await build.work(context, silentTask);
    expect(existsSync(join(root, 'dist/old/gone.js'))).toBe(false);
    expect(existsSync(join(root, 'dist/index.js'))).toBe(true);
  });

  it('fails with the first error of the compiler', async () => {
    const { root, context } = checkout();
    write(join(root, 'src/cli.ts'), 'wrong');
    await expect(build.work(context, silentTask)).rejects.toThrow(
      "src/ does not compile (1 errors): src/cli.ts(1,1): error TS2322: Type 'a' is not 'b'.",
    );
    expect(await build.ready(context)).toBeNull();
  });

  it('is followed by links for npx and for notebooks', async () => {
    const { root, context } = checkout();
    await build.work(context, silentTask);
    expect(await packageLinks.ready(context)).toBeNull();
    await packageLinks.work(context, silentTask);
    expect(await packageLinks.ready(context)).not.toBeNull();
    expect(existsSync(join(root, 'node_modules/cim-pruning/dist/index.js'))).toBe(true);
    expect(statSync(join(root, 'node_modules/.bin/cim-pruning')).mode & 0o100).toBe(0o100);
  });
});
