import { nodeShapes } from '../../networks/node-shapes';
import { crossbarNodes } from '../../quantization/crossbar-layers';
import type { IntegerNetwork } from '../../quantization/integer-network';
import type { CostModel, DesignCost } from '../design-cost';
import { macroParts } from '../isaac-tile';
import { type ExportFile, requireUngrouped } from './export-file';

/**
 * The network as Timeloop problems (the workloads of CiMLoop), one YAML file a layer, and the components as Accelergy's
 * energy and area reference tables (version 0.4), one ADC a resolution. Energies are those of this package's cost model,
 * in pJ an action; areas in um2.
 */
export function timeloopFiles(network: IntegerNetwork, design: DesignCost, model: CostModel): ExportFile[] {
  return [
    ...timeloopProblems(network),
    { path: 'components/ERT.yaml', content: energyTable(design, model) },
    { path: 'components/ART.yaml', content: areaTable(design, model) },
  ];
}

function timeloopProblems({ description, weightBits, layers, pruning }: IntegerNetwork): ExportFile[] {
  const shapes = nodeShapes(description);
  return crossbarNodes(description).map((node, i) => {
    requireUngrouped(node, 'the problem shape');
    const { inputBits } = layers.get(node.name)!;
    const sizes =
      node.op === 'dense'
        ? { C: node.inFeatures, M: node.outFeatures, P: 1, Q: 1, R: 1, S: 1, Hstride: 1, Wstride: 1 }
        : {
            C: node.inChannels,
            M: node.outChannels,
            P: shapes.get(node.name)![1],
            Q: shapes.get(node.name)![0],
            R: node.kernel,
            S: node.kernel,
            Hstride: node.stride,
            Wstride: node.stride,
          };
    const instance = Object.entries({ N: 1, ...sizes, Hdilation: 1, Wdilation: 1 })
      .map(([key, value]) => `${key}: ${value}`)
      .join(', ');
    return {
      path: `problems/${String(i).padStart(3, '0')}-${node.name}.yaml`,
      content: `problem:
  version: 0.4
  name: ${quoted(node.name)}
  dnn_name: ${quoted(description.name)}
  notes: ${quoted(`${weightBits}-bit weights, ${inputBits}-bit inputs, R = ${pruning?.tileRows ?? 'free'}`)}
  instance: {${instance}}
  shape:
    name: CNN_Layer
    dimensions: [C, M, R, S, N, P, Q]
    coefficients:
    - {name: Wstride, default: 1}
    - {name: Hstride, default: 1}
    - {name: Wdilation, default: 1}
    - {name: Hdilation, default: 1}
    data_spaces:
    - name: Weights
      projection: [[[C]], [[M]], [[R]], [[S]]]
    - name: Inputs
      projection: [[[N]], [[C]], [[R, Wdilation], [P, Wstride]], [[S, Hdilation], [Q, Hstride]]]
    - name: Outputs
      projection: [[[N]], [[M]], [[Q]], [[P]]]
      read_write: true
`,
    };
  });
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
  return `ERT:\n  version: 0.4\n  tables:\n${tables.join('')}`;
}

function areaTable({ layers }: DesignCost, { adc, adcAreaUm2 }: CostModel): string {
  const tables = resolutions(layers).map(
    (bits) => `  - name: adc_${bits}b\n    area: ${adcAreaUm2(bits)}\n    notes: ${quoted(adc.law)}\n`,
  );
  return `ART:\n  version: 0.4\n  tables:\n${tables.join('')}`;
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
