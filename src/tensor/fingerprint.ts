/** Odd multipliers of the four lanes (SplitMix and MurmurHash3's constants). */
const MULTIPLIERS = [0x85ebca6b, 0xc2b2ae35, 0x9e3779b1, 0x27d4eb2f] as const;

/**
 * 128 bits in hexadecimal that tell contents apart by accident-proof odds, not against an adversary; the core rooms run in
 * browsers and have no cryptographic hash at hand.
 */
export function fingerprint(bytes: Uint8Array): string {
  const lanes = MULTIPLIERS.map((multiplier) => {
    let hash = Math.imul(bytes.length ^ multiplier, multiplier);
    for (const byte of bytes) {
      hash = Math.imul(hash ^ byte, multiplier);
      hash ^= hash >>> 15;
    }
    return (hash >>> 0).toString(16).padStart(8, '0');
  });
  return lanes.join('');
}
