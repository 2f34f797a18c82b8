import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemCompiler } from '../../src/setup/compiler.mjs';
import { sandbox, write } from './sandbox.mjs';

describe('systemCompiler', () => {
  it('passes by a compiler that tells its version but makes no program', async () => {
    const root = sandbox();
    const program = (name: string, body: string) => {
      const path = write(join(root, name), `#!/bin/sh\n${body}\n`);
      chmodSync(path, 0o755);
      return path;
    };
    program('c++', '[ "$1" = --version ]');
    program('g++', 'while [ $# -gt 1 ]; do shift; done; echo made > "$1"');
    const found = await systemCompiler({ PATH: root });
    expect(found?.name).toBe('g++');
    expect(await systemCompiler({ PATH: join(root, 'empty') })).toBeNull();
  });
});
