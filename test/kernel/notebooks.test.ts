import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/package-root';

const { root } = packageRoot();
const folder = join(root, 'notebooks');
const names = readdirSync(folder).filter((name) => name.endsWith('.ipynb'));

/** Bytes of the outputs of one notebook: pictures and figure specifications, no data sets. */
const OUTPUT_LIMIT = 1_750_000;

interface Output {
  output_type: string;
  name?: string;
  data?: Record<string, unknown>;
}
interface Cell {
  cell_type: 'code' | 'markdown';
  source: string | string[];
  metadata: Record<string, unknown>;
  execution_count?: number | null;
  outputs?: Output[];
}
interface Notebook {
  cells: Cell[];
  metadata: { kernelspec?: { name: string; language: string } };
  nbformat: number;
}

const read = (name: string): Notebook => JSON.parse(readFileSync(join(folder, name), 'utf8'));
const code = (notebook: Notebook) => notebook.cells.filter((cell) => cell.cell_type === 'code');
const source = (cell: Cell) => [cell.source].flat().join('');

describe.each(names)('%s', (name) => {
  const notebook = read(name);
  const cells = code(notebook);

  test('is a version 4 notebook for our kernel that begins with its title', () => {
    expect(notebook.nbformat).toBe(4);
    expect(notebook.metadata.kernelspec).toMatchObject({ name: 'cim-pruning', language: 'typescript' });
    expect(notebook.cells[0].cell_type).toBe('markdown');
    expect(source(notebook.cells[0])).toMatch(/^# \S/);
  });

  test('has no stderr, no errors, no times and no paths of a machine, and its outputs are small', () => {
    const outputs = cells.flatMap((cell) => cell.outputs ?? []);
    expect(outputs.filter((output) => output.output_type === 'error' || output.name === 'stderr')).toEqual(
      [],
    );
    const text = JSON.stringify(outputs);
    expect(text.length).toBeLessThan(OUTPUT_LIMIT);
    expect(JSON.stringify(notebook.metadata) + text).not.toMatch(/"\/(home|root|Users|tmp|work)\//);
    for (const cell of notebook.cells) expect(cell.metadata).not.toHaveProperty('execution');
  });

  test('was run from top to bottom, or not at all', () => {
    const counts = cells.map((cell) => cell.execution_count ?? null);
    expect([counts.map(() => null), counts.map((_, i) => i + 1)]).toContainEqual(counts);
  });

  test('shows every figure as a picture too, which GitHub and nbviewer can draw', () => {
    for (const { data } of cells.flatMap((cell) => cell.outputs ?? []))
      if (data?.['application/vnd.plotly.v1+json']) expect(Object.keys(data)).toContain('image/png');
  });

  test('writes { a: a } where other TypeScript notebook kernels lose the name of { a }', () => {
    const shorthand: string[] = [];
    for (const cell of cells) {
      const file = ts.createSourceFile('cell.ts', source(cell), ts.ScriptTarget.ES2022, true);
      const visit = (node: ts.Node): void => {
        if (ts.isShorthandPropertyAssignment(node)) shorthand.push(node.name.text);
        ts.forEachChild(node, visit);
      };
      visit(file);
    }
    expect(shorthand).toEqual([]);
  });
});

test.skipIf(names.length === 0)('the code of every notebook has no type errors', { timeout: 120_000 }, () => {
  expect(typeErrors(new Map(names.map((name) => [name, code(read(name)).map(source).join('\n')])))).toEqual(
    [],
  );
});

test('that check finds a call that is not there', { timeout: 120_000 }, () => {
  const errors = typeErrors(
    new Map([['x.ipynb', "import * as cim from 'cim-pruning';\ncim.noSuchFunction();"]]),
  );
  expect(errors).toEqual([expect.stringContaining("Property 'noSuchFunction' does not exist")]);
});

/** Compiles each notebook as one module, as tslab does (not strict), with the package's sources in place of its build. */
function typeErrors(modules: ReadonlyMap<string, string>): string[] {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    moduleDetection: ts.ModuleDetectionKind.Force,
    noEmit: true,
    skipLibCheck: true,
    esModuleInterop: true,
    resolveJsonModule: true,
    types: ['node'],
    baseUrl: root,
    paths: { 'cim-pruning': [existsSync(join(root, 'dist/index.d.ts')) ? 'dist/index' : 'src/index'] },
  };
  const files = new Map([...modules].map(([name, text]) => [join(folder, `${name}.ts`), text]));
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (path) => files.has(path) || fileExists.call(host, path);
  host.getSourceFile = (path, version) =>
    files.has(path)
      ? ts.createSourceFile(path, files.get(path)!, version)
      : getSourceFile.call(host, path, version);
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files.keys()].flatMap((path) => {
    const file = program.getSourceFile(path)!;
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
      ({ messageText, start = 0 }) => {
        const { line } = file.getLineAndCharacterOfPosition(start);
        return `${path.slice(folder.length + 1)}, line ${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
      },
    );
  });
}
