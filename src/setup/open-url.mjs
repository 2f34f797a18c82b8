import http from 'node:http';
import https from 'node:https';
import tls from 'node:tls';

/**
 * The proxy that the usual variables name for an address, or null.
 *
 * @param {URL} url
 * @param {NodeJS.ProcessEnv} env
 * @returns {URL | null}
 */
export function proxyFor(url, env) {
  const scheme = url.protocol.slice(0, -1);
  const named =
    env[`${scheme}_proxy`] || env[`${scheme.toUpperCase()}_PROXY`] || env.all_proxy || env.ALL_PROXY;
  if (!named) return null;
  const except = (env.no_proxy || env.NO_PROXY || '').split(/[\s,]+/).filter(Boolean);
  for (const entry of except) {
    const host = entry.replace(/:\d+$/, '').replace(/^\*?\./, '');
    if (entry === '*' || url.hostname === host || url.hostname.endsWith(`.${host}`)) return null;
  }
  return new URL(named.includes('://') ? named : `http://${named}`);
}

/** @param {URL} proxy */
function credentials(proxy) {
  if (!proxy.username) return {};
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'Proxy-Authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}

/**
 * A secure connection to the host of an address through a proxy.
 *
 * @param {URL} url
 * @param {URL} proxy
 * @returns {Promise<import('node:tls').TLSSocket>}
 */
function tunnel(url, proxy) {
  const goal = `${url.hostname}:${url.port || 443}`;
  const client = proxy.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const request = client.request({
      host: proxy.hostname,
      port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
      method: 'CONNECT',
      path: goal,
      headers: { Host: goal, ...credentials(proxy) },
    });
    request.on('connect', (response, socket) => {
      if (response.statusCode === 200) resolve(tls.connect({ socket, servername: url.hostname }));
      else reject(new Error(`the proxy ${proxy.host} answered ${response.statusCode}`));
    });
    request.on('error', reject);
    request.end();
  });
}

/**
 * Opens an address for reading, through a proxy where the environment names one (Node's own fetch ignores those variables).
 *
 * @param {string} address
 * @param {{env: NodeJS.ProcessEnv, headers?: Record<string, string>, timeoutMs: number}} options timeoutMs: until the answer begins
 * @returns {Promise<import('node:http').IncomingMessage>} of any status
 */
export function openUrl(address, { env, headers = {}, timeoutMs }) {
  const url = new URL(address);
  const proxy = proxyFor(url, env);
  return new Promise((resolve, reject) => {
    /** @type {import('node:http').ClientRequest | null} */
    let request = null;
    const timer = setTimeout(() => {
      reject(new Error(`${url.host} did not answer within ${timeoutMs / 1000} s`));
      request?.destroy();
    }, timeoutMs);
    const send = (
      /** @type {import('node:https').RequestOptions} */ more,
      /** @type {string | URL} */ target,
    ) => {
      const client = url.protocol === 'https:' ? https : http;
      request = client.request(target, { headers, ...more }, (response) => {
        clearTimeout(timer);
        resolve(response);
      });
      request.on('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      request.end();
    };
    if (!proxy) return send({}, url);
    if (url.protocol === 'http:') {
      return send({ headers: { ...headers, Host: url.host, ...credentials(proxy) }, path: address }, proxy);
    }
    tunnel(url, proxy).then(
      (socket) => send({ createConnection: () => socket, agent: false }, url),
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
