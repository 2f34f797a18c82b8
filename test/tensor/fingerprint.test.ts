import { describe, expect, it } from 'vitest';
import { fingerprint } from '../../src/tensor/fingerprint';

describe('fingerprint', () => {
  it('is 32 hexadecimal digits, the same for the same bytes', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    expect(fingerprint(bytes)).toMatch(/^[0-9a-f]{32}$/);
    expect(fingerprint(bytes.slice())).toBe(fingerprint(bytes));
  });

  it('tells apart contents that differ in one bit, in their length or in their order', () => {
    const seen = new Set<string>();
    const note = (bytes: Uint8Array) => seen.add(fingerprint(bytes));
    let count = 0;
    for (let length = 0; length < 200; length++, count++) note(new Uint8Array(length));
    for (let bit = 0; bit < 8 * 256; bit++, count++) {
      const bytes = new Uint8Array(256);
      bytes[bit >> 3] = 1 << (bit & 7);
      note(bytes);
    }
    for (let at = 1; at < 100; at++, count++) {
      const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
      [bytes[at - 1], bytes[at]] = [bytes[at], bytes[at - 1]];
      note(bytes);
    }
    expect(seen.size).toBe(count);
  });
});
