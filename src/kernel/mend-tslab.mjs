// @ts-nocheck: it reaches into tslab, which declares no types for what is wrapped here.
// tslab 1.0.22 is complete but for a few traps that matter to unattended runs, and it is not maintained any more. This
// wraps its objects (it copies none of its code), so that
// - a failed cell sends Jupyter's `error` message with name, text and traceback (tslab writes to stderr alone);
// - a rejected promise that nobody awaits, or a throw in a timer, fails the cell in which it is noticed;
// - `{ a }` works where `a` comes from an earlier cell (tslab renames the value and forgets the name);
// - a burst of output is not cut, and callbacks of process.stdout.write are called;
// - the kernel ends after shutdown although timers or threads are still there.
import { createRequire } from 'node:module';
import { inspect } from 'node:util';

/** Prepares tslab as `require` finds it, then starts it by `start`, which must call tslab's startKernel. */
export function mendTslab(require, start) {
  const { JupyterHandlerImpl, ZmqServer } = require('tslab/dist/jupyter.js');
  const typescript = createRequire(require.resolve('tslab'))('@tslab/typescript-for-tslab');
  // What tslab said of the failure of the current cell, and what went wrong where nobody caught it.
  const faults = [];
  const strays = [];
  mendHandler(JupyterHandlerImpl.prototype, typescript, faults, strays);
  mendServer(ZmqServer.prototype);
  startListening(start, faults, strays);
}

function mendHandler(handler, typescript, faults, strays) {
  wrap(
    handler,
    'handleKernel',
    (original) =>
      function () {
        const reply = original.call(this);
        reply.language_info.version = typescript.version;
        return reply;
      },
  );
  wrap(
    handler,
    'createWriteToIopub',
    (original) =>
      function (name, writeStream) {
        const write = original.call(this, name, writeStream);
        return (chunk, encoding, callback) => {
          const done = typeof encoding === 'function' ? encoding : callback;
          const result = write(chunk);
          if (done) process.nextTick(done);
          return result;
        };
      },
  );
  wrap(
    handler,
    'handleExecuteImpl',
    (original) =>
      async function (request, ...rest) {
        faults.length = 0;
        const code = spellOutShorthand(typescript, request.code);
        let failed = false;
        const count = await original.call(this, { ...request, code }, ...rest).catch((thrown) => {
          failed = true;
          return thrown;
        });
        // A rejection is reported one turn of the event loop after it happened.
        await new Promise((done) => setImmediate(() => setImmediate(done)));
        if (!failed && strays.length === 0) return count;
        request.error = describe(failed ? faults : strays, !failed);
        strays.length = 0;
        throw count; // tslab's own sign of failure
      },
  );
  wrap(
    handler,
    'handleExecute',
    (original) =>
      async function (request, ...rest) {
        const reply = await original.call(this, request, ...rest);
        if (reply.status === 'abort') return { ...reply, status: 'aborted' };
        if (reply.status !== 'error') return reply;
        const error = request.error ?? describe([], false);
        request.sendError(error);
        return { ...reply, ...error };
      },
  );
}

function mendServer(server) {
  wrap(
    server,
    'bindSocket',
    (original) =>
      function (socket, port) {
        // No limit: what a burst of output puts beyond it would be dropped.
        if (socket === this.iopub) socket.sendHighWaterMark = 0;
        for (const name of ['iopub', 'shell', 'control'])
          if (this[name] === socket) this[name] = neverBusy(socket);
        return original.call(this, socket, port);
      },
  );
  wrap(
    server,
    'init',
    (original) =>
      async function () {
        await original.call(this).catch((error) => {
          process.stderr.write(`the notebook kernel cannot start: ${error.stack}\n`);
          process.exit(1);
        });
      },
  );
  wrap(
    server,
    'handleExecute',
    (original) =>
      function (socket, message) {
        message.content.sendError = (error) => {
          const report = message.createReply();
          report.header.msg_type = 'error';
          report.content = error;
          report.signAndSend(this.connInfo.key, this.iopub);
        };
        return original.call(this, socket, message);
      },
  );
  wrap(
    server,
    'close',
    (original) =>
      function () {
        original.call(this);
        setTimeout(() => process.exit(0), 300).unref();
      },
  );
}

/**
 * What tslab uses of a socket to answer, with a `send` that keeps a message for later where zeromq would throw that the
 * socket is busy: tslab does not expect that, and loses lines of a burst of output, or even the reply. What can be sent at
 * once still is, also from code that never awaits. (The socket itself is sealed.)
 */
function neverBusy(socket) {
  const waiting = [];
  let last = Promise.resolve();
  let scheduled = false;
  const flush = () => {
    while (waiting.length > 0) {
      try {
        last = socket.send(waiting[0]);
      } catch (error) {
        if (error.code !== 'EBUSY') throw error;
        break;
      }
      last.catch(() => undefined); // the socket was closed meanwhile
      waiting.shift();
    }
    if (waiting.length === 0 || scheduled) return;
    scheduled = true;
    const again = () => {
      scheduled = false;
      if (!socket.closed) flush();
    };
    last.then(again, again);
  };
  return {
    close: () => socket.close(),
    send: (message) => {
      waiting.push(message);
      flush();
    },
  };
}

/** Starts tslab so that what it would print as the cause of a failure comes to `faults` instead. */
function startListening(start, faults, strays) {
  const { error } = console;
  console.error = (...words) => {
    faults.push(words);
  };
  try {
    // tslab keeps console.error as it is now for its executor; cells get the true one.
    start();
  } finally {
    console.error = error;
  }
  for (const event of ['unhandledRejection', 'uncaughtException']) {
    process.removeAllListeners(event);
    process.on(event, (reason) => strays.push([reason]));
  }
}

/** Jupyter's description of an error: { ename, evalue, traceback }. */
function describe(faults, stray) {
  const [first] = faults;
  if (!first) return named('Error', 'the cell failed', ['the cell failed']);
  // The compiler's messages come as a format with file, line, column and text.
  if (typeof first[0] === 'string' && first[0].startsWith('%s')) {
    const lines = faults.map(([, file, line, column, text]) => `${file}${line}:${column} - ${text}`);
    return named('TypeScriptError', lines[0], lines);
  }
  const thrown = first[0];
  const hint = stray ? ['a promise was rejected, or a timer threw, and nothing was there to catch it:'] : [];
  if (thrown instanceof Error || typeof thrown?.stack === 'string')
    return named(
      thrown.message === 'Interrupted asynchronously' ? 'Interrupted' : (thrown.name ?? 'Error'),
      String(thrown.message),
      [...hint, ...ownFrames(thrown)],
    );
  const text = typeof thrown === 'string' ? thrown : inspect(thrown);
  return named('Error', text, [...hint, `thrown: ${text}`]);
}

function named(ename, evalue, traceback) {
  return { ename, evalue, traceback };
}

/** The stack down to the cell's own code: what lies below it is the kernel's. */
function ownFrames(error) {
  const lines = String(error.stack || `${error.name}: ${error.message}`).split('\n');
  const kernels = lines.findIndex((line) => /[/\\]tslab[/\\]dist[/\\]|node:vm/.test(line));
  return kernels > 0 ? lines.slice(0, kernels) : lines;
}

/** The code with each `{ a }` in a value written as `{ a: a }`; other characters stay where they are. */
export function spellOutShorthand(typescript, code) {
  const file = typescript.createSourceFile('cell.ts', code, typescript.ScriptTarget.ES2022, true);
  const ends = [];
  const visit = (node) => {
    if (typescript.isShorthandPropertyAssignment(node)) ends.push([node.name.end, node.name.text]);
    typescript.forEachChild(node, visit);
  };
  visit(file);
  return ends.reduceRight((text, [end, name]) => `${text.slice(0, end)}: ${name}${text.slice(end)}`, code);
}

function wrap(target, name, make) {
  target[name] = make(target[name]);
}
