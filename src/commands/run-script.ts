import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../package-root';

/** Runs a program in the package's folder with our own terminal; resolves to its exit status. */
export function runProgram(
  program: string,
  args: readonly string[],
  folder = packageRoot().root,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { cwd: folder, stdio: ['inherit', 2, 'inherit'] });
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? (signal ? 130 : 1)));
  });
}

/** Path of a file of the package. */
export function packageFile(...parts: readonly string[]): string {
  return join(packageRoot().root, ...parts);
}
