import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const sources = resolve(__dirname, '../../src');

/** What opens and saves files, and so needs Node. */
const FILES = ['quantization/model-file.ts'];

/** Files of a room and all they import, and what they import from outside the package, by file. */
function closure(room: string): { files: string[]; outside: Map<string, string[]> } {
  const outside = new Map<string, string[]>();
  const waiting = readdirSync(join(sources, room), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !FILES.includes(`${room}/${name}`))
    .map((name) => join(sources, room, name));
  const files = new Set<string>();
  while (waiting.length > 0) {
    const file = waiting.pop()!;
    if (files.has(file)) continue;
    files.add(file);
    for (const [, from] of readFileSync(file, 'utf8').matchAll(
      /^(?:import|export) (?!type )[^;]*? from '([^']+)';/gm,
    )) {
      const inside = resolve(dirname(file), from);
      if (from.startsWith('.') && existsSync(`${inside}.ts`)) waiting.push(`${inside}.ts`);
      else if (!from.startsWith('.')) outside.set(relative(sources, file), [from]);
    }
  }
  return { files: [...files], outside };
}

describe('the core rooms', () => {
  it.each(['quantization', 'bitplanes', 'projections', 'crossbar', 'hardware'])(
    '%s runs in a browser: nothing it imports needs Node or another package',
    (room) => {
      const { files, outside } = closure(room);
      expect(files.length).toBeGreaterThan(5);
      expect(Object.fromEntries(outside)).toEqual({});
    },
  );
});
