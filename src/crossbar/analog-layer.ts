import type { CompiledModule } from '../tensor/compiled-module';
import { jobBuffer, runParts, threadCount } from '../tensor/parallel';
import { analogEngine } from './analog-engine';
import type { CircuitSettings } from './analog-settings';
import { compiledKernel, useCompiledKernel } from './compiled-kernel';
import { inputMatrix, type LayerInputs, wiredInputs } from './layer-inputs';
import type { LayerJob, LayerResult, MappedLayer } from './layer-job';
import { type ProgrammedLayer, programLayer } from './program-layer';

/** Vectors of a part: what a thread takes at a time. */
const PART = 256;

/** Vectors of a layer on a circuit, for any thread. Typed arrays are shared. */
interface AnalogWork {
  /** Names what each thread programs once. */
  readonly id: number;
  /** The kernel in use on the thread that gives the work. */
  readonly compiled: CompiledModule | undefined;
  /** One for each group of output channels, its inputs in the order of its rows. */
  readonly groups: readonly LayerJob[];
  readonly circuits: readonly CircuitSettings[];
  readonly firstVector: number;
  /** [vectors, columns] */
  readonly outputs: Float64Array;
  readonly columns: number;
  /** By part. */
  readonly saturated: Float64Array;
  readonly conversions: Float64Array;
}

let layers = 0;
const programmed = new Map<string, ProgrammedLayer>();
/** Layers kept on a thread; a network has fewer. */
const KEPT = 256;

/** A layer on a circuit for any number of inputs: every static error is drawn once, by seed and name. */
export function createAnalogLayer(
  layer: MappedLayer,
  circuit: CircuitSettings,
): (inputs: LayerInputs, firstVector?: number) => LayerResult {
  const id = ++layers;
  const width = layer.columns / layer.wiring.length;
  const ungrouped = layer.wiring.map((_, group) => groupOf(layer, group, width));
  return (inputs, firstVector = 0) => {
    const matrix = inputMatrix(inputs);
    const { vectors } = inputs;
    const parts = Math.ceil(vectors / PART);
    const work: AnalogWork = {
      id,
      compiled: compiledKernel(),
      groups: ungrouped.map((own, group) => ({
        ...own,
        inputs: wired(matrix, layer, group),
        vectors,
      })),
      circuits: ungrouped.map((_, group) =>
        ungrouped.length === 1
          ? circuit
          : { ...circuit, layer: `${circuit.layer ?? 'layer'}, group ${group}` },
      ),
      firstVector,
      outputs: new Float64Array(jobBuffer(8 * vectors * layer.columns)),
      columns: layer.columns,
      saturated: new Float64Array(jobBuffer(8 * parts)),
      conversions: new Float64Array(jobBuffer(8 * parts)),
    };
    runParts(analogParts, {
      module: 'crossbar/analog-layer',
      name: 'analogParts',
      argument: work,
      parts,
      milliseconds: threadCount() * vectors * layer.columns * layer.rows * 1e-5,
    });
    const total = (counts: Float64Array) => counts.reduce((sum, count) => sum + count, 0);
    return {
      outputs: work.outputs.slice(),
      saturated: total(work.saturated),
      conversions: total(work.conversions),
    };
  };
}

/** Runs the parts it takes. */
export function analogParts(work: AnalogWork, take: () => number): void {
  useCompiledKernel(work.compiled);
  const width = work.columns / work.groups.length;
  for (let part = take(); part >= 0; part = take()) {
    work.groups.forEach((job, group) => {
      const circuit = work.circuits[group];
      const first = part * PART;
      const vectors = Math.min(PART, job.vectors - first);
      const inputs = job.inputs.slice(first * job.rows, (first + vectors) * job.rows);
      const cells = keptLayer(`${work.id}/${group}`, job, circuit);
      const settings = { ...circuit, firstVector: work.firstVector + first };
      const result = analogEngine({ ...job, inputs, vectors }, settings, cells);
      for (let vector = 0; vector < vectors; vector++) {
        const own = result.outputs.subarray(vector * width, (vector + 1) * width);
        work.outputs.set(own, (first + vector) * work.columns + group * width);
      }
      work.saturated[part] += result.saturated;
      work.conversions[part] += result.conversions;
    });
  }
}

/** The same static errors on every thread: they follow from the seed and the layer's name. */
function keptLayer(key: string, job: LayerJob, circuit: CircuitSettings): ProgrammedLayer {
  let layer = programmed.get(key);
  if (!layer) {
    if (programmed.size >= KEPT) programmed.delete(programmed.keys().next().value!);
    layer = programLayer(job, circuit);
    programmed.set(key, layer);
  }
  return layer;
}

/** One group's columns as a layer of its own, its rows driven in order. */
function groupOf(layer: MappedLayer, group: number, width: number): MappedLayer {
  const { rows, columns, codes, flips, readouts, wiring, steps } = layer;
  const identity = [Int32Array.from({ length: rows }, (_, row) => row)];
  if (wiring.length === 1) return { ...layer, wiring: identity, inputRows: rows };
  const own = <T extends Int8Array | Uint8Array | Float64Array>(values: T, each = 1): T =>
    values.filter((_, at) => Math.floor((Math.floor(at / each) % columns) / width) === group) as T;
  return {
    ...layer,
    columns: width,
    codes: own(codes),
    flips: flips && own(flips),
    steps: steps?.granularity === 'column' ? { ...steps, values: own(steps.values, readouts.length) } : steps,
    wiring: identity,
    inputRows: rows,
  };
}

/** Input vectors in the order of a group's rows, shared with all threads. */
function wired(
  matrix: Uint8Array | Int8Array,
  { inputRows, rows, wiring }: MappedLayer,
  group: number,
): Uint8Array | Int8Array {
  const Kind = matrix.constructor as new (buffer: ArrayBuffer | SharedArrayBuffer) => Uint8Array | Int8Array;
  const shared = new Kind(jobBuffer((matrix.length / inputRows) * rows));
  return wiredInputs(matrix, inputRows, wiring[group], shared);
}
