import { evenTileRows } from '../bitplanes/even-tile-rows';
import type { ConvNode, DenseNode } from '../networks/description';
import type { BitMask } from '../projections/bit-mask';
import { groupColumns, groupCount, groupRows, joinColumns } from '../quantization/channel-groups';
import type { IntegerLayer, IntegerNetwork } from '../quantization/integer-network';
import { permuteRows, restoreRows } from '../quantization/row-order';
import { weightMatrix } from '../quantization/weight-matrix';
import { balancedRowOrder } from './balanced-row-order';
import { correctOutputs } from './correct-outputs';
import {
  type AdmmIteration,
  type LayerAdmmProblem,
  type LayerAdmmResult,
  layerAdmm,
  relativeError,
} from './layer-admm';
import type { LayerBudget } from './layer-budget';
import { placedInputs, type SharedInputs } from './layer-system';
import type { MeasuredLayer } from './measure-layer';
import { type PostTrainingSettings, postTrainingDefaults } from './post-training-settings';
import { projectWeights } from './project-weights';
import { rectifiedMoments } from './rectified-targets';
import { momentsOf } from './second-moments';
import type { StageSeconds, StageTimer } from './stage-timer';
import type { ReferenceNetwork } from './through-layers';

export interface LayerOutcome {
  readonly name: string;
  /**
   * Output error before any ReLU over output variance on the calibration pictures, with what layers above lost, before
   * scales and biases are moved to match the outputs' variance and mean; of a grouped convolution the mean over its groups.
   */
  readonly relativeError: number;
  readonly nonzeroShare: number;
  /** Of ADMM; empty without it. */
  readonly iterations: readonly AdmmIteration[];
  /** Certified gap of each column of the (last) projection, where the method has one. */
  readonly gaps?: Float64Array;
  readonly seconds: StageSeconds;
}

/** A layer of a network, the moments of its inputs, and the float network that it should reproduce. */
export interface LayerInputs {
  readonly node: ConvNode | DenseNode;
  readonly network: IntegerNetwork;
  readonly reference: ReferenceNetwork;
  readonly measured: MeasuredLayer;
  /** Keeps what every pruning of the layer on these inputs needs; default: each makes its own. */
  readonly shared?: SharedInputs;
}

/** What a layer's codes must keep. */
export interface ChosenLimits {
  readonly budget: LayerBudget;
  /** The bits it may use, if they are chosen already. */
  readonly allowed?: BitMask;
}

/** One layer pruned, given the moments of its inputs. */
export function pruneLayer(
  { node, network, reference, measured, shared }: LayerInputs,
  timer: StageTimer,
  settings: Omit<PostTrainingSettings, 'adcBits'>,
  { budget, allowed }: ChosenLimits,
): { layer: IntegerLayer; outcome: LayerOutcome } {
  const { moments, samples, ridge } = measured;
  const { method = 'lagrangian', balancedRows = false } = settings;
  const layer = network.layers.get(node.name)!;
  const { columns, rows } = layer;
  const tileRows = evenTileRows(rows, settings.tileRows);
  const weights = weightMatrix(node, reference.parameters, network);
  const groups = groupCount(node);
  const shape = { rows, columns, tileRows, weightBits: network.weightBits, ...budget };
  const rowOrder = balancedRows && !allowed ? balancedRowOrder({ ...shape, weights }) : undefined;
  // Groups share neither inputs nor columns, so each is a layer of its own.
  const parts = Array.from({ length: groups }, (_, group) => {
    const width = columns / groups;
    const inGroup = groupRows(node, group);
    const placed = rowOrder ? rowOrder.map((row) => inGroup[row]) : inGroup;
    const own = permuteRows(groupColumns(weights, columns, groups, group), width, rowOrder);
    const place = () => placedInputs(momentsOf(moments, placed, groups, group));
    const inputs = shared?.(group, rowOrder !== undefined, place) ?? place();
    let final = inputs.moments;
    const retarget = (codes: Int8Array, scales: Float32Array) => {
      const { bias } = correctOutputs(final, codes, scales, 0);
      const natural = restoreRows(codes, width, rowOrder);
      final = timer.time('moments', () => {
        const { cross, ...rest } = rectifiedMoments(moments, samples!, natural, scales, bias);
        const ordered = permuteRows(cross, width, rowOrder);
        return { ...rest, hessian: final.hessian, mean: final.mean, cross: ordered };
      });
      return final;
    };
    const problem: LayerAdmmProblem = {
      name: node.name,
      weights: own,
      moments: final,
      tileRows,
      weightBits: network.weightBits,
      ...budget,
      iterations: settings.iterations ?? postTrainingDefaults.iterations,
      projection: method === 'bit-only' || method === 'magnitude' ? undefined : method,
      searchLimit: settings.searchLimit ?? postTrainingDefaults.searchLimit,
      allowed: allowed && groupMask(allowed, columns, groups, group),
      scales: allowed && groupColumns(layer.scales, columns, groups, group),
      ridge,
      retarget: samples && retarget,
      system: shared && inputs.system,
      timer,
    };
    const plain = settings.compensation === 'none';
    const pruned = plain ? projected(problem) : layerAdmm(problem);
    // Scales that must stay are not moved either.
    const matching =
      plain || allowed ? 0 : (settings.varianceMatching ?? postTrainingDefaults.varianceMatching);
    const corrected = correctOutputs(final, pruned.codes, pruned.scales, matching);
    return { ...pruned, ...corrected, codes: restoreRows(pruned.codes, width, rowOrder) };
  });
  const codes = joinColumns(
    parts.map((part) => part.codes),
    rows,
  );
  const flips = parts.flatMap((part) => part.flips ?? []);
  const vector = (field: 'scales' | 'bias') =>
    joinColumns(
      parts.map((part) => part[field]),
      1,
    );
  const nonzero = codes.reduce((sum, code) => sum + (code === 0 ? 0 : 1), 0);
  return {
    layer: {
      ...layer,
      codes,
      ...(rowOrder && { rowOrder }),
      ...(flips.length > 0 && { flips: joinColumns(flips, Math.ceil(rows / tileRows)) }),
      scales: vector('scales'),
      bias: vector('bias'),
    },
    outcome: {
      name: node.name,
      relativeError: parts.reduce((sum, part) => sum + part.relativeError, 0) / groups,
      nonzeroShare: nonzero / codes.length,
      iterations: longest(parts.map((part) => part.iterations)),
      gaps: method === 'lagrangian' || method === 'exact' ? joinGaps(parts) : undefined,
      seconds: timer.seconds(),
    },
  };
}

/** The bits that one group may use. */
function groupMask({ mask, sign }: BitMask, columns: number, groups: number, group: number): BitMask {
  return {
    mask: groupColumns(mask, columns, groups, group),
    sign: groupColumns(sign, columns, groups, group),
  };
}

/** Of several groups the one that took most iterations. */
function longest(lists: readonly (readonly AdmmIteration[])[]): readonly AdmmIteration[] {
  return lists.reduce((most, list) => (list.length > most.length ? list : most));
}

function joinGaps(parts: readonly { readonly gaps?: Float64Array }[]): Float64Array {
  return Float64Array.from(parts.flatMap(({ gaps }) => [...(gaps ?? [])]));
}

/** Codes of one projection, every weight counting alike. */
function projected(problem: LayerAdmmProblem): LayerAdmmResult {
  const { moments } = problem;
  const answer = projectWeights({ ...problem, rows: moments.rows, columns: moments.columns });
  return {
    ...answer,
    relativeError: relativeError(moments, answer.codes, answer.scales),
    iterations: [],
  };
}
