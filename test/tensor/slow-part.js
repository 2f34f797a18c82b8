/** Part workers for threads: one that counts its parts in the second number, one that fails, one that does nothing. */

/**
 * @param {Int32Array} array
 * @param {() => number} take
 */
exports.slowPart = (array, take) => {
  for (let part = take(); part >= 0; part = take()) {
    const end = Date.now() + 20;
    while (Date.now() < end);
    Atomics.add(array, 1, 1);
  }
};

/**
 * @param {Int32Array} _array
 * @param {() => number} take
 */
exports.failingPart = (_array, take) => {
  take();
  throw new Error('on purpose');
};

/**
 * @param {unknown} _argument
 * @param {() => number} take
 */
exports.idlePart = (_argument, take) => {
  while (take() >= 0);
};
