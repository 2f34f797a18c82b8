/** The path of the installed plotly.js (one minified file for browsers; it cannot run in Node itself). */
export function plotlyScript(): string {
  return require.resolve('plotly.js-dist-min');
}
