import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectionCore } from '../../src/setup/webassembly.mjs';
import { contextWithFakes, sandbox, silentTask, write } from './sandbox.mjs';

/** In place of the compiler: puts all it was given in one file, or fails as it would. */
const COMPILER = `
const fs = require('node:fs');
const texts = fs.readdirSync('.').sort().map((name) => name + ': ' + fs.readFileSync(name, 'utf8'));
if (texts.join().includes('wrong')) { console.log('ERROR TS2322: no type\\n\\nFAILURE 1 compile error(s)'); process.exit(1); }
fs.writeFileSync(process.argv[process.argv.indexOf('-o') + 1], texts.join('\\n'));
`;

function checkout() {
  const root = sandbox();
  const source = (name: string, text: string) => write(join(root, 'src/projections/core', name), text);
  write(join(root, 'node_modules/assemblyscript/bin/asc.js'), COMPILER);
  source('portable.ts', 'plain');
  source('portable.assemblyscript', 'assembly');
  source('solver.ts', "import type { A } from './a';\nimport { type B, c } from './b';\nconst type = 1;");
  const result = join(root, 'dist/projections/core.wasm');
  return { root, source, result, context: contextWithFakes(root) };
}

describe('the projection core', () => {
  it('is compiled when a source has changed or it is gone, and not otherwise', async () => {
    const { source, result, context } = checkout();
    expect(await projectionCore.ready(context)).toBeNull();
    await projectionCore.work(context, silentTask);
    expect(await projectionCore.ready(context)).toBe('WebAssembly');
    rmSync(result);
    expect(await projectionCore.ready(context)).toBeNull();
    await projectionCore.work(context, silentTask);
    expect(await projectionCore.ready(context)).toBe('WebAssembly');
    source('portable.assemblyscript', 'other');
    expect(await projectionCore.ready(context)).toBeNull();
  });

  it('is made of the sources without type-only imports, and of AssemblyScript types', async () => {
    const { result, context } = checkout();
    await projectionCore.work(context, silentTask);
    const text = readFileSync(result, 'utf8');
    expect(text).toContain("import { A } from './a';\nimport { B, c } from './b';\nconst type = 1;");
    expect(text).toContain('portable.ts: assembly');
    expect(text).not.toContain('plain');
  });

  it('fails with the first error of the compiler and leaves nothing', async () => {
    const { root, source, result, context } = checkout();
    source('solver.ts', 'wrong');
    await expect(projectionCore.work(context, silentTask)).rejects.toThrow(
      /does not compile to WebAssembly: ERROR TS2322: no type/,
    );
    expect(existsSync(result)).toBe(false);
    expect(await projectionCore.ready({ ...context, root })).toBeNull();
  });
});
