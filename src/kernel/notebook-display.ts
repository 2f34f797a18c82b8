/** What a notebook shows, in several forms of which each viewer takes the best it can: content by MIME type. */
export type Bundle = Readonly<Record<string, unknown>>;

type Write = (
  content: { data: Bundle; metadata: object; transient: { display_id?: string } },
  update: boolean,
) => void;

/** Whether this runs in a cell of a notebook (under tslab, mended or not). */
export function inNotebook(): boolean {
  return kernelWrite() !== undefined;
}

/**
 * Shows `bundle` below the running cell. With `id`, it can be replaced by a later call with `update`.
 * @returns false where this does not run in a notebook.
 */
export function displayBundle(bundle: Bundle, id?: string, update = false): boolean {
  const write = kernelWrite();
  // tslab's public `display` sends one MIME type only; what it calls itself takes many.
  write?.({ data: bundle, metadata: {}, transient: id ? { display_id: id } : {} }, update);
  return write !== undefined;
}

let jupyter: { lastWriteDisplayData: Write | null } | undefined;

/** tslab's way to Jupyter. It is sought among the loaded modules, since loading tslab outside its kernel takes seconds. */
function kernelWrite(): Write | undefined {
  if (!jupyter) {
    const path = Object.keys(require.cache).find((name) => /[/\\]tslab[/\\]dist[/\\]jupyter\.js$/.test(name));
    if (!path) return undefined;
    jupyter = require.cache[path]!.exports as { lastWriteDisplayData: Write | null };
  }
  return jupyter.lastWriteDisplayData ?? undefined;
}
