import { InputError } from '../errors';
import { type Constant, type ConstantTable, constantTable, constantValue } from './constant-table';
import technologyList from './constants/technology.json';

export const technologyConstants: ConstantTable = constantTable(technologyList, 'technology.json');

/** Nodes of the published table, widest first, in nm. */
export const technologyNodes: readonly number[] = [130, 90, 65, 45, 32, 20, 16, 14, 10, 7];

/** What multiplies an energy and an area when a circuit moves from one node to another. */
export interface TechnologyFactors {
  readonly energy: number;
  readonly area: number;
}

/**
 * Scaling between nodes after Stillmaker and Baas (2017), both at the same supply, by their fits to high-performance
 * devices where they have two; between tabulated nodes the factors follow a power of the node. The law is fitted to
 * digital logic: a converter that noise limits shrinks less.
 * @throws InputError for a node outside 7 to 130 nm
 */
export function technologyFactors(
  fromNm: number,
  toNm: number,
  constants: ConstantTable = technologyConstants,
): TechnologyFactors {
  const supply = constantValue(constants, 'technology.supply', 'V');
  const get = (name: string, node: number) => constantValue(constants, `technology.${name}.${node}`, '1');
  const energyAt = (node: number) =>
    get('energy.quadratic', node) * supply ** 2 +
    get('energy.linear', node) * supply +
    get('energy.fixed', node);
  const areaAt = (node: number) => get('area', node);
  return {
    energy: between(toNm, energyAt) / between(fromNm, energyAt),
    area: between(toNm, areaAt) / between(fromNm, areaAt),
  };
}

/**
 * A table of constants at another node: energies and powers times the energy factor, areas times the area factor. Times
 * and rates stay, so that designs are compared at equal speed; constants without a node stay, too.
 */
export function scaleConstants(table: ConstantTable, toNm: number): ConstantTable {
  return new Map([...table].map(([name, constant]) => [name, scaleConstant(constant, toNm)]));
}

function scaleConstant(constant: Constant, toNm: number): Constant {
  const { node, unit, value, source } = constant;
  if (node === null || node === toNm || !(unit in SCALES_AS)) return constant;
  const factor = technologyFactors(node, toNm)[SCALES_AS[unit]];
  return {
    ...constant,
    value: value * factor,
    node: toNm,
    source: `${source}; scaled from ${node} to ${toNm} nm after Stillmaker and Baas`,
    status: constant.status === 'assumed' ? 'assumed' : 'derived',
  };
}

/** Nodes in nm of the energies, powers and areas of a table, widest first. */
export function nodesOf(table: ConstantTable): number[] {
  const nodes = [...table.values()].flatMap(({ node, unit }) =>
    node !== null && unit in SCALES_AS ? node : [],
  );
  return [...new Set(nodes)].sort((a, b) => b - a);
}

const SCALES_AS: Readonly<Record<string, keyof TechnologyFactors>> = {
  pJ: 'energy',
  mW: 'energy',
  uW: 'energy',
  um2: 'area',
  mm2: 'area',
};

/** A quantity between the tabulated nodes: a straight line of its logarithm over that of the node. */
function between(node: number, at: (node: number) => number): number {
  const widest = technologyNodes[0];
  const narrowest = technologyNodes[technologyNodes.length - 1];
  if (!(node >= narrowest && node <= widest)) {
    throw new InputError(`technology node: ${node} nm is outside ${narrowest} to ${widest} nm`);
  }
  const after = technologyNodes.findIndex((known) => known <= node);
  const below = technologyNodes[after];
  if (below === node) return at(node);
  const above = technologyNodes[after - 1];
  const part = Math.log(node / below) / Math.log(above / below);
  return at(below) ** (1 - part) * at(above) ** part;
}
