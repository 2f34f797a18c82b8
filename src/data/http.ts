import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';

export interface HttpOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Longest silence of the other side, before the connection stands and after. Default 15,000. */
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const MOST_REDIRECTS = 5;

/**
 * GET with redirects followed, through the proxy that HTTPS_PROXY or HTTP_PROXY names (a CONNECT tunnel; Node 20's own
 * fetch knows no proxy), except for the hosts of NO_PROXY. Resolves as soon as the head of the answer is there.
 */
export async function httpGet(url: string, options: HttpOptions = {}): Promise<IncomingMessage> {
  let address = new URL(url);
  for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
    const answer = await getOnce(address, options);
    const { location } = answer.headers;
    if (![301, 302, 303, 307, 308].includes(answer.statusCode ?? 0) || !location) return answer;
    answer.resume();
    address = new URL(location, address);
  }
  throw new Error(`more than ${MOST_REDIRECTS} redirects`);
}

/** The proxy for a URL by the usual environment variables, or undefined. */
export function proxyFor(url: URL, env: Readonly<Record<string, string | undefined>>): URL | undefined {
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const proxy =
    env[`${scheme}_proxy`] || env[`${scheme.toUpperCase()}_PROXY`] || env.all_proxy || env.ALL_PROXY;
  if (!proxy) return undefined;
  const exempt = (env.no_proxy || env.NO_PROXY || '')
    .split(',')
    .map((host) => host.trim().replace(/^\*?\./, ''));
  const direct = exempt.some(
    (host) => host === '*' || (host !== '' && (url.hostname === host || url.hostname.endsWith(`.${host}`))),
  );
  return direct ? undefined : new URL(proxy.includes('://') ? proxy : `http://${proxy}`);
}

async function getOnce(url: URL, options: HttpOptions): Promise<IncomingMessage> {
  const { headers = {}, timeoutMs = 15_000, env = process.env } = options;
  const secure = url.protocol === 'https:';
  const proxy = proxyFor(url, env);
  const tunnel = proxy && (await openTunnel(proxy, url, timeoutMs));
  // A tunnelled socket serves one request (with createConnection no agent is used); TLS is laid over it by hand.
  const through = tunnel && {
    createConnection: () => (secure ? tlsConnect({ socket: tunnel, servername: url.hostname }) : tunnel),
  };
  const request = (secure ? httpsRequest : httpRequest)(url, {
    headers: { ...headers },
    timeout: timeoutMs, // before the connection stands; answerOf sets the one after
    ...through,
  });
  return answerOf(request, 'response', url.host, timeoutMs, (answer: IncomingMessage) => answer);
}

/** A socket to the host of `url`, through an HTTP proxy. */
function openTunnel(proxy: URL, url: URL, timeoutMs: number): Promise<Socket> {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const login = decodeURIComponent(`${proxy.username}:${proxy.password}`);
  const authorization = `Basic ${Buffer.from(login).toString('base64')}`;
  const target = `${url.hostname}:${port}`;
  const request = (proxy.protocol === 'https:' ? httpsRequest : httpRequest)({
    host: proxy.hostname,
    port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
    method: 'CONNECT',
    path: target,
    agent: false,
    timeout: timeoutMs,
    headers: { host: target, ...(proxy.username ? { 'proxy-authorization': authorization } : {}) },
  });
  return answerOf(
    request,
    'connect',
    `proxy ${proxy.host}`,
    timeoutMs,
    (answer: IncomingMessage, socket: Socket) => {
      if (answer.statusCode === 200) return socket;
      socket.destroy();
      throw new Error(`proxy ${proxy.host} answered ${answer.statusCode} to a tunnel to ${target}`);
    },
  );
}

/** Sends a request and waits for `event`; a silence longer than `timeoutMs` ends it, also while the body is read. */
function answerOf<A extends unknown[], T>(
  request: ClientRequest,
  event: string,
  who: string,
  timeoutMs: number,
  take: (...answer: A) => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    request.setTimeout(timeoutMs);
    request.on('timeout', () =>
      request.destroy(new Error(`no answer from ${who} for ${timeoutMs / 1000} s`)),
    );
    request.on('error', reject);
    request.on(event, (...answer) => {
      try {
        resolve(take(...(answer as A)));
      } catch (error) {
        reject(error);
      }
    });
    request.end();
  });
}
