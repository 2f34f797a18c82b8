import { InputError } from '../errors';

/** A number for all bit planes of a layer alike, or one a plane, lowest first. */
export type PerPlane = number | readonly number[];

/** The number of one plane. */
export function ofPlane(value: PerPlane, plane: number): number {
  return typeof value === 'number' ? value : value[plane];
}

export function largestOf(value: PerPlane): number {
  return typeof value === 'number' ? value : Math.max(...value);
}

/** The number of every plane, lowest first. @throws InputError, naming the `field`, for a list of another length */
export function planeList(field: string, value: PerPlane, planes: number): readonly number[] {
  if (typeof value === 'number') return new Array<number>(planes).fill(value);
  if (value.length !== planes)
    throw new InputError(`${field}: ${value.length} numbers for the ${planes} planes`);
  return value;
}

/** The same with every number changed. */
export function mapPlanes(value: PerPlane, change: (own: number) => number): PerPlane {
  return typeof value === 'number' ? change(value) : value.map(change);
}

/** For people: `3`, or `0 2 3 3`, lowest first. */
export function perPlaneText(value: PerPlane): string {
  return [value].flat().join(' ');
}
