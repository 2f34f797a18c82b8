import { attribute, DType, dispose, keep, run, runMany, scope, type Tensor, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import type { WeightPull } from './weight-steering';

/** Numbers that live in the engine and change in place. */
export interface Variable {
  readonly handle: Tensor;
  /** The current value, sharing memory: free it before the next update, which otherwise copies. */
  value(): Tensor;
  assign(value: Tensor): void;
  /** Adds in place. */
  add(change: Tensor): void;
  dispose(): void;
}

let variables = 0;

export function variable(data: Float32Array): Variable {
  const float = [attribute.type('dtype', DType.float32)];
  const handle = keep(
    run(
      'VarHandleOp',
      [
        ...float,
        attribute.shape('shape', [data.length]),
        attribute.string('container', ''),
        attribute.string('shared_name', `variable${variables++}`),
      ],
      [],
    ),
  );
  const assign = (value: Tensor) => {
    runMany('AssignVariableOp', float, [handle, value], 0);
  };
  const initial = upload(data, [data.length]);
  assign(initial);
  dispose(initial);
  return {
    handle,
    assign,
    add: (change) => {
      runMany('AssignAddVariableOp', float, [handle, change], 0);
    },
    value: () => run('ReadVariableOp', float, [handle]),
    dispose: () => {
      runMany('DestroyResourceOp', [attribute.bool('ignore_lookup_error', true)], [handle], 0);
      dispose(handle);
    },
  };
}

/** Stochastic gradient descent with momentum on one vector. */
export interface Sgd {
  readonly weights: Variable;
  readonly velocity: Variable;
  /** One step along -gradient at the given rate; the gradient is left to the caller to free. */
  step(gradient: Tensor, rate: number): void;
  /** From now on adds strength * w - force to every gradient; undefined: no more. */
  setPull(pull: WeightPull | undefined): void;
  dispose(): void;
}

/**
 * SGD with weight decay added to the gradient, as PyTorch has it, and the rate inside the velocity, as Sutskever et al.
 * 2013 and Keras have it: v = momentum * v - rate * g; w += v, or with Nesterov w += momentum * v - rate * g. At a
 * constant rate that is PyTorch's rule (whose velocity is -v / rate). One fused update kernel.
 * @param decay weight decay of every element, [length]
 */
export function createSgd(
  weights: Float32Array,
  velocity: Float32Array,
  decay: Float32Array,
  { momentum, nesterov }: { momentum: number; nesterov: boolean },
): Sgd {
  const w = variable(weights);
  const v = variable(velocity);
  const vector = (data: Float32Array) => keep(upload(data, [data.length]));
  // Decay and pull together are coefficient * w - offset.
  let coefficient = vector(decay);
  let offset: Tensor | undefined;
  const mu = keep(k.scalar(momentum));
  const list = [
    attribute.type('T', DType.float32),
    attribute.bool('use_locking', false),
    attribute.bool('use_nesterov', nesterov),
  ];
  return {
    weights: w,
    velocity: v,
    step(gradient, rate) {
      const now = w.value();
      const total = scope(() => {
        const pulled = k.add(gradient, k.multiply(now, coefficient));
        return offset ? k.subtract(pulled, offset) : pulled;
      });
      dispose(now);
      const lr = k.scalar(rate);
      runMany('ResourceApplyKerasMomentum', list, [w.handle, v.handle, lr, total, mu], 0);
      dispose(total, lr);
    },
    setPull(pull) {
      dispose(coefficient, ...(offset ? [offset] : []));
      offset = pull && vector(pull.force);
      coefficient = vector(pull ? decay.map((value, i) => value + pull.strength[i]) : decay);
    },
    dispose() {
      w.dispose();
      v.dispose();
      dispose(coefficient, mu, ...(offset ? [offset] : []));
    },
  };
}
