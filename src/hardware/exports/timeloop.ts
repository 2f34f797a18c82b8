import { perPlaneText } from '../../bitplanes/per-plane';
import { planeEncoding } from '../../bitplanes/plane-encoding';
import { inputSlices } from '../../crossbar/input-slices';
import { nodeShapes } from '../../networks/node-shapes';
import { adcBitsOf } from '../../quantization/adc-bits';
import { groupCount } from '../../quantization/channel-groups';
import { crossbarNodes } from '../../quantization/crossbar-layers';
import type { IntegerNetwork } from '../../quantization/integer-network';
import type { CostModel, DesignCost } from '../design-cost';
import { macroParts } from '../isaac-tile';
import type { ExportFile } from './export-file';

/**
 * The network as workloads of CiMLoop (Timeloop problems, version 0.4), one YAML file a layer, and the components as
 * Accelergy's energy and area reference tables, one ADC a resolution. A macro of CiMLoop sets the sliced bits X, Y and Z by
 * its own encoding, and takes the values of weights from the histogram; variables.yaml has ours, for Timeloop alone: input
 * pulses and bit columns a weight. Energies are those of this package's cost model, in pJ an action; areas in um2.
 */
export function timeloopFiles(network: IntegerNetwork, design: DesignCost, model: CostModel): ExportFile[] {
  return [
    ...timeloopProblems(network),
    { path: 'variables.yaml', content: variables(network) },
    { path: 'components/ERT.yaml', content: energyTable(design, model) },
    { path: 'components/ART.yaml', content: areaTable(design, model) },
  ];
}

function timeloopProblems({ description, weightBits, layers, pruning }: IntegerNetwork): ExportFile[] {
  const shapes = nodeShapes(description);
  return crossbarNodes(description).map((node, i) => {
    const { inputBits, codes } = layers.get(node.name)!;
    const groups = groupCount(node);
    const limits = pruning
      ? [`R = ${pruning.tileRows}`, `ADCs of ${perPlaneText(adcBitsOf(pruning.adcBits, node.name))} bits`]
      : [];
    const sizes =
      node.op === 'dense'
        ? { C: node.inFeatures, M: node.outFeatures, P: 1, Q: 1, R: 1, S: 1, Hstride: 1, Wstride: 1 }
        : {
            C: node.inChannels / groups,
            M: node.outChannels / groups,
            P: shapes.get(node.name)![1],
            Q: shapes.get(node.name)![0],
            R: node.kernel,
            S: node.kernel,
            Hstride: node.stride,
            Wstride: node.stride,
          };
    const instance = Object.entries({ N: 1, G: groups, ...sizes, Hdilation: 1, Wdilation: 1, ...SLICED_BITS })
      .map(([key, value]) => `${key}: ${value}`)
      .join(', ');
    return {
      path: `problems/${String(i).padStart(3, '0')}-${node.name}.yaml`,
      content: `problem:
  version: 0.4
  name: ${quoted(node.name)}
  dnn_name: ${quoted(description.name)}
  notes: ${quoted([`${weightBits}-bit weights, ${inputBits}-bit inputs`, ...limits].join(', '))}
  instance: {${instance}}
  histograms:
    Weights: [${weightHistogram(codes, weightBits).join(', ')}]
  shape:
    name: CNN_Layer
    dimensions: [C, M, R, S, N, P, Q, X, Y, Z, G]
    coefficients:
    - {name: Wstride, default: 1}
    - {name: Hstride, default: 1}
    - {name: Wdilation, default: 1}
    - {name: Hdilation, default: 1}
    data_spaces:
    - name: Weights
      projection: [[[C]], [[M]], [[R]], [[S]], [[Y]], [[G]]]
    - name: Inputs
      projection: [[[N]], [[C]], [[R, Wdilation], [P, Wstride]], [[S, Hdilation], [Q, Hstride]], [[X]], [[G]]]
    - name: Outputs
      projection: [[[N]], [[M]], [[Q]], [[P]], [[Z]], [[G]]]
      read_write: true
`,
    };
  });
}

/** Dimensions that stand for bits, as CiMLoop names their sizes. */
const SLICED_BITS = { X: 'ENCODED_INPUT_BITS', Y: 'ENCODED_WEIGHT_BITS', Z: 'ENCODED_OUTPUT_BITS' };

/** How often each code occurs, from the least to the largest: 2^bits - 1 counts around that of zero. */
function weightHistogram(codes: Int8Array, weightBits: number): number[] {
  const largest = 2 ** (weightBits - 1) - 1;
  const counts = new Array<number>(2 * largest + 1).fill(0);
  // Two's complement has one code more below, which counts with its neighbour.
  for (const code of codes) counts[Math.max(0, code + largest)]++;
  return counts;
}

/** The bits as this package has them on its arrays: an input pulse and a bit column for each. */
function variables({ weightBits, layers, pruning }: IntegerNetwork): string {
  const { cellBits = 1, dacBits = 1, encoding = 'sign-split' } = pruning ?? {};
  const { planes, polarities } = planeEncoding(encoding, weightBits, cellBits);
  const inputBits = Math.max(...[...layers.values()].map((layer) => layer.inputBits));
  return `variables:
  version: 0.4
  ENCODED_INPUT_BITS: ${inputSlices(inputBits, dacBits).planes}
  ENCODED_WEIGHT_BITS: ${planes * polarities}
  ENCODED_OUTPUT_BITS: 1
`;
}

/** Energy by part of the macro, over the conversions that it was counted with. */
function energyTable({ layers, energyPj, conversions }: DesignCost, model: CostModel): string {
  const tables = [
    ...resolutions(layers).map((bits) => energyOf(`adc_${bits}b`, 'convert', model.adc.energyPj(bits))),
    ...macroParts
      .filter((part) => part !== 'adc')
      .map((part) =>
        energyOf(
          part.replaceAll('-', '_'),
          'per_conversion',
          conversions === 0 ? 0 : energyPj[part] / conversions,
        ),
      ),
  ];
  return `# ${model.adc.law}\nERT:\n  version: 0.4\n  tables:\n${tables.join('')}`;
}

function areaTable({ layers }: DesignCost, { adc, adcAreaUm2 }: CostModel): string {
  const tables = resolutions(layers).map((bits) => `  - name: adc_${bits}b\n    area: ${adcAreaUm2(bits)}\n`);
  return `# ${adc.law}\nART:\n  version: 0.4\n  tables:\n${tables.join('')}`;
}

const energyOf = (name: string, action: string, energy: number) =>
  `  - name: ${name}\n    actions:\n    - name: ${action}\n      arguments: {}\n      energy: ${energy}\n`;

/** Resolutions that any conversion has, lowest first. */
function resolutions(layers: DesignCost['layers']): number[] {
  const used = layers.flatMap(({ conversionsByBits }) => conversionsByBits.map(({ bits }) => bits));
  return [...new Set(used)].sort((a, b) => a - b);
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
