import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

let found: { readonly root: string; readonly version: string } | undefined;

/** The package's own folder, whether this runs from src/, dist/ or elsewhere, and its version. */
export function packageRoot(): { readonly root: string; readonly version: string } {
  if (found) return found;
  for (let folder = __dirname; ; folder = dirname(folder)) {
    const path = join(folder, 'package.json');
    if (existsSync(path)) {
      const { name, version } = JSON.parse(readFileSync(path, 'utf8')) as { name: string; version: string };
      if (name === 'cim-pruning') {
        found = { root: folder, version };
        return found;
      }
    }
    if (dirname(folder) === folder) throw new Error(`no package.json of cim-pruning above ${__dirname}`);
  }
}
