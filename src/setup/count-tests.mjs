/**
 * @typedef {{passed: number, failed: number}} Count
 */

/**
 * Counts the tests of a report that vitest wrote as JSON. A file that fails before its first test, and an error outside of any test, are each one failure.
 *
 * @param {any} report parsed, or null where vitest wrote none
 * @param {number} status its exit status
 * @returns {Count}
 */
export function countTests(report, status) {
  if (!report || !Array.isArray(report.testResults)) return { passed: 0, failed: 1 };
  let passed = 0;
  let failed = 0;
  for (const file of report.testResults) {
    const states = file.assertionResults.map((/** @type {{status: string}} */ test) => test.status);
    const lost = states.filter((/** @type {string} */ state) => state === 'failed').length;
    passed += states.filter((/** @type {string} */ state) => state === 'passed').length;
    failed += lost === 0 && file.status === 'failed' ? 1 : lost;
  }
  if (failed === 0 && status !== 0) failed = 1;
  return { passed, failed };
}
