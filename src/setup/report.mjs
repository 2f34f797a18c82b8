const BAR = 24;
const QUIET_TICK_MS = 15_000;

/**
 * @param {number} milliseconds
 * @returns {string} "0.4 s", "75 s", "3 min 20 s"
 */
export function duration(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 100) return `${seconds.toFixed(seconds < 20 ? 1 : 0)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/**
 * @param {number} bytes
 * @returns {string} "0.1 MB", "230 MB", "1.2 GB"
 */
export function size(bytes) {
  const megabytes = bytes / 1e6;
  if (megabytes >= 1000) return `${(megabytes / 1000).toFixed(1)} GB`;
  return `${megabytes.toFixed(megabytes < 10 ? 1 : 0)} MB`;
}

/**
 * One line of progress: a bar where the end is known, and the time left once it can be told.
 *
 * @param {{done?: number, total?: number, elapsedMs: number}} state bytes and milliseconds
 * @returns {string}
 */
export function progressText({ done, total, elapsedMs }) {
  if (done === undefined || !total) return `${done ? `${size(done)}, ` : ''}${duration(elapsedMs)}`;
  const part = Math.min(1, done / total);
  const full = Math.round(part * BAR);
  const left = part > 0.02 ? `, ${duration((elapsedMs * (1 - part)) / part)} left` : '';
  return `[${'#'.repeat(full)}${'.'.repeat(BAR - full)}] ${size(done)} of ${size(total)}${left}`;
}

/**
 * @typedef {object} Report what the steps tell the person at the terminal; everything goes to stderr or to `stream`
 * @property {(text: string) => void} line a line that stays
 * @property {(name: string, what: string) => Task} begin
 *
 * @typedef {object} Task
 * @property {(done?: number, total?: number) => void} progress bytes
 * @property {(note: string) => void} end
 */

/**
 * Lines that stay, and in a terminal one that moves. Elsewhere (a log) a line when a task begins, every 15 s, and at its end.
 *
 * @param {{write: (text: string) => unknown, isTTY?: boolean, columns?: number}} stream
 * @returns {Report}
 */
export function createReport(stream) {
  const wide = () => Math.max(40, (stream.columns ?? 100) - 1);
  const clear = () => stream.isTTY && stream.write('\r\u001b[2K');
  return {
    line(text) {
      clear();
      stream.write(`${text}\n`);
    },
    begin(name, what) {
      const label = name.padEnd(20);
      const started = Date.now();
      let said = started;
      let last = /** @type {{done?: number, total?: number}} */ ({});
      const show = () => {
        const text = progressText({ ...last, elapsedMs: Date.now() - started });
        if (stream.isTTY) {
          clear();
          stream.write(`${label}${what} ${text}`.slice(0, wide()));
        } else if (Date.now() - said > QUIET_TICK_MS) {
          said = Date.now();
          stream.write(`${label}${text}\n`);
        }
      };
      if (!stream.isTTY) stream.write(`${label}${what}\n`);
      const timer = setInterval(show, 250);
      timer.unref();
      return {
        progress(done, total) {
          last = { done, total };
        },
        end(note) {
          clearInterval(timer);
          clear();
          stream.write(`${label}${note}, ${duration(Date.now() - started)}\n`);
        },
      };
    },
  };
}
