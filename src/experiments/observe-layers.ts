import type { Pictures } from '../networks/inference';
import { createIntegerInference, type IntegerHooks } from '../quantization/integer-inference';
import type { IntegerNetwork } from '../quantization/integer-network';

/** Sends pictures through a network once; `onLayer` looks on at its crossbar layers, in order, or replaces their outputs. */
export function observeLayers(
  network: IntegerNetwork,
  pictures: Pictures,
  onLayer: NonNullable<IntegerHooks['onLayer']>,
): void {
  const inference = createIntegerInference(network, { onLayer });
  try {
    inference.logits(pictures);
  } finally {
    inference.dispose();
  }
}
