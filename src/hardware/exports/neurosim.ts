import { InputError } from '../../errors';
import type { NetworkDescription, Node } from '../../networks/description';
import { inputsOf, nodeShapes } from '../../networks/node-shapes';
import { crossbarNodes } from '../../quantization/crossbar-layers';
import type { IntegerNetwork } from '../../quantization/integer-network';
import { crossbarCodes } from '../../quantization/row-order';
import { type ExportFile, requireUngrouped } from './export-file';

/** Input vectors of a layer for one picture, rows as they stand on the crossbars. */
export interface LayerTrace {
  readonly inputs: Uint8Array | Int8Array;
  readonly vectors: number;
}

/**
 * What DNN+NeuroSim V1.4 reads: the network's CSV, a weight and an input CSV for each layer, and the command that runs it
 * (V1.3's main takes the same files, but not the two numbers of rows in front of them). Rows keep the order in which they
 * stand on the crossbars (NeuroSim has c, ky, kx); its subarrays are filled one after another, so that they hold the row
 * tiles where these are full. NeuroSim maps weights with an offset and knows nothing of bit planes: set `levelOutput` in its Param.cpp
 * to 2^(ADC bits), and read its components' energies rather than its ADC resolution.
 */
export function neurosimFiles(
  network: IntegerNetwork,
  traces: ReadonlyMap<string, LayerTrace>,
  name: string,
  { subArrayRows = network.pruning?.tileRows ?? 128 }: { readonly subArrayRows?: number } = {},
): ExportFile[] {
  const { description, weightBits } = network;
  const folder = `layer_record_${name}`;
  const nodes = crossbarNodes(description);
  const inputBits = Math.max(...[...network.layers.values()].map((layer) => layer.inputBits));
  const command = nodes.flatMap((node) => [
    `./${folder}/weight${node.name}.csv`,
    `./${folder}/input${node.name}.csv`,
  ]);
  return [
    { path: `NeuroSIM/NetWork_${name}.csv`, content: neurosimNetwork(description) },
    ...nodes.flatMap((node): ExportFile[] => {
      const layer = network.layers.get(node.name)!;
      const trace = traces.get(node.name);
      if (!trace) throw new InputError(`layer ${node.name}: its inputs are needed for NeuroSim`);
      return [
        {
          path: `${folder}/weight${node.name}.csv`,
          content: neurosimWeights(crossbarCodes(layer), layer.columns, weightBits),
        },
        { path: `${folder}/input${node.name}.csv`, content: neurosimInputs(trace, layer.rows, inputBits) },
      ];
    }),
    {
      path: `${folder}/trace_command.sh`,
      content: `./NeuroSIM/main ./NeuroSIM/NetWork_${name}.csv ${weightBits} ${inputBits} ${subArrayRows} ${subArrayRows} ${command.join(' ')}\n`,
    },
  ];
}

/**
 * A line a layer: input height, width and channels, kernel height and width, output channels, whether max pooling
 * follows, stride. Height and width are such that (height - kernel + 1) / stride is the output's, padding included.
 */
export function neurosimNetwork(description: NetworkDescription): string {
  const shapes = nodeShapes(description);
  return crossbarNodes(description)
    .map((node) => {
      requireUngrouped(node, 'NeuroSim');
      const pooled = Number(poolFollows(description, node));
      if (node.op === 'dense') return [1, 1, node.inFeatures, 1, 1, node.outFeatures, pooled, 1];
      const [outHeight, outWidth] = shapes.get(node.name)!;
      const { kernel, stride } = node;
      const read = (out: number) => out * stride + kernel - 1;
      return [
        read(outHeight),
        read(outWidth),
        node.inChannels,
        kernel,
        kernel,
        node.outChannels,
        pooled,
        stride,
      ];
    })
    .map((line) => `${line.join(',')}\n`)
    .join('');
}

/** Whether a node's output goes to max pooling, perhaps through nodes that take each number by itself. */
function poolFollows(description: NetworkDescription, { name }: Node): boolean {
  return description.nodes
    .filter((reader) => inputsOf(reader).includes(name))
    .some(
      (reader) =>
        reader.op === 'maxpool' ||
        (['relu', 'batchnorm', 'dropout'].includes(reader.op) && poolFollows(description, reader)),
    );
}

/** Weights in -1..1, [rows][columns]. */
export function neurosimWeights(codes: Int8Array, columns: number, weightBits: number): string {
  const one = 2 ** (weightBits - 1);
  return lines(codes.length / columns, (row) =>
    Array.from(codes.subarray(row * columns, (row + 1) * columns), (code) => `${code / one}`),
  );
}

/** Input bits, [rows][vectors * bits]: the bits of each vector side by side, highest first. */
export function neurosimInputs({ inputs, vectors }: LayerTrace, rows: number, inputBits: number): string {
  return lines(rows, (row) => {
    const bits: string[] = [];
    for (let vector = 0; vector < vectors; vector++) {
      const code = inputs[vector * rows + row];
      for (let bit = inputBits - 1; bit >= 0; bit--) bits.push((code >> bit) & 1 ? '1' : '0');
    }
    return bits;
  });
}

function lines(count: number, cells: (row: number) => readonly string[]): string {
  return Array.from({ length: count }, (_, row) => `${cells(row).join(',')}\n`).join('');
}
