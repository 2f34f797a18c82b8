import { dispose, type Tensor } from './engine';
import { add } from './kernels';

/**
 * Reverse-mode differentiation over kernels. Each differentiable operation records how to turn the gradient of its
 * output into the gradients of its inputs; `backward` plays the records in reverse. Memory is freed on the way: once a
 * record has been played, nothing needs its output or what it saved any more.
 */
export interface Tape {
  record(entry: TapeEntry): Tensor;
  /** Gradients of `watched` tensors given the gradient of `output`; everything else on the tape is freed. */
  backward(output: Tensor, gradient: Tensor, watched: readonly Tensor[]): Tensor[];
}

export interface TapeEntry {
  readonly output: Tensor;
  readonly inputs: readonly Tensor[];
  /** What `gradients` needs besides inputs and output; freed afterwards. */
  readonly saved?: readonly Tensor[];
  /** One gradient for each input, or undefined where none is wanted. Must not return `gradient` itself. */
  gradients(gradient: Tensor): readonly (Tensor | undefined)[];
}

export function createTape(): Tape {
  const entries: TapeEntry[] = [];
  return {
    record(entry) {
      entries.push(entry);
      return entry.output;
    },
    backward(output, gradient, watched) {
      const pending = new Map<Tensor, Tensor>([[output, gradient]]);
      while (entries.length > 0) {
        const entry = entries.pop()!;
        const incoming = pending.get(entry.output);
        if (incoming) {
          pending.delete(entry.output);
          const outgoing = entry.gradients(incoming);
          entry.inputs.forEach((input, i) => {
            if (outgoing[i]) accumulate(pending, input, outgoing[i]);
          });
          dispose(incoming);
        }
        dispose(entry.output, ...(entry.saved ?? []));
      }
      const found = watched.map((tensor) => pending.get(tensor)!);
      for (const [tensor, rest] of pending) if (!watched.includes(tensor)) dispose(rest);
      return found;
    },
  };
}

function accumulate(pending: Map<Tensor, Tensor>, input: Tensor, gradient: Tensor): void {
  const before = pending.get(input);
  if (!before) {
    pending.set(input, gradient);
    return;
  }
  pending.set(input, add(before, gradient));
  dispose(before, gradient);
}
