import { beforeEach, describe, expect, test } from 'vitest';
import { formatDuration } from '../../src/kernel/duration';
import { logProgress } from '../../src/kernel/log-progress';
import { progressMeter } from '../../src/kernel/progress-meter';
import { terminalProgress } from '../../src/kernel/terminal-progress';

let clock = 0;
const now = () => clock;
beforeEach(() => {
  clock = 0;
});

test.each([
  [0.2, 'under 1 s'],
  [12.4, '12 s'],
  [59.6, '1 min 0 s'],
  [200, '3 min 20 s'],
  [7500, '2 h 5 min'],
])('%d seconds are shown as %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));

describe('the meter', () => {
  test('tells rate and time left from the whole stage', () => {
    const read = progressMeter(now);
    expect(read({ done: 0, total: 100, note: 'work' })).toMatchObject({ isNew: true, fraction: 0 });
    clock = 4000;
    expect(read({ done: 20, total: 100, note: 'work' })).toMatchObject({
      rate: 5,
      secondsLeft: 16,
      text: 'work  20 %  20/100  5/s  16 s left',
    });
  });

  test('does not count what a resumed stage had done before', () => {
    const read = progressMeter(now);
    read({ done: 90, total: 100 });
    clock = 10_000;
    expect(read({ done: 95, total: 100 })).toMatchObject({ rate: 0.5, secondsLeft: 10 });
    expect(read({ done: 95, total: 100 }).text).toContain('2.0 s each');
  });

  test('starts anew when the total changes, when done falls, and after the end', () => {
    const read = progressMeter(now);
    const isNew = (done: number, total: number) => read({ done, total }).isNew;
    expect([isNew(1, 2), isNew(1, 3), isNew(2, 3), isNew(1, 3), isNew(3, 3), isNew(3, 3)]).toEqual([
      true,
      true,
      false,
      true,
      false,
      true,
    ]);
  });

  test('an empty stage is finished', () => {
    expect(progressMeter(now)({ done: 0, total: 0 })).toMatchObject({ fraction: 1, finished: true });
  });
});

describe('progress as lines', () => {
  test('comes after 2 s, then every 10 s, and at the end', () => {
    const lines: string[] = [];
    const report = logProgress((line) => lines.push(line), { now });
    for (clock = 0; clock <= 25_000; clock += 500) report({ done: clock / 500, total: 50, note: 'work' });
    expect(lines).toEqual([
      'work  8 %  4/50  2/s  23 s left',
      'work  48 %  24/50  2/s  13 s left',
      'work  88 %  44/50  2/s  3 s left',
      'work: 50 in 25 s',
    ]);
  });

  test('a stage under 2 s leaves no trace', () => {
    const lines: string[] = [];
    const report = logProgress((line) => lines.push(line), { now });
    for (clock = 0; clock < 2000; clock += 500) report({ done: clock / 500, total: 3 });
    expect(lines).toEqual([]);
  });

  test('with timestamps begins with the time', () => {
    const lines: string[] = [];
    const report = logProgress((line) => lines.push(line), { now, timestamps: true });
    report({ done: 0, total: 1 });
    clock = 3000;
    report({ done: 1, total: 1 });
    expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z {2}done: 1 in 3 s$/);
  });
});

describe('progress on a terminal', () => {
  const screen = () => {
    const written: string[] = [];
    return { written, isTTY: true, columns: 50, write: (text: string) => written.push(text) };
  };

  test('redraws one line that never wraps, at most ten times a second', () => {
    const stream = screen();
    const show = terminalProgress(stream, now);
    for (clock = 0; clock < 2000; clock += 10)
      show({ done: clock, total: 10_000, note: 'a long note '.repeat(9) });
    expect(stream.written.length).toBeGreaterThan(10);
    expect(stream.written.length).toBeLessThanOrEqual(20);
    for (const text of stream.written) {
      expect(text).toMatch(/^\r█*░+ /);
      expect(text.endsWith('\x1b[K')).toBe(true);
      expect([...text].length).toBeLessThanOrEqual(1 + 49 + 3);
    }
  });

  test('replaces the bar by one line at the end of a long stage, by nothing at the end of a short one', () => {
    for (const [seconds, last] of [
      [5, 'work: 2 in 5 s\n'],
      [1, '\r\x1b[K'],
    ] as const) {
      const stream = screen();
      const show = terminalProgress(stream, now);
      clock = 0;
      show({ done: 0, total: 2, note: 'work' });
      clock = seconds * 500;
      show({ done: 1, total: 2, note: 'work' });
      clock = seconds * 1000;
      show({ done: 2, total: 2, note: 'work' });
      expect(stream.written.at(-1)).toBe(last);
    }
  });

  test('end takes an unfinished bar away', () => {
    const stream = screen();
    const show = terminalProgress(stream, now);
    show({ done: 0, total: 2 });
    clock = 1000;
    show({ done: 1, total: 2 });
    show.end();
    show.end();
    expect(stream.written.filter((text) => text === '\r\x1b[K')).toHaveLength(1);
  });

  test('where there is no terminal, it is lines', () => {
    const stream = { ...screen(), isTTY: false };
    const show = terminalProgress(stream, now);
    show({ done: 0, total: 2, note: 'work' });
    clock = 3000;
    show({ done: 1, total: 2, note: 'work' });
    show.end();
    expect(stream.written).toEqual(['work  50 %  1/2  3.0 s each  3 s left\n']);
  });
});
